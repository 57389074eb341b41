// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <utility>

#include "clock.h"
#include "meter.h"

namespace microjoule {

class FakeClock final : public Clock {
 public:
  uint64_t MonotonicNs() const override { return now_ns += step_ns; }
  uint64_t BootNs() const override { return now_ns + slept_ns; }

  mutable uint64_t now_ns = 1000;
  uint64_t step_ns = 0;  // by which each look moves it
  uint64_t slept_ns = 0;
};

// A source whose raw counts a test sets by hand.
class FakeSource final : public Source {
 public:
  explicit FakeSource(std::vector<Counter> counters, bool blocking = false)
      : counters_(std::move(counters)), blocking_(blocking), raw(counters_.size()) {
    for (RawReading& reading : raw) reading.status = Status::kOk;
  }

  Outcome Probe(const Options&) override { return {}; }
  const std::vector<Counter>& counters() const override { return counters_; }
  bool blocking() const override { return blocking_; }
  void Read(const Pass& pass, RawReading* out) override {
    reads++;
    last_read_ns = pass.clock.MonotonicNs();
    if (takes_ns != 0) static_cast<const FakeClock&>(pass.clock).now_ns += takes_ns;
    for (size_t i = 0; i < raw.size(); ++i) out[i] = raw[i];
  }
  std::string Explain(size_t) const override { return "set by the test"; }

 private:
  std::vector<Counter> counters_;
  bool blocking_;

 public:
  std::vector<RawReading> raw;
  uint64_t takes_ns = 0;  // by which a pass moves a FakeClock
  std::atomic<int> reads{0};
  std::atomic<uint64_t> last_read_ns{0};
};

inline std::vector<OpenedSource> OneSource(std::unique_ptr<Source> source) {
  std::vector<OpenedSource> opened(1);
  opened[0].name = "fake";
  opened[0].source = std::move(source);
  return opened;
}

// A package counter of 2^-16 J that wraps at 2^32, as AMD's.
inline Counter PackageCounter() {
  Counter counter;
  counter.id = "fake:0";
  counter.origin = "fake";
  counter.domain = Domain::kPackage;
  counter.scale = {1, 65536};
  counter.wraps = true;
  counter.modulus_ticks = uint64_t{1} << 32;
  return counter;
}

// A GPU's, which never wraps.
inline Counter GpuCounter() {
  Counter counter = PackageCounter();
  counter.domain = Domain::kGpu;
  counter.wraps = false;
  counter.modulus_ticks = 0;
  return counter;
}

}  // namespace microjoule
