// SPDX-License-Identifier: MIT
#include "calibration.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace microjoule {
namespace {

constexpr uint32_t kFewestSteps = 8;
constexpr uint32_t kFewestUpdates = 3;
// Of normal deviates: the median of their sizes times this is their standard deviation.
constexpr double kMadToDeviation = 1.4826;
// The variance of normal deviates that are cut off at three standard deviations.
constexpr double kVarianceWithinThree = 0.9733;
// A period must be so many times what its updates' times are known to: where every read sees a new
// count, it is the reads' own period that shows.
constexpr double kFewestBrackets = 2.5;
// After so many periods without an update the count of periods may be wrong.
constexpr double kLongestPause = 20;

double Median(double* values, size_t count) {
  if (count == 0) return 0;
  std::nth_element(values, values + count / 2, values + count);
  return values[count / 2];
}

}  // namespace

void UpdateHistory::Add(uint64_t lower_ns, uint64_t upper_ns, uint64_t step_ticks) {
  updates_[next_] = {lower_ns, upper_ns - lower_ns};
  next_ = (next_ + 1) % kSize;
  size_ = std::min(size_ + 1, kSize);
  if (step_ticks == 0) return;
  quantum_ticks_ = std::gcd(quantum_ticks_, step_ticks);
  ++steps_;
}

Calibration UpdateHistory::Evaluate() const {
  Calibration out;
  out.updates = static_cast<uint32_t>(size_);
  if (steps_ >= kFewestSteps) out.quantum_ticks = quantum_ticks_;
  if (size_ < 2) return out;
  double scratch[kSize];
  const uint64_t base_ns = At(0).lower_ns;
  for (size_t i = 0; i < size_; ++i) scratch[i] = static_cast<double>(At(i).width_ns);
  out.bracket_ns = Median(scratch, size_);
  out.last_ns =
      static_cast<double>(At(size_ - 1).lower_ns) + static_cast<double>(At(size_ - 1).width_ns) / 2;

  // Who was kept from reading for long saw an update, but not when.
  const double most_width_ns = 4 * out.bracket_ns;
  const auto is_narrow = [&](size_t i) {
    return static_cast<double>(At(i).width_ns) <= most_width_ns;
  };
  double steps_ns[kSize];
  size_t count = 0;
  double square_widths = 0;
  for (size_t i = 1; i < size_; ++i) {
    if (!is_narrow(i - 1) || !is_narrow(i)) continue;
    steps_ns[count++] = MiddleNs(i, base_ns) - MiddleNs(i - 1, base_ns);
    square_widths += static_cast<double>(At(i).width_ns) * static_cast<double>(At(i).width_ns);
  }
  if (count + 1 < kFewestUpdates) return out;
  square_widths /= static_cast<double>(count);
  std::copy(steps_ns, steps_ns + count, scratch);
  const double period_ns = Median(scratch, count);
  if (period_ns < kFewestBrackets * out.bracket_ns) return out;
  out.period_ns = period_ns;

  // The time between two updates has the jitter of both, and of both what reading adds.
  size_t single = 0;
  for (size_t i = 0; i < count; ++i) {
    const double off_ns = steps_ns[i] - period_ns;
    if (std::abs(off_ns) < period_ns / 2) steps_ns[single++] = off_ns;
  }
  for (size_t i = 0; i < single; ++i) scratch[i] = std::abs(steps_ns[i]);
  const double deviation_ns = kMadToDeviation * Median(scratch, single);
  double squares = 0;
  size_t within = 0;
  for (size_t i = 0; i < single; ++i) {
    if (std::abs(steps_ns[i]) > 3 * deviation_ns) continue;
    squares += steps_ns[i] * steps_ns[i];
    ++within;
  }
  const double variance =
      within == 0 ? 0 : squares / static_cast<double>(within) / kVarianceWithinThree;
  out.jitter_ns = std::sqrt(std::max(0.0, variance / 2 - square_widths / 12));
  FitLine(base_ns, most_width_ns, &out);
  return out;
}

// The period and the last update's time by least squares of time over number, which is more exact
// than the median. What came between, as in a storm of updates, has no number.
void UpdateHistory::FitLine(uint64_t base_ns, double most_width_ns, Calibration* out) const {
  double n = 0, x = 0, sum_x = 0, sum_y = 0, sum_xx = 0, sum_xy = 0;
  double last_ns = 0;
  for (size_t i = 0; i < size_; ++i) {
    if (static_cast<double>(At(i).width_ns) > most_width_ns) continue;
    const double y = MiddleNs(i, base_ns);
    const double step = n == 0 ? 0 : std::round((y - last_ns) / out->period_ns);
    if (n != 0 && step < 1) continue;
    if (step > kLongestPause) n = x = sum_x = sum_y = sum_xx = sum_xy = 0;
    x += step;
    last_ns = y;
    n += 1;
    sum_x += x;
    sum_y += y;
    sum_xx += x * x;
    sum_xy += x * y;
  }
  const double spread = n * sum_xx - sum_x * sum_x;
  if (n < kFewestUpdates || spread <= 0) return;
  const double slope = (n * sum_xy - sum_x * sum_y) / spread;
  // A line through updates that skip and crowd is no better than the median.
  if (std::abs(slope - out->period_ns) > out->period_ns / 20) return;
  out->period_ns = slope;
  out->last_ns = static_cast<double>(base_ns) + sum_y / n + slope * (x - sum_x / n);
}

double ReadCosts::QuantileNs(double part) const {
  const size_t count = std::min(next_, kSize);
  if (count == 0) return 0;
  uint32_t scratch[kSize];
  std::copy(costs_, costs_ + count, scratch);
  uint32_t* const at = scratch + static_cast<size_t>(part * static_cast<double>(count - 1));
  std::nth_element(scratch, at, scratch + count);
  return *at;
}

}  // namespace microjoule
