// SPDX-License-Identifier: MIT
#include "meter.h"

#include <algorithm>

namespace microjoule {
namespace {

constexpr uint64_t kNsPerSecond = 1000000000u;
constexpr uint64_t kLongestKeepAliveNs = 60 * kNsPerSecond;
constexpr uint64_t kShortestKeepAliveNs = kNsPerSecond / 10;
// Boot time runs ahead of monotonic time only while the machine sleeps; less is the time between
// two looks at the clocks.
constexpr uint64_t kSleepNs = kNsPerSecond / 10;
// The slowest update known is a second (QEMU's emulation of RAPL).
constexpr uint64_t kFreezeNs = 3 * kNsPerSecond;

// Whether what is metered can never stand at 0 W, so that a count that stops is a fault.
bool NeverRests(Domain domain) {
  return domain == Domain::kPackage || domain == Domain::kDram || domain == Domain::kPsys;
}

double Joules(uint64_t ticks, const Scale& scale) {
  return static_cast<double>(ticks) * static_cast<double>(scale.numerator) /
         static_cast<double>(scale.denominator);
}

// Where the range is not known: the smallest that RAPL has, 2^32 counts of 2^-16 J.
constexpr double kSmallestRangeJoules = 65536;

// The shortest time in which this counter can wrap.
double SecondsToWrap(const Counter& counter) {
  const double range_joules = counter.modulus_ticks != 0
                                  ? Joules(counter.modulus_ticks, counter.scale)
                                  : kSmallestRangeJoules;
  return range_joules / static_cast<double>(PlausibleWatts(counter.domain));
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

uint64_t KeepAlivePeriodNs(const std::vector<Counter>& counters) {
  uint64_t period_ns = 0;
  for (const Counter& counter : counters) {
    if (!counter.wraps || counter.outcome.status != Status::kOk) continue;
    const double third = SecondsToWrap(counter) / 3 * static_cast<double>(kNsPerSecond);
    const uint64_t own = third < static_cast<double>(kShortestKeepAliveNs) ? kShortestKeepAliveNs
                         : third > static_cast<double>(kLongestKeepAliveNs)
                             ? kLongestKeepAliveNs
                             : static_cast<uint64_t>(third);
    period_ns = period_ns == 0 ? own : std::min(period_ns, own);
  }
  return period_ns;
}

Meter::Meter(std::vector<OpenedSource> sources, const Clock& clock, bool keep_alive)
    : sources_(std::move(sources)), clock_(clock) {
  uint64_t period_ns = 0;
  for (OpenedSource& opened : sources_) {
    if (opened.source == nullptr) continue;
    const std::vector<Counter>& counters = opened.source->counters();
    auto slot = std::make_unique<Slot>();
    slot->source = opened.source.get();
    slot->first = counter_count_;
    slot->raw.resize(counters.size());
    slot->states.resize(counters.size());
    const uint64_t own = KeepAlivePeriodNs(counters);
    slot->wraps = own != 0;
    if (own != 0) period_ns = period_ns == 0 ? own : std::min(period_ns, own);
    counter_count_ += counters.size();
    slots_.push_back(std::move(slot));
  }
  if (!keep_alive || period_ns == 0) return;
  try {
    keep_alive_ = std::make_unique<KeepAlive>(period_ns, [this] { Refresh(); });
  } catch (const std::exception& error) {
    // Too many threads or processes. What is read often enough stays right; the rest will be a
    // break.
    for (OpenedSource& opened : sources_) {
      if (KeepAlivePeriodNs(opened.source->counters()) == 0) continue;
      opened.outcome.detail = std::string("no thread could be started to watch for wraps (") +
                              error.what() + "): raise the limit of threads, or read every " +
                              std::to_string(period_ns / kNsPerSecond) + " s";
    }
  }
}

void Meter::Read(uint64_t* out, Order order) {
  const auto pass = [&](const Now& now, bool blocking) {
    for (const auto& slot : slots_) {
      if (slot->source->blocking() != blocking) continue;
      const std::lock_guard<std::mutex> lock(slot->mutex);
      ReadSlot(now, slot.get());
      uint64_t* word = out + kHeaderWords + kCounterWords * slot->first;
      for (const State& state : slot->states) {
        word[0] = state.ticks;
        word[1] = state.time_ns;
        word[2] = static_cast<uint64_t>(state.breaks) << 32 | static_cast<uint32_t>(state.status);
        word += kCounterWords;
      }
    }
  };
  out[2] = clock_.BootNs();
  // A slow source must not stretch the time between the two clock reads.
  if (order == Order::kSlowFirst) pass({out[2], clock_.MonotonicNs()}, true);
  out[0] = clock_.MonotonicNs();
  pass({out[2], out[0]}, false);
  out[1] = clock_.MonotonicNs();
  if (order == Order::kFastFirst) pass({out[2], out[0]}, true);
}

void Meter::Refresh() {
  for (const auto& slot : slots_) {
    if (!slot->wraps) continue;
    const std::lock_guard<std::mutex> lock(slot->mutex);
    const uint64_t boot_ns = clock_.BootNs();
    ReadSlot({boot_ns, clock_.MonotonicNs()}, slot.get());
  }
}

void Meter::ReadSlot(const Now& now, Slot* slot) {
  slot->source->Read(clock_, slot->raw.data());
  const std::vector<Counter>& counters = slot->source->counters();
  for (size_t i = 0; i < counters.size(); ++i) {
    Extend(counters[i], slot->raw[i], now, &slot->states[i]);
  }
}

void Meter::Extend(const Counter& counter, const RawReading& raw, const Now& now, State* state) {
  state->status = raw.status;
  state->time_ns = raw.time_ns;
  // A failed read is not a wrap: the last good count stays, and the next good read goes on from it.
  if (raw.status != Status::kOk) return;

  const uint64_t modulus = counter.modulus_ticks;
  if (modulus != 0 && raw.ticks >= modulus) {
    state->status = Status::kImplausible;
    return;
  }
  if (!state->started) {
    state->ticks = raw.ticks;
    state->started = true;
    state->moved_boot_ns = now.boot_ns;
  } else {
    const uint64_t delta =
        raw.ticks >= state->raw ? raw.ticks - state->raw : modulus - state->raw + raw.ticks;
    const Break reason = FindBreak(counter, raw, now, delta, *state);
    if (reason == Break::kNone) {
      state->ticks += delta;
    } else {
      ++state->breaks;
      state->last_break = reason;
    }
    state->frozen = delta == 0 && (state->frozen || reason == Break::kFroze);
    if (delta != 0) {
      state->has_moved = true;
      state->moved_boot_ns = now.boot_ns;
    }
  }
  state->raw = raw.ticks;
  state->boot_ns = now.boot_ns;
  state->asleep_ns = std::max(now.asleep_ns(), state->asleep_ns);
}

Meter::Break Meter::FindBreak(const Counter& counter, const RawReading& raw, const Now& now,
                              uint64_t delta, const State& state) {
  // A pass that waited for its turn began before the last one ended.
  const auto since = [&now](uint64_t boot_ns) {
    return now.boot_ns > boot_ns ? now.boot_ns - boot_ns : 0;
  };
  const double elapsed_seconds =
      static_cast<double>(since(state.boot_ns)) / static_cast<double>(kNsPerSecond);
  if (raw.restarted) return Break::kRestarted;
  if (now.asleep_ns() > state.asleep_ns + kSleepNs) return Break::kSlept;
  if (raw.ticks < state.raw && counter.modulus_ticks == 0) return Break::kFell;
  if (counter.wraps && elapsed_seconds > SecondsToWrap(counter)) return Break::kLongGap;
  // One second of slack: the count may have been about to move when it was last read.
  const double most_joules =
      static_cast<double>(PlausibleWatts(counter.domain)) * (elapsed_seconds + 1);
  if (Joules(delta, counter.scale) > most_joules) return Break::kImpossiblePower;
  // Once when it is noticed, and once when it moves again: by how much too little is not known.
  const bool froze = delta == 0 && state.has_moved && !state.frozen && NeverRests(counter.domain) &&
                     since(state.moved_boot_ns) > kFreezeNs;
  return froze || (state.frozen && delta != 0) ? Break::kFroze : Break::kNone;
}

std::string Meter::Explain(size_t index) {
  for (const auto& slot : slots_) {
    if (index < slot->first || index >= slot->first + slot->states.size()) continue;
    const std::lock_guard<std::mutex> lock(slot->mutex);
    const size_t i = index - slot->first;
    const Counter& counter = slot->source->counters()[i];
    const State& state = slot->states[i];
    if (state.status == Status::kImplausible) {
      return counter.origin +
             " counts beyond its own range, so its value cannot be used: report its driver";
    }
    if (state.status != Status::kOk) return slot->source->Explain(i);
    switch (state.last_break) {
      case Break::kNone:
        return "";
      case Break::kFell:
        return counter.origin +
               " went back: it was reset, and the energy of that interval is unknown; measure "
               "again";
      case Break::kRestarted:
        return counter.origin +
               " began anew: its driver was loaded again, and the energy of that interval is "
               "unknown; measure again";
      case Break::kSlept:
        return "the machine slept, which may reset " + counter.origin +
               ", so the energy of that interval is unknown; measure again without a pause";
      case Break::kFroze:
        return counter.origin +
               " stood still for seconds, which its domain never does: the energy of that "
               "interval is unknown; look at its driver (dmesg | grep -i rapl)";
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
  }
  return "";
}

namespace {

bool SameMeter(const Counter& one, const Counter& other) {
  // A whole package holds all of its dies.
  return one.domain == other.domain && one.device == other.device &&
         (one.die == other.die || one.die < 0 || other.die < 0);
}

// Leaves to earlier sources what they read already.
void LeaveToOthers(const std::vector<OpenedSource>& earlier, OpenedSource* source) {
  std::vector<bool> wanted;
  std::string others;
  for (const Counter& counter : source->source->counters()) {
    const auto reads = [&counter](const OpenedSource& other) {
      const std::vector<Counter>& theirs = other.source->counters();
      return std::any_of(theirs.begin(), theirs.end(), [&counter](const Counter& one) {
        return one.outcome.status == Status::kOk && SameMeter(one, counter);
      });
    };
    const auto found = std::find_if(earlier.begin(), earlier.end(), reads);
    wanted.push_back(found == earlier.end());
    if (found == earlier.end() || others.find(found->name) != std::string::npos) continue;
    others += (others.empty() ? "" : " and ") + found->name;
  }
  if (others.empty()) return;
  source->source->Keep(wanted);
  if (source->outcome.status != Status::kOk) return;
  source->outcome.detail = "what " + others + " reads is not read a second time";
}

}  // namespace

std::vector<OpenedSource> OpenSources(const Options& options) {
  std::vector<OpenedSource> opened;
  const std::vector<std::string>& named = options.sources;
  for (const SourceEntry& entry : SourceTable()) {
    const bool wanted = named.empty()
                            ? entry.by_default
                            : std::find(named.begin(), named.end(), entry.name) != named.end();
    if (!wanted) continue;
    OpenedSource source;
    source.name = entry.name;
    source.source = entry.make();
    source.outcome = source.source->Probe(options);
    if (named.empty()) LeaveToOthers(opened, &source);
    opened.push_back(std::move(source));
  }
  return opened;
}

}  // namespace microjoule
