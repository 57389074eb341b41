// SPDX-License-Identifier: MIT
//
// Which CPU stands where, as sysfs tells it. CPU numbers follow no order of sockets, package ids
// may have gaps, and CPU 0 may be offline.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cpu_identity.h"

namespace microjoule {

// One online CPU. -1 where the kernel does not say.
struct CpuPlace {
  uint32_t cpu = 0;
  int32_t package = -1;
  int32_t die = -1;
  int32_t core = -1;
};

// All online CPUs, by number; empty where sysfs lists none.
std::vector<CpuPlace> ReadTopology(const std::string& sysfs);

// Which processor this is; unknown where sysfs does not say.
CpuIdentity ReadCpuIdentity(const std::string& sysfs);

}  // namespace microjoule
