// SPDX-License-Identifier: MIT
#include "update_tally.h"

#include <algorithm>
#include <cmath>

#include "calibration.h"

namespace microjoule {
namespace {

// Half the square of so many standard deviations: what is less likely than the likeliest by the
// exponential of that (1 : 270,000) is not considered.
constexpr double kSureCost = 12.5;
// By which a period may differ from what it was when it was learnt, beside that doubt: oscillators
// keep to 1e-4, and firmware that counts in loops is a little worse.
constexpr double kPeriodDoubt = 2e-4;
// The loop that follows the phase and the period: as UpdatePredictor's.
constexpr double kGain = 0.1;
constexpr double kFirstGain = 0.5;
constexpr double kGainDecay = 0.8;
constexpr double kPeriodGain = 0.25;
// An update's time is seen where it is known to this part of the period.
constexpr double kSeenPart = 1.0 / 2;
// A calibration that says this or less of another period is but another estimate of the same.
constexpr double kSamePeriod = 5e-3;
// Standard deviation of what lies anywhere in an interval, in its lengths: 1 / sqrt(12).
constexpr double kUniformDeviation = 0.2887;
// Numbers beyond this do not fit a record.
constexpr double kMost = 4e9;

constexpr int kCandidates = 12;

double Square(double value) { return value * value; }

uint32_t Whole(double value) { return static_cast<uint32_t>(std::clamp(value, 0.0, kMost)); }

}  // namespace

void UpdateTally::Learn(const Calibration& calibration) {
  if (calibration.period_ns <= 0) return;
  // Reads that are rare hide how little or much it scatters.
  jitter_ns_ = std::max(calibration.jitter_ns, calibration.bracket_ns * kUniformDeviation);
  period_doubt_ = kPeriodDoubt + calibration.period_uncertainty_ns / calibration.period_ns;
  const bool known = period_ns_ > 0;
  if (std::abs(calibration.period_ns - period_ns_) > kSamePeriod * period_ns_) {
    period_ns_ = calibration.period_ns;
  }
  if (!known && anchored_) PlaceAnchor();
}

// Minus the logarithm of how likely it is that the read saw this update as the last one: its place
// lies in the bracket, and that of the next one after it.
double UpdateTally::CostOf(double number, double lower_ns, double start_ns, double upper_ns) const {
  const double place_ns = place_ns_ + number * period_ns_;
  const double variance = place_variance_ + Square(jitter_ns_) +
                          Square(drift_ns_ + number * period_ns_ * period_doubt_);
  const double off_ns = std::max({0.0, lower_ns - place_ns, place_ns - upper_ns});
  const double over_ns = std::max(0.0, start_ns - (place_ns + period_ns_));
  return (Square(off_ns) + Square(over_ns)) / (2 * std::max(variance, 1.0));
}

void UpdateTally::Anchor(double lower_ns, double upper_ns) {
  anchored_ = true;
  anchor_upper_ns_ = upper_ns;
  anchor_width_ns_ = upper_ns - lower_ns;
  drift_ns_ = told_ = 0;
  gain_ = kFirstGain;
  PlaceAnchor();
  last_ns_ = place_ns_;
}

// The last of the updates in its bracket came within a period before its end.
void UpdateTally::PlaceAnchor() {
  const double width_ns =
      period_ns_ > 0 ? std::min(anchor_width_ns_, period_ns_) : anchor_width_ns_;
  place_ns_ = anchor_upper_ns_ - width_ns / 2;
  place_variance_ = Square(jitter_ns_) + Square(width_ns) / 12;
}

// The update of this number was seen: the grid begins anew with it.
void UpdateTally::Settle(double number, double lower_ns, double upper_ns) {
  place_ns_ += number * period_ns_;
  drift_ns_ += number * period_ns_ * period_doubt_;
  told_ = 0;
  const double width_ns = upper_ns - lower_ns;
  if (width_ns <= kSeenPart * period_ns_) {
    const double error_ns = lower_ns + width_ns / 2 - place_ns_;
    place_ns_ += gain_ * error_ns;
    if (gain_ <= kGain) period_ns_ += Square(gain_) * kPeriodGain * error_ns;
    place_variance_ = Square(1 - gain_) * place_variance_ +
                      Square(gain_) * (Square(jitter_ns_) + Square(width_ns) / 12);
    drift_ns_ *= 1 - gain_;
    gain_ = std::max(kGain, gain_ * kGainDecay);
  }
  last_ns_ = std::clamp(place_ns_, lower_ns, upper_ns);
}

[[gnu::hot]] UpdateTally::Seen UpdateTally::Add(uint64_t lower, uint64_t start, uint64_t upper) {
  const auto lower_ns = static_cast<double>(lower);
  const auto start_ns = static_cast<double>(start);
  const auto upper_ns = static_cast<double>(upper);
  if (!anchored_) {
    Anchor(lower_ns, upper_ns);
    return {0, true, false};
  }
  if (period_ns_ <= 0) {
    ++told_;
    last_ns_ = lower_ns + (upper_ns - lower_ns) / 2;
    return {};
  }

  // At least the one that was just seen.
  const double fewest = told_ + 1;
  // The read looked at some time between its start and its end, which may be far apart: then those
  // in the middle are as likely as one another.
  const double low = std::floor((start_ns - place_ns_) / period_ns_) - 1;
  const double high = std::floor((upper_ns - place_ns_) / period_ns_) + 2;
  double numbers[kCandidates], costs[kCandidates];
  int count = 0, best = 0;
  for (double number = low; number <= high; ++number) {
    if (number < fewest) continue;
    if (count == kCandidates / 2) number = std::max(number, high - kCandidates / 2 + 1);
    numbers[count] = number;
    costs[count] = CostOf(number, lower_ns, start_ns, upper_ns);
    if (costs[count] < costs[best]) best = count;
    ++count;
  }
  int first = best, likely = 0;
  for (int i = count - 1; i >= 0; --i) {
    if (!(costs[i] - costs[best] < kSureCost)) continue;
    first = i;
    ++likely;
  }
  Seen out;
  if (count == 0 || !(costs[best] < kSureCost) || first == count - 1) {
    // It does not fit the grid, which begins anew. What moved the count too often was no miss.
    if (count != 0) out.missed = Whole(numbers[best] - fewest);
    out.lost = true;
    Anchor(lower_ns, upper_ns);
    return out;
  }
  const bool adrift = Square(drift_ns_ + numbers[first] * period_ns_ * period_doubt_) * kSureCost >
                      Square(period_ns_) / 4;
  out.missed = Whole(numbers[adrift ? best : first] - fewest);
  if (likely == 1) {
    out.sure = true;
    Settle(numbers[first], lower_ns, upper_ns);
  } else if (adrift) {
    out.lost = true;
    Anchor(lower_ns, upper_ns);
  } else {
    told_ = numbers[first];
    last_ns_ = std::clamp(place_ns_ + told_ * period_ns_, lower_ns, upper_ns);
  }
  return out;
}

}  // namespace microjoule
