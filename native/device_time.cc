// SPDX-License-Identifier: MIT
#include "device_time.h"

#include <algorithm>

namespace microjoule {
namespace {

// By which two clocks drift apart: oscillators keep to 1e-4.
constexpr uint64_t kDriftDivisor = 10000;
// What so many readings in a row show is no chance.
constexpr uint32_t kSure = 32;

// Times of two clocks may be apart either way.
int64_t Less(uint64_t one, uint64_t other) { return static_cast<int64_t>(one - other); }

}  // namespace

DeviceTime::Span DeviceTime::Observe(uint64_t device_ns, uint64_t before_ns, uint64_t start_ns,
                                     uint64_t end_ns, bool moved) {
  if (started_ && device_ns < device_ns_) Restart();
  if (!started_) {
    started_ = true;
    device_ns_ = moved_device_ns_ = device_ns;
    high_ns_ = Less(end_ns, device_ns);
    return {before_ns, end_ns};
  }
  if (device_ns == device_ns_) {
    // It was taken before it was asked for.
    asked_ = 0;
    return {before_ns, end_ns};
  }
  LearnOffset(device_ns, before_ns, start_ns, end_ns);
  LearnStep(device_ns, moved);
  device_ns_ = device_ns;

  const uint64_t upper_ns = std::min(end_ns, device_ns + static_cast<uint64_t>(high_ns_));
  uint64_t lower_ns = before_ns;
  if (step_ns_ != UINT64_MAX && low_ns_ != INT64_MIN) {
    const int64_t back_ns = low_ns_ - static_cast<int64_t>(step_ns_);
    const uint64_t closer_ns = device_ns + static_cast<uint64_t>(back_ns);
    if (Less(closer_ns, lower_ns) > 0) lower_ns = closer_ns;
  }
  // In order, also where a bound was given up.
  lower_ns = std::min(std::max(lower_ns, told_lower_ns_), upper_ns);
  if (moved) told_lower_ns_ = lower_ns;
  return {lower_ns, upper_ns};
}

void DeviceTime::LearnOffset(uint64_t device_ns, uint64_t before_ns, uint64_t start_ns,
                             uint64_t end_ns) {
  const auto drift_ns = static_cast<int64_t>((device_ns - device_ns_) / kDriftDivisor) + 1;
  // It was taken before this reading ended, and after the one began that gave an older one.
  const int64_t least_ns = Less(before_ns, device_ns);
  const int64_t most_ns = Less(end_ns, device_ns);
  const int64_t asked_ns = Less(start_ns, device_ns);
  const bool was_sure = asked_ >= kSure;
  high_ns_ = std::min(high_ns_ + drift_ns, most_ns);
  low_ns_ = low_ns_ == INT64_MIN ? least_ns : std::max(low_ns_ - drift_ns, least_ns);
  if (asked_ns > high_ns_) {
    // Older than the reading that gave it.
    asked_ = 0;
    if (was_sure) low_ns_ = least_ns;
  } else {
    asked_low_ns_ = asked_ == 0 ? asked_ns : std::max(asked_low_ns_ - drift_ns, asked_ns);
    ++asked_;
  }
  if (asked_ >= kSure) low_ns_ = std::max(low_ns_, asked_low_ns_);
  if (low_ns_ <= high_ns_) return;
  // The clocks did not keep step.
  low_ns_ = least_ns;
  high_ns_ = most_ns;
  asked_ = 0;
}

void DeviceTime::LearnStep(uint64_t device_ns, bool moved) {
  const uint64_t stood_ns = device_ns - moved_device_ns_;
  if (!moved) {
    moves_ = 0;
    longest_ns_ = 0;
    if (stood_ns >= step_ns_) step_ns_ = UINT64_MAX;
    return;
  }
  moved_device_ns_ = device_ns;
  longest_ns_ = std::max(longest_ns_, stood_ns);
  if (++moves_ < kSure) return;
  // A count that is as old as that would have been found unmoved.
  step_ns_ = std::min(step_ns_, longest_ns_);
  moves_ = 0;
  longest_ns_ = 0;
}

}  // namespace microjoule
