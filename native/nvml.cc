// SPDX-License-Identifier: MIT
//
// NVIDIA GPUs through NVML: `nvml`, and by name only `nvml-power`, the integrated power of those
// whose total energy counts, by which it can be checked.
#include <algorithm>
#include <chrono>
#include <thread>

#include "clock.h"
#include "nvml_hub.h"
#include "source.h"

namespace microjoule {
namespace {

constexpr auto kWait = std::chrono::milliseconds(5);
constexpr int kMostWaits = 60;
// What is overdue for longer is old: NVML does not answer.
constexpr uint64_t kLongestSilenceNs = 1000000000;

bool AllRead(const std::vector<NvmlState>& states) {
  return std::all_of(states.begin(), states.end(),
                     [](const NvmlState& state) { return state.status == Status::kOk; });
}

class Nvml final : public Source {
 public:
  explicit Nvml(bool is_power_check) : is_power_check_(is_power_check) {}

  Outcome Probe(const Options& options) override;
  const std::vector<Counter>& counters() const override { return counters_; }
  bool blocking() const override { return true; }
  void Read(const Pass& pass, RawReading* out) override;
  std::string Explain(size_t i) const override {
    if (seen_[i].silent_ns != 0) {
      return "NVML has not answered for " + std::to_string(seen_[i].silent_ns / 1000000000) +
             " s: see whether nvidia-smi works";
    }
    const std::string detail = hub_->Detail(entries_[i]);
    return detail.empty() ? "its GPU was not read yet" : detail;
  }
  CounterTiming Timing(size_t i) const override {
    const NvmlState state = hub_->State(entries_[i]);
    CounterTiming timing;
    timing.update_period_ns = state.period_ns;
    timing.is_longest_period = state.is_longest_period;
    timing.lag_ns = state.lag_ns;
    timing.read_cost_ns = state.read_cost_ns;
    timing.method = NvmlMethodName(state.method);
    return timing;
  }
  std::vector<DeviceState> Devices() const override {
    return is_power_check_ ? std::vector<DeviceState>() : hub_->Devices();
  }
  bool Outdated() const override { return hub_->Outdated(); }

 private:
  // What this reader was told of already.
  struct Seen {
    uint32_t restarts = 0;
    uint32_t interruptions = 0;
    uint64_t silent_ns = 0;  // for how long no call returned; 0 while that is as it should be
  };

  const bool is_power_check_;
  std::shared_ptr<NvmlHub> hub_;
  std::vector<Counter> counters_;
  std::vector<size_t> entries_;
  std::vector<NvmlState> states_;
  std::vector<Seen> seen_;
};

Outcome Nvml::Probe(const Options& options) {
  hub_ = NvmlHub::Acquire(options);
  if (is_power_check_) hub_->WantPowerCheck();
  const std::vector<NvmlEntry>& entries = hub_->entries();
  for (size_t i = 0; i < entries.size(); ++i) {
    if (entries[i].is_power_check != is_power_check_) continue;
    counters_.push_back(entries[i].counter);
    entries_.push_back(i);
  }
  states_.resize(entries_.size());
  hub_->Copy(entries_, &states_);
  // The thread begins to read the power now.
  for (int i = 0; is_power_check_ && i < kMostWaits && !AllRead(states_); ++i) {
    std::this_thread::sleep_for(kWait);
    hub_->Copy(entries_, &states_);
  }
  for (const NvmlState& state : states_) seen_.push_back({state.restarts, state.interruptions, 0});
  const Outcome outcome = hub_->outcome();
  if (!is_power_check_ || outcome.status != Status::kOk || !counters_.empty()) return outcome;
  return {Status::kNotSupported, "no GPU tells both its total energy and its power"};
}

// What the thread read last: no call of NVML's is made here.
void Nvml::Read(const Pass& pass, RawReading* out) {
  hub_->Copy(entries_, &states_);
  for (size_t i = 0; i < states_.size(); ++i) {
    const NvmlState& state = states_[i];
    const bool is_silent =
        state.status == Status::kOk && pass.monotonic_ns > state.due_ns + kLongestSilenceNs;
    out[i].ticks = state.ticks;
    out[i].time_ns = state.time_ns;
    out[i].status = is_silent ? Status::kFailed : state.status;
    out[i].was_good = out[i].status != Status::kOk && state.time_ns != 0;
    out[i].restarted = state.restarts != seen_[i].restarts;
    out[i].interrupted = state.interruptions != seen_[i].interruptions;
    // One that was silent went on where it was; here it can be read from now on.
    const bool was_silent = seen_[i].silent_ns != 0;
    out[i].since_ns = was_silent ? state.time_ns : state.since_ns;
    out[i].since_ticks = was_silent ? state.ticks : state.since_ticks;
    seen_[i] = {state.restarts, state.interruptions,
                is_silent ? pass.monotonic_ns - state.due_ns : 0};
  }
}

}  // namespace

std::unique_ptr<Source> MakeNvml() { return std::make_unique<Nvml>(false); }
std::unique_ptr<Source> MakeNvmlPower() { return std::make_unique<Nvml>(true); }

}  // namespace microjoule
