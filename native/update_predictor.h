// SPDX-License-Identifier: MIT
//
// When a counter will update next: a phase-locked loop over the updates that were seen. Knows no
// clock; times are those of the reads.
#pragma once

#include <cstdint>

namespace microjoule {

class UpdatePredictor {
 public:
  // From now on: updates every `period_ns`, each `jitter_ns` off, the last one at `last_ns`.
  // `settled` where that time rests on many updates.
  void Lock(double period_ns, double jitter_ns, double last_ns, bool settled);
  void Unlock() { locked_ = false; }
  bool locked() const { return locked_; }
  double period_ns() const { return period_ns_; }
  double next_ns() const { return next_ns_; }

  // A new estimate of the jitter, from which the window's width follows.
  void SetJitter(double jitter_ns);

  // When to wake up, and within which time the update is expected.
  double WakeNs() const { return next_ns_ - half_ns_ - lead_ns_; }
  double WindowStartNs() const { return next_ns_ - half_ns_; }
  double WindowEndNs() const { return next_ns_ + late_ns_; }
  // Whether watching so wide a window pays, against reading all the time.
  bool Pays() const { return 2 * half_ns_ + lead_ns_ < period_ns_ / 2; }

  // An update between these times.
  void Update(double lower_ns, double upper_ns);

  // A read that began then saw no update.
  void NoUpdate(double time_ns);

 private:
  bool locked_ = false;
  double period_ns_ = 0;
  double next_ns_ = 0;
  double half_ns_ = 0;  // from the start of the window to when the update is due
  double late_ns_ = 0;  // from there to its end
  // How much earlier to wake up: threads wake up late, by what differs between machines and loads.
  double lead_ns_ = 0;
  double gain_ = 0;
  bool passed_ = false;  // windows, since the last update that was seen
  uint32_t misses_ = 0;  // how many; a late update does not redeem them
  uint32_t odd_ = 0;     // updates in a row that came when none was due, or unwatched
};

}  // namespace microjoule
