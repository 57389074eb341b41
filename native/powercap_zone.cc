// SPDX-License-Identifier: MIT
#include "powercap_zone.h"

#include <algorithm>

namespace microjoule {
namespace {

constexpr uint64_t kCounts = uint64_t{1} << 32;
constexpr uint64_t kNanojoulesPerJoule = 1000000000u;
constexpr uint64_t kMicrojoulesPerJoule = 1000000u;
constexpr uint64_t kMaxEnergyUnit = 31;       // ESU is a 5-bit field (Intel SDM vol. 4, MSR 606H)
constexpr uint64_t kLastInvertibleUnit = 19;  // finer counts than a microjoule are lost in print

constexpr uint64_t kCommonUnitNj = 61035;  // 2^-14 J
constexpr uint64_t kServerDramUnitNj = 15300;
// Intel's server processors from Sapphire Rapids on count DRAM in the unit of the package.

// In order of preference. Of TPMI the kernel itself makes "intel-rapl"; the third name is a guard.
constexpr const char* kControlTypes[] = {"intel-rapl", "intel-rapl-tpmi", "intel-rapl-mmio"};

size_t Rank(const std::string& control_type) {
  const auto* const end = std::end(kControlTypes);
  return static_cast<size_t>(std::find(std::begin(kControlTypes), end, control_type) -
                             std::begin(kControlTypes));
}

// Takes a run of digits of the given base off the front. False when there is none.
bool TakeNumber(std::string_view* text, unsigned base, uint32_t* out) {
  uint64_t value = 0;
  size_t used = 0;
  for (const char c : *text) {
    unsigned digit = 99;
    if (c >= '0' && c <= '9') digit = static_cast<unsigned>(c - '0');
    if (c >= 'a' && c <= 'f') digit = static_cast<unsigned>(c - 'a') + 10;
    if (digit >= base) break;
    value = value * base + digit;
    if (value > 0x7fffffff) return false;
    ++used;
  }
  if (used == 0) return false;
  text->remove_prefix(used);
  *out = static_cast<uint32_t>(value);
  return true;
}

bool TakePrefix(std::string_view* text, std::string_view prefix) {
  if (text->substr(0, prefix.size()) != prefix) return false;
  text->remove_prefix(prefix.size());
  return true;
}

// The kernel writes no such number; two spellings of one zone would be two zones.
bool LeadsWithZero(std::string_view text) {
  return text.size() > 1 && text[0] == '0' && text[1] != ':';
}

}  // namespace

bool ParseZonePath(std::string_view folder, ZonePath* out) {
  const size_t colon = folder.find(':');
  if (colon == std::string_view::npos) return false;
  out->control_type = std::string(folder.substr(0, colon));
  if (Rank(out->control_type) == std::size(kControlTypes)) return false;
  out->indices.clear();
  std::string_view rest = folder.substr(colon);
  while (!rest.empty()) {
    uint32_t index = 0;
    if (!TakePrefix(&rest, ":") || LeadsWithZero(rest)) return false;
    if (!TakeNumber(&rest, 16, &index)) return false;
    out->indices.push_back(index);
  }
  return true;
}

bool operator<(const ZonePath& a, const ZonePath& b) {
  const size_t rank_a = Rank(a.control_type);
  const size_t rank_b = Rank(b.control_type);
  return rank_a != rank_b ? rank_a < rank_b : a.indices < b.indices;
}

ZoneName ParseZoneName(std::string_view name) {
  ZoneName zone;
  if (name == "core") {
    zone.domain = Domain::kCore;
  } else if (name == "uncore") {
    zone.domain = Domain::kUncore;
  } else if (name == "dram") {
    zone.domain = Domain::kDram;
  } else if (name == "psys") {
    zone.domain = Domain::kPsys;
  } else if (TakePrefix(&name, "package-")) {
    uint32_t package = 0;
    uint32_t die = 0;
    if (!TakeNumber(&name, 10, &package)) return zone;
    const bool has_die = TakePrefix(&name, "-die-");
    if (has_die && !TakeNumber(&name, 10, &die)) return zone;
    if (!name.empty()) return zone;
    zone.domain = Domain::kPackage;
    zone.package = static_cast<int32_t>(package);
    if (has_die) zone.die = static_cast<int32_t>(die);
  }
  return zone;
}

bool ParseCount(std::string_view text, uint64_t* out) {
  constexpr size_t kSafeDigits = 19;  // of any 64-bit number: 10^19 < 2^64
  uint64_t value = 0;
  size_t i = 0;
  const auto digit = [&text](size_t at) { return static_cast<uint64_t>(text[at]) - '0'; };
  for (const size_t safe = std::min(text.size(), kSafeDigits); i < safe && digit(i) <= 9; ++i) {
    value = value * 10 + digit(i);
  }
  for (; i < text.size() && digit(i) <= 9; ++i) {
    if (value > (UINT64_MAX - digit(i)) / 10) return false;
    value = value * 10 + digit(i);
  }
  if (i == 0) return false;
  for (; i < text.size(); ++i) {
    const char c = text[i];
    if (c != '\n' && c != '\r' && c != ' ' && c != '\t' && c != '\0') return false;
  }
  *out = value;
  return true;
}

uint64_t Inversion::Ticks(uint64_t microjoules) const {
  if (multiplier == divisor) return microjoules;
  // Counts beyond the range are refused later; here they must only not overflow. No multiplier has
  // more than 20 bits, and a division takes longer than the look at the common case.
  if (microjoules >> 44 != 0 && microjoules > UINT64_MAX / multiplier - 1) return UINT64_MAX;
  const uint64_t product = microjoules * multiplier;
  return product / divisor + (product % divisor != 0 ? 1 : 0);
}

Inversion InvertRange(uint64_t range_uj) {
  Inversion inversion;
  if (range_uj == 0) {
    inversion.note =
        "max_energy_range_uj is missing, unreadable or 0, so a wrap cannot be told from a reset: "
        "an interval in which the count falls has no energy; look at the file, and update the "
        "kernel if it wrote it so";
    return inversion;
  }
  constexpr uint64_t kMaxRaw = kCounts - 1;
  // Today's kernels: the unit is a whole number of nanojoules.
  if (range_uj <= UINT64_MAX / 2000) {
    const uint64_t unit_nj = (range_uj * 1000 + kMaxRaw / 2) / kMaxRaw;
    if (unit_nj >= 1000 && unit_nj <= kNanojoulesPerJoule && kMaxRaw * unit_nj / 1000 == range_uj) {
      inversion.multiplier = 1000;
      inversion.divisor = unit_nj;
      inversion.modulus_ticks = kCounts;
      inversion.scale = {unit_nj, kNanojoulesPerJoule};
      for (uint64_t esu = 0; esu <= kMaxEnergyUnit; ++esu) {
        // 61035 nJ is 2^-14 J with its fraction cut off: the hardware counts the whole of it.
        if (kNanojoulesPerJoule >> esu == unit_nj) inversion.scale = {1, uint64_t{1} << esu};
      }
      if (unit_nj == kServerDramUnitNj) {
        inversion.note =
            "server DRAM unit of 15300 nJ, as the kernel has it; perf_event counts 2^-16 J, 0.27 % "
            "less";
      }
      return inversion;
    }
  }
  // Kernels 3.x: 2^-ESU joules, untruncated.
  for (uint64_t esu = 0; esu <= kLastInvertibleUnit; ++esu) {
    if ((kMaxRaw * kMicrojoulesPerJoule) >> esu != range_uj) continue;
    const uint64_t counts_per_joule = uint64_t{1} << esu;
    inversion.multiplier = counts_per_joule;
    inversion.divisor = kMicrojoulesPerJoule;
    inversion.modulus_ticks = kCounts;
    inversion.scale = {1, counts_per_joule};
    return inversion;
  }
  inversion.modulus_ticks = range_uj == UINT64_MAX ? 0 : range_uj + 1;
  inversion.note = "the range fits no known energy unit: microjoules are taken as they are";
  return inversion;
}

void ApplyQuirks(const CpuIdentity& cpu, ZoneName* zone, Inversion* inversion) {
  if (zone->domain == Domain::kCore &&
      (cpu.vendor == CpuVendor::kAmd || cpu.vendor == CpuVendor::kHygon)) {
    zone->domain = Domain::kOther;
    const std::string more = inversion->note.empty() ? "" : "; " + inversion->note;
    inversion->note =
        "one core only: on this processor the kernel reads the core counter of a single CPU" + more;
  }
  if (zone->domain != Domain::kDram) return;
  if (HasDramUnknownToPowercap(cpu) && inversion->divisor == kCommonUnitNj) {
    inversion->scale = {1, uint64_t{1} << 16};
    inversion->note =
        "the kernel prints the DRAM of this processor 4 times too high, by a unit of 61035 nJ that "
        "it does not have; corrected to 2^-16 J, as perf_event has it";
  }
  if (HasDramInPackageUnits(cpu) && inversion->divisor == kServerDramUnitNj) {
    inversion->scale = {1, uint64_t{1} << 14};
    inversion->note =
        "this kernel prints the DRAM of this processor 3.99 times too low, by a unit of 15300 nJ "
        "that it does not have; corrected to 2^-14 J (Linux 6.1 and later are right)";
  }
}

bool HasNoUnit(Domain domain, const Inversion& inversion) {
  return inversion.divisor == kNanojoulesPerJoule && domain != Domain::kPsys &&
         domain != Domain::kOther;
}

}  // namespace microjoule
