// SPDX-License-Identifier: MIT
//
// One counter's raw values, extended to 64 bits: wraps are added up, and whatever else breaks a
// count's continuity is counted and left out.
#pragma once

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
  uint64_t boot_ns;
  uint64_t monotonic_ns;
  // How long the machine has slept since boot. Never too high, as boot time is read first.
  uint64_t asleep_ns() const { return boot_ns > monotonic_ns ? boot_ns - monotonic_ns : 0; }
};

class Count {
 public:
  explicit Count(const Counter& counter);

  void Add(const RawReading& raw, const Instant& now) {
    // The ordinary case, here so that it costs no call: read again soon, and not moved by more than
    // it may have.
    const uint64_t delta = raw.ticks - raw_;
    if (is_ordinary_ && raw.status == Status::kOk && !raw.restarted && raw.ticks >= raw_ &&
        raw.ticks <= largest_ && delta <= most_ordinary_ticks_ &&
        now.boot_ns - boot_ns_ <= ordinary_gap_ns_ &&
        now.boot_ns - moved_boot_ns_ <= ordinary_gap_ns_ && now.asleep_ns() <= asleep_ns_) {
      status_ = Status::kOk;
      ticks_ += delta;
      raw_ = raw.ticks;
      time_ns_ = raw.time_ns;
      boot_ns_ = now.boot_ns;
      if (delta != 0) {
        moved_boot_ns_ = now.boot_ns;
        has_moved_ = true;
      }
      return;
    }
    AddCarefully(raw, now);
  }

  // The last good value while the counter cannot be read.
  uint64_t ticks() const { return ticks_; }
  uint64_t time_ns() const { return time_ns_; }
  Status status() const { return status_; }
  // How often continuity was lost.
  uint32_t breaks() const { return breaks_; }
  // What the last break was; empty when there was none.
  std::string ExplainBreak(const Counter& counter) const;

 private:
  enum class Break : uint32_t {
    kNone,
    kFell,
    kRestarted,
    kImpossiblePower,
    kLongGap,
    kSlept,
    kFroze
  };

  void AddCarefully(const RawReading& raw, const Instant& now);
  Break FindBreak(const RawReading& raw, const Instant& now, uint64_t delta) const;

  // What an ordinary reading needs stands together.
  bool is_ordinary_ = false;  // has been read, and neither froze nor fell
  bool has_moved_ = false;
  Status status_ = Status::kFailed;
  uint64_t ticks_ = 0;
  uint64_t raw_ = 0;
  uint64_t time_ns_ = 0;
  uint64_t boot_ns_ = 0;
  uint64_t moved_boot_ns_ = 0;  // since when it stands at its present value, if it ever moved
  uint64_t asleep_ns_ = 0;
  uint64_t largest_ = UINT64_MAX;
  uint64_t most_ordinary_ticks_ = 0;
  uint64_t ordinary_gap_ns_ = 0;
  uint32_t breaks_ = 0;

  uint64_t modulus_ = 0;
  uint64_t longest_gap_ns_ = UINT64_MAX;
  double most_ticks_per_ns_ = 0;
  bool never_rests_ = false;
  Break last_break_ = Break::kNone;
  bool started_ = false;
  bool frozen_ = false;
  bool restarted_ = false;  // since the last good reading
  uint64_t fell_from_ =
      0;  // where a count that cannot wrap stood before it fell; 0 when it is past
  uint64_t fell_by_ = 0;
};

}  // namespace microjoule
