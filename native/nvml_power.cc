// SPDX-License-Identifier: MIT
#include "nvml_power.h"

#include <algorithm>

namespace microjoule {
namespace {

constexpr uint64_t kHalfPicojoulesPerMicrojoule = 2000000;
// So that no product overflows: a quarter of an hour at 9 MW.
constexpr uint64_t kLongestStepNs = 1000000000000u;

}  // namespace

void PowerIntegrator::Observe(uint64_t milliwatts, uint64_t polled_ns, uint64_t update_ns,
                              uint64_t period_ns) {
  if (!started_) {
    started_ = true;
    milliwatts_ = milliwatts;
    time_ns_ = polled_ns;
    return;
  }
  if (update_ns == 0) {
    // Updates that left the value as it was. The last one may still be to come.
    if (polled_ns <= time_ns_) return;
    const uint64_t periods = (polled_ns - time_ns_) / period_ns;
    if (periods >= 2) Add(2 * milliwatts_, time_ns_ + (periods - 1) * period_ns);
    return;
  }
  // The value before was confirmed by each update that was due, up to the one before this.
  if (update_ns > time_ns_ + period_ns + period_ns / 2) Add(2 * milliwatts_, update_ns - period_ns);
  Add(milliwatts_ + milliwatts, update_ns);
  milliwatts_ = milliwatts;
}

void PowerIntegrator::Add(uint64_t doubled_milliwatts, uint64_t until_ns) {
  while (until_ns > time_ns_) {
    const uint64_t step_ns = std::min(until_ns - time_ns_, kLongestStepNs);
    rest_ += doubled_milliwatts * step_ns;
    microjoules_ += rest_ / kHalfPicojoulesPerMicrojoule;
    rest_ %= kHalfPicojoulesPerMicrojoule;
    time_ns_ += step_ns;
  }
}

}  // namespace microjoule
