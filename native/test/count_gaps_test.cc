// SPDX-License-Identifier: MIT
//
// Counts of which a part is missing, and what is known of the rest.
#include "count_bench.h"

namespace microjoule {
namespace {

Counter GpuCounter() {
  Counter counter = PackageCounter();
  counter.domain = Domain::kGpu;
  counter.scale = {1, 1000000};
  counter.wraps = false;
  counter.modulus_ticks = 0;
  return counter;
}

// A total of 2.5 kW that nobody can read for eight seconds, though it is looked at: the time counts
// in which it cannot be read.
void TestLookedAtWhileLost() {
  Bench bench(GpuCounter());
  uint64_t joules = 5000;
  bench.ReadAfter(0, joules * 1000000);
  RawReading& raw = bench.source->raw[0];
  raw.status = Status::kFailed;
  raw.was_good = true;
  for (int i = 0; i < 8; ++i) bench.ReadAfter(1, joules * 1000000);
  CHECK(bench.Ticks() == joules * 1000000);
  raw.status = Status::kOk;
  raw.was_good = false;
  joules += 20000;
  bench.ReadAfter(0, joules * 1000000);
  CHECK(bench.Breaks() == 0 && bench.Ticks() == joules * 1000000);
}

// What is known on both sides of a gap is counted, and no more; a jump is more than a gap.
void TestGapAndJump() {
  Bench bench(GpuCounter());
  bench.ReadAfter(0, 7000000);
  RawReading& raw = bench.source->raw[0];
  raw.restarted = true;
  raw.since_ns = 500;
  raw.since_ticks = 1000000;
  bench.ReadAfter(2, 31000000);
  CHECK(bench.Breaks() == 1 && bench.Ticks() == 37000000);
  CHECK(bench.meter->Timing(0).resumed_ticks == 7000000);
  CHECK(bench.meter->Timing(0).resumed_ns == 500 && bench.meter->Timing(0).jump_breaks == 0);
  // Nothing draws that much: whatever the source says, it is no gap alone.
  raw.since_ticks = 40000000;
  bench.ReadAfter(1, uint64_t{90000} * 1000000);
  CHECK(bench.Breaks() == 2 && bench.Ticks() == 37000000);
  CHECK(bench.meter->Timing(0).jump_breaks == 2);
}

// One that cannot be read at first counts from when it could.
void TestReadableLater() {
  Bench bench(GpuCounter());
  RawReading& raw = bench.source->raw[0];
  raw.status = Status::kStale;
  bench.ReadAfter(0, 0);
  raw.status = Status::kOk;
  raw.since_ns = 700;
  raw.since_ticks = 50000000;
  bench.ReadAfter(3, 90000000);
  CHECK(bench.Ticks() == 90000000 && bench.Breaks() == 0);
  CHECK(bench.meter->Timing(0).resumed_ticks == 50000000);
  CHECK(bench.meter->Timing(0).resumed_ns == 700);
}

}  // namespace
}  // namespace microjoule

int main() {
  using namespace microjoule;
  TestLookedAtWhileLost();
  TestGapAndJump();
  TestReadableLater();
}
