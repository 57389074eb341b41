// SPDX-License-Identifier: MIT
//
// How many updates of a counter there were between two that were seen: numbers them by their
// places on the grid of its period. Knows no clock; times are those of the reads.
#pragma once

#include <cstdint>

namespace microjoule {

struct Calibration;

class UpdateTally {
 public:
  // What was learnt of the period. The place in it is kept.
  void Learn(const Calibration& calibration);

  // The count moved after `lower_ns`, by a read that began at `start_ns` and ended at `upper_ns`.
  struct Seen {
    // Updates since the last one that were not seen, as many as there must have been.
    uint32_t missed = 0;
    // False where the read was so near to the next update that it may have seen that, or where the
    // period is not known: the next update that is sure tells what is still untold.
    bool sure = false;
    // Nothing will tell: nobody read for so long, or it came where none was due.
    bool lost = false;
  };
  Seen Add(uint64_t lower_ns, uint64_t start_ns, uint64_t upper_ns);

  // What comes next does not go on from what was: nothing is told of what lies between.
  void Restart() { anchored_ = false; }

  // The likeliest time of the last update. 0: none was seen.
  double last_ns() const { return last_ns_; }

 private:
  double CostOf(double number, double lower_ns, double start_ns, double upper_ns) const;
  void Anchor(double lower_ns, double upper_ns);
  void PlaceAnchor();
  void Settle(double number, double lower_ns, double upper_ns);

  double period_ns_ = 0;  // 0: not known
  double period_doubt_ = 0;
  double jitter_ns_ = 0;

  // The last update whose number is sure: number 0 of the grid.
  bool anchored_ = false;
  double anchor_upper_ns_ = 0;
  double anchor_width_ns_ = 0;
  double place_ns_ = 0;
  double place_variance_ = 0;
  double drift_ns_ = 0;  // what the period's doubt has added up to since the place was seen
  double gain_ = 0;
  double told_ = 0;  // of the updates since, seen and missed
  double last_ns_ = 0;
};

}  // namespace microjoule
