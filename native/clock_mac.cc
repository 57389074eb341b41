// SPDX-License-Identifier: MIT
#include <time.h>

#include "clock.h"

namespace microjoule {
namespace {

class MacClock final : public Clock {
 public:
  // mach_continuous_time, as libuv's hrtime (1.39 and later). It runs on while the machine sleeps.
  uint64_t MonotonicNs() const override { return clock_gettime_nsec_np(CLOCK_MONOTONIC_RAW); }

  // Only what it is ahead of monotonic time is looked at: sleep is in there twice.
  uint64_t BootNs() const override {
    const uint64_t all_ns = clock_gettime_nsec_np(CLOCK_MONOTONIC_RAW);
    // Stands still in sleep. Second, so that the time between the two takes away.
    const uint64_t awake_ns = clock_gettime_nsec_np(CLOCK_UPTIME_RAW);
    return MonotonicNs() + (all_ns > awake_ns ? all_ns - awake_ns : 0);
  }
};

}  // namespace

const Clock& SystemClock() {
  static const MacClock* const clock = new MacClock;
  return *clock;
}

}  // namespace microjoule
