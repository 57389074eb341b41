// SPDX-License-Identifier: MIT
//
// Reads the counters of one CPU package again and again and writes their updates into a ring. Owns
// no thread and asks no clock but the one that it is given: whoever runs it calls Poll when told.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "clock.h"
#include "counter_watch.h"
#include "meter.h"
#include "sample_ring.h"

namespace microjoule {

// By the id of the counter.
using Calibrations = std::map<std::string, Calibration>;

class PackageSampler {
 public:
  // How often to read at least, and whether to follow single updates.
  struct Demand {
    uint64_t interval_ns = 1000000;
    bool track = true;
  };

  // One counter as describe() tells it: a copy, at most a twentieth of a second old.
  struct Report {
    CounterWatch::Mode mode = CounterWatch::Mode::kSparse;
    Status status = Status::kOk;  // as it was when it was opened
    std::string detail;
    Calibration calibration;
    CounterWatch::Totals totals;
    double read_cost_ns = 0;  // median
    double read_cost_p99_ns = 0;
  };

  struct Stats {
    std::atomic<uint64_t> polls{0};
    std::atomic<uint64_t> sleeps{0};
    // Reads at the base rate that came so late that the next one was due.
    std::atomic<uint64_t> overslept{0};
  };

  // Its counters are called `first_index` and on, in the order of the sources. The clock must
  // outlive it.
  PackageSampler(std::vector<OpenedSource> sources, uint32_t first_index, const Clock& clock,
                 size_t ring_records);

  // What was known of each counter by its id. Before the first poll.
  void Remember(const Calibrations& known);

  // From the thread that polls only.
  void SetDemand(const Demand& demand);
  void Calibrate();
  // The thread that polls was stopped since the last poll.
  void Resume();
  // Reads all counters once. Gives when to read next, on the monotonic clock; 0: at once. Allocates
  // nothing while all is well.
  uint64_t Poll();

  // From any thread.
  const std::vector<OpenedSource>& sources() const { return sources_; }
  size_t counter_count() const { return watches_.size(); }
  const SampleRing& ring() const { return ring_; }
  const Stats& stats() const { return stats_; }
  std::vector<Report> Describe() const;
  // Adds what is known by now, where a period is.
  void Collect(Calibrations* out) const;
  // Every update before this time is in the ring, as far as it could be seen.
  uint64_t horizon_ns() const { return horizon_ns_.load(std::memory_order_acquire); }

 private:
  struct Slot {
    Source* source = nullptr;
    size_t first = 0;
    size_t count = 0;
    ReadCosts costs;
  };

  uint64_t Schedule(uint64_t now_ns);
  void Publish(uint64_t now_ns);

  std::vector<OpenedSource> sources_;
  const Clock& clock_;
  SampleRing ring_;
  std::vector<Slot> slots_;
  std::vector<CounterWatch> watches_;
  std::vector<RawReading> raw_;
  Demand demand_;
  // The grid of the base rate, and the point of it that is due next, a little off the grid.
  uint64_t grid_ns_ = 0;
  uint64_t base_ns_ = 0;
  uint64_t grid_count_ = 0;
  uint64_t next_publish_ns_ = 0;

  std::atomic<uint64_t> horizon_ns_{0};
  Stats stats_;
  mutable std::mutex mutex_;
  std::vector<Report> reports_;  // under the mutex
};

}  // namespace microjoule
