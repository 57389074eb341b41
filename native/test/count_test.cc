// SPDX-License-Identifier: MIT
#include "count.h"

#include <random>

#include "count_bench.h"
#include "driver_log.h"

namespace microjoule {
namespace {

constexpr uint64_t kMillisecond = kSecond / 1000;
constexpr uint64_t kModulus = uint64_t{1} << 32;

// A day at 500 W on a moved clock, read at random moments no further apart than the keep-alive's:
// no wrap is lost, none invented, for every range that RAPL has.
void TestNoWrapIsLost() {
  for (const Scale scale : {Scale{1, 65536}, Scale{1, 16384}, Scale{153, 10000000}}) {
    Counter counter = PackageCounter();
    counter.scale = scale;
    const uint64_t longest_ms = KeepAlivePeriodNs({counter}) / 1000000;
    Bench bench(counter);
    std::mt19937_64 random(20261123);
    uint64_t truth = kModulus - 5;
    bench.ReadAfter(0, truth % kModulus);
    const uint64_t first = bench.Ticks();
    for (uint64_t elapsed_ms = 0; elapsed_ms < 86400 * 1000;) {
      const uint64_t step_ms = 1 + random() % longest_ms;
      elapsed_ms += step_ms;
      truth += step_ms * scale.denominator / (2 * scale.numerator) + random() % 7;
      bench.clock.now_ns += step_ms * kMillisecond;
      bench.ReadAfter(0, truth % kModulus);
      CHECK(bench.Ticks() - first == truth - (kModulus - 5));
    }
    CHECK(bench.Breaks() == 0);
    CHECK(truth / kModulus > 100);
  }
}

// 450 W for 655.36 s are 294,912 J: more than a range of 262,144 J. Unread, it is flagged; read by
// the keep-alive, it is right.
void TestMoreThanOneWrap() {
  Counter counter = PackageCounter();
  counter.scale = {1, 16384};
  const uint64_t total = uint64_t{294912} * 16384;
  Bench unread(counter);
  unread.ReadAfter(0, 0);
  unread.clock.now_ns += 655360 * kMillisecond;
  unread.ReadAfter(0, total % kModulus);
  CHECK(unread.Breaks() == 1);
  CHECK(unread.meter->Explain(0).find("more than once") != std::string::npos);

  Bench watched(counter);
  watched.ReadAfter(0, 0);
  for (int i = 1; i <= 64; ++i) {
    watched.clock.now_ns += 10240 * kMillisecond;
    watched.ReadAfter(0, total / 64 * static_cast<uint64_t>(i) % kModulus);
  }
  CHECK(watched.Ticks() == total && watched.Breaks() == 0);
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

// Nor is that it began anew forgotten where the reading that told of it failed.
void TestRestartIsKeptOverAFailure() {
  Bench bench;
  bench.ReadAfter(0, 1000);
  bench.ReadAfter(0, 1010);
  RawReading& raw = bench.source->raw[0];
  raw.status = Status::kFailed;
  raw.restarted = true;
  bench.ReadAfter(0, 0);
  raw.status = Status::kOk;
  raw.restarted = false;
  bench.ReadAfter(0, 1020);
  CHECK(bench.Breaks() == 1 && bench.Ticks() == 1010);
  bench.ReadAfter(0, 1030);
  CHECK(bench.Breaks() == 1 && bench.Ticks() == 1020);
}

// What may rest is read as ordinarily after a long time as before: no break, and no count lost.
void TestLongRestOfWhatMayRest() {
  Counter counter = PackageCounter();
  counter.domain = Domain::kUncore;
  Bench bench(counter);
  bench.ReadAfter(0, 5);
  bench.ReadAfter(0, 6);
  for (int i = 0; i < 100; ++i) bench.ReadAfter(1, 6);
  bench.ReadAfter(1, 9);
  CHECK(bench.Breaks() == 0 && bench.Ticks() == 9 && bench.StatusCode() == 0);
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
  bench.ReadAfter(3600, 65536);
  CHECK(bench.Breaks() == 1);
  CHECK(bench.meter->Explain(0).find("not read for so long") != std::string::npos);
}

// Sleep may reset a counter: neither a fall nor a rise across it says anything.
void TestSleepIsFlagged() {
  for (const uint64_t after : {uint64_t{5}, uint64_t{70000}}) {
    Bench bench;
    bench.ReadAfter(0, 65536);
    bench.clock.slept_ns = 20 * kSecond;  // seen by boot time alone
    bench.ReadAfter(1, after);
    CHECK(bench.Breaks() == 1 && bench.Ticks() == 65536);
    CHECK(bench.meter->Explain(0).find("slept") != std::string::npos);
    bench.ReadAfter(1, after + 10);
    CHECK(bench.Breaks() == 1 && bench.Ticks() == 65546);
  }
  // Nor does a count stand still while the machine sleeps.
  Bench quick;
  quick.ReadAfter(0, 65536);
  quick.ReadAfter(1, 65600);
  quick.clock.slept_ns = 20 * kSecond;
  quick.ReadAfter(0, 65600);
  quick.ReadAfter(1, 65600);
  quick.ReadAfter(0, 65610);
  CHECK(quick.Breaks() == 1 && quick.Ticks() == 65610);
  // One that had stood still before is only known to do so when it has again.
  quick.ReadAfter(4, 65610);
  CHECK(quick.Breaks() == 2);
  quick.clock.slept_ns = 40 * kSecond;
  quick.ReadAfter(0, 65610);
  CHECK(quick.Breaks() == 3);
  quick.ReadAfter(1, 65610);
  quick.ReadAfter(0, 65620);
  CHECK(quick.Breaks() == 3 && quick.Ticks() == 65620);
  quick.ReadAfter(4, 65620);
  quick.ReadAfter(1, 65620);
  CHECK(quick.Breaks() == 4);
  // Time between two looks at the clocks is no sleep, however long and on whichever side.
  Bench bench;
  bench.ReadAfter(0, 0);
  bench.clock.step_ns = 2 * kSecond;
  bench.ReadAfter(1, 10);
  bench.clock.step_ns = 0;
  bench.ReadAfter(1, 20);
  CHECK(bench.Breaks() == 0 && bench.Ticks() == 20);
}

void TestRestartIsFlagged() {
  Bench bench;
  bench.ReadAfter(0, 1000);
  bench.source->raw[0].restarted = true;
  bench.ReadAfter(1, 2000);
  bench.source->raw[0].restarted = false;
  CHECK(bench.Breaks() == 1 && bench.Ticks() == 1000);
  CHECK(bench.meter->Explain(0).find("anew") != std::string::npos);
  bench.ReadAfter(1, 2100);
  CHECK(bench.Breaks() == 1 && bench.Ticks() == 1100);
}

// One failed read inside the kernel takes perf's count back and the next one up again: neither is
// energy.
void TestFallAndReturn() {
  Counter counter = PackageCounter();
  counter.modulus_ticks = 0;
  Bench bench(counter);
  bench.ReadAfter(0, uint64_t{20000} * 65536);
  bench.ReadAfter(1, uint64_t{2400} * 65536);
  CHECK(bench.Breaks() == 1);
  bench.ReadAfter(21, uint64_t{20100} * 65536);
  CHECK(bench.Breaks() == 2 && bench.Ticks() == uint64_t{20000} * 65536);
  bench.ReadAfter(1, uint64_t{20150} * 65536);
  CHECK(bench.Breaks() == 2 && bench.Ticks() == uint64_t{20050} * 65536);
}

// Sleep is told by two clocks, so a slow source between them is none.
void TestSlowPassIsNoSleep() {
  FakeClock clock;
  clock.slept_ns = 100 * kSecond;  // it has slept before
  std::vector<OpenedSource> sources(2);
  auto slow = std::make_unique<FakeSource>(std::vector<Counter>{GpuCounter()}, true);
  auto fast = std::make_unique<FakeSource>(std::vector<Counter>{PackageCounter()});
  FakeSource* const slow_source = slow.get();
  sources[0].source = std::move(slow);
  sources[1].source = std::move(fast);
  Meter meter(std::move(sources), clock, false);
  std::vector<uint64_t> words(meter.words());
  slow_source->takes_ns = kSecond;
  meter.Read(words.data(), Meter::Order::kSlowFirst);
  slow_source->takes_ns = 0;
  meter.Read(words.data());
  CHECK(words[kHeaderWords + 2] >> 32 == 0 && words[kHeaderWords + kCounterWords + 2] >> 32 == 0);
}

// An implausible reading does not swallow the news that the count began anew.
void TestRestartIsRemembered() {
  Bench bench;
  bench.ReadAfter(0, 1000);
  bench.source->raw[0].restarted = true;
  bench.ReadAfter(1, kModulus);
  bench.source->raw[0].restarted = false;
  bench.ReadAfter(1, 2000);
  CHECK(bench.Breaks() == 1 && bench.Ticks() == 1000);
}

// A package never rests: a count that moved and then stands for seconds has failed.
void TestFreezeIsFlagged() {
  Bench bench;
  bench.ReadAfter(0, 0);
  bench.ReadAfter(10, 0);  // it has not moved yet: TypeScript calls that stale
  CHECK(bench.Breaks() == 0);
  bench.ReadAfter(1, 1000);
  bench.ReadAfter(2, 1000);
  CHECK(bench.Breaks() == 0);
  bench.ReadAfter(2, 1000);
  CHECK(bench.Breaks() == 1);
  CHECK(bench.meter->Explain(0).find("stood still") != std::string::npos);
  CHECK(bench.meter->Explain(0).find(LookAtDriver()) != std::string::npos);
  bench.ReadAfter(60, 1000);
  CHECK(bench.Breaks() == 1);
  bench.ReadAfter(1, 5000);
  CHECK(bench.Breaks() == 2 && bench.Ticks() == 1000);
  bench.ReadAfter(1, 5500);
  CHECK(bench.Breaks() == 2 && bench.Ticks() == 1500);
  // A hypervisor may let a package rest.
  Counter guest = PackageCounter();
  guest.may_rest = true;
  Bench idle(guest);
  for (const uint64_t ticks : {0, 10, 10, 10, 20}) idle.ReadAfter(5, ticks);
  CHECK(idle.Breaks() == 0 && idle.Ticks() == 20);
  // Cores may rest.
  Counter core = PackageCounter();
  core.domain = Domain::kCore;
  Bench resting(core);
  for (const uint64_t ticks : {0, 10, 10, 10, 20}) resting.ReadAfter(5, ticks);
  CHECK(resting.Breaks() == 0 && resting.Ticks() == 20);
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

}  // namespace
}  // namespace microjoule

int main() {
  using namespace microjoule;
  TestNoWrapIsLost();
  TestMoreThanOneWrap();
  TestEqualReadingsAreNoWrap();
  TestFailedReadKeepsTheCount();
  TestRestartIsKeptOverAFailure();
  TestLongRestOfWhatMayRest();
  TestResetIsNotAWrap();
  TestWrapAtOnce();
  TestLongGapIsFlagged();
  TestSleepIsFlagged();
  TestRestartIsFlagged();
  TestFreezeIsFlagged();
  TestFallAndReturn();
  TestSlowPassIsNoSleep();
  TestRestartIsRemembered();
  TestUnknownRange();
  TestForwardJump();
  TestBeyondItsRange();
}
