// SPDX-License-Identifier: MIT
#include "keep_alive.h"

#include <atomic>
#include <chrono>

#include "check.h"

int main() {
  using microjoule::KeepAlive;
  std::atomic<int> ticks{0};
  {
    const KeepAlive fast(1000000, [&ticks] { ++ticks; });
    while (ticks < 5) std::this_thread::yield();
  }
  const int after = ticks;
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  CHECK(ticks == after);

  // Ending does not wait for the period.
  const auto start = std::chrono::steady_clock::now();
  {
    const KeepAlive slow(uint64_t{3600} * 1000000000u, [] { CHECK(false); });
  }
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(60));
}
