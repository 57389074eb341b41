// SPDX-License-Identifier: MIT
#include "meter.h"

#include <algorithm>

namespace microjoule {
namespace {

constexpr uint64_t kNsPerSecond = 1000000000u;
constexpr uint64_t kLongestKeepAliveNs = 60 * kNsPerSecond;
constexpr uint64_t kShortestKeepAliveNs = kNsPerSecond / 10;

}  // namespace

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
    if (counters.empty()) continue;
    auto slot = std::make_unique<Slot>();
    slot->source = opened.source.get();
    slot->first = counter_count_;
    slot->raw.resize(counters.size());
    for (const Counter& counter : counters) slot->counts.emplace_back(counter);
    const uint64_t own = KeepAlivePeriodNs(counters);
    slot->wraps = own != 0;
    if (own != 0) period_ns = period_ns == 0 ? own : std::min(period_ns, own);
    counter_count_ += counters.size();
    const bool blocking = opened.source->blocking();
    const auto place = blocking ? slots_.size() : fast_count_++;
    slots_.insert(slots_.begin() + static_cast<std::ptrdiff_t>(place), std::move(slot));
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

void Meter::ReadSlow(const Instant& now, uint64_t* out) {
  for (size_t i = fast_count_; i < slots_.size(); ++i) ReadSlot(now, slots_[i].get(), out);
}

void Meter::Refresh() {
  for (const auto& slot : slots_) {
    if (!slot->wraps) continue;
    ReadSlot({clock_.BootNs(), clock_.MonotonicNs()}, slot.get(), nullptr);
  }
}

std::string Meter::Explain(size_t index) {
  for (const auto& slot : slots_) {
    if (index < slot->first || index >= slot->first + slot->counts.size()) continue;
    const std::lock_guard<BriefLock> lock(slot->lock);
    const size_t i = index - slot->first;
    const Counter& counter = slot->source->counters()[i];
    const Count& count = slot->counts[i];
    if (count.is_beyond_range()) {
      return counter.origin +
             " counts beyond its own range, so its value cannot be used: report its driver";
    }
    if (count.status() != Status::kOk) return slot->source->Explain(i);
    return count.ExplainBreak(counter);
  }
  return "";
}

CounterTiming Meter::Timing(size_t index) const {
  for (const auto& slot : slots_) {
    if (index < slot->first || index >= slot->first + slot->counts.size()) continue;
    CounterTiming timing = slot->source->Timing(index - slot->first);
    const std::lock_guard<BriefLock> lock(slot->lock);
    const Count& count = slot->counts[index - slot->first];
    timing.resumed_ticks = count.resumed_ticks();
    timing.resumed_ns = count.resumed_ns();
    timing.jump_breaks = count.jump_breaks();
    return timing;
  }
  return {};
}

std::vector<DeviceState> Meter::Devices() const {
  std::vector<DeviceState> all;
  for (const auto& slot : slots_) {
    for (DeviceState& device : slot->source->Devices()) all.push_back(std::move(device));
  }
  return all;
}

bool Meter::Outdated() const {
  return std::any_of(sources_.begin(), sources_.end(), [](const OpenedSource& opened) {
    return opened.source != nullptr && opened.source->Outdated();
  });
}

namespace {

// Whether `one` counts all that `other` does. A whole package holds all of its dies, and there is
// one platform, whatever number it goes by.
bool Covers(const Counter& one, const Counter& other) {
  if (one.domain != other.domain) return false;
  return one.domain == Domain::kPsys ||
         (one.device == other.device && (one.die < 0 || one.die == other.die));
}

bool IsOk(const Counter& counter) { return counter.outcome.status == Status::kOk; }

// A source none of whose counters can be read is not well, whatever it found.
void TakeBlame(OpenedSource* source) {
  const std::vector<Counter>& counters = source->source->counters();
  if (source->outcome.status != Status::kOk || counters.empty()) return;
  if (std::any_of(counters.begin(), counters.end(), IsOk)) return;
  source->outcome = counters.front().outcome;
}

// Which counters can be read: opening a file does not tell.
std::vector<bool> TryCounters(Source* source) {
  const std::vector<Counter>& counters = source->counters();
  std::vector<RawReading> raw(counters.size());
  source->Read({SystemClock(), SystemClock().MonotonicNs()}, raw.data());
  std::vector<bool> readable;
  for (const RawReading& reading : raw) readable.push_back(reading.status == Status::kOk);
  return readable;
}

// A counter that can be read, and the source that reads it.
struct Taken {
  Counter counter;
  std::string source;
};

// Leaves to earlier sources what they read already, and what nobody adds up.
void LeaveToOthers(const std::vector<Taken>& taken, OpenedSource* source) {
  std::vector<bool> wanted;
  std::string others;
  for (const Counter& counter : source->source->counters()) {
    const auto found = std::find_if(taken.begin(), taken.end(), [&counter](const Taken& one) {
      const bool adds_nothing = counter.domain == Domain::kOther && !counter.unknown_content;
      return adds_nothing || Covers(one.counter, counter);
    });
    wanted.push_back(found == taken.end());
    if (found == taken.end() || others.find(found->source) != std::string::npos) continue;
    others += (others.empty() ? "" : " and ") + found->source;
  }
  if (others.empty()) return;
  source->source->Keep(wanted);
  if (source->outcome.status != Status::kOk) return;
  source->outcome.detail = "what " + others + " reads is not read a second time";
}

std::vector<OpenedSource> Open(const Options& options, bool fast_only) {
  std::vector<OpenedSource> opened;
  std::vector<Taken> taken;
  const std::vector<std::string>& named = options.sources;
  for (const SourceEntry& entry : SourceTable()) {
    const bool wanted = named.empty()
                            ? entry.by_default
                            : std::find(named.begin(), named.end(), entry.name) != named.end();
    if (!wanted) continue;
    OpenedSource source;
    source.name = entry.name;
    source.source = entry.make();
    if (fast_only && source.source->blocking()) continue;
    source.outcome = source.source->Probe(options);
    TakeBlame(&source);
    if (named.empty() && !source.source->blocking()) {
      LeaveToOthers(taken, &source);
      const std::vector<bool> readable = TryCounters(source.source.get());
      for (size_t i = 0; i < readable.size(); ++i) {
        if (readable[i]) taken.push_back({source.source->counters()[i], source.name});
      }
    }
    opened.push_back(std::move(source));
  }
  return opened;
}

}  // namespace

std::vector<OpenedSource> OpenSources(const Options& options) { return Open(options, false); }

std::vector<OpenedSource> OpenFastSources(const Options& options) { return Open(options, true); }

}  // namespace microjoule
