// SPDX-License-Identifier: MIT
#include "perf_pmu.h"

#include <cmath>
#include <cstdlib>
#include <numeric>
#include <random>
#include <string>

#include "check.h"

namespace microjoule {
namespace {

bool IsScale(std::string_view text, uint64_t numerator, uint64_t denominator) {
  Scale scale;
  return ParseScale(text, &scale) && scale.numerator == numerator &&
         scale.denominator == denominator;
}

void TestScales() {
  CHECK(IsScale("2.3283064365386962890625e-10", 1, uint64_t{1} << 32));
  CHECK(IsScale("1", 1, 1) && IsScale("1.0", 1, 1) && IsScale("0001", 1, 1));
  CHECK(IsScale("0.5", 1, 2) && IsScale(".5", 1, 2) && IsScale("5.e-1", 1, 2));
  CHECK(IsScale("1.53e-05", 153, 10000000) && IsScale("6.103515625E-5", 1, 1 << 14));
  CHECK(IsScale("1e3", 1000, 1) && IsScale("1E+3", 1000, 1) && IsScale("120", 120, 1));
  CHECK(IsScale("18446744073709551615", UINT64_MAX, 1));
  CHECK(IsScale("1e-19", 1, 10000000000000000000u) && IsScale("1e19", 10000000000000000000u, 1));
  CHECK(IsScale("1" + std::string(400, '0') + "e-400", 1, 1));
  CHECK(IsScale("0." + std::string(400, '0') + "1e401", 1, 1));
}

void TestBadScales() {
  Scale scale{7, 9};
  for (const char* bad :
       {"", ".", "0", "0.000", "-1", "+1", "e5", "1e", "1e-", "1e+-2", "1e0x1", "1.2.3", "1 ", " 1",
        "1f", "0x1", "nan", "inf", "1e20", "1e-20", "18446744073709551616", "1e1000001",
        "1e-99999999999999999999", "3.33333333333333333333", "123456789012345678901234567890.5",
        "1234567890123456789012345678901234567890123456789", "1,5",
        // 2^-63 has 44 digits, which are more than 128 bits
        "1.08420217248550443400745280086994171142578125e-19"}) {
    CHECK(!ParseScale(bad, &scale));
  }
  CHECK(scale.numerator == 7 && scale.denominator == 9);
}

// Against an oracle in 128 bits, for random numerators over powers of ten and of two.
void TestScalesAreExact() {
  std::mt19937_64 random(17);
  for (int i = 0; i < 300000; ++i) {
    const uint64_t digits = (random() >> (random() % 63)) | 1;
    const int places = static_cast<int>(random() % 20);
    uint64_t power = 1;
    for (int j = 0; j < places; ++j) power *= 10;
    const uint64_t common = std::gcd(digits, power);
    std::string text = std::to_string(digits);
    switch (random() % 3) {
      case 0:
        text += "e-" + std::to_string(places);
        break;
      case 1:  // all digits behind the point
        text = "0." + text + "e" + std::to_string(static_cast<int>(text.size()) - places);
        break;
      default:
        text.insert(1, ".");
        text += "000e" + std::to_string(static_cast<int>(text.size()) - 2 - places);
    }
    CHECK(IsScale(text, digits / common, power / common));
  }
  // 2^-n in full, the way a kernel would write it: 5^n / 10^n.
  for (int n = 0; n <= 54; ++n) {
    char text[200];
    std::snprintf(text, sizeof text, "%.*e", 60, std::ldexp(1, -n));
    Scale scale;
    const bool parsed = ParseScale(text, &scale);
    // 5^54 is the last that fits into 128 bits.
    CHECK(parsed && scale.numerator == 1 && scale.denominator == uint64_t{1} << n);
  }
}

void TestScaleNoise() {
  std::mt19937 random(19);
  const std::string letters = "0123456789..eE-+x";
  for (int i = 0; i < 300000; ++i) {
    std::string text;
    for (size_t size = random() % 30; size > 0; --size) text += letters[random() % letters.size()];
    Scale scale;
    if (!ParseScale(text, &scale)) continue;
    CHECK(scale.numerator != 0 && scale.denominator != 0);
    CHECK(std::gcd(scale.numerator, scale.denominator) == 1);
    const double value = std::strtod(text.c_str(), nullptr);
    const double ratio =
        static_cast<double>(scale.numerator) / static_cast<double>(scale.denominator);
    CHECK(std::abs(ratio - value) <= value * 1e-14);
  }
}

void TestEvents() {
  std::string_view text = "event=0x02";
  EventTerm term;
  CHECK(TakeEventTerm(&text, &term) && term.name == "event" && term.value == 2 && text.empty());
  CHECK(!TakeEventTerm(&text, &term));
  text = "event=0xFf,umask=16,edge";
  CHECK(TakeEventTerm(&text, &term) && term.value == 255);
  CHECK(TakeEventTerm(&text, &term) && term.name == "umask" && term.value == 16);
  CHECK(TakeEventTerm(&text, &term) && term.name == "edge" && term.value == 1 && text.empty());
  for (const std::string_view bad : {"", ",", "=1", "event=", "event=0x", "event=x", "event=1,",
                                     "event=1;", "../type=1", "event=0x10000000000000000"}) {
    text = bad;
    CHECK(!TakeEventTerm(&text, &term) && text == bad);
  }
}

void TestFormats() {
  uint64_t config = 0;
  CHECK(PlaceBits("config:0-7", 2, &config) && config == 2);
  CHECK(PlaceBits("config:8-15", 0xff, &config) && config == 0xff02);
  config = 0;
  CHECK(PlaceBits("config:0-7,32-35", 0xabc, &config) && config == 0xa000000bc);
  config = 0;
  CHECK(PlaceBits("config:63", 1, &config) && config == uint64_t{1} << 63);
  CHECK(PlaceBits("config:0-63", UINT64_MAX, &config) && config == UINT64_MAX);
  config = 1;
  for (const char* bad : {"", "config", "config:", "config:0-7,", "config:7-0", "config:64",
                          "config:0-64", "config1:0-7", "config:0-7 ", "config:a", "config:0x0"}) {
    CHECK(!PlaceBits(bad, 1, &config) && config == 1);
  }
  CHECK(!PlaceBits("config:0-7", 256, &config) && config == 1);
}

void TestDomains() {
  CHECK(EventDomain("energy-pkg") == Domain::kPackage);
  CHECK(EventDomain("energy-cores") == Domain::kCore);
  CHECK(EventDomain("energy-ram") == Domain::kDram);
  CHECK(EventDomain("energy-gpu") == Domain::kUncore);
  CHECK(EventDomain("energy-psys") == Domain::kPsys);
  CHECK(EventDomain("energy-core") == Domain::kCore);
  CHECK(EventDomain("energy-lamp") == Domain::kOther && EventDomain("") == Domain::kOther);
}

}  // namespace
}  // namespace microjoule

int main() {
  using namespace microjoule;
  TestScales();
  TestBadScales();
  TestScalesAreExact();
  TestScaleNoise();
  TestEvents();
  TestFormats();
  TestDomains();
}
