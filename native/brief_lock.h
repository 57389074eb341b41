// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace microjoule {

// A lock that is nearly always free: taking it and giving it back are one atomic operation each,
// and no call. Who finds it taken sleeps. For std::lock_guard.
class BriefLock {
 public:
  void lock() {
    uint32_t expected = kFree;
    if (!state_.compare_exchange_strong(expected, kTaken, std::memory_order_acquire)) Wait();
  }
  void unlock() {
    if (state_.exchange(kFree, std::memory_order_release) == kWaitedFor) Wake();
  }

 private:
  enum : uint32_t { kFree, kTaken, kWaitedFor };

  void Wait() {
    std::unique_lock<std::mutex> lock(mutex_);
    // Whoever waited takes it as waited for, since there may be more who do.
    while (state_.exchange(kWaitedFor, std::memory_order_acquire) != kFree) {
      // Woken long before. wait() itself is a newer part of libstdc++ than prebuilt addons may ask
      // for.
      freed_.wait_for(lock, std::chrono::hours(1));
    }
  }
  void Wake() {
    // Not between a look at the state and the sleep that follows.
    { const std::lock_guard<std::mutex> lock(mutex_); }
    freed_.notify_one();
  }

  std::atomic<uint32_t> state_{kFree};
  std::mutex mutex_;
  std::condition_variable freed_;
};

}  // namespace microjoule
