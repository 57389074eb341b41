// SPDX-License-Identifier: MIT
#include "keep_alive.h"

#include "quiet_thread.h"

namespace microjoule {

KeepAlive::KeepAlive(uint64_t period_ns, std::function<void()> tick)
    : period_(period_ns), tick_(std::move(tick)) {
  thread_ = StartQuietThread([this] { Run(); });
}

KeepAlive::~KeepAlive() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void KeepAlive::Run() {
  auto deadline = std::chrono::steady_clock::now() + period_;
  std::unique_lock<std::mutex> lock(mutex_);
  while (!wake_.wait_until(lock, deadline, [this] { return stop_; })) {
    lock.unlock();
    tick_();
    lock.lock();
    deadline += period_;
    // After a pause of the whole machine one tick is enough.
    const auto now = std::chrono::steady_clock::now();
    if (deadline < now) deadline = now + period_;
  }
}

}  // namespace microjoule
