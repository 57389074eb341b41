// SPDX-License-Identifier: MIT
#include "brief_lock.h"

#include <chrono>
#include <thread>
#include <vector>

#include "check.h"

namespace microjoule {
namespace {

// Nothing is lost, and nobody waits for ever.
void TestExcludes() {
  constexpr int kThreads = 8;
  constexpr int kRounds = 20000;
  BriefLock lock;
  int count = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < kRounds; ++i) {
        const std::lock_guard<BriefLock> guard(lock);
        const int before = count;
        if (i % 1000 == 0) std::this_thread::yield();
        count = before + 1;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(count == kThreads * kRounds);
}

// All who wait at once get it, one after the other.
void TestWakesAll() {
  BriefLock lock;
  int count = 0;
  std::vector<std::thread> threads;
  lock.lock();
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      const std::lock_guard<BriefLock> guard(lock);
      ++count;
    });
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  CHECK(count == 0);
  lock.unlock();
  for (std::thread& thread : threads) thread.join();
  CHECK(count == 4);
}

}  // namespace
}  // namespace microjoule

int main() {
  microjoule::TestExcludes();
  microjoule::TestWakesAll();
}
