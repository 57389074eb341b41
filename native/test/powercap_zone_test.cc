// SPDX-License-Identifier: MIT
#include "powercap_zone.h"

#include <random>

#include "check.h"

namespace microjoule {
namespace {

constexpr uint64_t kCounts = uint64_t{1} << 32;

void TestPaths() {
  ZonePath path;
  CHECK(ParseZonePath("intel-rapl:0", &path) && path.indices == std::vector<uint32_t>{0});
  CHECK(ParseZonePath("intel-rapl-mmio:a:2", &path));
  CHECK(path.control_type == "intel-rapl-mmio" && path.indices == (std::vector<uint32_t>{10, 2}));
  for (const char* bad : {"intel-rapl", "dtpm:0", "intel-rapl:", "intel-rapl:0:", "intel-rapl:g",
                          "intel-rapl:0x1", "", ":", "intel-rapl:99999999999", "intel-rapl:00",
                          "intel-rapl:0:01", "intel-rapl:A", "intel-rapl-tcc:0"}) {
    CHECK(!ParseZonePath(bad, &path));
  }
  ZonePath nine, ten, child;
  ParseZonePath("intel-rapl:9", &nine);
  ParseZonePath("intel-rapl:a", &ten);
  ParseZonePath("intel-rapl:9:0", &child);
  CHECK(nine < ten && nine < child && child < ten && !(ten < nine));
  // Numbers, not text: the seventeenth package is "10".
  ZonePath seventeen, mmio, tpmi;
  ParseZonePath("intel-rapl:10", &seventeen);
  CHECK(seventeen.indices[0] == 16 && ten < seventeen && nine < seventeen);
  ParseZonePath("intel-rapl-mmio:0", &mmio);
  ParseZonePath("intel-rapl-tpmi:0", &tpmi);
  CHECK(seventeen < tpmi && tpmi < mmio && ten < mmio);
}

void TestNames() {
  CHECK(ParseZoneName("package-0").domain == Domain::kPackage);
  CHECK(ParseZoneName("package-12").package == 12 && ParseZoneName("package-12").die == -1);
  CHECK(ParseZoneName("package-1-die-3").package == 1 && ParseZoneName("package-1-die-3").die == 3);
  CHECK(ParseZoneName("core").domain == Domain::kCore);
  CHECK(ParseZoneName("uncore").domain == Domain::kUncore);
  CHECK(ParseZoneName("dram").domain == Domain::kDram);
  CHECK(ParseZoneName("psys").domain == Domain::kPsys);
  for (const char* odd : {"", "package-", "package-x", "package-0-die-", "package-0x", "domain"}) {
    CHECK(ParseZoneName(odd).domain == Domain::kOther && ParseZoneName(odd).package == -1);
  }
}

void TestCounts() {
  uint64_t value = 0;
  CHECK(ParseCount("123\n", &value) && value == 123);
  CHECK(ParseCount("18446744073709551615", &value) && value == UINT64_MAX);
  CHECK(ParseCount(std::string_view("7\n\0\0\0", 5), &value) && value == 7);
  for (const char* bad : {"", "\n", "x", "-1", "12 34", "18446744073709551616", "0x10"}) {
    CHECK(!ParseCount(bad, &value));
  }
}

// Every unit the kernel can print comes back exactly, for random counts and the edges.
void TestInversionIsExact() {
  struct Unit {
    uint64_t range_uj, unit_nj;
    Scale scale;
  };
  const Unit units[] = {
      {262143328850, 61035, {1, 1 << 14}},       {65532610987, 15258, {1, 1 << 16}},
      {65712999613, 15300, {15300, 1000000000}}, {16381005263, 3814, {1, 1 << 18}},
      {4294967295000000, 1000000000, {1, 1}},    {137438953440, 32000, {32000, 1000000000}},
  };
  std::mt19937_64 random(7);
  for (const Unit& unit : units) {
    const Inversion inversion = InvertRange(unit.range_uj);
    CHECK(inversion.modulus_ticks == kCounts);
    CHECK(inversion.scale.numerator == unit.scale.numerator);
    CHECK(inversion.scale.denominator == unit.scale.denominator);
    for (int i = 0; i < 200000; ++i) {
      const uint64_t raw = i < 3 ? (i == 2 ? kCounts - 1 : i) : random() % kCounts;
      CHECK(inversion.Ticks(raw * unit.unit_nj / 1000) == raw);
    }
  }
  // Linux 3.x did not truncate the unit.
  const Inversion old = InvertRange(262143999938);
  CHECK(old.modulus_ticks == kCounts && old.scale.denominator == 1 << 14);
  for (int i = 0; i < 200000; ++i) {
    const uint64_t raw = random() % kCounts;
    CHECK(old.Ticks(raw * 1000000 >> 14) == raw);
  }
}

void TestOddRanges() {
  const Inversion unknown = InvertRange(0);
  CHECK(unknown.modulus_ticks == 0 && !unknown.note.empty() && unknown.Ticks(42) == 42);
  // ESU 20 is finer than print: its microjoules stay.
  const Inversion fine = InvertRange(4093103832);
  CHECK(fine.modulus_ticks == 4093103833 && fine.Ticks(42) == 42 && !fine.note.empty());
  std::mt19937_64 random(11);
  for (int i = 0; i < 100000; ++i) {
    const uint64_t range = random() >> (random() % 64);
    const Inversion any = InvertRange(range);
    const uint64_t value = random() >> (random() % 64);
    any.Ticks(value);  // no overflow, no division by zero
    CHECK(any.scale.denominator != 0 && any.divisor != 0);
    CHECK(any.Ticks(0) == 0);
  }
}

// A range that is too low for its own count: such a count is refused, not taken for a wrap.
void TestBeyondRange() {
  const Inversion inversion = InvertRange(262143328850);
  CHECK(inversion.Ticks(262143328850) == kCounts - 1);
  CHECK(inversion.Ticks(262143328851) == kCounts);
  CHECK(inversion.Ticks(UINT64_MAX) >= kCounts);
}

ZoneName Named(Domain domain) {
  ZoneName zone;
  zone.domain = domain;
  return zone;
}

// The kernel prints raw * 15300 / 1000 of a count whose unit is 2^-14 J.
void TestSapphireRapidsDram() {
  constexpr uint64_t kFixedRange = 65712999613;
  CpuIdentity cpu;
  cpu.vendor = CpuVendor::kIntel;
  cpu.family = 6;
  for (const uint32_t model : {0x8Fu, 0xCFu}) {
    cpu.model = model;
    ZoneName zone = Named(Domain::kDram);
    Inversion inversion = InvertRange(kFixedRange);
    ApplyQuirks(cpu, &zone, &inversion);
    CHECK(inversion.scale.numerator == 1 && inversion.scale.denominator == 1 << 14);
    CHECK(inversion.modulus_ticks == kCounts && zone.domain == Domain::kDram);
    CHECK(inversion.note.find("corrected") != std::string::npos);
    std::mt19937_64 random(13);
    for (int i = 0; i < 200000; ++i) {
      const uint64_t raw = random() % kCounts;
      CHECK(inversion.Ticks(raw * 15300 / 1000) == raw);
    }
  }
  // Repaired kernels, other domains and other processors stay as they are.
  ZoneName zone = Named(Domain::kDram);
  Inversion repaired = InvertRange(262143328850);
  ApplyQuirks(cpu, &zone, &repaired);
  CHECK(repaired.scale.denominator == 1 << 14 && repaired.note.empty());
  zone = Named(Domain::kPackage);
  Inversion package = InvertRange(kFixedRange);
  ApplyQuirks(cpu, &zone, &package);
  CHECK(package.scale.numerator == 15300);
  zone = Named(Domain::kDram);
  cpu.model = 0x55;
  Inversion skylake = InvertRange(kFixedRange);
  ApplyQuirks(cpu, &zone, &skylake);
  CHECK(skylake.scale.numerator == 15300 && !skylake.note.empty());
}

void TestOneCoreOnly() {
  CpuIdentity cpu;
  for (const CpuVendor vendor : {CpuVendor::kAmd, CpuVendor::kHygon}) {
    cpu.vendor = vendor;
    ZoneName zone = Named(Domain::kCore);
    Inversion inversion = InvertRange(65532610987);
    ApplyQuirks(cpu, &zone, &inversion);
    CHECK(zone.domain == Domain::kOther);
    CHECK(inversion.note.find("one core only") != std::string::npos);
    CHECK(inversion.scale.denominator == 1 << 16);
    zone = Named(Domain::kPackage);
    inversion.note.clear();
    ApplyQuirks(cpu, &zone, &inversion);
    CHECK(zone.domain == Domain::kPackage && inversion.note.empty());
  }
  for (const CpuVendor vendor : {CpuVendor::kIntel, CpuVendor::kUnknown}) {
    cpu.vendor = vendor;
    ZoneName zone = Named(Domain::kCore);
    Inversion inversion;
    ApplyQuirks(cpu, &zone, &inversion);
    CHECK(zone.domain == Domain::kCore && inversion.note.empty());
  }
}

void TestUnitOfOneJoule() {
  const Inversion joules = InvertRange(4294967295000000);
  CHECK(HasNoUnit(Domain::kPackage, joules) && HasNoUnit(Domain::kDram, joules));
  CHECK(!HasNoUnit(Domain::kPsys, joules) && !HasNoUnit(Domain::kOther, joules));
  CHECK(!HasNoUnit(Domain::kPackage, InvertRange(262143328850)));
  CHECK(!HasNoUnit(Domain::kPackage, InvertRange(0)));
}

}  // namespace
}  // namespace microjoule

int main() {
  using namespace microjoule;
  TestPaths();
  TestNames();
  TestCounts();
  TestInversionIsExact();
  TestOddRanges();
  TestBeyondRange();
  TestSapphireRapidsDram();
  TestOneCoreOnly();
  TestUnitOfOneJoule();
}
