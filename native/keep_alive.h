// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>

namespace microjoule {

// Calls `tick` every `period_ns` on a thread of its own until destroyed. Destruction waits for a
// tick under way, never for the period.
class KeepAlive {
 public:
  KeepAlive(uint64_t period_ns, std::function<void()> tick);
  ~KeepAlive();
  KeepAlive(const KeepAlive&) = delete;
  KeepAlive& operator=(const KeepAlive&) = delete;

 private:
  void Run();

  const std::chrono::nanoseconds period_;
  const std::function<void()> tick_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace microjoule
