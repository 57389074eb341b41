// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <thread>

#include "sampler_thread.h"

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

  const uint64_t period_ns_;
  const std::function<void()> tick_;
  // Not a condition variable: in prebuilt addons on old systems those wait by the time of day, and
  // where that is set back a count would go unread for longer than it takes to wrap.
  const std::unique_ptr<Sleeper> sleeper_;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace microjoule
