// SPDX-License-Identifier: MIT
//
// The table of sources, in order of preference. The only platform #if of the project.
#include "source.h"

namespace microjoule {

std::unique_ptr<Source> MakePerf();
std::unique_ptr<Source> MakePerfCore();
std::unique_ptr<Source> MakePowercap();
std::unique_ptr<Source> MakeMsr();
std::unique_ptr<Source> MakeMsrCore();
std::unique_ptr<Source> MakeEmi();
std::unique_ptr<Source> MakeEmiCore();
std::unique_ptr<Source> MakeNvml();
std::unique_ptr<Source> MakeNvmlPower();

const std::vector<SourceEntry>& SourceTable() {
  // Leaked on purpose: threads may still look at it while exit() destroys statics.
  static const auto* const table = new std::vector<SourceEntry> {
#if defined(__linux__)
    {"perf", MakePerf, true},                // one system call a package
        {"powercap", MakePowercap, true},    // one a zone
        {"msr", MakeMsr, true},              // one a register, and the broadest privilege
        {"perf-core", MakePerfCore, false},  // one a core, each with an interrupt
        {"msr-core", MakeMsrCore, false},    // likewise
#elif defined(_WIN32)
    {"emi", MakeEmi, true},                // one system call a device
        {"emi-core", MakeEmiCore, false},  // often one a core
#endif
        {"nvml", MakeNvml, true}, {"nvml-power", MakeNvmlPower, false},  // checks what nvml counts
  };
  return *table;
}

}  // namespace microjoule
