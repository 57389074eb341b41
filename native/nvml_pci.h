// SPDX-License-Identifier: MIT
//
// What the PCI bus tells of NVIDIA's GPUs without NVML, which wakes them. Linux only; elsewhere it
// tells nothing.
#pragma once

#include <string>
#include <vector>

namespace microjoule {

struct PciGpu {
  std::string address;  // "0000:01:00.0"
  bool asleep = false;  // by run-time power management
};

// In the order of their addresses, which is NVML's.
std::vector<PciGpu> NvidiaPciGpus(const std::string& sysfs);

bool IsPciDeviceAsleep(const std::string& sysfs, const std::string& address);

}  // namespace microjoule
