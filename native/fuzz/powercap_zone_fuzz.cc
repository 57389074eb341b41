// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <string>

#include "fuzz.h"
#include "powercap_zone.h"
#include "text_file_linux.h"

namespace microjoule {
namespace {

constexpr uint64_t kCounts = uint64_t{1} << 32;
constexpr uint64_t kMaxRaw = kCounts - 1;
constexpr std::string_view kPadding("\n\r \t\0", 5);

std::string Print(const ZonePath& path) {
  std::string text = path.control_type;
  for (const uint32_t index : path.indices) {
    char digits[16];
    std::snprintf(digits, sizeof digits, ":%x", index);
    text += digits;
  }
  return text;
}

// What is taken for a zone prints as it was read, so that no zone has two names.
void CheckPath(std::string_view text, std::vector<ZonePath>* paths) {
  ZonePath path;
  if (!ParseZonePath(text, &path)) return;
  REQUIRE(!path.indices.empty());
  REQUIRE(Print(path) == text);
  paths->push_back(path);
}

void CheckOrder(const std::vector<ZonePath>& paths) {
  for (const ZonePath& one : paths) {
    for (const ZonePath& other : paths) {
      REQUIRE(int{one < other} + int{other < one} + int{Print(one) == Print(other)} == 1);
    }
  }
}

void CheckName(std::string_view text) {
  const ZoneName zone = ParseZoneName(text);
  REQUIRE(zone.package >= -1 && zone.die >= -1);
  REQUIRE((zone.package >= 0) == (zone.domain == Domain::kPackage));
  if (zone.domain == Domain::kOther) return;
  std::string printed = DomainName(zone.domain);
  if (zone.package >= 0) printed += "-" + std::to_string(zone.package);
  if (zone.die >= 0) printed += "-die-" + std::to_string(zone.die);
  REQUIRE(printed == text || printed.size() < text.size());  // but for zeros at the front
  const ZoneName again = ParseZoneName(printed);
  REQUIRE(again.domain == zone.domain && again.package == zone.package && again.die == zone.die);
}

// The same by text: digits that are no more than 2^64 - 1 has, and padding.
bool IsCount(std::string_view text, std::string* digits) {
  text = text.substr(0, text.find_last_not_of(kPadding) + 1);
  if (text.empty() || text.find_first_not_of("0123456789") != std::string_view::npos) return false;
  text.remove_prefix(std::min(text.find_first_not_of('0'), text.size() - 1));
  *digits = text;
  const std::string most = std::to_string(UINT64_MAX);
  return text.size() < most.size() || (text.size() == most.size() && text <= most);
}

bool CheckCount(std::string_view text, uint64_t* count) {
  std::string digits;
  const bool expected = IsCount(text, &digits);
  REQUIRE(ParseCount(text, count) == expected);
  if (expected) REQUIRE(std::to_string(*count) == digits);
  return expected;
}

void CheckFirstLine(std::string_view text) {
  const std::string line = FirstLine(std::string(text));
  REQUIRE(text.substr(0, line.size()) == line);
  REQUIRE(line.find('\n') == std::string::npos && line.find('\0') == std::string::npos);
  REQUIRE(line.empty() || std::string_view(" \r\t").find(line.back()) == std::string_view::npos);
  const std::string_view rest = text.substr(line.size());
  const size_t end = rest.find_first_not_of(" \r\t");
  REQUIRE(end == std::string_view::npos || rest[end] == '\n' || rest[end] == '\0');
}

// `range` as the kernel prints it, two counts of microjoules and one of the hardware.
void CheckInversion(uint64_t range_uj, uint64_t one_uj, uint64_t other_uj, uint32_t raw) {
  const Inversion inversion = InvertRange(range_uj);
  REQUIRE(inversion.divisor != 0 && inversion.multiplier != 0);
  REQUIRE(inversion.scale.numerator != 0 && inversion.scale.denominator != 0);
  REQUIRE(inversion.Ticks(0) == 0);
  const uint64_t low = std::min(one_uj, other_uj);
  const uint64_t high = std::max(one_uj, other_uj);
  REQUIRE(inversion.Ticks(low) <= inversion.Ticks(high));
  if (inversion.modulus_ticks == 0) {
    REQUIRE(inversion.Ticks(one_uj) == one_uj && !inversion.note.empty());
    return;
  }
  // Exactly what is within the range is within the modulus.
  REQUIRE(inversion.Ticks(range_uj) == inversion.modulus_ticks - 1);
  if (range_uj != UINT64_MAX) REQUIRE(inversion.Ticks(range_uj + 1) >= inversion.modulus_ticks);
  REQUIRE((one_uj <= range_uj) == (inversion.Ticks(one_uj) < inversion.modulus_ticks));
  // The energy of a whole range is the range, but for the cut-off fraction of the unit.
  const double joules = static_cast<double>(inversion.modulus_ticks) *
                        static_cast<double>(inversion.scale.numerator) /
                        static_cast<double>(inversion.scale.denominator);
  const double range_joules = static_cast<double>(range_uj) / 1e6;
  REQUIRE(std::fabs(joules - range_joules) <= range_joules / 1000 + 2e-6);
  if (inversion.multiplier == inversion.divisor) return;
  REQUIRE(inversion.modulus_ticks == kCounts);
  // As the kernel prints: by a unit of whole nanojoules, or (3.x) by a power of two.
  const uint64_t printed = raw * inversion.divisor / inversion.multiplier;
  REQUIRE(inversion.Ticks(printed) == raw);
}

// Any unit that the kernel may have is recognised, or leaves the microjoules as they are.
void CheckUnit(uint64_t unit_nj, uint32_t raw) {
  const Inversion inversion = InvertRange(kMaxRaw * unit_nj / 1000);
  if (unit_nj < 1000) return;
  REQUIRE(inversion.multiplier == 1000 && inversion.divisor == unit_nj);
  REQUIRE(inversion.Ticks(raw * unit_nj / 1000) == raw);
}

void CheckQuirks(uint64_t range_uj, uint64_t bits) {
  const Domain before = static_cast<Domain>(bits % 9);
  CpuIdentity cpu;
  cpu.vendor = static_cast<CpuVendor>(bits >> 8 & 3);
  cpu.family = (bits >> 16 & 1) != 0 ? 6 : static_cast<uint32_t>(bits >> 24 & 0xFF);
  cpu.model = (bits >> 17 & 1) != 0 ? 0x8F : static_cast<uint32_t>(bits >> 32 & 0xFF);
  ZoneName zone;
  zone.domain = before;
  const Inversion plain = InvertRange(range_uj);
  Inversion mended = plain;
  ApplyQuirks(cpu, &zone, &mended);
  REQUIRE(zone.domain == before || (before == Domain::kCore && zone.domain == Domain::kOther));
  // Raw counts are never touched; whatever is changed is said.
  REQUIRE(mended.multiplier == plain.multiplier && mended.divisor == plain.divisor);
  REQUIRE(mended.modulus_ticks == plain.modulus_ticks);
  const bool changed = zone.domain != before || mended.scale.denominator != plain.scale.denominator;
  REQUIRE(!changed || (!mended.note.empty() && mended.note != plain.note));
  HasNoUnit(before, mended);
}

}  // namespace
}  // namespace microjoule

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace microjoule;
  const std::string_view text = Text(data, size);
  std::vector<std::string_view> lines = Lines(text);
  if (lines.size() > 16) lines.resize(16);
  lines.push_back(text);
  std::vector<ZonePath> paths;
  uint64_t numbers[3] = {Word(text, 0), Word(text, 1), Word(text, 2)};
  size_t found = 0;
  CheckFirstLine(text);
  for (const std::string_view line : lines) {
    CheckPath(line, &paths);
    CheckName(line);
    uint64_t count = 0;
    if (CheckCount(line, &count) && found < 3) numbers[found++] = count;
  }
  CheckOrder(paths);
  const uint32_t raw = static_cast<uint32_t>(Word(text, 1) >> 7);
  CheckInversion(numbers[0], numbers[1], numbers[2], raw);
  CheckInversion((kMaxRaw * 1000000) >> (numbers[1] % 32), numbers[0], numbers[2], raw);
  CheckUnit(numbers[2] % 1000000001, raw);
  CheckQuirks(numbers[0], Word(text, 0));
  CheckQuirks(65712999613, Word(text, 0));
  return 0;
}
