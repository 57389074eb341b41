// SPDX-License-Identifier: MIT
#include "count.h"

#include <algorithm>

#include "driver_log.h"

namespace microjoule {
namespace {

constexpr uint64_t kNsPerSecond = 1000000000u;
// Boot time runs ahead of monotonic time only while the machine sleeps; less is the time between
// two looks at the clocks.
constexpr uint64_t kSleepNs = kNsPerSecond / 10;
// The slowest update known is a second (QEMU's emulation of RAPL).
constexpr uint64_t kFreezeNs = 3 * kNsPerSecond;
// A count may have been about to move when it was last read.
constexpr uint64_t kSlackNs = kNsPerSecond;
// What is read again within this needs no look at gaps and freezes.
constexpr uint64_t kOrdinaryGapNs = kNsPerSecond;

// Where the range is not known: the smallest that RAPL has, 2^32 counts of 2^-16 J.
constexpr double kSmallestRangeJoules = 65536;

double JoulesPerTick(const Scale& scale) {
  return static_cast<double>(scale.numerator) / static_cast<double>(scale.denominator);
}

// Whether what is metered can never stand at 0 W, so that a count that stops is a fault.
bool NeverRests(Domain domain) {
  return domain == Domain::kPackage || domain == Domain::kDram || domain == Domain::kPsys;
}

}  // namespace

uint64_t PlausibleWatts(Domain domain) {
  // The largest sockets are rated 500 to 600 W, the largest boards 1000 to 1500 W; a whole platform
  // has several of them.
  switch (domain) {
    case Domain::kPsys:
    case Domain::kModule:
    case Domain::kOther:
      return 20000;
    case Domain::kGpu:
    case Domain::kGpuMemory:
      return 3000;
    default:
      return 1000;
  }
}

namespace {

// A platform of many sockets counts in whole joules (Sapphire Rapids): what counts in small units
// is no larger than a workstation.
uint64_t WrapWatts(Domain domain) {
  return std::min<uint64_t>(PlausibleWatts(domain), domain == Domain::kPsys ? 2000 : 1000);
}

}  // namespace

double SecondsToWrap(const Counter& counter) {
  const double range_joules =
      counter.modulus_ticks != 0
          ? static_cast<double>(counter.modulus_ticks) * JoulesPerTick(counter.scale)
          : kSmallestRangeJoules;
  return range_joules / static_cast<double>(WrapWatts(counter.domain));
}

Count::Count(const Counter& counter)
    : never_rests_(NeverRests(counter.domain) && !counter.may_rest),
      modulus_(counter.modulus_ticks),
      most_ticks_per_ns_(static_cast<double>(PlausibleWatts(counter.domain)) /
                         static_cast<double>(kNsPerSecond) / JoulesPerTick(counter.scale)) {
  // Beyond centuries there is nothing to bound, and no number for it.
  const double gap_ns = SecondsToWrap(counter) * static_cast<double>(kNsPerSecond);
  if (counter.wraps && gap_ns < 1e18) longest_gap_ns_ = static_cast<uint64_t>(gap_ns);
  if (modulus_ != 0) largest_ = modulus_ - 1;
  ordinary_gap_ns_ = std::min(kOrdinaryGapNs, longest_gap_ns_);
  constexpr double kManyTicks = 1e18;  // no uint64_t for more
  most_ordinary_ticks_ = static_cast<uint64_t>(
      std::min(most_ticks_per_ns_ * static_cast<double>(kSlackNs), kManyTicks));
}

void Count::AddCarefully(const RawReading& raw, const Instant& now) {
  const bool was_ok = status_ == Status::kOk;
  status_ = raw.status;
  is_beyond_range_ = false;
  restarted_ = restarted_ || raw.restarted;
  interrupted_ = interrupted_ || raw.interrupted;
  ordinary_until_ns_ = 0;
  // A failed read is not a wrap: the last good count stays, and the next good read goes on from it.
  if (raw.status != Status::kOk && !raw.was_good) return;
  if (raw.ticks > largest_) {
    status_ = Status::kImplausible;
    is_beyond_range_ = true;
    return;
  }
  // What it counted since it can be read again is known, whatever came before.
  const uint64_t since =
      raw.since_ns != 0 && raw.since_ticks <= raw.ticks ? raw.ticks - raw.since_ticks : 0;
  const bool is_first = !started_;
  bool is_gap = false;
  if (is_first) {
    ticks_ = raw.ticks;
    started_ = true;
    moved_boot_ns_ = now.boot_ns;
  } else {
    const uint64_t delta = raw.ticks >= raw_ ? raw.ticks - raw_ : modulus_ - raw_ + raw.ticks;
    const Break reason = FindBreak(raw, now, delta);
    if (reason == Break::kNone) {
      ticks_ += delta;
    } else {
      ++breaks_;
      last_break_ = reason;
      is_gap = reason == Break::kRestarted || reason == Break::kInterrupted;
      if (is_gap) {
        ticks_ += since;
      } else {
        jump_breaks_ = breaks_;
      }
      // How long it stood before, asleep or unread, says nothing of what follows.
      moved_boot_ns_ = now.boot_ns;
    }
    // A count that fell by mistake comes back, which is no energy either.
    if (raw.ticks < raw_ && (reason == Break::kFell || reason == Break::kRestarted)) {
      fell_from_ = raw_;
      fell_by_ = raw_ - raw.ticks;
    } else if (raw.ticks >= fell_from_) {
      fell_from_ = 0;
    }
    restarted_ = interrupted_ = false;
    frozen_ = delta == 0 && (reason == Break::kFroze || (reason == Break::kNone && frozen_));
    if (delta != 0) has_moved_ = true;
    if (delta != 0 || !has_moved_) moved_boot_ns_ = now.boot_ns;
  }
  if (raw.status == Status::kOk && (is_gap || (!was_ok && (!is_first || raw.since_ns != 0)))) {
    resumed_ticks_ = ticks_ - since;
    resumed_ns_ = raw.since_ns != 0 ? raw.since_ns : raw.time_ns;
  }
  // While it cannot be read the time goes on in which it may move.
  if (raw.status == Status::kOk || is_first) boot_ns_ = now.boot_ns;
  asleep_ns_ = std::max(now.asleep_ns, asleep_ns_);
  StandAt(raw.ticks, never_rests_ ? moved_boot_ns_ : now.boot_ns);
  // One that is good again after one that was not is told as such.
  if (frozen_ || fell_from_ != 0 || raw.status != Status::kOk) ordinary_until_ns_ = 0;
}

Count::Break Count::FindBreak(const RawReading& raw, const Instant& now, uint64_t delta) const {
  // A pass that waited for its turn began before the last one ended.
  const auto since = [&now](uint64_t boot_ns) {
    return now.boot_ns > boot_ns ? now.boot_ns - boot_ns : 0;
  };
  const uint64_t elapsed_ns = since(boot_ns_);
  const double most_ticks = most_ticks_per_ns_ * static_cast<double>(elapsed_ns + kSlackNs);
  if (restarted_ || interrupted_) {
    const bool has_jumped = raw.since_ns != 0 && raw.since_ticks <= raw.ticks &&
                            static_cast<double>(raw.ticks - raw.since_ticks) > most_ticks;
    if (has_jumped) return Break::kImpossiblePower;
    return restarted_ ? Break::kRestarted : Break::kInterrupted;
  }
  if (now.asleep_ns > asleep_ns_ + kSleepNs) return Break::kSlept;
  if (raw.ticks < raw_ && modulus_ == 0) return Break::kFell;
  if (fell_from_ != 0 && raw.ticks >= fell_from_ && delta >= fell_by_) return Break::kFell;
  if (elapsed_ns > longest_gap_ns_) return Break::kLongGap;
  if (static_cast<double>(delta) > most_ticks) return Break::kImpossiblePower;
  // Once when it is noticed, and once when it moves again: by how much too little is not known.
  const bool froze =
      delta == 0 && has_moved_ && !frozen_ && never_rests_ && since(moved_boot_ns_) > kFreezeNs;
  return froze || (frozen_ && delta != 0) ? Break::kFroze : Break::kNone;
}

std::string Count::ExplainBreak(const Counter& counter) const {
  switch (last_break_) {
    case Break::kNone:
      return "";
    case Break::kFell:
      return counter.origin +
             " went back: it was reset, and the energy of that interval is unknown; measure "
             "again";
    case Break::kRestarted:
      return counter.origin +
             " began anew: it was reset, or its driver was loaded again, and what it used "
             "meanwhile is unknown; measure again";
    case Break::kInterrupted:
      return counter.origin +
             " could not be read for a while, so what it used then is unknown; measure again";
    case Break::kSlept:
      return "the machine slept, which may reset " + counter.origin +
             ", so the energy of that interval is unknown; measure again without a pause";
    case Break::kFroze:
      return counter.origin +
             " stood still for seconds, which its domain never does: the energy of that "
             "interval is unknown; " +
             LookAtDriver();
    case Break::kImpossiblePower:
      return counter.origin + " moved by more than " +
             std::to_string(PlausibleWatts(counter.domain)) +
             " W can explain: it was reset or jumped, and the energy of that interval is "
             "unknown; measure again";
    case Break::kLongGap:
      return counter.origin +
             " was not read for so long that it may have wrapped more than once: the process was "
             "stopped, say; measure again without a pause";
  }
  return "";
}

}  // namespace microjoule
