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
// After so many periods without an update the count of periods may be wrong; or when the period's
// uncertainty has added up to this part of it.
constexpr double kLongestPause = 20;
constexpr double kPauseDoubt = 1.0 / 8;

// Where the thread was kept from reading, an update was seen, but not when: its bracket is so many
// times wider than others.
constexpr double kHeldUp = 4;
// Of brackets, the part that is as narrow as the reads allow even on a busy machine.
constexpr double kNarrowPart = 0.1;
constexpr size_t kFewestNarrowSteps = 4;
// The median of normal deviates is less certain than their mean.
constexpr double kMedianDoubt = 1.2533;

// So few updates may by chance lie in a line: then a scatter of this part of the period is assumed.
constexpr double kFewFreedom = 8;
constexpr double kUnknownJitter = 0.05;

double Quantile(double* values, size_t count, double part) {
  if (count == 0) return 0;
  double* const at = values + static_cast<size_t>(part * static_cast<double>(count));
  std::nth_element(values, at, values + count);
  return *at;
}

double Median(double* values, size_t count) { return Quantile(values, count, 0.5); }

// By how much an uncertainty that is itself told by `freedom` + 1 values has to be larger, so that
// twice of it still covers 95 %: about Student's t over the normal deviate.
double FewnessFactor(double freedom) { return 1 + 1 / freedom + 4.5 / (freedom * freedom); }

}  // namespace

[[gnu::hot]] void UpdateHistory::Add(uint64_t lower_ns, uint64_t upper_ns, uint64_t step_ticks) {
  updates_[next_] = {lower_ns, upper_ns - lower_ns};
  next_ = (next_ + 1) % kSize;
  size_ = std::min(size_ + 1, kSize);
  if (step_ticks == 0) return;
  // Most often it is known already; a remainder costs a fraction of what a divisor does.
  if (quantum_ticks_ == 0 || step_ticks % quantum_ticks_ != 0) {
    quantum_ticks_ = std::gcd(quantum_ticks_, step_ticks);
  }
  ++steps_;
}

Calibration UpdateHistory::Evaluate() const {
  Calibration out;
  out.updates = static_cast<uint32_t>(size_);
  if (steps_ >= kFewestSteps) out.quantum_ticks = quantum_ticks_;
  if (size_ < 2) return out;
  double scratch[kSize];
  const uint64_t base_ns = At(0).lower_ns;
  const auto fill_widths = [&] {
    for (size_t i = 0; i < size_; ++i) scratch[i] = static_cast<double>(At(i).width_ns);
  };
  fill_widths();
  out.bracket_ns = Median(scratch, size_);
  fill_widths();
  const double narrow_ns = Quantile(scratch, size_, kNarrowPart);
  size_t held_up = 0;
  for (size_t i = 0; i < size_; ++i) {
    held_up += static_cast<double>(At(i).width_ns) > kHeldUp * narrow_ns;
  }
  out.held_up_ratio = static_cast<double>(held_up) / static_cast<double>(size_);
  out.last_ns =
      static_cast<double>(At(size_ - 1).lower_ns) + static_cast<double>(At(size_ - 1).width_ns) / 2;
  // Those that were seen best tell it, where they are enough; else all but the worst.
  FindPeriod(base_ns, narrow_ns, kFewestNarrowSteps, &out);
  if (out.period_ns <= 0) FindPeriod(base_ns, out.bracket_ns, kFewestUpdates - 1, &out);
  return out;
}

// From updates that were seen within about `bracket_ns`, if there are so many of them that follow
// upon each other.
void UpdateHistory::FindPeriod(uint64_t base_ns, double bracket_ns, size_t fewest_steps,
                               Calibration* out) const {
  const double most_width_ns = kHeldUp * bracket_ns;
  const auto is_narrow = [&](size_t i) {
    return static_cast<double>(At(i).width_ns) <= most_width_ns;
  };
  double scratch[kSize], steps_ns[kSize];
  size_t count = 0;
  double square_widths = 0;
  for (size_t i = 1; i < size_; ++i) {
    if (!is_narrow(i - 1) || !is_narrow(i)) continue;
    scratch[count] = static_cast<double>(At(i).width_ns);
    steps_ns[count++] = MiddleNs(i, base_ns) - MiddleNs(i - 1, base_ns);
    square_widths += static_cast<double>(At(i).width_ns) * static_cast<double>(At(i).width_ns);
  }
  if (count < fewest_steps) return;
  square_widths /= static_cast<double>(count);
  const double used_ns = Median(scratch, count);
  std::copy(steps_ns, steps_ns + count, scratch);
  const double period_ns = Median(scratch, count);
  if (period_ns < kFewestBrackets * used_ns) return;
  out->period_ns = period_ns;

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
  out->jitter_ns = std::sqrt(std::max(0.0, variance / 2 - square_widths / 12));
  const auto steps = static_cast<double>(count);
  const double least_ns = steps < kFewFreedom ? kUnknownJitter * period_ns : 1;
  const double scatter_ns =
      FewnessFactor(steps - 1) * std::sqrt(std::max(variance, square_widths / 6));
  out->period_uncertainty_ns = kMedianDoubt * std::max(scatter_ns, least_ns) / std::sqrt(steps);
  FitLine(base_ns, most_width_ns, out);
}

// The period and the last update's time by least squares of time over number, which is more exact
// than the median. What came between, as in a storm of updates, has no number.
void UpdateHistory::FitLine(uint64_t base_ns, double most_width_ns, Calibration* out) const {
  double n = 0, x = 0, sum_x = 0, sum_y = 0, sum_xx = 0, sum_xy = 0, sum_yy = 0, sum_ww = 0;
  double last_ns = 0, origin_ns = 0;
  const double most_steps =
      std::min(kLongestPause, kPauseDoubt * out->period_ns / out->period_uncertainty_ns);
  for (size_t i = 0; i < size_; ++i) {
    if (static_cast<double>(At(i).width_ns) > most_width_ns) continue;
    const double time_ns = MiddleNs(i, base_ns);
    double step = n == 0 ? 0 : std::round((time_ns - last_ns) / out->period_ns);
    if (n != 0 && step < 1) continue;
    if (n == 0 || step > most_steps) {
      n = x = sum_x = sum_y = sum_xx = sum_xy = sum_yy = sum_ww = step = 0;
      origin_ns = time_ns;
    }
    x += step;
    last_ns = time_ns;
    n += 1;
    // Without the greatest part, so that squares stay exact.
    const double y = time_ns - origin_ns - x * out->period_ns;
    sum_yy += y * y;
    sum_ww += static_cast<double>(At(i).width_ns) * static_cast<double>(At(i).width_ns);
    sum_x += x;
    sum_y += y;
    sum_xx += x * x;
    sum_xy += x * y;
  }
  const double spread = n * sum_xx - sum_x * sum_x;
  if (n < kFewestUpdates || spread <= 0) return;
  const double slope_ns = (n * sum_xy - sum_x * sum_y) / spread;
  // A line through updates that skip and crowd is no better than the median.
  if (std::abs(slope_ns) > out->period_ns / 20) {
    out->period_uncertainty_ns = std::max(out->period_uncertainty_ns, std::abs(slope_ns));
    return;
  }
  const double freedom = n - 2;
  const double residues =
      std::max(0.0, sum_yy - sum_y * sum_y / n - slope_ns * (sum_xy - sum_x * sum_y / n));
  const double variance = std::max(residues / freedom, sum_ww / n / 12);
  const double least_ns = freedom < kFewFreedom ? kUnknownJitter * out->period_ns : 0;
  out->period_uncertainty_ns =
      std::max(FewnessFactor(freedom) * std::sqrt(variance), least_ns) * std::sqrt(n / spread);
  out->last_ns = static_cast<double>(base_ns) + origin_ns + x * out->period_ns + sum_y / n +
                 slope_ns * (x - sum_x / n);
  out->period_ns += slope_ns;
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
