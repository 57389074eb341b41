// SPDX-License-Identifier: MIT
#include "device_time.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "check.h"
#include "fake_source.h"
#include "package_sampler.h"

namespace microjoule {
namespace {

constexpr double kStartNs = 1e12;

// How a device takes its values.
struct Device {
  double stamp_period_ns = 0;  // takes one so often; 0: when it is asked
  double count_period_ns = 0;  // its count moves so often; 0: always, or with each value
  double drift_ratio = 0;      // by which its clock is fast
};

// What a reader at this rate is told of it, against the truth.
struct Score {
  size_t updates = 0;
  size_t wrong = 0;
  std::vector<double> widths_ns;          // of the later half
  std::vector<double> reading_widths_ns;  // of what the readings alone tell

  static double Median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
  }
  double width_ns() const { return Median(widths_ns); }
  double reading_width_ns() const { return Median(reading_widths_ns); }
};

class Bench {
 public:
  Bench(const Device& device, uint32_t seed) : device_(device), random_(seed) {}

  // One read, of 3 to 8 us, now and then held up before it looks, after it, or between reads.
  void Read() {
    const double start_ns = now_ns_;
    now_ns_ += 1500 + 2500 * uniform_(random_) + HeldUp();
    const double taken_ns = device_.stamp_period_ns == 0 ? now_ns_ : Last(device_.stamp_period_ns);
    const double count_ns =
        device_.count_period_ns == 0 ? taken_ns : Last(device_.count_period_ns, taken_ns);
    now_ns_ += 1500 + 2500 * uniform_(random_) + HeldUp();
    const auto device_ns = static_cast<uint64_t>(kStartNs + offset_ns_ +
                                                 (taken_ns - kStartNs) * (1 + device_.drift_ratio));
    const bool moved = reads_ > 0 && count_ns != count_ns_;
    const DeviceTime::Span span =
        time_.Observe(device_ns, static_cast<uint64_t>(before_ns_), static_cast<uint64_t>(start_ns),
                      static_cast<uint64_t>(now_ns_), moved);
    ++reads_;
    CHECK(span.lower_ns <= span.upper_ns);
    if (moved) {
      CHECK(span.lower_ns >= last_.lower_ns && span.upper_ns >= last_.upper_ns);
      last_ = span;
      ++score.updates;
      const auto lower_ns = static_cast<double>(span.lower_ns);
      const auto upper_ns = static_cast<double>(span.upper_ns);
      score.wrong += count_ns < lower_ns - 2 || count_ns > upper_ns + 2;
      score.widths_ns.push_back(upper_ns - lower_ns);
      score.reading_widths_ns.push_back(now_ns_ - before_ns_);
      // Never worse than without it.
      CHECK(lower_ns >= before_ns_ - 1 && upper_ns <= now_ns_ + 1);
    }
    count_ns_ = count_ns;
    before_ns_ = start_ns;
  }
  // As the sampler does: all the time for a while, then every millisecond or so.
  void Run(double seconds, double interval_ns) {
    for (int i = 0; i < 300; ++i, now_ns_ += HeldUp()) Read();
    score.widths_ns.clear();
    score.reading_widths_ns.clear();
    const double end_ns = now_ns_ + seconds * 1e9;
    while (now_ns_ < end_ns) {
      now_ns_ += interval_ns * (1 + 0.25 * uniform_(random_)) + HeldUp();
      Read();
    }
  }
  // Its clock begins anew elsewhere.
  void Jump(double by_ns) {
    offset_ns_ += by_ns;
    time_.Restart();
  }
  void Wait(double ns) { now_ns_ += ns; }

  Score score;

 private:
  double Last(double period_ns) const { return Last(period_ns, now_ns_); }
  static double Last(double period_ns, double at_ns) {
    return kStartNs + std::floor((at_ns - kStartNs) / period_ns) * period_ns;
  }
  double HeldUp() { return uniform_(random_) < 0.02 ? 300e3 * uniform_(random_) : 0; }

  const Device device_;
  std::mt19937_64 random_;
  std::uniform_real_distribution<double> uniform_;
  DeviceTime time_;
  DeviceTime::Span last_{0, 0};
  double now_ns_ = kStartNs + 1e6;
  double before_ns_ = 0;
  double count_ns_ = 0;
  double offset_ns_ = 700e3;  // an anchor taken a while before or after
  size_t reads_ = 0;
};

// A device that looks at a running count when it is asked: its time is that of the update.
void TestAskedAndRunning() {
  for (const double drift : {0.0, 50e-6, -50e-6}) {
    for (uint32_t seed = 1; seed < 6; ++seed) {
      Bench bench({0, 0, drift}, seed);
      bench.Run(5, 1e6);
      CHECK(bench.score.updates > 3000 && bench.score.wrong == 0);
      CHECK(bench.score.reading_width_ns() > 1e6 && bench.score.width_ns() < 50e3);
    }
  }
}

// One that looks at registers which move now and then: the count is as old as that.
void TestAskedOfSteps() {
  for (const double period_ns : {1e6, 3e5, 5e4}) {
    for (uint32_t seed = 1; seed < 6; ++seed) {
      Bench bench({0, period_ns, 20e-6}, seed);
      bench.Run(5, 1e6);
      CHECK(bench.score.updates > 3000);
      CHECK(static_cast<double>(bench.score.wrong) <
            0.002 * static_cast<double>(bench.score.updates));
      CHECK(bench.score.width_ns() <= bench.score.reading_width_ns());
    }
  }
}

// One that takes values by itself and answers with the last: each is as old as it is.
void TestTakenBefore() {
  for (const double period_ns : {10e6, 1e6, 2e5, 2e4}) {
    for (uint32_t seed = 1; seed < 6; ++seed) {
      Bench bench({period_ns, 0, -20e-6}, seed);
      bench.Run(5, 1e6);
      CHECK(bench.score.updates > 400);
      CHECK(static_cast<double>(bench.score.wrong) <
            0.002 * static_cast<double>(bench.score.updates));
      CHECK(bench.score.width_ns() <= bench.score.reading_width_ns());
    }
  }
}

void TestRestarts() {
  Bench bench({0, 0, 0}, 3);
  bench.Run(0.5, 1e6);
  bench.Jump(-400e6);
  bench.Run(0.5, 1e6);
  bench.Wait(20e9);
  bench.Run(0.5, 1e6);
  CHECK(bench.score.wrong == 0 && bench.score.width_ns() < 50e3);
}

// Looks at a running count when it is asked, and says when by a clock of its own.
class AskedSource final : public Source {
 public:
  explicit AskedSource(FakeClock* clock) : clock_(clock), counters_(1, GpuCounter()) {
    counters_[0].scale = {1, 1000000000};
    counters_[0].clock = CounterClock::kDevice;
  }
  Outcome Probe(const Options&) override { return {}; }
  const std::vector<Counter>& counters() const override { return counters_; }
  bool blocking() const override { return false; }
  std::string Explain(size_t) const override { return ""; }
  void Read(const Pass&, RawReading* out) override {
    clock_->now_ns += 2000;
    // A watt since the clock's start.
    out[0].ticks = clock_->now_ns;
    out[0].time_ns = clock_->now_ns + 123456;
    out[0].status = Status::kOk;
    clock_->now_ns += 3000;
  }

 private:
  FakeClock* const clock_;
  std::vector<Counter> counters_;
};

// The sampler reads once a millisecond, and tells of each update as closely as a read lasts.
void TestInASampler() {
  FakeClock clock;
  constexpr size_t kRecords = size_t{1} << 17;
  PackageSampler sampler(OneSource(std::make_unique<AskedSource>(&clock)), 0, clock, kRecords);
  sampler.SetDemand({1000000, true});
  while (clock.now_ns < 3000000000u) clock.now_ns = std::max(clock.now_ns, sampler.Poll());
  std::vector<uint64_t> words(kRecords * SampleRecord::kWords);
  uint64_t cursor = 0;
  const size_t count = sampler.ring().Take(&cursor, words.data(), kRecords).records;
  CHECK(count > 2000);
  for (size_t i = 0; i < count; ++i) {
    const uint64_t* const word = words.data() + i * SampleRecord::kWords;
    const uint64_t true_ns = word[3];
    CHECK(word[1] <= true_ns && true_ns <= word[2]);
    if (i > count - 1000) CHECK(word[2] - word[1] < 20000);
  }
}

}  // namespace
}  // namespace microjoule

int main() {
  using namespace microjoule;
  TestAskedAndRunning();
  TestAskedOfSteps();
  TestTakenBefore();
  TestRestarts();
  TestInASampler();
}
