// SPDX-License-Identifier: MIT
//
// Opens sources and reads them all in one pass, with every count extended to 64 bits: whoever reads
// a meter never sees a wrap, only a counted break where continuity was lost.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "brief_lock.h"
#include "clock.h"
#include "count.h"
#include "keep_alive.h"
#include "source.h"

namespace microjoule {

// Layout of one reading, in 64-bit words:
//   [0] monotonic ns before the fast sources, [1] after them, [2] boot-time ns before all,
//   then per counter: [0] extended ticks, [1] own time in ns (0: between [0] and [1] above),
//   [2] status in the low half, number of breaks since open in the high half.
// Ticks keep their last good value while a counter cannot be read.
inline constexpr size_t kHeaderWords = 3;
inline constexpr size_t kCounterWords = 3;

struct OpenedSource {
  std::string name;
  Outcome outcome;
  std::unique_ptr<Source> source;
};

// How often counters that wrap must be read, in nanoseconds: well inside half the time the fastest
// can take to wrap, and at most a minute. 0 when none wraps.
uint64_t KeepAlivePeriodNs(const std::vector<Counter>& counters);

class Meter {
 public:
  // The clock must outlive the meter. `keep_alive` false leaves the reading to the caller.
  Meter(std::vector<OpenedSource> sources, const Clock& clock, bool keep_alive);

  const std::vector<OpenedSource>& sources() const { return sources_; }
  size_t counter_count() const { return counter_count_; }
  size_t words() const { return kHeaderWords + kCounterWords * counter_count_; }

  // Reads everything into `out[0 .. words())`. Thread-safe; allocates nothing. A region should
  // start with the slow sources and end with the fast ones, so that no slow read falls into it.
  enum class Order { kFastFirst, kSlowFirst };
  void Read(uint64_t* out, Order order = Order::kFastFirst);

  // Reads the counters that wrap, so that no wrap goes unseen. Thread-safe.
  void Refresh();

  // Why a counter has no energy, or lost its continuity; empty when neither.
  std::string Explain(size_t counter);

  CounterTiming Timing(size_t counter) const;
  std::vector<DeviceState> Devices() const;
  // Whether opening anew would find other counters.
  bool Outdated() const;

 private:
  struct Slot {
    Source* source = nullptr;
    size_t first = 0;
    bool wraps = false;
    BriefLock lock;
    std::vector<RawReading> raw;
    std::vector<Count> counts;
  };

  // Into the place of the slot's counters in `out`, which is null where nobody wants them.
  void ReadSlot(const Instant& now, Slot* slot, uint64_t* out);
  void ReadSlow(const Instant& now, uint64_t* out);

  std::vector<OpenedSource> sources_;
  const Clock& clock_;
  std::vector<std::unique_ptr<Slot>> slots_;  // the fast ones first
  size_t fast_count_ = 0;
  size_t counter_count_ = 0;
  std::unique_ptr<KeepAlive> keep_alive_;  // last: its thread uses all of the above
};

// Inlined into the pass over the fast ones: after a system call every return through a caller costs
// the processor a wrong guess.
inline void Meter::ReadSlot(const Instant& now, Slot* slot, uint64_t* out) {
  const std::lock_guard<BriefLock> lock(slot->lock);
  slot->source->Read({clock_, now.monotonic_ns}, slot->raw.data());
  const RawReading* raw = slot->raw.data();
  uint64_t* word = out == nullptr ? nullptr : out + kHeaderWords + kCounterWords * slot->first;
  for (Count& count : slot->counts) {
    count.Add(*raw, now);
    if (word != nullptr) {
      word[0] = count.ticks();
      word[1] = raw->time_ns;
      word[2] = static_cast<uint64_t>(count.breaks()) << 32 | static_cast<uint32_t>(count.status());
      word += kCounterWords;
    }
    ++raw;
  }
}

inline void Meter::Read(uint64_t* out, Order order) {
  Instant now{clock_.BootNs(), clock_.MonotonicNs()};
  // A slow source must not stretch the time between the two looks at the clock.
  if (order == Order::kSlowFirst) {
    ReadSlow(now, out);
    now = {clock_.BootNs(), clock_.MonotonicNs()};
  }
  out[0] = now.monotonic_ns;
  out[2] = now.boot_ns;
  for (size_t i = 0; i < fast_count_; ++i) ReadSlot(now, slots_[i].get(), out);
  out[1] = clock_.MonotonicNs();
  if (order == Order::kFastFirst && fast_count_ != slots_.size()) ReadSlow(now, out);
}

// Probes the sources that the options name, in the table's order. Where none is named, a meter that
// an earlier source reads is not read again by a later one.
std::vector<OpenedSource> OpenSources(const Options& options);
// The same without sources that may block.
std::vector<OpenedSource> OpenFastSources(const Options& options);

}  // namespace microjoule
