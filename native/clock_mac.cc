// SPDX-License-Identifier: MIT
#include <time.h>

#include "clock.h"

namespace microjoule {
namespace {

class MacClock final : public Clock {
 public:
  // libuv's hrtime is mach_absolute_time, which this reads.
  uint64_t MonotonicNs() const override { return clock_gettime_nsec_np(CLOCK_UPTIME_RAW); }
  uint64_t BootNs() const override { return clock_gettime_nsec_np(CLOCK_MONOTONIC_RAW); }
};

}  // namespace

const Clock& SystemClock() {
  static const MacClock* const clock = new MacClock;
  return *clock;
}

}  // namespace microjoule
