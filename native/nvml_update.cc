// SPDX-License-Identifier: MIT
#include "nvml_update.h"

#include <algorithm>

namespace microjoule {
namespace {

// From so many intervals on the period is told.
constexpr uint32_t kLeastIntervals = 4;
// A value that is polled more often than it is updated changes at fewer polls in a row.
constexpr uint32_t kMostInRow = 3;
// Fewer polls than so many in each interval do not tell its length.
constexpr uint32_t kLeastPolls = 2;

}  // namespace

uint64_t UpdateTimer::Observe(uint64_t start_ns, uint64_t end_ns, bool changed) {
  const uint64_t middle_ns = start_ns + (end_ns - start_ns) / 2;
  const uint64_t before_ns = polled_ns_;
  polled_ns_ = middle_ns;
  if (before_ns == 0) return 0;
  row_ = changed ? row_ + 1 : 0;
  ++polls_since_;
  if (!changed) return 0;
  // What moves at every poll was updated more often, and so just before it.
  const uint64_t update_ns =
      row_ > kMostInRow ? middle_ns : before_ns + (middle_ns - before_ns) / 2;
  ++updates_;
  if (updated_ns_ != 0) {
    polls_[interval_count_ % kKept] = polls_since_;
    intervals_ns_[interval_count_++ % kKept] = update_ns - updated_ns_;
    Settle();
  }
  polls_since_ = 0;
  updated_ns_ = update_ns;
  return update_ns;
}

void UpdateTimer::Interrupt() {
  polled_ns_ = updated_ns_ = 0;
  row_ = 0;
}

void UpdateTimer::ObserveLag(uint64_t lag_ns) {
  lags_ns_[lag_count_++ % kKept] = lag_ns;
  const size_t count = std::min<size_t>(lag_count_, kKept);
  std::array<uint64_t, kKept> sorted = lags_ns_;
  const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(count / 2);
  std::nth_element(sorted.begin(), middle, sorted.begin() + static_cast<std::ptrdiff_t>(count));
  lag_ns_ = *middle;
}

// An update that left the value as it was makes one interval of two: the short ones tell.
void UpdateTimer::Settle() {
  if (interval_count_ < kLeastIntervals) return;
  const size_t count = std::min<size_t>(interval_count_, kKept);
  std::array<uint64_t, kKept> sorted = intervals_ns_;
  std::sort(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(count));
  const uint64_t quarter_ns = sorted[count / 4];
  uint64_t sum_ns = 0, used = 0;
  for (size_t i = 0; i < count; ++i) {
    if (sorted[i] > quarter_ns + quarter_ns / 2) break;
    sum_ns += sorted[i];
    ++used;
  }
  period_ns_ = sum_ns / used;
  std::array<uint32_t, kKept> polls = polls_;
  std::sort(polls.begin(), polls.begin() + static_cast<std::ptrdiff_t>(count));
  is_of_polls_ = polls[count / 2] < kLeastPolls;
}

}  // namespace microjoule
