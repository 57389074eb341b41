// SPDX-License-Identifier: MIT
//
// Energy of a power sensor that is polled: the trapezoid between its own updates. A function of the
// polls alone.
#pragma once

#include <cstdint>

namespace microjoule {

class PowerIntegrator {
 public:
  // A poll. `update_ns`: when the value was updated; 0 where it is the one before. `period_ns`: how
  // often it is updated, whether that shows or not, as constant power does not.
  void Observe(uint64_t milliwatts, uint64_t polled_ns, uint64_t update_ns, uint64_t period_ns);

  // It was not polled for so long that what was drawn meanwhile is not known: starts anew.
  void Interrupt() { started_ = false; }

  uint64_t microjoules() const { return microjoules_; }
  // Up to when that is the energy; 0 before the first poll.
  uint64_t time_ns() const { return time_ns_; }

 private:
  void Add(uint64_t doubled_milliwatts, uint64_t until_ns);

  bool started_ = false;
  uint64_t milliwatts_ = 0;
  uint64_t time_ns_ = 0;
  uint64_t microjoules_ = 0;
  uint64_t rest_ = 0;  // of a microjoule, in half picojoules (mW ns / 2)
};

}  // namespace microjoule
