// SPDX-License-Identifier: MIT
#include "package_sampler.h"

#include <algorithm>

namespace microjoule {
namespace {

constexpr uint64_t kPublishNs = 50000000;
// So much later where there is no pause between reads.
constexpr uint64_t kLatestPublishNs = 200000000;
// Reads at a fixed rate would keep step with a counter of nearly that rate. By the golden ratio,
// the most even of sequences that never repeat, up to a quarter of the interval (in 2^-32).
constexpr uint64_t kGoldenRatio = 2654435769u;

void Add(std::atomic<uint64_t>* total, uint64_t more) {
  // One thread writes.
  total->store(total->load(std::memory_order_relaxed) + more, std::memory_order_relaxed);
}

}  // namespace

PackageSampler::PackageSampler(std::vector<OpenedSource> sources, uint32_t first_index,
                               const Clock& clock, size_t ring_records)
    : sources_(std::move(sources)), clock_(clock), ring_(ring_records) {
  size_t most = 0;
  for (const OpenedSource& opened : sources_) {
    const std::vector<Counter>& counters = opened.source->counters();
    if (counters.empty()) continue;
    Slot slot;
    slot.source = opened.source.get();
    slot.first = watches_.size();
    slot.count = counters.size();
    for (const Counter& counter : counters) {
      watches_.emplace_back(counter, first_index + static_cast<uint32_t>(watches_.size()));
    }
    most = std::max(most, slot.count);
    slots_.push_back(slot);
  }
  raw_.resize(most);
  reports_.resize(watches_.size());
}

void PackageSampler::Remember(const Calibrations& known) {
  for (const Slot& slot : slots_) {
    for (size_t i = 0; i < slot.count; ++i) {
      const auto found = known.find(slot.source->counters()[i].id);
      if (found == known.end()) continue;
      watches_[slot.first + i].Remember(found->second);
      reports_[slot.first + i].calibration = found->second;
    }
  }
}

void PackageSampler::Collect(Calibrations* out) const {
  const std::vector<Report> reports = Describe();
  for (const Slot& slot : slots_) {
    for (size_t i = 0; i < slot.count; ++i) {
      const Calibration& found = reports[slot.first + i].calibration;
      if (found.period_ns > 0) (*out)[slot.source->counters()[i].id] = found;
    }
  }
}

void PackageSampler::SetDemand(const Demand& demand) {
  const uint64_t now_ns = clock_.MonotonicNs();
  demand_ = demand;
  grid_ns_ = base_ns_ = now_ns;
  for (CounterWatch& watch : watches_) watch.SetTracking(demand.track, now_ns);
  // Whoever asked sees at once what it is doing now.
  next_publish_ns_ = 0;
}

void PackageSampler::Calibrate() {
  const uint64_t now_ns = clock_.MonotonicNs();
  for (CounterWatch& watch : watches_) watch.Calibrate(now_ns);
  next_publish_ns_ = 0;
}

void PackageSampler::Resume() {
  const uint64_t now_ns = clock_.MonotonicNs();
  for (CounterWatch& watch : watches_) watch.Resume(now_ns);
  next_publish_ns_ = 0;
}

// What runs at every wake-up is marked hot, and stands side by side: after a millisecond of sleep
// most of it has to be fetched anew, which takes longer than the work itself.
[[gnu::hot]] uint64_t PackageSampler::Poll() {
  Look look{};
  uint64_t first_ns = 0;
  for (Slot& slot : slots_) {
    // Boot time first, as Instant wants it.
    look.boot_ns = clock_.BootNs();
    look.start_ns = clock_.MonotonicNs();
    slot.source->Read({clock_, look.start_ns}, raw_.data());
    look.end_ns = clock_.MonotonicNs();
    slot.costs.Add(look.end_ns - look.start_ns);
    if (first_ns == 0) first_ns = look.start_ns;
    for (size_t i = 0; i < slot.count; ++i) {
      SampleRecord record;
      if (watches_[slot.first + i].Observe(raw_[i], look, &record)) ring_.Push(record);
    }
  }
  Add(&stats_.polls, 1);
  horizon_ns_.store(first_ns, std::memory_order_release);
  const uint64_t next_ns = Schedule(look.end_ns);
  if (next_ns != 0) Add(&stats_.sleeps, 1);
  if (look.end_ns >= next_publish_ns_ + (next_ns != 0 ? 0 : kLatestPublishNs)) {
    Publish(look.end_ns);
  }
  return next_ns;
}

// When to read next, 0 for at once.
[[gnu::hot]] uint64_t PackageSampler::Schedule(uint64_t now_ns) {
  uint64_t next_ns = UINT64_MAX;
  bool base_rate = false;
  bool tracking = false;
  for (const CounterWatch& watch : watches_) {
    next_ns = std::min(next_ns, watch.NextNs());
    base_rate |= watch.WantsBaseRate();
    tracking |= watch.mode() == CounterWatch::Mode::kTracking;
  }
  if (base_rate && tracking) {
    // Every read serves all of them.
    base_ns_ = now_ns + demand_.interval_ns;
    grid_ns_ = now_ns;
  } else if (base_rate && now_ns >= base_ns_) {
    const uint64_t passed = (now_ns - grid_ns_) / demand_.interval_ns;
    if (passed > 1) Add(&stats_.overslept, passed - 1);
    grid_ns_ += std::max<uint64_t>(passed, 1) * demand_.interval_ns;
    const uint64_t off = ++grid_count_ * kGoldenRatio & UINT32_MAX;
    base_ns_ = grid_ns_ + ((demand_.interval_ns / 4 * off) >> 32);
  }
  if (base_rate) next_ns = std::min(next_ns, base_ns_);
  return next_ns > now_ns ? next_ns : 0;
}

// Leaves a copy for describe() where nobody is just taking one.
void PackageSampler::Publish(uint64_t now_ns) {
  const std::unique_lock<std::mutex> lock(mutex_, std::try_to_lock);
  if (!lock.owns_lock()) return;
  next_publish_ns_ = now_ns + kPublishNs;
  for (const Slot& slot : slots_) {
    bool costs_known = false;
    double median_ns = 0, p99_ns = 0;
    for (size_t i = slot.first; i < slot.first + slot.count; ++i) {
      CounterWatch& watch = watches_[i];
      Report& report = reports_[i];
      const bool renewed = watch.Recalibrate(now_ns);
      report.mode = watch.mode();
      report.totals = watch.totals();
      report.calibration = watch.calibration();
      if (watch.status() != report.status) {
        report.status = watch.status();
        report.detail = report.status == Status::kOk ? "" : slot.source->Explain(i - slot.first);
      }
      if (renewed || report.read_cost_ns == 0) {
        if (!costs_known) {
          median_ns = slot.costs.QuantileNs(0.5);
          p99_ns = slot.costs.QuantileNs(0.99);
          costs_known = true;
        }
        report.read_cost_ns = median_ns;
        report.read_cost_p99_ns = p99_ns;
      }
    }
  }
}

std::vector<PackageSampler::Report> PackageSampler::Describe() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return reports_;
}

}  // namespace microjoule
