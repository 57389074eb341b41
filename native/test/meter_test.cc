// SPDX-License-Identifier: MIT
#include "meter.h"

#include <random>

#include "check.h"
#include "fake_source.h"

namespace microjoule {
namespace {

constexpr uint64_t kSecond = 1000000000u;
constexpr uint64_t kModulus = uint64_t{1} << 32;

struct Bench {
  FakeClock clock;
  FakeSource* source;
  std::unique_ptr<Meter> meter;
  std::vector<uint64_t> words;

  explicit Bench(Counter counter = PackageCounter()) {
    auto owned = std::make_unique<FakeSource>(std::vector<Counter>{std::move(counter)});
    source = owned.get();
    meter = std::make_unique<Meter>(OneSource(std::move(owned)), clock, false);
    words.resize(meter->words());
  }
  uint64_t Ticks() const { return words[kHeaderWords]; }
  uint32_t StatusCode() const { return static_cast<uint32_t>(words[kHeaderWords + 2]); }
  uint32_t Breaks() const { return static_cast<uint32_t>(words[kHeaderWords + 2] >> 32); }
  void ReadAfter(uint64_t seconds, uint64_t raw) {
    clock.now_ns += seconds * kSecond;
    source->raw[0].ticks = raw;
    meter->Read(words.data());
  }
};

// A day at 200 W on a virtual clock, read at random moments: no wrap is lost, none invented.
void TestNoWrapIsLost() {
  Bench bench;
  std::mt19937_64 random(20261123);
  uint64_t truth = kModulus - 5;
  bench.ReadAfter(0, truth % kModulus);
  const uint64_t first = bench.Ticks();
  for (uint64_t seconds = 0; seconds < 86400;) {
    const uint64_t step = 1 + random() % 30;
    seconds += step;
    truth += step * 200 * 65536 + random() % 7;
    bench.ReadAfter(step, truth % kModulus);
    CHECK(bench.Ticks() - first == truth - (kModulus - 5));
  }
  CHECK(bench.Breaks() == 0);
  CHECK((truth / kModulus) > 200);
}

void TestEqualReadingsAreNoWrap() {
  Bench bench;
  bench.ReadAfter(0, 77);
  bench.ReadAfter(5, 77);
  CHECK(bench.Ticks() == 77 && bench.Breaks() == 0);
}

// A failed read is not a wrap: the count goes on from the last good one.
void TestFailedReadKeepsTheCount() {
  Bench bench;
  bench.ReadAfter(0, 1000);
  bench.source->raw[0].status = Status::kFailed;
  bench.ReadAfter(1, 0);
  CHECK(bench.StatusCode() == static_cast<uint32_t>(Status::kFailed));
  CHECK(bench.Ticks() == 1000 && bench.Breaks() == 0);
  CHECK(bench.meter->Explain(0) == "set by the test");
  bench.source->raw[0].status = Status::kOk;
  bench.ReadAfter(1, 1500);
  CHECK(bench.StatusCode() == 0 && bench.Ticks() == 1500 && bench.Breaks() == 0);
}

// 60,000 J back to nothing within a second is a reset, not a wrap of 5,536 W.
void TestResetIsNotAWrap() {
  Bench bench;
  bench.ReadAfter(0, uint64_t{60000} * 65536);
  bench.ReadAfter(1, 10);
  CHECK(bench.Ticks() == uint64_t{60000} * 65536 && bench.Breaks() == 1);
  CHECK(bench.meter->Explain(0).find("reset") != std::string::npos);
  bench.ReadAfter(1, 110);
  CHECK(bench.Ticks() == uint64_t{60000} * 65536 + 100 && bench.Breaks() == 1);
}

// A wrap just before the read moves the count although no time seems to have passed.
void TestWrapAtOnce() {
  Bench bench;
  bench.ReadAfter(0, kModulus - 1);
  bench.ReadAfter(0, 4);
  CHECK(bench.Ticks() == kModulus + 4 && bench.Breaks() == 0);
}

void TestLongGapIsFlagged() {
  Bench bench;
  bench.ReadAfter(0, 0);
  bench.clock.slept_ns = 3600 * kSecond;  // seen by boot time alone
  bench.ReadAfter(1, 65536);
  CHECK(bench.Breaks() == 1);
  CHECK(bench.meter->Explain(0).find("slept") != std::string::npos);
}

// Without a range a fall is never taken for a wrap.
void TestUnknownRange() {
  Counter counter = PackageCounter();
  counter.modulus_ticks = 0;
  Bench bench(counter);
  bench.ReadAfter(0, 500);
  bench.ReadAfter(1, 400);
  CHECK(bench.Ticks() == 500 && bench.Breaks() == 1);
  bench.ReadAfter(1, 450);
  CHECK(bench.Ticks() == 550 && bench.Breaks() == 1);
  // It may have wrapped and passed its old count again while nobody looked.
  bench.ReadAfter(100, 460);
  CHECK(bench.Breaks() == 2);
}

// 200,000 J within a second: a count that jumps, as after a suspend.
void TestForwardJump() {
  for (Counter counter : {PackageCounter(), GpuCounter()}) {
    counter.scale = {1, 1024};
    Bench bench(counter);
    bench.ReadAfter(0, 1000);
    bench.ReadAfter(1, 1000 + uint64_t{200000} * 1024);
    CHECK(bench.Ticks() == 1000 && bench.Breaks() == 1);
    CHECK(bench.meter->Explain(0).find("jumped") != std::string::npos);
    bench.ReadAfter(1, 2000 + uint64_t{200000} * 1024);
    CHECK(bench.Ticks() == 2000 && bench.Breaks() == 1);
  }
}

void TestBeyondItsRange() {
  Bench bench;
  bench.ReadAfter(0, kModulus);
  CHECK(bench.StatusCode() == static_cast<uint32_t>(Status::kImplausible));
  CHECK(!bench.meter->Explain(0).empty());
}

void TestKeepAlivePeriod() {
  // 65,536 J at 1000 W last 65.5 s.
  const uint64_t period_ns = KeepAlivePeriodNs({PackageCounter()});
  CHECK(period_ns > 20 * kSecond && period_ns < 32 * kSecond);
  CHECK(KeepAlivePeriodNs({GpuCounter()}) == 0);
  // With an unknown range the smallest is assumed.
  Counter unknown = PackageCounter();
  unknown.modulus_ticks = 0;
  CHECK(KeepAlivePeriodNs({unknown}) == period_ns);
  Counter denied = PackageCounter();
  denied.outcome.status = Status::kNoPermission;
  CHECK(KeepAlivePeriodNs({denied}) == 0);
}

// Slow sources stand outside the two clock reads and bring their own time.
void TestBlockingSourcesComeLast() {
  FakeClock clock;
  std::vector<OpenedSource> sources(2);
  auto slow = std::make_unique<FakeSource>(std::vector<Counter>{GpuCounter()}, true);
  slow->raw[0] = {5, 4321, Status::kOk};
  auto fast = std::make_unique<FakeSource>(std::vector<Counter>{PackageCounter()});
  fast->raw[0].ticks = 9;
  FakeSource* const slow_source = slow.get();
  FakeSource* const fast_source = fast.get();
  sources[0].source = std::move(slow);
  sources[1].source = std::move(fast);
  Meter meter(std::move(sources), clock, false);
  std::vector<uint64_t> words(meter.words());
  meter.Read(words.data());
  CHECK(words[kHeaderWords] == 5 && words[kHeaderWords + 1] == 4321);
  CHECK(words[kHeaderWords + kCounterWords] == 9 && words[kHeaderWords + kCounterWords + 1] == 0);
  CHECK(words[0] <= words[1]);
  CHECK(slow_source->last_read_ns >= fast_source->last_read_ns);
  clock.step_ns = 5;
  meter.Read(words.data(), Meter::Order::kFastFirst);
  CHECK(slow_source->last_read_ns > words[1] && fast_source->last_read_ns < words[1]);
  meter.Read(words.data(), Meter::Order::kSlowFirst);
  CHECK(slow_source->last_read_ns < words[0] && fast_source->last_read_ns > words[0]);
}

// A real keep-alive thread reads beside another reader.
void TestKeepAliveThread() {
  Counter counter = PackageCounter();
  counter.scale = {1, uint64_t{1} << 31};  // 2 J of range: the keep-alive runs at its fastest
  auto owned = std::make_unique<FakeSource>(std::vector<Counter>{counter});
  FakeSource* const source = owned.get();
  Meter meter(OneSource(std::move(owned)), SystemClock(), true);
  std::vector<uint64_t> words(meter.words());
  const uint64_t end = SystemClock().MonotonicNs() + 10 * kSecond;
  int own_reads = 0;
  while (source->reads - own_reads < 3 && SystemClock().MonotonicNs() < end) {
    meter.Read(words.data());
    ++own_reads;
  }
  CHECK(source->reads - own_reads >= 3);
}

}  // namespace
}  // namespace microjoule

int main() {
  using namespace microjoule;
  TestNoWrapIsLost();
  TestEqualReadingsAreNoWrap();
  TestFailedReadKeepsTheCount();
  TestResetIsNotAWrap();
  TestWrapAtOnce();
  TestLongGapIsFlagged();
  TestUnknownRange();
  TestForwardJump();
  TestBeyondItsRange();
  TestKeepAlivePeriod();
  TestBlockingSourcesComeLast();
  TestKeepAliveThread();
}
