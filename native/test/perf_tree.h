// SPDX-License-Identifier: MIT
//
// A PMU in a fixture tree whose events are software events of the real kernel: its number is
// PERF_TYPE_SOFTWARE, so groups open and count for real wherever perf_event_open is allowed.
#pragma once

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include "check.h"
#include "temp_tree.h"
#include "topology_linux.h"

namespace microjoule {

// Events of PERF_TYPE_SOFTWARE as a PMU's file would name them (linux/perf_event.h).
inline constexpr const char* kCpuClock = "event=0x00";
inline constexpr const char* kTaskClock = "event=0x01";
inline constexpr const char* kPageFaults = "event=0x02";
inline constexpr const char* kDummy = "event=0x09";
inline constexpr const char* kNone = "event=0x7f";

struct PerfTree : TempTree {
  explicit PerfTree(const std::string& pmu, const std::string& cpumask)
      : folder("bus/event_source/devices/" + pmu + "/") {
    Write(folder + "type", "1\n");
    Write(folder + "cpumask", cpumask);
    Write(folder + "format/event", "config:0-7\n");
  }

  void Event(const std::string& name, const std::string& config) const {
    Write(folder + "events/" + name, config);
    Write(folder + "events/" + name + ".unit", "Joules\n");
    Write(folder + "events/" + name + ".scale", "2.3283064365386962890625e-10\n");
  }

  void Online(const std::string& list) const { Write("devices/system/cpu/online", list); }
  void Cpu(uint32_t cpu, int package, const std::string& die = "0\n") const {
    const std::string topology = "devices/system/cpu/cpu" + std::to_string(cpu) + "/topology/";
    Write(topology + "physical_package_id", std::to_string(package) + "\n");
    Write(topology + "die_id", die);
  }

  const std::string folder;
};

// Two CPUs that really are online; twice the same where there is but one.
struct RealCpus {
  RealCpus() {
    const std::vector<CpuPlace> places = ReadTopology("/sys");
    if (places.empty()) return;
    first = places.front().cpu;
    last = places.back().cpu;
  }
  bool two() const { return first != last; }

  uint32_t first = 0;
  uint32_t last = 0;
};

// The descriptors of this process that are perf events, by number.
inline std::vector<int> PerfDescriptors() {
  std::vector<int> found;
  DIR* const dir = opendir("/proc/self/fd");
  CHECK(dir != nullptr);
  while (const dirent* const entry = readdir(dir)) {
    char target[64] = {};
    const std::string path = std::string("/proc/self/fd/") + entry->d_name;
    if (readlink(path.c_str(), target, sizeof target - 1) < 0) continue;
    if (std::string(target) == "anon_inode:[perf_event]") found.push_back(std::stoi(entry->d_name));
  }
  closedir(dir);
  std::sort(found.begin(), found.end());
  return found;
}

// Puts a file in the place of a descriptor. /dev/null answers end of file, as an event does whose
// PMU is gone.
inline void Replace(int fd, const std::string& path = "/dev/null") {
  const int other = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  CHECK(other >= 0 && dup2(other, fd) == fd);
  close(other);
}

}  // namespace microjoule
