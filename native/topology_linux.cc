// SPDX-License-Identifier: MIT
#include "topology_linux.h"

#include <dirent.h>

#include <algorithm>
#include <charconv>
#include <string_view>

#include "cpu_list.h"
#include "text_file_linux.h"

namespace microjoule {
namespace {

constexpr const char* kCpuFolder = "/devices/system/cpu";

// -1 where the file is missing or says so itself: the kernel prints -1 for what firmware hides.
int32_t ReadId(const std::string& path) {
  std::string text;
  if (ReadTextFile(path, &text) != 0) return -1;
  text = FirstLine(std::move(text));
  int32_t id = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  return error == std::errc() && end == text.data() + text.size() && id >= 0 ? id : -1;
}

// In a copied tree the list may be missing. A CPU that is offline has no topology folder.
std::vector<uint32_t> FindCpus(const std::string& folder) {
  std::vector<uint32_t> cpus;
  DIR* const dir = opendir(folder.c_str());
  if (dir == nullptr) return cpus;
  while (const dirent* const entry = readdir(dir)) {
    const std::string_view name = entry->d_name;
    std::vector<uint32_t> number;
    if (name.substr(0, 3) != "cpu" || !ParseCpuList(name.substr(3), &number)) continue;
    if (number.size() != 1 || name.find_first_of("-,") != std::string_view::npos) continue;
    DIR* const topology = opendir((folder + "/" + entry->d_name + "/topology").c_str());
    if (topology == nullptr) continue;
    closedir(topology);
    cpus.push_back(number[0]);
  }
  closedir(dir);
  std::sort(cpus.begin(), cpus.end());
  return cpus;
}

}  // namespace

std::vector<CpuPlace> ReadTopology(const std::string& sysfs) {
  const std::string folder = sysfs + kCpuFolder;
  std::string text;
  std::vector<uint32_t> cpus;
  if (ReadTextFile(folder + "/online", &text) != 0 || !ParseCpuList(text, &cpus) || cpus.empty()) {
    cpus = FindCpus(folder);
  }
  std::vector<CpuPlace> places;
  places.reserve(cpus.size());
  for (const uint32_t cpu : cpus) {
    const std::string topology = folder + "/cpu" + std::to_string(cpu) + "/topology/";
    places.push_back({cpu, ReadId(topology + "physical_package_id"), ReadId(topology + "die_id"),
                      ReadId(topology + "core_id")});
  }
  return places;
}

CpuIdentity ReadCpuIdentity(const std::string& sysfs) {
  std::string text;
  if (ReadTextFile(sysfs + kCpuFolder + "/modalias", &text) != 0) text.clear();
  return ParseModalias(FirstLine(std::move(text)));
}

}  // namespace microjoule
