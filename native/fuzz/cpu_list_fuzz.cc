// SPDX-License-Identifier: MIT
#include <string>

#include "cpu_list.h"
#include "fuzz.h"

namespace microjoule {
namespace {

// As the kernel prints it: runs in ascending order.
std::string Print(const std::vector<uint32_t>& cpus) {
  std::string text;
  for (size_t i = 0; i < cpus.size();) {
    size_t last = i;
    while (last + 1 < cpus.size() && cpus[last + 1] == cpus[last] + 1) ++last;
    text += (text.empty() ? "" : ",") + std::to_string(cpus[i]);
    if (last > i) text += "-" + std::to_string(cpus[last]);
    i = last + 1;
  }
  return text;
}

}  // namespace
}  // namespace microjoule

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace microjoule;
  const std::string_view text = Text(data, size);
  std::vector<uint32_t> cpus = {1, 1};
  if (!ParseCpuList(text, &cpus)) {
    REQUIRE(cpus.empty());
    return 0;
  }
  for (size_t i = 0; i < cpus.size(); ++i) {
    REQUIRE(cpus[i] < kMaxCpus && (i == 0 || cpus[i - 1] < cpus[i]));
  }
  const std::string printed = Print(cpus);
  std::vector<uint32_t> again;
  REQUIRE(ParseCpuList(printed, &again) && again == cpus);
  // An archived copy is padded.
  if (cpus.size() < 64) {
    REQUIRE(ParseCpuList(printed + std::string("\n\0\0", 3), &again) && again == cpus);
    REQUIRE(cpus.empty() || !ParseCpuList(printed + ",", &again));
  }
  return 0;
}
