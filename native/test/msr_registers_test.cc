// SPDX-License-Identifier: MIT
#include "msr_registers.h"

#include <map>
#include <random>

#include "check.h"
#include "fake_source.h"

namespace microjoule {
namespace {

using Wide = unsigned __int128;

CpuIdentity Cpu(CpuVendor vendor, uint32_t family, uint32_t model) {
  CpuIdentity cpu;
  cpu.vendor = vendor;
  cpu.family = family;
  cpu.model = model;
  return cpu;
}

CpuIdentity Intel(uint32_t model) { return Cpu(CpuVendor::kIntel, 6, model); }

// What each letter of a model's domains is.
const std::map<char, std::pair<Domain, uint32_t>> kIntelRegisters = {
    {'p', {Domain::kPackage, 0x611}}, {'d', {Domain::kDram, 0x619}}, {'c', {Domain::kCore, 0x639}},
    {'u', {Domain::kUncore, 0x641}},  {'s', {Domain::kPsys, 0x64D}},
};

// One processor, as its documents have it: the domains, and J per count of those whose unit is not
// 2^-ESU.
enum class Unit { kOrdinary, kMicro };
struct Known {
  CpuIdentity cpu;
  const char* domains;
  Unit unit;
  std::map<char, std::pair<uint64_t, uint64_t>> fixed;
};

std::vector<Known> KnownProcessors() {
  const std::map<char, std::pair<uint64_t, uint64_t>> none;
  const std::map<char, std::pair<uint64_t, uint64_t>> dram = {{'d', {1, 65536}}};
  const std::map<char, std::pair<uint64_t, uint64_t>> psys = {{'s', {1, 1}}};
  std::vector<Known> all;
  const auto add = [&all](std::vector<uint32_t> models, const char* domains, Unit unit,
                          const std::map<char, std::pair<uint64_t, uint64_t>>& fixed) {
    for (const uint32_t model : models) all.push_back({Intel(model), domains, unit, fixed});
  };
  add({0x2A, 0x3A}, "pcu", Unit::kOrdinary, none);
  add({0x2D, 0x3E}, "pdc", Unit::kOrdinary, none);
  add({0x3C, 0x47}, "pdcu", Unit::kOrdinary, none);
  add({0x3F, 0x4F, 0x56, 0x55, 0x57, 0x85}, "pd", Unit::kOrdinary, dram);
  add({0x6A, 0x6C}, "pds", Unit::kOrdinary, dram);
  add({0x8F, 0xCF, 0xAD, 0xAE}, "pds", Unit::kOrdinary, psys);
  add({0xAF}, "pds", Unit::kOrdinary, none);
  add({0x4E, 0x5E, 0x8E, 0x9E, 0x8D, 0x97, 0xB7, 0xAA, 0xBD}, "pdcus", Unit::kOrdinary, none);
  add({0x37, 0x4C, 0x4A, 0x5A}, "pc", Unit::kMicro, none);
  add({0x4D}, "pc", Unit::kOrdinary, none);
  add({0xF1}, "pdcus", Unit::kOrdinary, none);  // of no table
  return all;
}

const EnergyRegister* Find(const std::vector<EnergyRegister>& all, Domain domain) {
  for (const EnergyRegister& one : all) {
    if (one.domain == domain) return &one;
  }
  return nullptr;
}

// ticks * scale == ticks * numerator / denominator, without a rounding on either side.
bool SameEnergy(uint64_t ticks, const Scale& scale, Wide numerator, Wide denominator) {
  return Wide{ticks} * scale.numerator * denominator == Wide{ticks} * numerator * scale.denominator;
}

// A million random registers and units of all kinds of processors against whole-number arithmetic.
void TestUnitsAgainstOracle() {
  const std::vector<Known> all = KnownProcessors();
  std::mt19937_64 random(20261123);
  std::vector<EnergyRegister> found;
  size_t compared = 0;
  for (size_t round = 0; compared < 1000000; ++round) {
    const Known& known = all[round % all.size()];
    const uint64_t esu = random() % 32;
    // All bits but the energy unit's are noise.
    const uint64_t unit = (random() & ~uint64_t{0x1F00}) | esu << 8 | 1;
    const Outcome outcome = FindEnergyRegisters(known.cpu, unit, &found);
    // A joule and more.
    if (known.unit == Unit::kOrdinary ? esu == 0 : esu >= 20) {
      CHECK(outcome.status == Status::kImplausible && found.empty());
      continue;
    }
    CHECK(outcome.status == Status::kOk);
    std::string domains;
    for (const char letter : std::string(known.domains)) {
      const auto& [domain, number] = kIntelRegisters.at(letter);
      const EnergyRegister* const one = Find(found, domain);
      CHECK(one != nullptr && one->number == number);
      Wide numerator = 1;
      Wide denominator = 1;
      if (known.fixed.count(letter) != 0) {
        numerator = known.fixed.at(letter).first;
        denominator = known.fixed.at(letter).second;
      } else if (known.unit == Unit::kMicro) {
        for (uint64_t i = 0; i < esu; ++i) numerator *= 2;
        denominator = 1000000;
      } else {
        for (uint64_t i = 0; i < esu; ++i) denominator *= 2;
      }
      for (int i = 0; i < 4; ++i) {
        const uint64_t value = random();
        const uint64_t ticks = value % 4294967296u;
        CHECK(MsrTicks(value) == ticks);
        CHECK(SameEnergy(ticks, one->scale, numerator, denominator));
        ++compared;
      }
    }
    CHECK(found.size() == std::string(known.domains).size());
    CHECK(found[0].domain == Domain::kPackage);
  }
}

void TestAmd() {
  std::mt19937_64 random(7);
  std::vector<EnergyRegister> found;
  for (const CpuIdentity& cpu :
       {Cpu(CpuVendor::kAmd, 0x17, 0x31), Cpu(CpuVendor::kAmd, 0x19, 0x11),
        Cpu(CpuVendor::kAmd, 0x1A, 0x02), Cpu(CpuVendor::kHygon, 0x18, 0x01)}) {
    uint32_t number = 0;
    CHECK(FindUnitRegister(cpu, &number).status == Status::kOk && number == 0xC0010299);
    // A power unit of 0 (1 W) is legal, and nothing that energy needs.
    for (const uint64_t unit : {uint64_t{0xA1000}, uint64_t{0xA1003}}) {
      CHECK(FindEnergyRegisters(cpu, unit, &found).status == Status::kOk);
      CHECK(found.size() == 1 && found[0].number == 0xC001029B);
      CHECK(found[0].scale.numerator == 1 && found[0].scale.denominator == 65536);
      EnergyRegister core;
      CHECK(FindCoreRegister(cpu, unit, &core).status == Status::kOk);
      CHECK(core.number == 0xC001029A && core.domain == Domain::kCore);
      CHECK(core.scale.denominator == 65536);
    }
    for (int i = 0; i < 1000; ++i) {
      const uint64_t esu = 1 + random() % 31;
      CHECK(FindEnergyRegisters(cpu, esu << 8, &found).status == Status::kOk);
      CHECK(found[0].scale.denominator == uint64_t{1} << esu);
    }
    CHECK(FindEnergyRegisters(cpu, 0, &found).status == Status::kVirtualised && found.empty());
  }
  EnergyRegister core;
  CHECK(FindCoreRegister(Intel(0x8F), 0xA0E03, &core).status == Status::kNotSupported);
}

// 0 is never a unit of 1 J, and of Silvermont never one of 1 uJ.
void TestZeroUnit() {
  std::vector<EnergyRegister> found;
  for (const uint32_t model : {0x8Fu, 0x37u, 0x9Eu, 0xF1u}) {
    const Outcome outcome = FindEnergyRegisters(Intel(model), 0, &found);
    CHECK(outcome.status == Status::kVirtualised && found.empty());
    CHECK(outcome.detail.find("hypervisor") != std::string::npos);
  }
}

void TestNotSupported() {
  uint32_t number = 0;
  std::vector<EnergyRegister> found;
  CHECK(FindUnitRegister({}, &number).status == Status::kNotSupported);
  CHECK(FindEnergyRegisters({}, 0xA0E03, &found).status == Status::kNotSupported);
  CHECK(FindUnitRegister({}, &number).detail.find("vendor") != std::string::npos);
  const Outcome diamond = FindUnitRegister(Cpu(CpuVendor::kIntel, 19, 1), &number);
  CHECK(diamond.status == Status::kNotSupported);
  CHECK(diamond.detail.find("intel_rapl_tpmi") != std::string::npos);
}

void TestNotes() {
  std::vector<EnergyRegister> found;
  CHECK(FindEnergyRegisters(Intel(0x9E), 0xA0E03, &found).detail.empty());
  for (const EnergyRegister& one : found) CHECK(std::string(one.note).empty());
  CHECK(!FindEnergyRegisters(Intel(0xF1), 0xA0E03, &found).detail.empty());
  for (const EnergyRegister& one : found) {
    CHECK(std::string(one.note).find("not in our table") != std::string::npos);
  }
  FindEnergyRegisters(Intel(0x55), 0xA0E03, &found);
  CHECK(std::string(Find(found, Domain::kDram)->note).find("2^-16 J") != std::string::npos);
  // The published units: 61 uJ of a Xeon, 32 uJ of Bay Trail.
  FindEnergyRegisters(Intel(0x37), 0x00000505, &found);
  CHECK(found[0].scale.numerator == 32 && found[0].scale.denominator == 1000000);
  FindEnergyRegisters(Intel(0x4D), 0xA0E03, &found);
  CHECK(found[0].scale.numerator == 1 && found[0].scale.denominator == 16384);
}

// A package register of this processor in a meter, at a count and a time that the test sets.
struct Bench {
  Counter counter;
  FakeSource* source = nullptr;
  FakeClock clock;
  std::unique_ptr<Meter> meter;
  std::vector<uint64_t> words;

  Bench(const CpuIdentity& cpu, uint64_t unit) {
    std::vector<EnergyRegister> found;
    CHECK(FindEnergyRegisters(cpu, unit, &found).status == Status::kOk);
    counter.id = "fake:0";
    counter.domain = found[0].domain;
    counter.scale = found[0].scale;
    counter.wraps = true;
    counter.modulus_ticks = kMsrModulusTicks;
    auto owned = std::make_unique<FakeSource>(std::vector<Counter>{counter});
    source = owned.get();
    meter = std::make_unique<Meter>(OneSource(std::move(owned)), clock, false);
    words.resize(meter->words());
  }
  // The register holds more than 32 bits, as AMD's may.
  uint64_t ReadAfter(uint64_t ns, uint64_t truth) {
    clock.now_ns += ns;
    source->raw[0].ticks = MsrTicks(truth);
    meter->Read(words.data());
    return words[kHeaderWords];
  }
  uint64_t TicksOf(double joules) const {
    return static_cast<uint64_t>(joules * static_cast<double>(counter.scale.denominator) /
                                 static_cast<double>(counter.scale.numerator));
  }
};

// A day at `watts`, read at random moments up to the meter's own keep-alive period: the true count,
// of which the register shows 32 bits, comes out whole.
void RunADay(const CpuIdentity& cpu, uint64_t unit, uint64_t watts, uint64_t least_wraps) {
  Bench bench(cpu, unit);
  const uint64_t longest_ns = KeepAlivePeriodNs({bench.counter});
  std::mt19937_64 random(watts);
  const uint64_t begin = (random() << 40) + kMsrModulusTicks - 5;
  const uint64_t first = bench.ReadAfter(0, begin);
  uint64_t truth = begin;
  double joules = 0;
  for (uint64_t elapsed_ns = 0; elapsed_ns < uint64_t{86400} * 1000000000u;) {
    const uint64_t step_ns = 1 + random() % longest_ns;
    elapsed_ns += step_ns;
    joules += static_cast<double>(watts) * static_cast<double>(step_ns) / 1e9;
    truth = begin + bench.TicksOf(joules);
    CHECK(bench.ReadAfter(step_ns, truth) - first == truth - begin);
  }
  CHECK(bench.words[kHeaderWords + 2] == 0);
  CHECK((truth - begin) >> 32 >= least_wraps);
}

// 450 W for 655.36 s unread is 294,912 J, more than any of these ranges: flagged, never 32,768 J.
void TestUnread() {
  for (const auto& [cpu, unit] : {std::pair(Intel(0x8F), uint64_t{0xA0E03}),
                                  std::pair(Cpu(CpuVendor::kAmd, 0x19, 0x11), uint64_t{0xA1000}),
                                  std::pair(Intel(0x37), uint64_t{0x505})}) {
    Bench bench(cpu, unit);
    const uint64_t first = bench.ReadAfter(0, 7);
    CHECK(bench.ReadAfter(655360000000u, 7 + bench.TicksOf(294912)) == first);
    CHECK(bench.words[kHeaderWords + 2] >> 32 == 1);
  }
}

}  // namespace
}  // namespace microjoule

int main() {
  using namespace microjoule;
  TestUnitsAgainstOracle();
  TestAmd();
  TestZeroUnit();
  TestNotSupported();
  TestNotes();
  TestUnread();
  RunADay(Intel(0x8F), 0xA0E03, 500, 164);
  RunADay(Cpu(CpuVendor::kAmd, 0x19, 0x11), 0xA1000, 500, 659);
  RunADay(Intel(0x37), 0x505, 500, 314);
}
