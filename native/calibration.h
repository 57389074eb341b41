// SPDX-License-Identifier: MIT
//
// What a counter's own updates tell about it: how often it updates, how regularly, in what steps.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace microjoule {

struct Calibration {
  uint32_t updates = 0;  // on which it rests
  double period_ns = 0;  // between two updates; 0: not known
  // Standard uncertainty of that, widened where it rests on few.
  double period_uncertainty_ns = 0;
  double jitter_ns = 0;   // standard deviation of one update's time
  double bracket_ns = 0;  // within which an update's time is known: median
  // Of the updates, the part whose bracket is much wider than the narrowest tenth: so busy was the
  // machine, or so rare were the reads.
  double held_up_ratio = 0;
  double last_ns = 0;          // the time of the last update, as all of them tell it
  uint64_t quantum_ticks = 0;  // the greatest step that all steps are multiples of; 0: not known
};

// The last updates of one counter. Allocates nothing.
class UpdateHistory {
 public:
  static constexpr size_t kSize = 256;

  // The count moved by `step_ticks` between `lower_ns` and `upper_ns`. No step, as after a break:
  // 0.
  void Add(uint64_t lower_ns, uint64_t upper_ns, uint64_t step_ticks);
  // Forgets the times, not the quantum.
  void Clear() { size_ = 0; }
  // How many it holds.
  size_t size() const { return size_; }

  Calibration Evaluate() const;

 private:
  struct Update {
    uint64_t lower_ns;
    uint64_t width_ns;
  };
  // From the oldest to the newest.
  const Update& At(size_t i) const { return updates_[(next_ + kSize - size_ + i) % kSize]; }
  double MiddleNs(size_t i, uint64_t base_ns) const {
    return static_cast<double>(At(i).lower_ns - base_ns) + static_cast<double>(At(i).width_ns) / 2;
  }
  void FindPeriod(uint64_t base_ns, double bracket_ns, size_t fewest_steps, Calibration* out) const;
  void FitLine(uint64_t base_ns, double most_width_ns, Calibration* out) const;

  size_t next_ = 0;
  size_t size_ = 0;
  uint64_t quantum_ticks_ = 0;
  uint32_t steps_ = 0;
  // Apart, so that what every read needs of several counters is near each other.
  std::vector<Update> updates_ = std::vector<Update>(kSize);
};

// What single reads cost: the last ones of them.
class ReadCosts {
 public:
  static constexpr size_t kSize = 512;
  void Add(uint64_t ns) {
    costs_[next_++ % kSize] = ns < UINT32_MAX ? static_cast<uint32_t>(ns) : UINT32_MAX;
  }
  // The cost that this part of all reads does not exceed; 0 while there were none.
  double QuantileNs(double part) const;

 private:
  size_t next_ = 0;
  uint32_t costs_[kSize] = {};
};

}  // namespace microjoule
