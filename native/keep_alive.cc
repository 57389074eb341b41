// SPDX-License-Identifier: MIT
#include "keep_alive.h"

#include "clock.h"
#include "quiet_thread.h"

namespace microjoule {

KeepAlive::KeepAlive(uint64_t period_ns, std::function<void()> tick)
    : period_ns_(period_ns), tick_(std::move(tick)), sleeper_(MakeSleeper()) {
  thread_ = StartQuietThread([this] { Run(); });
}

KeepAlive::~KeepAlive() {
  stop_ = true;
  sleeper_->Interrupt();
  thread_.join();
}

void KeepAlive::Run() {
  const Clock& clock = SystemClock();
  uint64_t deadline_ns = clock.MonotonicNs() + period_ns_;
  for (;;) {
    sleeper_->SleepUntil(deadline_ns);
    if (stop_) return;
    if (clock.MonotonicNs() < deadline_ns) continue;
    tick_();
    deadline_ns += period_ns_;
    // After a pause of the whole machine one tick is enough.
    const uint64_t now_ns = clock.MonotonicNs();
    if (deadline_ns < now_ns) deadline_ns = now_ns + period_ns_;
  }
}

}  // namespace microjoule
