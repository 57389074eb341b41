// SPDX-License-Identifier: MIT
//
// Which processor this is, from what the kernel took from CPUID: the modalias of the CPU bus in
// sysfs, "cpu:type:x86,ven0000fam0006mod008F:feature:,0000,0001,...". Pure: no file is opened here.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace microjoule {

enum class CpuVendor { kUnknown, kIntel, kAmd, kHygon };

struct CpuIdentity {
  CpuVendor vendor = CpuVendor::kUnknown;
  uint32_t family = 0;  // display family, as in /proc/cpuinfo: 6, 0x17, 0x19
  uint32_t model = 0;
  bool is_virtual = false;    // CPUID's hypervisor bit
  bool has_amd_rapl = false;  // CPUID Fn8000_0007 EDX bit 14
};

// `modalias` as read from <sysfs>/devices/system/cpu/modalias; empty or foreign text gives an
// unknown identity.
CpuIdentity ParseModalias(std::string_view modalias);

// Sapphire and Emerald Rapids: servers whose memory counts in the unit of the unit register, unlike
// that of the servers before, whose fixed unit some kernels take for theirs.
bool HasDramInPackageUnits(const CpuIdentity& cpu);

// Broadwell-DE: memory counts in 2^-16 J, as perf has it; powercap takes the unit register's.
bool HasDramUnknownToPowercap(const CpuIdentity& cpu);

}  // namespace microjoule
