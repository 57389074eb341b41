// SPDX-License-Identifier: MIT
//
// Samples all fast counters: one thread for each CPU package, however many want the samples.
//
// A sampler opens its sources itself, apart from any meter's, one set of them for each thread and
// with nothing but that package's counters. So no thread ever waits for another one or for a
// reader. Sources that may block are left to the meter; another kind of group, with a thread of its
// own, could be added for them.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "package_sampler.h"
#include "sampler_thread.h"

namespace microjoule {

inline constexpr double kLowestRateHz = 1;
inline constexpr double kHighestRateHz = 10000;

class Sampler {
 public:
  // The clock must outlive it, and be the one that threads sleep by. What was known of its counters
  // before is not found out again.
  Sampler(const Options& options, const Clock& clock, const Calibrations& known = {});
  ~Sampler();
  Sampler(const Sampler&) = delete;
  Sampler& operator=(const Sampler&) = delete;

  struct Demand {
    double rate_hz = 1000;
    bool track = true;
  };
  // Threads run while anyone wants samples, at the highest rate that anyone wants; they track where
  // anyone wants that. `who` is any address of one's own. Throws std::system_error where no thread
  // can be started; then nothing has changed.
  void Start(const void* who, const Demand& demand);
  void Stop(const void* who);
  // Calibrates anew: reads all the time for up to 0.3 s.
  void Calibrate();

  // What is known of its counters by now.
  Calibrations calibrations() const;

  // One thread. Its counters are called `first_counter` and on.
  class Worker;
  const std::vector<std::unique_ptr<Worker>>& workers() const { return workers_; }
  size_t counter_count() const { return counter_count_; }
  // Its counters do not come and go.
  static bool Outdated() { return false; }

 private:
  void Apply();
  void StopAll();

  std::vector<std::unique_ptr<Worker>> workers_;
  size_t counter_count_ = 0;
  std::mutex mutex_;
  std::map<const void*, Demand> demands_;  // under the mutex
};

class Sampler::Worker {
 public:
  Worker(uint32_t package, std::vector<uint32_t> cpus, std::vector<OpenedSource> sources,
         uint32_t first_counter, const Clock& clock);

  uint32_t package() const { return package_; }
  uint32_t first_counter() const { return first_counter_; }
  const PackageSampler& sampler() const { return sampler_; }

  // From any thread.
  struct State {
    bool running = false;
    uint64_t cpu_ns = 0;  // of all threads that it had
    std::string detail;   // what could not be had
  };
  State state() const;

 private:
  friend class Sampler;
  enum Order : uint32_t { kStop = 1, kDemand = 2, kCalibrate = 4 };

  void Run();
  void Begin();
  void End();
  void Send(Order order);

  const uint32_t package_;
  const std::vector<uint32_t> cpus_;
  const uint32_t first_counter_;
  PackageSampler sampler_;
  const std::unique_ptr<Sleeper> sleeper_;
  std::atomic<uint32_t> orders_{0};
  std::atomic<uint64_t> interval_ns_{0};
  std::atomic<bool> track_{false};
  mutable std::thread thread_;  // of the sampler's starts and stops; of others while it runs
  mutable std::mutex mutex_;
  bool running_ = false;  // under the mutex, as are those below
  uint64_t ended_cpu_ns_ = 0;
  std::string detail_;
};

// Layout of what a reader is given, in 64-bit words:
//   [0] records that follow, [1] records that this reader lost so far, [2] monotonic ns before
//   which every update is among the records given so far, as far as it could be seen (0: not known
//   yet), [3] records given so far; then the records (sample_ring.h).
inline constexpr size_t kSampleHeaderWords = 4;

// One reader's place in the records of all threads.
class SampleReader {
 public:
  // From now on.
  explicit SampleReader(std::shared_ptr<Sampler> sampler);
  // Gives what is new, as far as there is room, and how many records that are. Allocates nothing;
  // never waits for a thread that samples. One thread at a time.
  size_t Drain(uint64_t* out, size_t words);
  const Sampler& sampler() const { return *sampler_; }

 private:
  std::shared_ptr<Sampler> sampler_;
  std::vector<uint64_t> cursors_;
  std::vector<bool> overrun_;  // of counters whose next record must say so
  size_t overrun_count_ = 0;
  uint64_t lost_ = 0;
  uint64_t given_ = 0;
  uint64_t horizon_ns_ = 0;
};

}  // namespace microjoule
