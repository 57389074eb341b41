// SPDX-License-Identifier: MIT
#include <dirent.h>
#include <unistd.h>

#include <algorithm>

#include "nvml_pci.h"
#include "text_file_linux.h"

namespace microjoule {
namespace {

constexpr char kNvidia[] = "0x10de";
constexpr char kDisplayClass[] = "0x03";  // of the PCI code and ID assignment specification

// Empty where it cannot be read.
std::string LineOf(const std::string& path) {
  std::string text;
  return ReadTextFile(path, &text) == 0 ? FirstLine(text) : std::string();
}

std::string DevicesOf(const std::string& sysfs) { return sysfs + "/bus/pci/devices/"; }

}  // namespace

// power/runtime_status: https://docs.kernel.org/power/runtime_pm.html
bool IsPciDeviceAsleep(const std::string& sysfs, const std::string& address) {
  const std::string status = LineOf(DevicesOf(sysfs) + address + "/power/runtime_status");
  return status == "suspended" || status == "suspending";
}

std::vector<PciGpu> NvidiaPciGpus(const std::string& sysfs) {
  std::vector<PciGpu> found;
  DIR* const folder = opendir(DevicesOf(sysfs).c_str());
  if (folder == nullptr) return found;
  while (const dirent* const entry = readdir(folder)) {
    const std::string address = entry->d_name;
    const std::string device = DevicesOf(sysfs) + address;
    if (LineOf(device + "/vendor") != kNvidia) continue;
    if (LineOf(device + "/class").rfind(kDisplayClass, 0) != 0) continue;
    // A virtual function is a part of a GPU that is listed itself (sriov, Documentation/ABI).
    if (access((device + "/physfn").c_str(), F_OK) == 0) continue;
    found.push_back({address, IsPciDeviceAsleep(sysfs, address)});
  }
  closedir(folder);
  std::sort(found.begin(), found.end(),
            [](const PciGpu& a, const PciGpu& b) { return a.address < b.address; });
  return found;
}

}  // namespace microjoule
