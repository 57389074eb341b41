// SPDX-License-Identifier: MIT
//
// What sysfs tells of the PMUs that count energy.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "source.h"
#include "topology_linux.h"

namespace microjoule {

// One event of a PMU. One whose outcome is not ok must not be opened.
struct PerfEvent {
  std::string name;  // "energy-pkg"
  Domain domain = Domain::kOther;
  uint64_t config = 0;
  Scale scale;
  Outcome outcome;
};

// A CPU that the PMU's cpumask names. `problem` says why nothing can be opened there: it is not
// online, or its package is not known.
struct PerfSite {
  CpuPlace place;
  std::string problem;
};

struct PerfPmu {
  std::string name;       // "power"
  std::string type_path;  // the file with the PMU's number, which changes when it comes back
  uint32_t type = 0;
  std::vector<PerfSite> sites;    // by package, die and CPU; those with a problem last
  std::vector<PerfEvent> events;  // packages first, then by domain and name
};

// Reads all of <sysfs>/bus/event_source/devices/<name>. When that cannot be used, says why;
// `absent_advice` ends the sentence where the kernel has no such PMU.
Outcome ReadPerfPmu(const std::string& sysfs, const char* name, const char* absent_advice,
                    PerfPmu* out);

// "power/energy-pkg/ on CPU 0", as perf(1) writes events.
std::string PerfOrigin(const PerfPmu& pmu, const PerfEvent& event, uint32_t cpu);

}  // namespace microjoule
