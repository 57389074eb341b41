// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace microjoule {

// Time, passed in so that tests can move it.
class Clock {
 public:
  virtual ~Clock() = default;

  // The clock of process.hrtime(), in nanoseconds. Stands still while the machine sleeps, but on
  // Windows and macOS.
  virtual uint64_t MonotonicNs() const = 0;

  // As above, and ahead of it by as long as the machine has slept since boot.
  virtual uint64_t BootNs() const = 0;
};

const Clock& SystemClock();

// One pass over counters: its clock, and when it began.
struct Pass {
  const Clock& clock;
  uint64_t monotonic_ns;
};

}  // namespace microjoule
