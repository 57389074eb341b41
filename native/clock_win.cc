// SPDX-License-Identifier: MIT
#include <windows.h>

#include "clock.h"

namespace microjoule {
namespace {

class WindowsClock final : public Clock {
 public:
  // QueryPerformanceCounter, as libuv's hrtime. Split so that the product cannot overflow.
  uint64_t MonotonicNs() const override {
    LARGE_INTEGER frequency, count;
    QueryPerformanceFrequency(&frequency);
    QueryPerformanceCounter(&count);
    const uint64_t hz = static_cast<uint64_t>(frequency.QuadPart);
    const uint64_t n = static_cast<uint64_t>(count.QuadPart);
    return n / hz * 1000000000u + n % hz * 1000000000u / hz;
  }

  // Includes sleep; its grain of 10 to 16 ms is enough to notice one.
  uint64_t BootNs() const override { return GetTickCount64() * 1000000u; }
};

}  // namespace

const Clock& SystemClock() {
  static const WindowsClock* const clock = new WindowsClock;
  return *clock;
}

}  // namespace microjoule
