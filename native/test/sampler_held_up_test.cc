// SPDX-License-Identifier: MIT
//
// What the sampler tells where its thread is kept from reading, at random, for several updates at a
// time.
#include <algorithm>
#include <cmath>

#include "check.h"
#include "sampler_run.h"

using namespace microjoule;

namespace {

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

// What a calibration under load is to replace stays, unless it contradicts it.
void TestCalibratedWhileBusy() {
  Run run({Behaviour()}, 12, {});
  run.Until(3);
  const Calibration before = run.sampler->Describe()[0].calibration;
  CHECK(before.period_ns > 0 && before.held_up_ratio < 0.1);
  run.held_up_ratio = 1e-2;
  run.held_up_ns = 2e6;
  for (int i = 0; i < 10; ++i) {
    run.sampler->Calibrate();
    run.Until(3.5 + 0.5 * i);
    const Calibration after = run.sampler->Describe()[0].calibration;
    CHECK(std::abs(after.period_ns - 1e6) < 4 * after.period_uncertainty_ns + 100);
    CHECK(after.period_uncertainty_ns < 1e3);
  }
  CHECK(run.CheckSums(0).several > 100);
}

}  // namespace

int main() {
  TestHeldUp();
  TestCalibratedWhileBusy();
}
