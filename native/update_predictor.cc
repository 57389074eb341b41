// SPDX-License-Identifier: MIT
#include "update_predictor.h"

#include <algorithm>
#include <cmath>

namespace microjoule {
namespace {

// Of the loop, once it has settled: an update moves the phase by this part of its error. With a
// jitter that differs from update to update the phase then has 0.23 of its deviation.
constexpr double kGain = 0.1;
constexpr double kFirstGain = 0.5;
// What the period takes of that; a quarter of the gain damps the loop critically.
constexpr double kPeriodGain = 0.25;
constexpr double kWindowDeviations = 3;
// The window's end is seldom reached, so waiting longer for what is late costs nothing.
constexpr double kLateDeviations = 5;
// A window narrower than two reads would let its update slip through.
constexpr double kNarrowestHalfNs = 3000;
constexpr uint32_t kMostMisses = 3;
constexpr uint32_t kMostOdd = 8;
// An update is watched when its time is known to this part of the period.
constexpr double kWatchedPart = 1.0 / 16;
constexpr double kFirstLeadNs = 60000;
// Balanced where one wake-up in 21 is late: the next one costs more than it is worth.
constexpr double kLeadUpNs = 6000;
constexpr double kLeadDownNs = 300;
constexpr double kMostLeadPart = 1.0 / 8;

}  // namespace

void UpdatePredictor::Lock(double period_ns, double jitter_ns, double last_ns, bool settled) {
  locked_ = true;
  period_ns_ = period_ns;
  next_ns_ = last_ns + period_ns;
  gain_ = settled ? kGain : kFirstGain;
  if (lead_ns_ == 0) lead_ns_ = std::min(kFirstLeadNs, period_ns * kMostLeadPart);
  passed_ = false;
  misses_ = odd_ = 0;
  SetJitter(jitter_ns);
}

void UpdatePredictor::SetJitter(double jitter_ns) {
  half_ns_ = std::max(kWindowDeviations * jitter_ns, kNarrowestHalfNs);
  late_ns_ = std::max(kLateDeviations * jitter_ns, kNarrowestHalfNs);
}

void UpdatePredictor::Update(double lower_ns, double upper_ns) {
  const double width_ns = upper_ns - lower_ns;
  const double middle_ns = lower_ns + width_ns / 2;
  const bool watched = width_ns <= period_ns_ * kWatchedPart;
  // Which one it was: 0 the one that is due, 1 the one after it. Of an update that nobody watched,
  // the latest that can have come.
  const double which = watched ? std::round((middle_ns - next_ns_) / period_ns_)
                               : std::floor((upper_ns - WindowStartNs()) / period_ns_);
  const bool belated = passed_;
  passed_ = false;
  if (which < 0) {
    // After its window had passed; or one too many.
    if (!belated && ++odd_ >= kMostOdd) Unlock();
    return;
  }
  if (watched) {
    const double most_ns = 2 * half_ns_;
    const double error_ns =
        std::clamp(middle_ns - (next_ns_ + which * period_ns_), -most_ns, most_ns);
    next_ns_ += gain_ * error_ns;
    if (gain_ <= kGain) period_ns_ += gain_ * gain_ * kPeriodGain * error_ns;
    gain_ = std::max(kGain, gain_ * 0.8);
    lead_ns_ = std::max(lead_ns_ - kLeadDownNs, kLeadDownNs);
    misses_ = odd_ = 0;
  } else {
    // Not where the thread was awake and kept from reading, or so late that nothing would help.
    const double most_ns = period_ns_ * kMostLeadPart;
    if (lower_ns < WakeNs() && upper_ns - WakeNs() < 2 * most_ns) {
      lead_ns_ = std::min(lead_ns_ + kLeadUpNs, most_ns);
    }
    if (++odd_ >= kMostOdd) Unlock();
  }
  next_ns_ += (which + 1) * period_ns_;
}

void UpdatePredictor::NoUpdate(double time_ns) {
  if (time_ns <= WindowEndNs()) return;
  const double passed = std::floor((time_ns - WindowEndNs()) / period_ns_) + 1;
  next_ns_ += passed * period_ns_;
  passed_ = true;
  misses_ += static_cast<uint32_t>(std::min(passed, 1e9));
  if (misses_ >= kMostMisses) Unlock();
}

}  // namespace microjoule
