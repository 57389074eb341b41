// SPDX-License-Identifier: MIT
#include "meter.h"

#include "check.h"
#include "fake_source.h"

namespace microjoule {
namespace {

constexpr uint64_t kSecond = 1000000000u;

void TestKeepAlivePeriod() {
  // 65,536 J at 1000 W last 65.5 s.
  const uint64_t period_ns = KeepAlivePeriodNs({PackageCounter()});
  CHECK(period_ns > 20 * kSecond && period_ns < 32 * kSecond);
  CHECK(KeepAlivePeriodNs({GpuCounter()}) == 0);
  // With an unknown range the smallest is assumed.
  Counter unknown = PackageCounter();
  unknown.modulus_ticks = 0;
  CHECK(KeepAlivePeriodNs({unknown}) == period_ns);
  // A psys in small units is a workstation's.
  Counter platform = unknown;
  platform.domain = Domain::kPsys;
  CHECK(KeepAlivePeriodNs({platform}) > 10 * kSecond);
  Counter denied = PackageCounter();
  denied.outcome.status = Status::kNoPermission;
  CHECK(KeepAlivePeriodNs({denied}) == 0);
}

// Slow sources stand outside the two clock reads and bring their own time.
void TestBlockingSourcesComeLast() {
  FakeClock clock;
  std::vector<OpenedSource> sources(2);
  auto slow = std::make_unique<FakeSource>(std::vector<Counter>{GpuCounter()}, true);
  slow->raw[0] = {5, 4321, Status::kOk, false};
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
  TestKeepAlivePeriod();
  TestBlockingSourcesComeLast();
  TestKeepAliveThread();
}
