// SPDX-License-Identifier: MIT
//
// A counter that updates at times of its own on a clock that a test moves, and knows the truth.
#pragma once

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "fake_source.h"

namespace microjoule {

// How one counter behaves.
struct Behaviour {
  double period_ns = 1e6;
  double jitter_ns = 20e3;
  double drift_ratio = 0;      // by which the period grows in a second
  double miss_ratio = 0;       // of updates that do not come
  double storm_at_ns = -1;     // from then on, for 20 ms, an update every 50 us
  double stop_at_ns = -1;      // nothing moves for 50 ms
  double ticks_per_ns = 1e-3;  // power
  uint64_t quantum_ticks = 1;
  double phase_ratio = 0.3;
  uint32_t seed = 1;
};

struct Truth {
  uint64_t time_ns;
  uint64_t ticks;
};

inline std::vector<Truth> MakeTruth(const Behaviour& b, double seconds, uint64_t start_ns) {
  std::mt19937_64 random(b.seed);
  std::normal_distribution<double> normal;
  std::uniform_real_distribution<double> uniform;
  std::vector<double> times;
  double period_ns = b.period_ns;
  for (double at = b.phase_ratio * b.period_ns; at < seconds * 1e9; at += period_ns) {
    period_ns = b.period_ns * (1 + b.drift_ratio * at / 1e9);
    const double off =
        std::clamp(normal(random) * b.jitter_ns, -0.45 * period_ns, 0.45 * period_ns);
    if (uniform(random) < b.miss_ratio) continue;
    if (b.stop_at_ns >= 0 && at >= b.stop_at_ns && at < b.stop_at_ns + 50e6) continue;
    times.push_back(std::max(0.0, at + off));
  }
  for (double at = 0; b.storm_at_ns >= 0 && at < 20e6; at += 50e3) {
    times.push_back(b.storm_at_ns + at);
  }
  std::sort(times.begin(), times.end());
  std::vector<Truth> truth;
  uint64_t ticks = 1000000 / b.quantum_ticks * b.quantum_ticks;
  for (const double time : times) {
    // Power that wanders, or every step might be the same.
    const double power = b.ticks_per_ns * (1 + 0.1 * std::sin(time / 3.7e6));
    const double energy = 1e6 + power * time;
    uint64_t now =
        static_cast<uint64_t>(energy / static_cast<double>(b.quantum_ticks)) * b.quantum_ticks;
    now = std::max(now, ticks + b.quantum_ticks - ticks % b.quantum_ticks);
    ticks = now;
    truth.push_back({start_ns + static_cast<uint64_t>(time), ticks});
  }
  return truth;
}

// Reads counters of known truth, each read taking its time.
class SimulatedSource final : public Source {
 public:
  SimulatedSource(FakeClock* clock, std::vector<std::vector<Truth>> truths)
      : clock_(clock), truths_(std::move(truths)) {
    for (size_t i = 0; i < truths_.size(); ++i) {
      Counter counter = PackageCounter();
      counter.id = "simulated:" + std::to_string(i);
      counter.scale = {1, 1000000000};
      counter.wraps = false;
      counter.modulus_ticks = 0;
      counters_.push_back(counter);
    }
    at_.resize(truths_.size());
  }
  Outcome Probe(const Options&) override { return {}; }
  const std::vector<Counter>& counters() const override { return counters_; }
  bool blocking() const override { return false; }
  std::string Explain(size_t) const override { return "the test says so"; }
  void Read(const Pass&, RawReading* out) override {
    clock_->now_ns += cost_ns / 2 + before_ns;
    for (size_t i = 0; i < truths_.size(); ++i) {
      size_t& at = at_[i];
      while (at < truths_[i].size() && truths_[i][at].time_ns <= clock_->now_ns) ++at;
      // Its first step may be any.
      out[i].ticks = at == 0 ? 0 : truths_[i][at - 1].ticks;
      out[i].status = clock_->now_ns >= fail_from_ns && clock_->now_ns < fail_to_ns
                          ? Status::kFailed
                          : Status::kOk;
    }
    clock_->now_ns += cost_ns - cost_ns / 2 + after_ns;
    read_ns += cost_ns;
    before_ns = after_ns = 0;
  }

  const std::vector<std::vector<Truth>>& truths() const { return truths_; }
  uint64_t cost_ns = 3000;
  uint64_t read_ns = 0;
  // By how much the next read is held up before it looks, and after.
  uint64_t before_ns = 0;
  uint64_t after_ns = 0;
  uint64_t fail_from_ns = UINT64_MAX;
  uint64_t fail_to_ns = UINT64_MAX;

 private:
  FakeClock* const clock_;
  const std::vector<std::vector<Truth>> truths_;
  std::vector<Counter> counters_;
  std::vector<size_t> at_;
};

}  // namespace microjoule
