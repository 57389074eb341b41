// SPDX-License-Identifier: MIT
//
// What the texts of a powercap tree mean. Pure: no file is opened here.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cpu_identity.h"
#include "source.h"

namespace microjoule {

// A zone folder: "intel-rapl-mmio:a:2" is control type "intel-rapl-mmio", path {10, 2}.
struct ZonePath {
  std::string control_type;
  std::vector<uint32_t> indices;
};

// False for anything that is not a RAPL zone. Indices are hexadecimal: the tenth package is "a".
bool ParseZonePath(std::string_view folder, ZonePath* out);

// Parents before children, indices as numbers, MSR (and TPMI) before MMIO.
bool operator<(const ZonePath& a, const ZonePath& b);

// What a zone's name says. `package` and `die` are -1 where the name has none.
struct ZoneName {
  Domain domain = Domain::kOther;
  int32_t package = -1;
  int32_t die = -1;
};
ZoneName ParseZoneName(std::string_view name);

// The digits at the start of a sysfs file's content; false when there are none, when anything but
// white space or NUL padding follows, or when the number does not fit.
bool ParseCount(std::string_view text, uint64_t* out);

// How microjoules turn back into the hardware's own count.
//
// The kernel prints raw * unit / 1000 with `unit` a whole number of nanojoules, and the range as
// (2^32 - 1) * unit / 1000 (drivers/powercap/intel_rapl_common.c). So the range tells the unit, and
// raw = ceil(microjoules * 1000 / unit) is exact for units of 1000 nJ and more. Kernels of the 3.x
// series did not truncate the unit; then 2^-ESU joules does the same.
struct Inversion {
  // ticks = ceil(microjoules * multiplier / divisor)
  uint64_t multiplier = 1;
  uint64_t divisor = 1;
  Scale scale{1, 1000000};
  uint64_t modulus_ticks = 0;
  std::string note;  // what a reader should know; empty when the inversion is exact

  uint64_t Ticks(uint64_t microjoules) const;
};

// `range_uj` is max_energy_range_uj, 0 when it is missing or zero: then a fall cannot be told from
// a wrap, and ticks are microjoules.
Inversion InvertRange(uint64_t range_uj);

// Mends what the kernel says wrongly of a zone on this processor, and notes it:
// - `core` of AMD and Hygon is one core's energy, that of the package's lead CPU
//   (drivers/powercap/intel_rapl_msr.c reads MSR C001_029A there alone), so not the domain core;
// - DRAM of Sapphire and Emerald Rapids counts 2^-14 J (Intel SDM vol. 4, table 2-52); kernels from
//   5.9 on, until repaired in late 2022, print it as if its unit were 15300 nJ.
void ApplyQuirks(const CpuIdentity& cpu, ZoneName* zone, Inversion* inversion);

// True where a count of whole joules cannot be: only psys has that unit. A unit register of 0,
// which is a virtual machine's, reads so.
bool HasNoUnit(Domain domain, const Inversion& inversion);

}  // namespace microjoule
