// SPDX-License-Identifier: MIT
#include "cpu_list.h"

#include <random>
#include <set>
#include <string>

#include "check.h"

namespace microjoule {
namespace {

using List = std::vector<uint32_t>;

void TestLists() {
  List cpus;
  CHECK(ParseCpuList("0-3,8,10-11\n", &cpus) && cpus == (List{0, 1, 2, 3, 8, 10, 11}));
  CHECK(ParseCpuList("0,64", &cpus) && cpus == (List{0, 64}));
  CHECK(ParseCpuList("64,0,64", &cpus) && cpus == (List{0, 64}));
  CHECK(ParseCpuList(std::string_view("1-3,5-6\n\0\0\0", 11), &cpus) && cpus.size() == 5);
  for (const char* empty : {"", "\n", " "}) CHECK(ParseCpuList(empty, &cpus) && cpus.empty());
  CHECK(ParseCpuList("0-65535", &cpus) && cpus.size() == kMaxCpus);
}

void TestBadLists() {
  List cpus{7};
  for (const char* bad : {",", "0,", ",0", "-1", "1-", "3-1", "0-65536", "65536", "0-65535,0",
                          "4294967296", "18446744073709551617", "0x1", "1 2", " 1", "1--2", "a"}) {
    CHECK(!ParseCpuList(bad, &cpus) && cpus.empty());
  }
}

// Random sets, written as the kernel would and in any order, come back.
void TestRandomLists() {
  std::mt19937 random(3);
  for (int i = 0; i < 20000; ++i) {
    std::set<uint32_t> expected;
    std::string text;
    const uint32_t ranges = random() % 6;
    for (uint32_t j = 0; j < ranges; ++j) {
      const uint32_t first = random() % (i % 2 == 0 ? 40 : kMaxCpus - 100);
      const uint32_t last = first + random() % 5;
      for (uint32_t cpu = first; cpu <= last; ++cpu) expected.insert(cpu);
      text += (j == 0 ? "" : ",") + std::to_string(first);
      if (last != first || random() % 4 == 0) text += "-" + std::to_string(last);
    }
    List cpus;
    CHECK(ParseCpuList(text, &cpus));
    CHECK(cpus == List(expected.begin(), expected.end()));
  }
}

// No text harms, and what is accepted keeps the promises.
void TestNoise() {
  std::mt19937 random(5);
  const std::string letters("0123456789,,--\n\0 x", 18);
  for (int i = 0; i < 20000; ++i) {
    std::string text;
    for (size_t size = random() % 12; size > 0; --size) text += letters[random() % letters.size()];
    List cpus;
    if (!ParseCpuList(text, &cpus)) CHECK(cpus.empty());
    for (size_t j = 0; j < cpus.size(); ++j) {
      CHECK(cpus[j] < kMaxCpus && (j == 0 || cpus[j - 1] < cpus[j]));
    }
  }
}

}  // namespace
}  // namespace microjoule

int main() {
  using namespace microjoule;
  TestLists();
  TestBadLists();
  TestRandomLists();
  TestNoise();
}
