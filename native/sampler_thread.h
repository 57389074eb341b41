// SPDX-License-Identifier: MIT
//
// What a sampler's thread needs of the operating system.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace microjoule {

// Sleeps until a time of the monotonic clock, as exactly as the system can.
class Sleeper {
 public:
  virtual ~Sleeper() = default;
  // Returns early when interrupted, meanwhile or since the last sleep.
  virtual void SleepUntil(uint64_t monotonic_ns) = 0;
  // From any thread.
  virtual void Interrupt() = 0;
};
std::unique_ptr<Sleeper> MakeSleeper();

// The CPUs of a package, as the tree that stands for /sys tells it; empty where it does not.
std::vector<uint32_t> CpusOfPackage(const std::string& sysfs, uint32_t package);

// Makes the calling thread one that samples this package: its name, its timers' exactness, and that
// it stays on those CPUs. Gives a sentence about what could not be had; the thread goes on.
std::string SettleSamplerThread(uint32_t package, const std::vector<uint32_t>& cpus);

// CPU time that a running thread has used, the calling one where it is null; 0 where the system
// does not tell.
uint64_t ThreadCpuNs(std::thread* thread);

}  // namespace microjoule
