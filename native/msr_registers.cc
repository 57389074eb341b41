// SPDX-License-Identifier: MIT
#include "msr_registers.h"

#include <cstdio>
#include <initializer_list>

namespace microjoule {
namespace {

// arch/x86/include/asm/msr-index.h of the kernel; SDM volume 4 and AMD's PPR name the same.
constexpr uint32_t kIntelUnit = 0x606;
constexpr uint32_t kIntelPackage = 0x611;
constexpr uint32_t kIntelDram = 0x619;
constexpr uint32_t kIntelCores = 0x639;   // PP0
constexpr uint32_t kIntelUncore = 0x641;  // PP1
constexpr uint32_t kIntelPsys = 0x64D;
constexpr uint32_t kAmdUnit = 0xC0010299;
constexpr uint32_t kAmdCore = 0xC001029A;
constexpr uint32_t kAmdPackage = 0xC001029B;

// What a model has beside its package, and how it departs from the ordinary unit.
enum Trait : unsigned {
  kDram = 1,
  kCores = 2,
  kUncore = 4,
  kPsys = 8,
  kFixedDram = 16,    // DRAM counts in 2^-16 J
  kWholeJoules = 32,  // psys counts in 1 J
  kMicrojoules = 64,  // the unit is 2^ESU microjoules, not 2^-ESU joules
};
constexpr unsigned kEverything = kDram | kCores | kUncore | kPsys;

struct Models {
  uint32_t family;
  unsigned traits;
  std::initializer_list<uint8_t> models;
};

// Domains and units as in the kernel: rapl_model_match of arch/x86/events/rapl.c, rapl_ids of
// drivers/powercap/intel_rapl_common.c and the platform features of
// tools/power/x86/turbostat/turbostat.c; models by arch/x86/include/asm/intel-family.h. Where they
// differ the longer list stands here, as a register that is not there cannot be read. Servers since
// Haswell have neither cores nor uncore: those registers read 0 at best.
const Models kIntelModels[] = {
    // Sandy and Ivy Bridge, their servers, Haswell and Broadwell.
    {6, kCores | kUncore, {0x2A, 0x3A}},
    {6, kCores | kDram, {0x2D, 0x3E}},
    {6, kCores | kUncore | kDram, {0x3C, 0x45, 0x46, 0x3D, 0x47}},
    // Servers from Haswell to Cascade and Cooper Lake; Knights Landing and Mill.
    {6, kDram | kFixedDram, {0x3F, 0x4F, 0x56, 0x55, 0x57, 0x85}},
    // Ice Lake servers.
    {6, kDram | kPsys | kFixedDram, {0x6A, 0x6C}},
    // Sapphire, Emerald and Granite Rapids. LIKWID#643: DRAM has the ordinary unit again.
    {6, kDram | kPsys | kWholeJoules, {0x8F, 0xCF, 0xAD, 0xAE}},
    // Sierra Forest, Grand Ridge, Clearwater Forest.
    {6, kDram | kPsys, {0xAF, 0xB6, 0xDD}},
    // Skylake, Kaby, Comet, Cannon, Ice, Rocket, Tiger Lake; Lakefield, Alder, Raptor, Bartlett,
    // Meteor, Arrow, Lunar, Panther, Wildcat Lake; Alder Lake N.
    {6, kEverything, {0x4E, 0x5E, 0x8E, 0x9E, 0xA5, 0xA6, 0x66, 0x7D, 0x7E, 0x9D,
                      0xA7, 0x8C, 0x8D, 0x8A, 0x97, 0x9A, 0xB7, 0xBA, 0xBF, 0xD7,
                      0xAC, 0xAA, 0xC5, 0xC6, 0xB5, 0xBD, 0xCC, 0xD5, 0xBE}},
    // Nova Lake.
    {18, kEverything, {0x01, 0x03}},
    // Silvermont, Airmont and the two for phones (Merrifield, Moorefield).
    {6, kCores | kMicrojoules, {0x37, 0x4C, 0x4A, 0x5A}},
    // Avoton: the manual says microjoules here too, but only the ordinary unit gives the power that
    // it draws (raplcap#13).
    {6, kCores, {0x4D}},
    // Goldmont, its server, Goldmont Plus; Tremont.
    {6, kCores | kUncore | kDram, {0x5C, 0x5F, 0x7A, 0x96, 0x9C, 0x86}},
};

// Diamond Rapids: rapl_msrs is 0 in turbostat.
constexpr uint32_t kFamilyWithoutRegisters = 19;

constexpr const char* kFixedDramNote =
    "counts in 2^-16 J on this model, whatever the unit register says";
constexpr const char* kWholeJoulesNote =
    "counts in whole joules on this model, whatever the unit register says";
constexpr const char* kUnknownNote =
    "this model is not in our table: the ordinary energy unit is assumed; compare with powercap";

const Models* FindModels(const CpuIdentity& cpu) {
  for (const Models& row : kIntelModels) {
    if (row.family != cpu.family) continue;
    for (const uint8_t model : row.models) {
      if (model == cpu.model) return &row;
    }
  }
  return nullptr;
}

std::string Hex(uint64_t value) {
  char text[24];
  std::snprintf(text, sizeof text, "0x%llX", static_cast<unsigned long long>(value));
  return text;
}

// SDM volume 3, "RAPL interfaces and energy unit": bits 12 to 8. AMD's layout is the same; only the
// power unit, which energy does not need, may be 0.
Outcome DecodeUnit(uint32_t number, uint64_t unit, bool microjoules, Scale* scale) {
  if (unit == 0) {
    return {Status::kVirtualised, "the unit register " + Hex(number) +
                                      " reads 0: a hypervisor answers instead of the processor; "
                                      "measure on the host"};
  }
  const unsigned esu = unit >> 8 & 0x1F;
  constexpr unsigned kMicrojouleBits = 20;  // 2^20 microjoules are more than a joule
  if (microjoules && esu < kMicrojouleBits) {
    *scale = {uint64_t{1} << esu, 1000000};
    return {};
  }
  if (microjoules || esu == 0) {
    return {Status::kImplausible, "the unit register " + Hex(number) + " reads " + Hex(unit) +
                                      ", which would be counts of a joule or more: no processor "
                                      "has them, so nothing is read"};
  }
  *scale = {1, uint64_t{1} << esu};
  return {};
}

bool IsAmd(const CpuIdentity& cpu) {
  return cpu.vendor == CpuVendor::kAmd || cpu.vendor == CpuVendor::kHygon;
}

}  // namespace

Outcome FindUnitRegister(const CpuIdentity& cpu, uint32_t* number) {
  if (IsAmd(cpu)) {
    *number = kAmdUnit;
    return {};
  }
  if (cpu.vendor != CpuVendor::kIntel) {
    return {Status::kNotSupported,
            "the vendor of this processor is not known to have energy registers: Intel, AMD and "
            "Hygon have them"};
  }
  if (cpu.family == kFamilyWithoutRegisters) {
    return {Status::kNotSupported,
            "Diamond Rapids has no energy registers: load intel_rapl_tpmi and use powercap"};
  }
  *number = kIntelUnit;
  return {};
}

Outcome FindEnergyRegisters(const CpuIdentity& cpu, uint64_t unit,
                            std::vector<EnergyRegister>* out) {
  out->clear();
  uint32_t number = 0;
  Outcome outcome = FindUnitRegister(cpu, &number);
  if (outcome.status != Status::kOk) return outcome;
  const Models* const known = IsAmd(cpu) ? nullptr : FindModels(cpu);
  const unsigned traits = known != nullptr ? known->traits : IsAmd(cpu) ? 0 : kEverything;
  Scale scale;
  outcome = DecodeUnit(number, unit, (traits & kMicrojoules) != 0, &scale);
  if (outcome.status != Status::kOk) return outcome;
  if (IsAmd(cpu)) {
    out->push_back({kAmdPackage, Domain::kPackage, scale, ""});
    return {};
  }

  const char* const note = known == nullptr ? kUnknownNote : "";
  out->push_back({kIntelPackage, Domain::kPackage, scale, note});
  if ((traits & kFixedDram) != 0) {
    out->push_back({kIntelDram, Domain::kDram, {1, 65536}, kFixedDramNote});
  } else if ((traits & kDram) != 0) {
    out->push_back({kIntelDram, Domain::kDram, scale, note});
  }
  if ((traits & kCores) != 0) out->push_back({kIntelCores, Domain::kCore, scale, note});
  if ((traits & kUncore) != 0) out->push_back({kIntelUncore, Domain::kUncore, scale, note});
  if ((traits & kWholeJoules) != 0) {
    out->push_back({kIntelPsys, Domain::kPsys, {1, 1}, kWholeJoulesNote});
  } else if ((traits & kPsys) != 0) {
    out->push_back({kIntelPsys, Domain::kPsys, scale, note});
  }
  return {Status::kOk, note};
}

Outcome FindCoreRegister(const CpuIdentity& cpu, uint64_t unit, EnergyRegister* out) {
  if (!IsAmd(cpu)) {
    return {Status::kNotSupported,
            "only AMD's and Hygon's processors count the energy of single cores"};
  }
  Scale scale;
  const Outcome outcome = DecodeUnit(kAmdUnit, unit, false, &scale);
  if (outcome.status == Status::kOk) *out = {kAmdCore, Domain::kCore, scale, ""};
  return outcome;
}

}  // namespace microjoule
