// SPDX-License-Identifier: MIT
//
// One counter's raw values, extended to 64 bits: wraps are added up, and whatever else breaks a
// count's continuity is counted and left out.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "source.h"

namespace microjoule {

// The power no counter of this domain reaches in practice, in watts. It bounds how long a counter
// may go unread, and unmasks resets and jumps.
uint64_t PlausibleWatts(Domain domain);

// The shortest time in which this counter can wrap.
double SecondsToWrap(const Counter& counter);

// When a pass began.
struct Instant {
  // Boot time must be read first: then the sleep is never too long.
  Instant(uint64_t boot, uint64_t monotonic)
      : boot_ns(boot),
        monotonic_ns(monotonic),
        asleep_ns(boot > monotonic ? boot - monotonic : 0) {}

  uint64_t boot_ns;
  uint64_t monotonic_ns;
  uint64_t asleep_ns;  // how long the machine has slept since boot
};

class Count {
 public:
  explicit Count(const Counter& counter);

  void Add(const RawReading& raw, const Instant& now) {
    // The ordinary case, here so that it costs no call: read again soon, and not moved by more than
    // it may have.
    const uint64_t delta = raw.ticks - raw_;
    if (raw.status == Status::kOk && !raw.restarted && !raw.interrupted &&
        delta <= ordinary_ticks_ && now.boot_ns < ordinary_until_ns_ &&
        now.asleep_ns <= asleep_ns_) {
      boot_ns_ = now.boot_ns;
      if (delta != 0) {
        ticks_ += delta;
        has_moved_ = true;
      }
      if (delta != 0 || !never_rests_) StandAt(raw.ticks, now.boot_ns);
      return;
    }
    AddCarefully(raw, now);
  }

  // The last good value while the counter cannot be read.
  uint64_t ticks() const { return ticks_; }
  Status status() const { return status_; }
  // How often continuity was lost.
  uint32_t breaks() const { return breaks_; }
  // It was refused here, whatever its source says.
  bool is_beyond_range() const { return is_beyond_range_; }
  // What it was and when, since it can be read without a gap; 0: all along.
  uint64_t resumed_ticks() const { return resumed_ticks_; }
  uint64_t resumed_ns() const { return resumed_ns_; }
  // breaks() at the last break that was more than a gap: since then the count holds nothing that
  // was not used.
  uint32_t jump_breaks() const { return jump_breaks_; }
  // What the last break was; empty when there was none.
  std::string ExplainBreak(const Counter& counter) const;

 private:
  enum class Break : uint32_t {
    kNone,
    kFell,
    kRestarted,
    kInterrupted,
    kImpossiblePower,
    kLongGap,
    kSlept,
    kFroze
  };

  void AddCarefully(const RawReading& raw, const Instant& now);
  Break FindBreak(const RawReading& raw, const Instant& now, uint64_t delta) const;

  // The count moved to `ticks`, or may as well stand there as not.
  void StandAt(uint64_t ticks, uint64_t boot_ns) {
    raw_ = ticks;
    moved_boot_ns_ = boot_ns;
    ordinary_ticks_ = std::min(most_ordinary_ticks_, largest_ - ticks);
    ordinary_until_ns_ = boot_ns + ordinary_gap_ns_;
  }

  // What an ordinary reading needs stands together.
  uint64_t raw_ = 0;
  uint64_t ordinary_ticks_ = 0;     // by how much it may move without a closer look
  uint64_t ordinary_until_ns_ = 0;  // boot time; 0 after anything but a good reading
  uint64_t asleep_ns_ = 0;
  uint64_t boot_ns_ = 0;
  uint64_t ticks_ = 0;
  Status status_ = Status::kFailed;
  uint32_t breaks_ = 0;
  bool has_moved_ = false;
  bool never_rests_ = false;
  uint64_t moved_boot_ns_ = 0;  // since when it stands at its present value, if it ever moved
  uint64_t largest_ = UINT64_MAX;
  uint64_t most_ordinary_ticks_ = 0;
  uint64_t ordinary_gap_ns_ = 0;

  uint64_t modulus_ = 0;
  uint64_t longest_gap_ns_ = UINT64_MAX;
  double most_ticks_per_ns_ = 0;
  Break last_break_ = Break::kNone;
  bool started_ = false;
  bool is_beyond_range_ = false;
  uint64_t resumed_ticks_ = 0;
  uint64_t resumed_ns_ = 0;
  uint32_t jump_breaks_ = 0;
  bool frozen_ = false;
  bool restarted_ = false;    // since the last good reading
  bool interrupted_ = false;  // likewise
  uint64_t fell_from_ =
      0;  // where a count that cannot wrap stood before it fell; 0 when it is past
  uint64_t fell_by_ = 0;
};

}  // namespace microjoule
