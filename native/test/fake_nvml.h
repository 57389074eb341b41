// SPDX-License-Identifier: MIT
//
// The stand-in for NVIDIA's library (test/fake-nvml), as tests set it up and ask it for the truth.
#pragma once

#include <dlfcn.h>

#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "check.h"
#include "clock.h"
#include "source.h"
#include "temp_tree.h"

namespace microjoule {

std::unique_ptr<Source> MakeNvml();
std::unique_ptr<Source> MakeNvmlPower();

// The library, with all functions or half of them.
inline std::string FakeNvml(const char* variable = "FAKE_NVML_LIBRARY") {
  const char* const path = std::getenv(variable);
  CHECK(path != nullptr);
  return path;
}

// What the fake is from its next load on.
inline void WriteScript(const TempTree& tree, const std::string& text) {
  tree.Write("script", text);
  setenv("FAKE_NVML_SCRIPT", tree.Path("script").c_str(), 1);
  tree.Write("log", "");
  setenv("FAKE_NVML_LOG", tree.Path("log").c_str(), 1);
}

inline std::string ReadLog(const TempTree& tree) {
  std::ifstream file(tree.Path("log"));
  return {std::istreambuf_iterator<char>(file), {}};
}

// A bus without devices where the test gives none.
inline Options FakeOptions(const TempTree& tree, const std::string& library = FakeNvml()) {
  Options options;
  options.nvml_library = library;
  options.sysfs = tree.Path("sys");
  return options;
}

inline void WritePciGpu(const TempTree& tree, const std::string& address,
                        const std::string& status) {
  const std::string device = "sys/bus/pci/devices/" + address + "/";
  tree.Write(device + "vendor", "0x10de\n");
  tree.Write(device + "class", "0x030000\n");
  tree.Write(device + "power/runtime_status", status + "\n");
}

// The true energy of a GPU between two times, by the library that is loaded now.
inline double TrueJoules(const std::string& library, unsigned gpu, uint64_t from_ns,
                         uint64_t to_ns) {
  void* const handle = dlopen(library.c_str(), RTLD_NOW);
  CHECK(handle != nullptr);
  const auto truth = reinterpret_cast<double (*)(unsigned, unsigned long long, unsigned long long)>(
      dlsym(handle, "fakeNvmlTrueJoules"));
  const double joules = truth(gpu, from_ns, to_ns);
  dlclose(handle);
  return joules;
}

inline std::vector<RawReading> ReadAll(Source* source) {
  std::vector<RawReading> out(source->counters().size());
  source->Read({SystemClock(), SystemClock().MonotonicNs()}, out.data());
  return out;
}

inline void SleepMs(int milliseconds) {
  std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
}

// Waits for at most five seconds until it holds.
template <typename Condition>
bool Eventually(Condition condition) {
  for (int i = 0; i < 500; ++i) {
    if (condition()) return true;
    SleepMs(10);
  }
  return false;
}

}  // namespace microjoule
