// SPDX-License-Identifier: MIT
//
// Which energy registers (MSRs) a processor has, and what one of their counts is worth. Pure: no
// register is read here.
#pragma once

#include <cstdint>
#include <vector>

#include "cpu_identity.h"
#include "source.h"

namespace microjoule {

// Every energy register counts in its lower 32 bits. AMD's may go on above them: what stands there
// must be masked, or a wrap would be seen that is none.
inline constexpr uint64_t kMsrModulusTicks = uint64_t{1} << 32;
constexpr uint32_t MsrTicks(uint64_t value) { return static_cast<uint32_t>(value); }

struct EnergyRegister {
  uint32_t number = 0;
  Domain domain = Domain::kOther;
  Scale scale;
  const char* note = "";  // what a reader should know; empty when the ordinary unit holds
};

// The register that holds the units, or why this processor has none: then the status is not ok.
Outcome FindUnitRegister(const CpuIdentity& cpu, uint32_t* number);

// The registers that the processor may have, the package's first, given what the unit register
// read. Whether each really is there, only reading it tells. Where the status is not ok the unit
// cannot be used and `out` is empty: a hypervisor's 0 is no unit of 1 J.
Outcome FindEnergyRegisters(const CpuIdentity& cpu, uint64_t unit,
                            std::vector<EnergyRegister>* out);

// The register of a single physical core: AMD and Hygon alone.
Outcome FindCoreRegister(const CpuIdentity& cpu, uint64_t unit, EnergyRegister* out);

}  // namespace microjoule
