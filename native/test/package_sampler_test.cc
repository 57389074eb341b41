// SPDX-License-Identifier: MIT
#include "package_sampler.h"

#include "check.h"
#include "sampler_run.h"

using namespace microjoule;

namespace {

bool Within(double value, double expected, double ratio) {
  if (std::abs(value - expected) <= std::abs(expected) * ratio) return true;
  std::fprintf(stderr, "%g is not within %g of %g\n", value, ratio, expected);
  return false;
}

// An update so late that the next was due may be taken for that.
bool IsHonest(const Run::Score& score) {
  const size_t most = 1 + score.updates / 2000;
  return score.missed <= score.unseen + most && score.unseen <= score.missed + most;
}

PackageSampler::Report After(Run* run, double seconds, size_t counter = 0) {
  run->Until(seconds);
  const PackageSampler::Report report = run->sampler->Describe()[counter];
  const Run::Score score = run->Check(counter, 1);
  std::fprintf(stderr,
               "%s: T %.6g ms, jitter %.4g us, quantum %llu, %u updates; after 1 s: %zu seen, %zu "
               "tight, %zu unseen, %zu said missed, %zu wrong; duty %.3f, sleeps %llu, locks lost "
               "%llu\n",
               ModeName(report.mode), report.calibration.period_ns / 1e6,
               report.calibration.jitter_ns / 1e3,
               static_cast<unsigned long long>(report.calibration.quantum_ticks),
               report.calibration.updates, score.updates, score.tight, score.unseen, score.missed,
               score.wrong, static_cast<double>(run->source->read_ns) / seconds / 1e9,
               static_cast<unsigned long long>(run->sampler->stats().sleeps.load()),
               static_cast<unsigned long long>(report.totals.lost_locks));
  return report;
}

// Millisecond counters are followed: nearly every update to a few microseconds, and none unsaid.
void TestTracking(double period_ns, double jitter_ns) {
  Behaviour one;
  one.period_ns = period_ns;
  one.jitter_ns = jitter_ns;
  one.quantum_ticks = 37;
  Run run({one}, 5, {});
  const PackageSampler::Report report = After(&run, 4);
  CHECK(report.mode == CounterWatch::Mode::kTracking);
  CHECK(Within(report.calibration.period_ns, period_ns, 0.001));
  CHECK(Within(report.calibration.jitter_ns, jitter_ns, 0.2));
  CHECK(report.calibration.quantum_ticks == 37);
  CHECK(report.read_cost_ns == 3000 && report.read_cost_p99_ns == 3000);
  const Run::Score score = run.Check(0, 1);
  CHECK(score.updates + score.unseen >= static_cast<size_t>(3e9 / period_ns) - 2);
  CHECK(static_cast<double>(score.tight) > 0.93 * static_cast<double>(score.updates));
  CHECK(IsHonest(score));
  CHECK(report.totals.lost_locks == 0);
  CHECK(run.sampler->horizon_ns() > kStartNs + 3990000000u);
  // Far from all the time.
  const double most = (6 * jitter_ns + 200e3) / period_ns;
  CHECK(static_cast<double>(run.source->read_ns) / 4e9 < most);
}

// Slow ones are read at the base rate, from which their period follows.
void TestSlow(double period_ns, double jitter_ns) {
  Behaviour one;
  one.period_ns = period_ns;
  one.jitter_ns = jitter_ns;
  one.quantum_ticks = 1000;
  const double seconds = period_ns * 400 / 1e9;
  Run run({one}, seconds + 1, {});
  const PackageSampler::Report report = After(&run, seconds);
  CHECK(report.mode == CounterWatch::Mode::kSparse);
  CHECK(Within(report.calibration.period_ns, period_ns, 0.01));
  CHECK(Within(report.calibration.jitter_ns, jitter_ns, 0.2));
  CHECK(report.calibration.quantum_ticks == 1000);
  const Run::Score score = run.Check(0, 1);
  CHECK(score.unseen == 0 && score.missed == 0);
  // A thousand reads a second.
  CHECK(Within(static_cast<double>(run.sampler->stats().sleeps), seconds * 1000, 0.05));
}

// Of a slow one the first calibration sees few updates; they tell the period all the same.
void TestFirstCalibration() {
  Behaviour slow;
  slow.period_ns = 100e6;
  Run run({slow}, 2, {});
  const PackageSampler::Report report = After(&run, 0.45);
  CHECK(report.mode == CounterWatch::Mode::kSparse);
  CHECK(report.calibration.updates == 3);
  CHECK(Within(report.calibration.period_ns, 100e6, 0.01));
}

// However lately it was published what it did before.
void TestTellsOfOrdersAtOnce() {
  Run run({Behaviour()}, 2, {});
  for (int i = 0; i < 3; ++i) {
    CHECK(After(&run, 1 + 0.24 * i).mode == CounterWatch::Mode::kTracking);
    run.sampler->Calibrate();
    run.sampler->Poll();
    CHECK(run.sampler->Describe()[0].mode == CounterWatch::Mode::kCalibrating);
  }
}

// What an earlier process remembered may be wrong.
void TestRemembered(double remembered_ns, double period_ns, CounterWatch::Mode mode) {
  Behaviour one;
  one.period_ns = period_ns;
  Run run({one}, 6, {1000000, false});
  Calibration known;
  known.updates = 200;
  known.period_ns = remembered_ns;
  known.period_uncertainty_ns = 10;
  run.sampler->Remember({{run.source->counters()[0].id, known}});
  run.sampler->SetDemand({});
  const PackageSampler::Report report = After(&run, 5);
  CHECK(report.mode == mode);
  CHECK(Within(report.calibration.period_ns, period_ns, 0.01));
}

// What was too slow to be followed is followed once it is fast enough.
void TestGetsFaster() {
  Behaviour one;
  one.period_ns = 10.3e6;
  one.drift_ratio = -0.02;
  Run run({one}, 6, {});
  CHECK(After(&run, 1).mode == CounterWatch::Mode::kSparse);
  CHECK(After(&run, 5).mode != CounterWatch::Mode::kSparse);
}

void TestNotTracking() {
  // A read a millisecond cannot tell the period of a millisecond, and does not say that it can.
  Run fast({Behaviour()}, 4, {1000000, false});
  PackageSampler::Report report = After(&fast, 3);
  CHECK(report.mode == CounterWatch::Mode::kSparse);
  CHECK(report.calibration.period_ns == 0);
  CHECK(Within(static_cast<double>(fast.sampler->stats().polls), 3000, 0.02));
  // Asked to calibrate, it reads all the time for a while.
  fast.sampler->Calibrate();
  report = After(&fast, 4);
  CHECK(report.mode == CounterWatch::Mode::kSparse);
  CHECK(Within(report.calibration.period_ns, 1e6, 0.001));
  CHECK(IsHonest(fast.Check(0, 3.3)));

  // Ten a millisecond tell all.
  Run often({Behaviour()}, 4, {100000, false});
  report = After(&often, 3);
  CHECK(Within(report.calibration.period_ns, 1e6, 0.01));
  CHECK(often.Check(0).unseen == 0);

  // One a second sees the sum.
  Run rarely({Behaviour()}, 20, {1000000000, false});
  After(&rarely, 20);
  CHECK(rarely.records.size() >= 18);
  CHECK(rarely.sampler->stats().polls < 25);
}

// Updates that do not come, or do not move the count.
void TestMissing() {
  Behaviour one;
  one.miss_ratio = 0.1;
  Run run({one}, 5, {});
  const PackageSampler::Report report = After(&run, 4);
  CHECK(report.mode == CounterWatch::Mode::kTracking);
  CHECK(Within(report.calibration.period_ns, 1e6, 0.001));
  CHECK(Within(report.calibration.jitter_ns, 20e3, 0.2));
  const Run::Score score = run.Check(0, 1);
  // What never was cannot be seen, and is told as missed.
  CHECK(score.unseen <= 2);
  CHECK(Within(static_cast<double>(score.updates + score.missed), 3000, 0.003));
  CHECK(static_cast<double>(score.tight) > 0.9 * static_cast<double>(score.updates));
}

void TestDrift() {
  Behaviour one;
  one.drift_ratio = 0.003;  // 1.5 % in five seconds
  Run run({one}, 6, {});
  const PackageSampler::Report report = After(&run, 5);
  CHECK(report.mode == CounterWatch::Mode::kTracking);
  CHECK(Within(report.calibration.period_ns, 1e6 * 1.0147, 0.002));
  const Run::Score score = run.Check(0, 1);
  CHECK(IsHonest(score));
  CHECK(static_cast<double>(score.tight) > 0.93 * static_cast<double>(score.updates));
}

// A storm of updates, and a silence; then all is as before.
void TestDisturbance() {
  for (const bool storm : {true, false}) {
    Behaviour one;
    (storm ? one.storm_at_ns : one.stop_at_ns) = 2e9;
    Run run({one}, 8, {});
    const PackageSampler::Report report = After(&run, 6);
    CHECK(report.mode == CounterWatch::Mode::kTracking);
    CHECK(Within(report.calibration.period_ns, 1e6, 0.002));
    const Run::Score score = run.Check(0, 3);
    CHECK(IsHonest(score));
    CHECK(static_cast<double>(score.tight) > 0.93 * static_cast<double>(score.updates));
  }
}

// A machine so busy that the thread loses most of a millisecond now and then.
void TestPreempted() {
  Run run({Behaviour()}, 5, {});
  run.preempted_ratio = 0.0005;
  After(&run, 4);
  const Run::Score score = run.Check(0, 1);
  CHECK(Within(static_cast<double>(score.missed), static_cast<double>(score.unseen), 0.1) ||
        score.unseen < 20);
  CHECK(score.updates + score.unseen >= 2997);
  CHECK(static_cast<double>(score.tight) > 0.8 * static_cast<double>(score.updates));
}

// Five counters of one package in one read, each with its own phase and period.
void TestMany() {
  std::vector<Behaviour> all(5);
  for (size_t i = 0; i < all.size(); ++i) {
    all[i].seed = static_cast<uint32_t>(i + 1);
    all[i].phase_ratio = 0.19 * static_cast<double>(i + 1);
    all[i].period_ns = i == 4 ? 20e6 : i == 3 ? 2e6 : 1e6 + 1000 * static_cast<double>(i);
    all[i].jitter_ns = 10e3;
  }
  Run run(all, 6, {});
  for (size_t i = 0; i < all.size(); ++i) {
    const PackageSampler::Report report = After(&run, 5, i);
    CHECK((report.mode == CounterWatch::Mode::kSparse) == (i == 4));
    CHECK(Within(report.calibration.period_ns, all[i].period_ns, i == 4 ? 0.01 : 0.001));
    const Run::Score score = run.Check(i, 1);
    CHECK(score.unseen == 0 && IsHonest(score));
    CHECK(i == 4 || score.tight > score.updates * 9 / 10);
  }
}

// One that stands still is looked for, but less and less often.
void TestStill() {
  Behaviour still;
  still.stop_at_ns = 0;
  still.period_ns = 40e6;
  Run run({still, Behaviour()}, 0.05, {});
  After(&run, 10, 0);
  CHECK(run.sampler->Describe()[1].mode == CounterWatch::Mode::kSearching);
  CHECK(static_cast<double>(run.source->read_ns) / 10e9 < 0.07);
}

void TestTroubles() {
  // Unreadable for a while: said with the next record, and lost is nothing.
  Run run({Behaviour()}, 6, {});
  run.source->fail_from_ns = kStartNs + 2000000000;
  run.source->fail_to_ns = kStartNs + 2100000000;
  run.Until(2.09);
  CHECK(run.sampler->Describe()[0].status == Status::kFailed);
  CHECK(run.sampler->Describe()[0].detail == "the test says so");
  PackageSampler::Report report = After(&run, 5);
  CHECK(report.status == Status::kOk && report.detail.empty());
  CHECK(report.mode == CounterWatch::Mode::kTracking);
  CHECK(report.totals.gaps == 1 && report.totals.breaks == 0);
  size_t gaps = 0;
  for (const Record& record : run.records) {
    if ((record.flags & SampleRecord::kGap) == 0) continue;
    ++gaps;
    CHECK(record.lower_ns < run.source->fail_from_ns && record.upper_ns > run.source->fail_to_ns);
    CHECK((record.flags & SampleRecord::kMissed) != 0 && record.missed >= 98);
  }
  CHECK(gaps == 1);

  // Stopped and started again.
  run.clock.now_ns += 100000000;
  run.sampler->Resume();
  report = After(&run, 5.6);
  CHECK(report.totals.gaps == 2 && report.mode == CounterWatch::Mode::kTracking);

  // The machine slept: a break.
  run.clock.slept_ns += 3000000000;
  run.Until(5.9);
  CHECK(run.sampler->Describe()[0].totals.breaks == 1);
  gaps = 0;
  for (const Record& record : run.records) gaps += (record.flags & SampleRecord::kBreak) != 0;
  CHECK(gaps == 1);

  // Less is wanted, then more again.
  run.sampler->SetDemand({10000000, false});
  run.Until(5.99);
  CHECK(run.sampler->Describe()[0].mode == CounterWatch::Mode::kSparse);
}

}  // namespace

int main() {
  for (const double period_ns : {0.976e6, 1e6}) {
    for (const double jitter_ns : {5e3, 20e3, 50e3}) TestTracking(period_ns, jitter_ns);
  }
  TestSlow(20e6, 1e6);
  TestSlow(100e6, 2e6);
  TestFirstCalibration();
  TestTellsOfOrdersAtOnce();
  TestRemembered(20e6, 1e6, CounterWatch::Mode::kTracking);
  TestRemembered(1e6, 20e6, CounterWatch::Mode::kSparse);
  TestRemembered(20e6, 20.1e6, CounterWatch::Mode::kSparse);
  TestGetsFaster();
  TestNotTracking();
  TestMissing();
  TestDrift();
  TestDisturbance();
  TestPreempted();
  TestMany();
  TestStill();
  TestTroubles();
}
