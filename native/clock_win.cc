// SPDX-License-Identifier: MIT
#include <windows.h>

#include "clock.h"

namespace microjoule {
namespace {

using InterruptTime = void(WINAPI*)(PULONGLONG);

// Since Windows 10, and not in every import library.
InterruptTime FindInterruptTime() {
  const HMODULE library = GetModuleHandleW(L"kernelbase.dll");
  if (library == nullptr) return nullptr;
  return reinterpret_cast<InterruptTime>(
      reinterpret_cast<void*>(GetProcAddress(library, "QueryInterruptTime")));
}

// How long the machine has slept since boot, with the grain of its timer (16 ms). Both clocks tick
// by the same interrupt, so that their difference grows by sleep alone, whereas other pairs drift
// apart by a second in a day.
uint64_t AsleepNs() {
  static const InterruptTime interrupt_time = FindInterruptTime();
  ULONGLONG all = 0;
  ULONGLONG awake = 0;
  if (interrupt_time != nullptr) {
    interrupt_time(&all);
  } else {
    all = GetTickCount64() * 10000u;
  }
  // Second, so that an interrupt between the two takes away.
  QueryUnbiasedInterruptTime(&awake);
  return all > awake ? (all - awake) * 100 : 0;
}

class WindowsClock final : public Clock {
 public:
  // QueryPerformanceCounter, as libuv's hrtime. Split so that the product cannot overflow. Unlike
  // that of Linux it runs on while the machine sleeps.
  uint64_t MonotonicNs() const override {
    LARGE_INTEGER frequency, count;
    QueryPerformanceFrequency(&frequency);
    QueryPerformanceCounter(&count);
    const uint64_t hz = static_cast<uint64_t>(frequency.QuadPart);
    const uint64_t n = static_cast<uint64_t>(count.QuadPart);
    return n / hz * 1000000000u + n % hz * 1000000000u / hz;
  }

  // Only what it is ahead of monotonic time is looked at: sleep is in there twice.
  uint64_t BootNs() const override {
    const uint64_t asleep_ns = AsleepNs();
    return MonotonicNs() + asleep_ns;
  }
};

}  // namespace

const Clock& SystemClock() {
  static const WindowsClock* const clock = new WindowsClock;
  return *clock;
}

}  // namespace microjoule
