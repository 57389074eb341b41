// SPDX-License-Identifier: MIT
//
// For systems that have no counters yet that are fast enough to be sampled.
#include <chrono>
#include <condition_variable>
#include <mutex>

#include "sampler_thread.h"

namespace microjoule {
namespace {

class StandardSleeper final : public Sleeper {
 public:
  void SleepUntil(uint64_t monotonic_ns) override {
    const std::chrono::steady_clock::time_point until{std::chrono::nanoseconds(monotonic_ns)};
    std::unique_lock<std::mutex> lock(mutex_);
    wake_.wait_until(lock, until, [this] { return interrupted_; });
    interrupted_ = false;
  }
  void Interrupt() override {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      interrupted_ = true;
    }
    wake_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  bool interrupted_ = false;
};

}  // namespace

std::unique_ptr<Sleeper> MakeSleeper() { return std::make_unique<StandardSleeper>(); }

std::vector<uint32_t> CpusOfPackage(const std::string&, uint32_t) { return {}; }

std::string SettleSamplerThread(uint32_t, const std::vector<uint32_t>&) {
  return "on this system a thread cannot stay on the CPUs of one package";
}

uint64_t ThreadCpuNs(std::thread*) { return 0; }

}  // namespace microjoule
