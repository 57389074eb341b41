// SPDX-License-Identifier: MIT
#include "perf_pmu.h"

namespace microjoule {
namespace {

// Beyond this no decimal exponent gives anything that fits.
constexpr int64_t kMaxExponent = 1000000;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

bool IsNameCharacter(char c) {
  return IsDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-';
}

bool Take(std::string_view* text, char wanted) {
  if (text->empty() || text->front() != wanted) return false;
  text->remove_prefix(1);
  return true;
}

// The digits at the front. False when there are none, or more than `limit`.
bool TakeNumber(std::string_view* text, unsigned base, uint64_t limit, uint64_t* out) {
  uint64_t value = 0;
  size_t used = 0;
  for (; used < text->size(); ++used) {
    const char c = (*text)[used];
    const char lower = static_cast<char>(c | 0x20);
    unsigned digit = 99;
    if (IsDigit(c)) digit = static_cast<unsigned>(c - '0');
    if (lower >= 'a' && lower <= 'f') digit = static_cast<unsigned>(lower - 'a') + 10;
    if (digit >= base) break;
    if (value > (limit - digit) / base) return false;
    value = value * base + digit;
  }
  text->remove_prefix(used);
  *out = value;
  return used != 0;
}

// An unsigned 128-bit number with just what a decimal needs; not every compiler has one.
class Wide {
 public:
  // False, leaving nonsense, when the result does not fit.
  bool MultiplyAdd(uint32_t factor, uint32_t term) {
    uint64_t carry = term;
    for (uint32_t& limb : limbs_) {
      carry += uint64_t{limb} * factor;
      limb = static_cast<uint32_t>(carry);
      carry >>= 32;
    }
    return carry == 0;
  }

  // Divides if nothing remains.
  bool DivideExactly(uint32_t divisor) {
    Wide quotient;
    uint64_t rest = 0;
    for (int i = 3; i >= 0; --i) {
      rest = rest << 32 | limbs_[i];
      quotient.limbs_[i] = static_cast<uint32_t>(rest / divisor);
      rest %= divisor;
    }
    if (rest == 0) *this = quotient;
    return rest == 0;
  }

  bool IsZero() const { return (limbs_[0] | limbs_[1] | limbs_[2] | limbs_[3]) == 0; }

  bool Fits(uint64_t* out) const {
    *out = uint64_t{limbs_[1]} << 32 | limbs_[0];
    return (limbs_[2] | limbs_[3]) == 0;
  }

 private:
  uint32_t limbs_[4] = {};  // lowest first
};

// Digits with a point somewhere, as digits * 10^exponent. False when the digits do not fit.
bool TakeDecimal(std::string_view* text, Wide* digits, int64_t* exponent) {
  bool point = false;
  bool any = false;
  // Zeros wait until another digit follows, so that those at the end take no room.
  int64_t zeros = 0;
  for (; !text->empty() && (IsDigit(text->front()) || (text->front() == '.' && !point));
       text->remove_prefix(1)) {
    const char c = text->front();
    if (c == '.') {
      point = true;
      continue;
    }
    any = true;
    if (point) --*exponent;
    if (c == '0') {
      ++zeros;
      continue;
    }
    for (; zeros > 0 && !digits->IsZero(); --zeros) {
      if (!digits->MultiplyAdd(10, 0)) return false;
    }
    zeros = 0;
    if (!digits->MultiplyAdd(10, static_cast<uint32_t>(c - '0'))) return false;
  }
  *exponent += zeros;
  return any;
}

// base^exponent times `value`, or false.
bool MultiplyPower(uint64_t base, int64_t exponent, uint64_t* value) {
  for (; exponent > 0; --exponent) {
    if (*value > UINT64_MAX / base) return false;
    *value *= base;
  }
  return true;
}

}  // namespace

bool TakeEventTerm(std::string_view* text, EventTerm* out) {
  std::string_view rest = *text;
  size_t size = 0;
  while (size < rest.size() && IsNameCharacter(rest[size])) ++size;
  if (size == 0) return false;
  EventTerm term;
  term.name = rest.substr(0, size);
  rest.remove_prefix(size);
  term.value = 1;
  if (Take(&rest, '=')) {
    const bool hex = rest.substr(0, 2) == "0x";
    if (hex) rest.remove_prefix(2);
    if (!TakeNumber(&rest, hex ? 16 : 10, UINT64_MAX, &term.value)) return false;
  }
  if (!rest.empty() && !(Take(&rest, ',') && !rest.empty())) return false;
  *text = rest;
  *out = term;
  return true;
}

bool PlaceBits(std::string_view format, uint64_t value, uint64_t* config) {
  constexpr std::string_view kField = "config:";
  constexpr uint64_t kLastBit = 63;
  if (format.substr(0, kField.size()) != kField) return false;
  format.remove_prefix(kField.size());
  uint64_t placed = *config;
  do {
    uint64_t first = 0;
    if (!TakeNumber(&format, 10, kLastBit, &first)) return false;
    uint64_t last = first;
    if (Take(&format, '-') && !TakeNumber(&format, 10, kLastBit, &last)) return false;
    if (last < first) return false;
    for (uint64_t bit = first; bit <= last; ++bit, value >>= 1) placed |= (value & 1) << bit;
  } while (Take(&format, ','));
  if (!format.empty() || value != 0) return false;
  *config = placed;
  return true;
}

bool ParseScale(std::string_view text, Scale* out) {
  Wide digits;
  int64_t exponent = 0;
  if (!TakeDecimal(&text, &digits, &exponent) || digits.IsZero()) return false;
  if (Take(&text, 'e') || Take(&text, 'E')) {
    const bool negative = Take(&text, '-');
    if (!negative) Take(&text, '+');
    uint64_t power = 0;
    if (!TakeNumber(&text, 10, kMaxExponent, &power)) return false;
    exponent += negative ? -static_cast<int64_t>(power) : static_cast<int64_t>(power);
  }
  if (!text.empty()) return false;

  // digits * 10^exponent: what 10^-exponent = 2^k * 5^k has in common with the digits cancels.
  int64_t twos = exponent < 0 ? -exponent : 0;
  int64_t fives = twos;
  while (twos > 0 && digits.DivideExactly(2)) --twos;
  while (fives > 0 && digits.DivideExactly(5)) --fives;
  Scale scale;
  if (!digits.Fits(&scale.numerator)) return false;
  if (!MultiplyPower(10, exponent, &scale.numerator)) return false;
  if (!MultiplyPower(2, twos, &scale.denominator)) return false;
  if (!MultiplyPower(5, fives, &scale.denominator)) return false;
  *out = scale;
  return true;
}

Domain EventDomain(std::string_view name) {
  if (name == "energy-pkg") return Domain::kPackage;
  if (name == "energy-cores" || name == "energy-core") return Domain::kCore;
  if (name == "energy-gpu") return Domain::kUncore;
  if (name == "energy-ram") return Domain::kDram;
  if (name == "energy-psys") return Domain::kPsys;
  return Domain::kOther;
}

}  // namespace microjoule
