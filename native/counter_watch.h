// SPDX-License-Identifier: MIT
//
// Finds the updates of one counter in the readings that it is given, and says when to read next.
#pragma once

#include <cstdint>

#include "calibration.h"
#include "count.h"
#include "device_time.h"
#include "sample_ring.h"
#include "source.h"
#include "update_predictor.h"
#include "update_tally.h"

namespace microjoule {

// When one read of a source began and ended.
struct Look {
  uint64_t boot_ns;
  uint64_t start_ns;
  uint64_t end_ns;
};

class CounterWatch {
 public:
  enum class Mode {
    kSparse,       // read at the base rate
    kCalibrating,  // read all the time, for a while
    kTracking,     // read when an update is due
    kSearching,    // read at the base rate until it moves, then all the time
  };

  // `index` is what its records call it.
  CounterWatch(const Counter& counter, uint32_t index)
      : count_(counter), index_(index), has_own_time_(counter.clock == CounterClock::kDevice) {}

  // What was known of this counter before it was opened. Before any reading.
  void Remember(const Calibration& known) { Learn(known); }
  // Whether to follow single updates. Begins with a calibration where none is known, or where it
  // says that there is nothing to follow.
  void SetTracking(bool tracking, uint64_t now_ns);
  void Calibrate(uint64_t now_ns);
  // Nobody has read it for a while.
  void Resume(uint64_t now_ns);

  // Takes a reading. True when the count moved or broke off, which the record then tells.
  bool Observe(const RawReading& raw, const Look& look, SampleRecord* record);

  Mode mode() const { return mode_; }
  Status status() const { return count_.status(); }
  // Whether it wants to be read at the base rate.
  bool WantsBaseRate() const { return mode_ == Mode::kSparse || mode_ == Mode::kSearching; }
  // When it wants to be read apart from that: a time that is past means at once.
  uint64_t NextNs() const;

  const Calibration& calibration() const { return calibration_; }
  // Brings the calibration up to date where enough is new. True when it did.
  bool Recalibrate(uint64_t now_ns);

  struct Totals {
    uint64_t updates = 0;
    uint64_t missed = 0;
    uint64_t unsure = 0;
    uint64_t gaps = 0;
    uint64_t breaks = 0;
    uint64_t failed_reads = 0;
    uint64_t lost_locks = 0;
  };
  const Totals& totals() const { return totals_; }

 private:
  // Reads all the time until so many updates were seen or the time is over.
  void BeginBurst(uint32_t updates, uint64_t length_ns, uint64_t now_ns);
  void EndBurst(const Look& look);
  void LoseLock(uint64_t now_ns);
  void Search(uint64_t now_ns);
  void Learn(const Calibration& found);
  void Tell(const Look& look, bool broke, const DeviceTime::Span& span, SampleRecord* record);

  // What every read needs stands together, and before the rest.
  Count count_;
  uint64_t ticks_ = 0;
  uint64_t lower_ns_ = 0;  // when the last read began that saw this count
  uint32_t breaks_ = 0;
  const uint32_t index_;
  Mode mode_ = Mode::kSparse;
  uint32_t fresh_ = 0;  // updates since the calibration
  const bool has_own_time_;
  bool tracking_ = false;
  bool started_ = false;
  bool gap_ = false;
  Totals totals_;
  UpdateTally tally_;
  UpdatePredictor predictor_;
  uint64_t search_from_ns_ = 0;
  uint64_t burst_until_ns_ = 0;
  uint32_t burst_wanted_ = 0;
  uint32_t burst_seen_ = 0;
  uint32_t losses_ = 0;  // of the lock, with few updates between
  uint64_t locked_updates_ = 0;

  DeviceTime device_time_;
  Calibration calibration_;
  UpdateHistory history_;
};

const char* ModeName(CounterWatch::Mode mode);

}  // namespace microjoule
