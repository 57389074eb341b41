// SPDX-License-Identifier: MIT
#include "package_sampler.h"

#include "check.h"
#include "simulated_counter.h"

using namespace microjoule;

namespace {

constexpr uint64_t kStartNs = 5000000000;

struct Record {
  uint32_t counter, flags, missed;
  uint64_t lower_ns, upper_ns, ticks;
};

// A sampler of simulated counters, run as its thread would run it.
struct Run {
  Run(const std::vector<Behaviour>& behaviours, double seconds, PackageSampler::Demand demand) {
    clock.now_ns = kStartNs;
    std::vector<std::vector<Truth>> truths;
    for (const Behaviour& one : behaviours) truths.push_back(MakeTruth(one, seconds, kStartNs));
    auto owned = std::make_unique<SimulatedSource>(&clock, std::move(truths));
    source = owned.get();
    sampler =
        std::make_unique<PackageSampler>(OneSource(std::move(owned)), 7, clock, size_t{1} << 16);
    sampler->SetDemand(demand);
  }

  // A thread wakes up late, and now and then very late.
  void Until(double seconds) {
    const uint64_t end_ns = kStartNs + static_cast<uint64_t>(seconds * 1e9);
    std::exponential_distribution<double> late(1 / 20e3);
    std::bernoulli_distribution preempted(preempted_ratio);
    bool slept = false;
    while (clock.now_ns < end_ns) {
      HoldUp(slept);
      const uint64_t next_ns = sampler->Poll();
      slept = next_ns != 0;
      if (next_ns != 0) {
        CHECK(next_ns > clock.now_ns);
        clock.now_ns = next_ns + static_cast<uint64_t>(late(random));
      }
      if (preempted_ratio > 0 && preempted(random)) clock.now_ns += 700000;
      if (next_ns != 0) Take();
    }
    Take();
  }

  // Takes the thread's CPU away: before a read, or in the middle of it.
  void HoldUp(bool slept) {
    const double ratio = slept ? late_ratio : held_up_ratio;
    if (ratio <= 0 || !std::bernoulli_distribution(ratio)(random)) return;
    const auto length_ns =
        static_cast<uint64_t>(std::exponential_distribution<double>(1 / held_up_ns)(random));
    uint64_t* const where[] = {&source->before_ns, &source->after_ns, &clock.now_ns};
    *where[random() % 3] += length_ns;
  }

  void Take() {
    uint64_t words[64 * SampleRecord::kWords];
    for (;;) {
      const SampleRing::Taken taken = sampler->ring().Take(&cursor, words, 64);
      CHECK(taken.lost == 0);
      for (size_t i = 0; i < taken.records; ++i) {
        const uint64_t* const word = words + i * SampleRecord::kWords;
        records.push_back({static_cast<uint32_t>(word[0] & 0xffff),
                           static_cast<uint32_t>(word[0] >> 16 & 0xffff),
                           static_cast<uint32_t>(word[0] >> 32), word[1], word[2], word[3]});
      }
      if (taken.records < 64) return;
    }
  }

  struct Score {
    size_t updates = 0;
    size_t tight = 0;   // known to 20 us
    size_t unseen = 0;  // truly
    size_t missed = 0;  // as the records say
    size_t wrong = 0;   // records that say another number than it truly was
  };
  // Holds each record against the truth.
  Score Check(size_t counter, double from_seconds = 0) const {
    const std::vector<Truth>& truth = source->truths()[counter];
    const uint64_t from_ns = kStartNs + static_cast<uint64_t>(from_seconds * 1e9);
    Score score;
    size_t at = 0;
    bool first = true;
    for (const Record& record : records) {
      if (record.counter != counter + 7) continue;
      CHECK(record.lower_ns < record.upper_ns);
      size_t moved = 0;
      while (at < truth.size() && truth[at].ticks <= record.ticks) {
        ++at;
        ++moved;
      }
      CHECK(moved > 0);
      const Truth& seen = truth[at - 1];
      CHECK(seen.ticks == record.ticks);
      CHECK(record.lower_ns <= seen.time_ns && seen.time_ns <= record.upper_ns);
      if (!first && record.lower_ns >= from_ns) {
        ++score.updates;
        score.unseen += moved - 1;
        score.missed += record.missed;
        if (record.missed != moved - 1) ++score.wrong;
        if (record.upper_ns - record.lower_ns <= 20000) ++score.tight;
      }
      first = false;
    }
    return score;
  }

  struct Told {
    size_t records = 0;
    size_t several = 0;  // of more than one update
    size_t unsure = 0;
    size_t lost = 0;
  };
  // Holds the sum of what was seen and what was said to be missed against the number of updates
  // that there truly were: at every record that claims to know it.
  Told CheckSums(size_t counter) const {
    const std::vector<Truth>& truth = source->truths()[counter];
    Told out;
    size_t at = 0, told = 0, true_count = 0;
    for (const Record& record : records) {
      if (record.counter != counter + 7) continue;
      const size_t before = at;
      while (at < truth.size() && truth[at].ticks <= record.ticks) ++at;
      ++out.records;
      if (at - before > 1) ++out.several;
      told += 1 + record.missed;
      true_count += at - before;
      const bool lost = (record.flags & SampleRecord::kUncounted) != 0;
      if (out.records == 1 || lost) told = true_count;
      if (lost) ++out.lost;
      CHECK((record.flags & (SampleRecord::kGap | SampleRecord::kBreak)) == 0);
      if ((record.flags & SampleRecord::kUnsure) != 0) {
        ++out.unsure;
      } else {
        CHECK(told == true_count);
      }
    }
    return out;
  }

  FakeClock clock;
  SimulatedSource* source = nullptr;
  std::unique_ptr<PackageSampler> sampler;
  std::mt19937_64 random{42};
  double preempted_ratio = 0;
  double held_up_ratio = 0;  // of reads one after another
  double late_ratio = 0;     // of reads after a sleep
  double held_up_ns = 0;     // how long, on average
  uint64_t cursor = 0;
  std::vector<Record> records;
};

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

// A machine so busy that the thread is away for several updates at a time, from the start: nothing
// that is not flagged is false, not even what the calibration says.
void TestHeldUp() {
  const struct {
    double period_ns, jitter_ns, held_up_ns, held_up_ratio, late_ratio;
    bool track;
  } kCases[] = {
      // One other thread wants the CPU: 4 ms each, in turn, and now and then at a wake-up.
      {1e6, 20e3, 4e6, 3e-3 / 4, 0.02, true},
      {0.976e6, 50e3, 4e6, 3e-3 / 4, 0.02, true},
      {5e6, 100e3, 4e6, 3e-3 / 4, 0.02, true},
      {20e6, 1e6, 4e6, 3e-3 / 4, 0.02, true},
      // Five others.
      {1e6, 20e3, 15e6, 3e-3 / 3, 0.1, true},
      {1e6, 20e3, 15e6, 3e-3 / 3, 0.1, false},
      {20e6, 200e3, 15e6, 3e-3 / 3, 0.1, true},
      {100e6, 2e6, 100e6, 0, 0.1, false},
      // Slices shorter than a period, and long absences.
      {1e6, 20e3, 2e6, 1e-2, 0.1, true},
      {1e6, 5e3, 300e6, 1e-5, 1e-3, true},
  };
  size_t several = 0;
  for (const auto& one : kCases) {
    Run::Told all;
    double worst = 0;
    for (uint32_t seed = 1; seed <= 3; ++seed) {
      Behaviour behaviour;
      behaviour.period_ns = one.period_ns;
      behaviour.jitter_ns = one.jitter_ns;
      behaviour.seed = seed;
      const double seconds = std::max(5.0, one.period_ns * 600 / 1e9);
      Run run({behaviour}, seconds + 2, {1000000, one.track});
      run.random.seed(seed);
      run.held_up_ratio = one.held_up_ratio;
      run.late_ratio = one.late_ratio;
      run.held_up_ns = one.held_up_ns;
      run.Until(seconds);
      const Run::Told told = run.CheckSums(0);
      all.records += told.records;
      all.several += told.several;
      all.unsure += told.unsure;
      all.lost += told.lost;
      const PackageSampler::Report report = run.sampler->Describe()[0];
      CHECK(report.totals.unsure <= told.unsure);
      const Calibration& found = report.calibration;
      if (found.period_ns <= 0) continue;
      // What the truth itself was in this run is off by its own jitter.
      const double doubt_ns = found.period_uncertainty_ns + one.jitter_ns / 200;
      worst = std::max(worst, std::abs(found.period_ns - one.period_ns) / doubt_ns);
    }
    std::fprintf(stderr,
                 "T %g ms, held up for %g ms by %g and %g: %zu records, %zu of several, %zu "
                 "unsure, %zu of them for good; period off by %.2g of what it may\n",
                 one.period_ns / 1e6, one.held_up_ns / 1e6, one.held_up_ratio, one.late_ratio,
                 all.records, all.several, all.unsure, all.lost, worst);
    CHECK(worst < 4);
    // On all but the busiest, most is known: the rest is from before the period was.
    several += all.several;
    if (one.late_ratio < 0.1) CHECK(all.unsure < all.records / 3);
  }
  CHECK(several > 4000);
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
  TestNotTracking();
  TestMissing();
  TestDrift();
  TestDisturbance();
  TestPreempted();
  TestHeldUp();
  TestMany();
  TestStill();
  TestTroubles();
}
