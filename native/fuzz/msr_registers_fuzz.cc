// SPDX-License-Identifier: MIT
#include <set>

#include "fuzz.h"
#include "msr_registers.h"

namespace microjoule {
namespace {

// A count is a part of a joule; whole ones are psys' alone.
void CheckScale(Domain domain, const Scale& scale) {
  REQUIRE(scale.numerator != 0 && scale.denominator != 0);
  REQUIRE(scale.numerator < scale.denominator ||
          (domain == Domain::kPsys && scale.numerator == scale.denominator));
  // 2^-31 J is the finest that the field can say.
  REQUIRE(scale.denominator <= uint64_t{1} << 31);
}

}  // namespace
}  // namespace microjoule

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace microjoule;
  const std::string_view text = Text(data, size);
  const uint64_t bits = Word(text, 0);
  const uint64_t unit = Word(text, 1);
  CpuIdentity cpu;
  cpu.vendor = static_cast<CpuVendor>(bits & 3);
  cpu.family = (bits & 4) != 0 ? 6 : static_cast<uint32_t>(bits >> 16 & 0xFFFF);
  cpu.model = static_cast<uint32_t>(bits >> 32) & ((bits & 8) != 0 ? 0xFF : 0xFFFFFFFF);
  cpu.is_virtual = (bits & 16) != 0;
  cpu.has_amd_rapl = (bits & 32) != 0;

  uint32_t number = 0;
  const Outcome has_unit = FindUnitRegister(cpu, &number);
  REQUIRE((has_unit.status == Status::kOk) == (number != 0));
  REQUIRE(has_unit.status == Status::kOk || !has_unit.detail.empty());

  std::vector<EnergyRegister> registers(3);
  const Outcome outcome = FindEnergyRegisters(cpu, unit, &registers);
  REQUIRE((outcome.status == Status::kOk) == !registers.empty());
  REQUIRE(outcome.status == Status::kOk || !outcome.detail.empty());
  REQUIRE(has_unit.status == Status::kOk || outcome.status == has_unit.status);
  if (unit == 0) REQUIRE(outcome.status != Status::kOk);
  std::set<uint32_t> numbers = {number};
  std::set<Domain> domains;
  for (const EnergyRegister& energy : registers) {
    CheckScale(energy.domain, energy.scale);
    REQUIRE(numbers.insert(energy.number).second && domains.insert(energy.domain).second);
    REQUIRE(energy.note != nullptr);
  }
  REQUIRE(registers.empty() || registers[0].domain == Domain::kPackage);

  EnergyRegister core;
  if (FindCoreRegister(cpu, unit, &core).status == Status::kOk) {
    CheckScale(core.domain, core.scale);
    REQUIRE(core.domain == Domain::kCore && numbers.count(core.number) == 0);
    REQUIRE(cpu.vendor == CpuVendor::kAmd || cpu.vendor == CpuVendor::kHygon);
  }
  REQUIRE(MsrTicks(bits) == bits % kMsrModulusTicks);
  return 0;
}
