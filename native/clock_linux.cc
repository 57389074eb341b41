// SPDX-License-Identifier: MIT
#include <time.h>

#include "clock.h"

namespace microjoule {
namespace {

uint64_t Now(clockid_t id) {
  timespec t;
  clock_gettime(id, &t);
  return static_cast<uint64_t>(t.tv_sec) * 1000000000u + static_cast<uint64_t>(t.tv_nsec);
}

class LinuxClock final : public Clock {
 public:
  [[gnu::hot]] uint64_t MonotonicNs() const override { return Now(CLOCK_MONOTONIC); }
  [[gnu::hot]] uint64_t BootNs() const override { return Now(CLOCK_BOOTTIME); }
};

}  // namespace

const Clock& SystemClock() {
  static const LinuxClock* const clock = new LinuxClock;
  return *clock;
}

}  // namespace microjoule
