// SPDX-License-Identifier: MIT
//
// When a count moved, in the reader's time, where its device says by a clock of its own when it
// took what it answers. Knows neither clock: how far they are apart is bounded by readings alone.
#pragma once

#include <cstdint>

namespace microjoule {

class DeviceTime {
 public:
  struct Span {
    uint64_t lower_ns;
    uint64_t upper_ns;
  };

  // A reading from `start_ns` to `end_ns` gave the device's time `device_ns`, and whether the count
  // had moved since the one that began at `before_ns`. Gives when it did, if so: between these two
  // readings, and closer where the device's time tells.
  Span Observe(uint64_t device_ns, uint64_t before_ns, uint64_t start_ns, uint64_t end_ns,
               bool moved);

  // The device's clock began anew, or either stood still.
  void Restart() { *this = DeviceTime(); }

 private:
  void LearnOffset(uint64_t device_ns, uint64_t before_ns, uint64_t start_ns, uint64_t end_ns);
  void LearnStep(uint64_t device_ns, bool moved);

  bool started_ = false;
  uint64_t device_ns_ = 0;      // of the last reading
  uint64_t told_lower_ns_ = 0;  // by the last span

  // The reader's time less the device's lies between these.
  int64_t low_ns_ = INT64_MIN;
  int64_t high_ns_ = INT64_MAX;
  // If the device takes its values when it is asked, and none before: then not below this either.
  int64_t asked_low_ns_ = INT64_MIN;
  uint32_t asked_ = 0;  // readings in a row that do not contradict that

  // How much older than its time a count may be; UINT64_MAX: not known.
  uint64_t step_ns_ = UINT64_MAX;
  uint64_t moved_device_ns_ = 0;  // the first time that it was seen to stand where it stands
  uint32_t moves_ = 0;            // readings in a row each of which found it moved
  uint64_t longest_ns_ = 0;       // between any two of them
};

}  // namespace microjoule
