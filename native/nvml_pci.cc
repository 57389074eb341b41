// SPDX-License-Identifier: MIT
#include "nvml_pci.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

namespace microjoule {
namespace {

constexpr char kNvidia[] = "0x10de";
constexpr char kDisplayClass[] = "0x03";  // of the PCI code and ID assignment specification

std::string FirstWord(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::string word;
  file >> word;
  return word;
}

std::filesystem::path DevicesOf(const std::string& sysfs) {
  return std::filesystem::path(sysfs) / "bus" / "pci" / "devices";
}

}  // namespace

// power/runtime_status: https://docs.kernel.org/power/runtime_pm.html
bool IsPciDeviceAsleep(const std::string& sysfs, const std::string& address) {
  const std::string status = FirstWord(DevicesOf(sysfs) / address / "power" / "runtime_status");
  return status == "suspended" || status == "suspending";
}

std::vector<PciGpu> NvidiaPciGpus(const std::string& sysfs) {
  std::vector<PciGpu> found;
  std::error_code error;
  for (auto it = std::filesystem::directory_iterator(DevicesOf(sysfs), error);
       !error && it != std::filesystem::directory_iterator(); it.increment(error)) {
    const std::filesystem::path& device = it->path();
    if (FirstWord(device / "vendor") != kNvidia) continue;
    if (FirstWord(device / "class").rfind(kDisplayClass, 0) != 0) continue;
    const std::string address = device.filename().string();
    found.push_back({address, IsPciDeviceAsleep(sysfs, address)});
  }
  std::sort(found.begin(), found.end(),
            [](const PciGpu& a, const PciGpu& b) { return a.address < b.address; });
  return found;
}

}  // namespace microjoule
