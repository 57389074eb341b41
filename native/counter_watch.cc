// SPDX-License-Identifier: MIT
#include "counter_watch.h"

#include <algorithm>
#include <cmath>

namespace microjoule {
namespace {

constexpr uint64_t kNsPerMs = 1000000;
constexpr uint32_t kCalibrationUpdates = 200;
constexpr uint32_t kFirstGuessUpdates = 16;
constexpr uint64_t kCalibrationNs = 300 * kNsPerMs;
// After a lock was lost twice the period may have changed.
constexpr uint32_t kRecalibrationUpdates = 32;
// What updates less often is known well enough from reads at the base rate.
constexpr double kLongestTrackedNs = 10.0 * kNsPerMs;
// Waiting for one update to lock onto, in periods.
constexpr double kSearchPeriods = 2.5;
constexpr uint64_t kShortestPauseNs = 10 * kNsPerMs;
constexpr uint32_t kMostDoublings = 12;  // a pause of 41 s
constexpr uint64_t kUpdatesOfGoodLock = 100;
constexpr uint32_t kFreshUpdates = UpdateHistory::kSize;
constexpr uint32_t kFreshSparseUpdates = 32;
constexpr uint32_t kFreshHopelessUpdates = 8 * UpdateHistory::kSize;
// The part that the latest updates have in the jitter.
constexpr double kNewJitter = 0.25;
// That no period was found says nothing where this part of the updates was not seen in time, or
// where they were so few. One that is much less certain does not replace one that it does not
// contradict by so many deviations.
constexpr double kMostHeldUp = 0.1;
constexpr uint32_t kFewUpdates = 3;
constexpr double kSameDeviations = 3;

}  // namespace

const char* ModeName(CounterWatch::Mode mode) {
  switch (mode) {
    case CounterWatch::Mode::kSparse:
      return "sparse";
    case CounterWatch::Mode::kCalibrating:
      return "calibrating";
    case CounterWatch::Mode::kTracking:
      return "tracking";
    case CounterWatch::Mode::kSearching:
      return "searching";
  }
  return "";
}

void CounterWatch::SetTracking(bool tracking, uint64_t now_ns) {
  if (tracking == tracking_) return;
  tracking_ = tracking;
  if (tracking) {
    // A lock shows whether a short period is still true. Reads at the base rate do not show that a
    // long one is not.
    if (calibration_.period_ns <= 0 || calibration_.period_ns > kLongestTrackedNs) {
      Calibrate(now_ns);
    } else {
      losses_ = 0;
      Search(now_ns);
    }
  } else if (mode_ != Mode::kCalibrating) {
    predictor_.Unlock();
    mode_ = Mode::kSparse;
  }
}

void CounterWatch::Calibrate(uint64_t now_ns) {
  losses_ = 0;
  BeginBurst(kCalibrationUpdates, kCalibrationNs, now_ns);
}

void CounterWatch::Resume(uint64_t now_ns) {
  if (!started_) return;
  gap_ = true;
  if (mode_ == Mode::kTracking || mode_ == Mode::kSearching) {
    losses_ = 0;
    Search(now_ns);
  }
}

[[gnu::cold]] void CounterWatch::BeginBurst(uint32_t updates, uint64_t length_ns, uint64_t now_ns) {
  mode_ = Mode::kCalibrating;
  predictor_.Unlock();
  burst_wanted_ = updates;
  burst_seen_ = 0;
  burst_until_ns_ = now_ns + length_ns;
  // One update is for the phase alone.
  if (updates > 1) history_.Clear();
}

[[gnu::cold]] void CounterWatch::EndBurst(const Look& look) {
  mode_ = Mode::kSparse;
  if (burst_wanted_ > 1) {
    Learn(history_.Evaluate());
    fresh_ = 0;
  }
  if (!tracking_) return;
  const double period_ns = calibration_.period_ns;
  if (period_ns > kLongestTrackedNs) return;
  if (period_ns > 0 && burst_seen_ > 0) {
    const bool settled = burst_wanted_ > 1;
    predictor_.Lock(period_ns, calibration_.jitter_ns,
                    settled ? calibration_.last_ns : tally_.last_ns(), settled);
    // So irregular a counter would have to be read half of the time.
    if (!predictor_.Pays()) {
      predictor_.Unlock();
      return;
    }
    predictor_.NoUpdate(static_cast<double>(look.start_ns));
    mode_ = Mode::kTracking;
    locked_updates_ = totals_.updates;
    return;
  }
  // It does not move, or not as it did.
  losses_ = std::min(losses_ + 1, kMostDoublings);
  mode_ = Mode::kSearching;
  search_from_ns_ = look.end_ns + (kShortestPauseNs << losses_);
}

[[gnu::cold]] void CounterWatch::LoseLock(uint64_t now_ns) {
  ++totals_.lost_locks;
  losses_ = totals_.updates - locked_updates_ > kUpdatesOfGoodLock
                ? 0
                : std::min(losses_ + 1, kMostDoublings);
  if (losses_ == 0) {
    Search(now_ns);
    return;
  }
  mode_ = Mode::kSearching;
  search_from_ns_ = now_ns + (kShortestPauseNs << losses_);
}

[[gnu::cold]] void CounterWatch::Search(uint64_t now_ns) {
  const double period_ns = calibration_.period_ns;
  if (losses_ == 0 && period_ns > 0) {
    BeginBurst(1, static_cast<uint64_t>(kSearchPeriods * period_ns), now_ns);
  } else {
    BeginBurst(kRecalibrationUpdates, kCalibrationNs, now_ns);
  }
}

// What was found anew is not always better: a machine may be too busy for a calibration.
[[gnu::cold]] void CounterWatch::Learn(const Calibration& found) {
  const Calibration before = calibration_;
  const bool is_disturbed = found.held_up_ratio > kMostHeldUp || found.updates < kFewUpdates;
  if (found.period_ns > 0 || before.period_ns <= 0 || !is_disturbed) {
    calibration_ = found;
    const double doubt_ns = found.period_uncertainty_ns + before.period_uncertainty_ns;
    if (before.period_ns > 0 && found.period_uncertainty_ns > 2 * before.period_uncertainty_ns &&
        std::abs(found.period_ns - before.period_ns) < kSameDeviations * doubt_ns) {
      calibration_.period_ns = before.period_ns;
      calibration_.period_uncertainty_ns = before.period_uncertainty_ns;
    }
  } else {
    calibration_.last_ns = found.last_ns;
  }
  tally_.Learn(calibration_);
}

// Writes down an update that the count has just shown.
[[gnu::hot]] void CounterWatch::Tell(const Look& look, bool broke, const DeviceTime::Span& span,
                                     SampleRecord* record) {
  if (mode_ == Mode::kTracking) {
    predictor_.Update(static_cast<double>(lower_ns_), static_cast<double>(look.end_ns));
  }
  // The clock that stood still says nothing of the updates meanwhile.
  if (broke) tally_.Restart();
  const UpdateTally::Seen seen = tally_.Add(lower_ns_, look.start_ns, look.end_ns);
  record->counter = index_;
  // What it wants to be read by is when it was read; what is told of it, when it moved.
  record->lower_ns = span.lower_ns;
  record->upper_ns = span.upper_ns;
  record->ticks = count_.ticks();
  record->missed = seen.missed;
  record->flags = (seen.missed != 0 ? SampleRecord::kMissed : 0u) |
                  (gap_ ? SampleRecord::kGap : 0u) | (broke ? SampleRecord::kBreak : 0u) |
                  (seen.sure ? 0u : SampleRecord::kUnsure) |
                  (seen.lost ? SampleRecord::kUncounted : 0u);
  totals_.missed += seen.missed;
  ++totals_.updates;
  if (!seen.sure) ++totals_.unsure;
  if (gap_) ++totals_.gaps;
  if (broke) ++totals_.breaks;
  // After a gap, too: who follows whom is what tells the period, and so wide a bracket that it is
  // not asked.
  history_.Add(lower_ns_, look.end_ns, broke ? 0 : count_.ticks() - ticks_);
  ++fresh_;
  gap_ = false;
}

[[gnu::hot]] bool CounterWatch::Observe(const RawReading& raw, const Look& look,
                                        SampleRecord* record) {
  count_.Add(raw, {look.boot_ns, look.start_ns});
  if (count_.status() != Status::kOk) {
    gap_ = started_;
    ++totals_.failed_reads;
    if (mode_ == Mode::kCalibrating && look.start_ns >= burst_until_ns_) EndBurst(look);
    if (mode_ == Mode::kTracking) {
      predictor_.NoUpdate(static_cast<double>(look.start_ns));
      if (!predictor_.locked()) LoseLock(look.start_ns);
    }
    return false;
  }
  const bool broke = started_ && count_.breaks() != breaks_;
  const bool moved = started_ && (broke || count_.ticks() != ticks_);
  DeviceTime::Span span{lower_ns_, look.end_ns};
  if (has_own_time_ && raw.time_ns != 0) {
    if (broke) device_time_.Restart();
    span = device_time_.Observe(raw.time_ns, lower_ns_, look.start_ns, look.end_ns, moved);
  }
  if (moved) {
    Tell(look, broke, span, record);
  } else if (started_ && mode_ == Mode::kTracking) {
    predictor_.NoUpdate(static_cast<double>(look.start_ns));
  }
  started_ = true;
  ticks_ = count_.ticks();
  breaks_ = count_.breaks();
  lower_ns_ = look.start_ns;

  if (mode_ == Mode::kCalibrating) {
    if (moved) ++burst_seen_;
    // So that what is missed from here on can be counted.
    if (moved && burst_seen_ == kFirstGuessUpdates && calibration_.period_ns <= 0) {
      Learn(history_.Evaluate());
    }
    if (burst_seen_ >= burst_wanted_ || look.start_ns >= burst_until_ns_) EndBurst(look);
  } else if (mode_ == Mode::kTracking && !predictor_.locked()) {
    LoseLock(look.end_ns);
  } else if (mode_ == Mode::kSearching && moved && look.end_ns >= search_from_ns_) {
    Search(look.end_ns);
  }
  return moved;
}

uint64_t CounterWatch::NextNs() const {
  if (mode_ == Mode::kCalibrating) return 0;
  if (mode_ != Mode::kTracking) return UINT64_MAX;
  return static_cast<uint64_t>(std::max(0.0, predictor_.WakeNs()));
}

bool CounterWatch::Recalibrate(uint64_t now_ns) {
  if (mode_ != Mode::kTracking && mode_ != Mode::kSparse) return false;
  const bool is_rough = mode_ == Mode::kSparse || calibration_.held_up_ratio > kMostHeldUp;
  // Where as many as are kept told no period, it updates more often than it is read, and that will
  // hardly change.
  const bool is_hopeless = calibration_.period_ns <= 0 && history_.size() == UpdateHistory::kSize;
  if (fresh_ < (is_hopeless ? kFreshHopelessUpdates
                : is_rough  ? kFreshSparseUpdates
                            : kFreshUpdates)) {
    return false;
  }
  Calibration found = history_.Evaluate();
  fresh_ = 0;
  // Reads at the base rate tell nothing of what updates as often.
  if (found.period_ns <= 0) {
    calibration_.quantum_ticks = found.quantum_ticks;
    return true;
  }
  if (mode_ == Mode::kTracking && calibration_.period_ns > 0) {
    // What so few updates tell of their scatter scatters itself.
    const double before_ns = calibration_.jitter_ns;
    found.jitter_ns = std::sqrt((1 - kNewJitter) * before_ns * before_ns +
                                kNewJitter * found.jitter_ns * found.jitter_ns);
  }
  const bool was_slow = calibration_.period_ns > kLongestTrackedNs;
  Learn(found);
  if (mode_ == Mode::kTracking) predictor_.SetJitter(calibration_.jitter_ns);
  if (tracking_ && was_slow && calibration_.period_ns <= kLongestTrackedNs) {
    losses_ = 0;
    Search(now_ns);
  }
  return true;
}

}  // namespace microjoule
