// SPDX-License-Identifier: MIT
//
// When a value that is polled was updated, and how often it is. A function of the polls alone.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace microjoule {

// What current GPUs do, until the GPU at hand was seen (SC24, "Part-time Power Measurements": 100
// ms on Turing and later).
inline constexpr uint64_t kNvmlAssumedPeriodNs = 100000000;

class UpdateTimer {
 public:
  // A poll between these two times, and whether it gave another value than the one before. Gives
  // when the value was updated: between the two polls; 0 where it was not.
  uint64_t Observe(uint64_t start_ns, uint64_t end_ns, bool changed);

  // The polls were not made for a while: the next change tells no time.
  void Interrupt();

  // How long before the poll that first saw it the device says the value was taken.
  void ObserveLag(uint64_t lag_ns);

  // Between two updates; 0 until enough were seen. That of the polls where it is shorter.
  uint64_t period_ns() const { return period_ns_; }
  // Whether it is that of the polls, of which most saw another value.
  bool is_of_polls() const { return is_of_polls_; }
  // From the device's own time stamp of a value to when it could be read: median.
  uint64_t lag_ns() const { return lag_ns_; }
  uint32_t updates() const { return updates_; }

 private:
  static constexpr size_t kKept = 32;

  void Settle();

  std::array<uint64_t, kKept> intervals_ns_{};
  std::array<uint32_t, kKept> polls_{};  // in each interval
  std::array<uint64_t, kKept> lags_ns_{};
  uint32_t interval_count_ = 0;
  uint32_t lag_count_ = 0;
  uint64_t polled_ns_ = 0;   // the middle of the last poll; 0: none
  uint64_t updated_ns_ = 0;  // 0: not known
  uint64_t period_ns_ = 0;
  bool is_of_polls_ = false;
  uint32_t polls_since_ = 0;  // the last update
  uint64_t lag_ns_ = 0;
  uint32_t updates_ = 0;
  uint32_t row_ = 0;  // polls that gave another value each, up to the last
};

}  // namespace microjoule
