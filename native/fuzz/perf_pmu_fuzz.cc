// SPDX-License-Identifier: MIT
#include <numeric>
#include <string>

#include "fuzz.h"
#include "perf_pmu.h"

namespace microjoule {
namespace {

// Primes below 2^62: what agrees modulo all of them is equal, but for a chance that no run meets.
constexpr uint64_t kPrimes[] = {4611686018427387847u, 2305843009213693951u, 1000000000000000003u};

uint64_t Times(uint64_t a, uint64_t b, uint64_t prime) {
  __extension__ using Wide = unsigned __int128;
  return static_cast<uint64_t>(static_cast<Wide>(a % prime) * (b % prime) % prime);
}

uint64_t Power(uint64_t base, uint64_t exponent, uint64_t prime) {
  uint64_t result = 1;
  for (; exponent != 0; exponent >>= 1, base = Times(base, base, prime)) {
    if ((exponent & 1) != 0) result = Times(result, base, prime);
  }
  return result;
}

// Whether the decimal text is the rational number, by arithmetic on remainders.
bool IsScale(std::string_view text, const Scale& scale, uint64_t prime) {
  uint64_t digits = 0;
  uint64_t places = 0;
  bool point = false;
  size_t i = 0;
  for (; i < text.size() && text[i] != 'e' && text[i] != 'E'; ++i) {
    if (text[i] == '.') {
      point = true;
      continue;
    }
    digits = (Times(digits, 10, prime) + static_cast<uint64_t>(text[i] - '0')) % prime;
    if (point) ++places;
  }
  const long long exponent = i < text.size() ? std::stoll(std::string(text.substr(i + 1))) : 0;
  uint64_t left = Times(digits, scale.denominator, prime);
  uint64_t right = Times(scale.numerator, Power(10, places, prime), prime);
  const uint64_t power =
      Power(10, static_cast<uint64_t>(exponent < 0 ? -exponent : exponent), prime);
  uint64_t& side = exponent < 0 ? right : left;
  side = Times(side, power, prime);
  return left == right;
}

void CheckScale(std::string_view text) {
  Scale scale{7, 11};
  if (!ParseScale(text, &scale)) {
    REQUIRE(scale.numerator == 7 && scale.denominator == 11);
    return;
  }
  REQUIRE(scale.numerator != 0 && scale.denominator != 0);
  REQUIRE(std::gcd(scale.numerator, scale.denominator) == 1);
  for (const uint64_t prime : kPrimes) REQUIRE(IsScale(text, scale, prime));
}

void CheckTerms(std::string_view text) {
  const char* const begin = text.data();
  const char* const end = begin + text.size();
  EventTerm term;
  for (;;) {
    const std::string_view before = text;
    if (!TakeEventTerm(&text, &term)) {
      REQUIRE(text.data() == before.data() && text.size() == before.size());
      return;
    }
    REQUIRE(text.size() < before.size());
    REQUIRE(!term.name.empty() && term.name.data() >= begin &&
            term.name.data() + term.name.size() <= end);
    // It becomes the name of a file: it must not lead out of its folder.
    REQUIRE(term.name.find_first_of(std::string_view("/.\0", 3)) == std::string_view::npos);
    const std::string printed = std::string(term.name) + "=" + std::to_string(term.value);
    std::string_view rest = printed;
    EventTerm again;
    REQUIRE(TakeEventTerm(&rest, &again) && rest.empty());
    REQUIRE(again.name == term.name && again.value == term.value);
  }
}

// Places the bits one by one, and looks that each is where the format says.
void CheckFormat(std::string_view format, uint64_t value, uint64_t config) {
  uint64_t placed = config;
  if (!PlaceBits(format, value, &placed)) {
    REQUIRE(placed == config);
    return;
  }
  uint64_t ones = 0;
  REQUIRE(PlaceBits(format, 0, &ones) && ones == 0);
  REQUIRE((placed & config) == config);
  uint64_t alone = 0;
  REQUIRE(PlaceBits(format, value, &alone) && placed == (config | alone));
  REQUIRE((value == 0) == (alone == 0));
  // The field's bits in order take a part of the value each.
  uint64_t sum = 0;
  for (uint64_t bit = 1; bit != 0; bit <<= 1) {
    uint64_t part = 0;
    if ((value & bit) == 0) continue;
    REQUIRE(PlaceBits(format, bit, &part) && part != 0 && (part & (part - 1)) == 0);
    sum |= part;
  }
  REQUIRE(sum == alone);
}

}  // namespace
}  // namespace microjoule

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace microjoule;
  const std::string_view text = Text(data, size);
  std::vector<std::string_view> lines = Lines(text);
  if (lines.size() > 8) lines.resize(8);
  for (const std::string_view line : lines) {
    CheckScale(line);
    CheckTerms(line);
    CheckFormat(line, 0, Word(text, 0));
    CheckFormat(line, Word(text, 1) & 0xFF, Word(text, 0));
    CheckFormat(line, Word(text, 1), 0);
    EventDomain(line);
  }
  return 0;
}
