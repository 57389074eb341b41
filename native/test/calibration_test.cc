// SPDX-License-Identifier: MIT
#include "calibration.h"

#include <cmath>
#include <random>

#include "check.h"

using namespace microjoule;

namespace {

struct Sum {
  double mean = 0, deviation = 0;
};

// Over many counters: how well the period and the jitter are known, relative to the truth.
void Trial(double period_ns, double jitter_ns, double width_ns, int updates, Sum* period,
           Sum* jitter) {
  constexpr int kTrials = 300;
  double sums[4] = {};
  for (int trial = 0; trial < kTrials; ++trial) {
    std::mt19937_64 random(static_cast<uint64_t>(trial));
    std::normal_distribution<double> normal;
    std::uniform_real_distribution<double> uniform;
    UpdateHistory history;
    for (int i = 0; i < updates; ++i) {
      const double at = 1e12 + period_ns * (i + 0.3) + jitter_ns * normal(random);
      const double lower = at - width_ns * uniform(random);
      history.Add(static_cast<uint64_t>(lower), static_cast<uint64_t>(lower + width_ns),
                  37 * (1000 + static_cast<uint64_t>(trial * 7 + i * i) % 10));
    }
    const Calibration found = history.Evaluate();
    CHECK(found.updates == static_cast<uint32_t>(std::min(updates, 256)));
    CHECK(updates <= 8 || found.quantum_ticks == 37);
    const double p = found.period_ns / period_ns - 1, j = found.jitter_ns / jitter_ns - 1;
    sums[0] += p;
    sums[1] += p * p;
    sums[2] += j;
    sums[3] += j * j;
  }
  const auto finish = [](double sum, double squares) {
    const double mean = sum / kTrials;
    return Sum{mean, std::sqrt(squares / kTrials - mean * mean)};
  };
  *period = finish(sums[0], sums[1]);
  *jitter = finish(sums[2], sums[3]);
  std::fprintf(stderr,
               "T %g ms, jitter %g us, %d updates: T off by %.2g, +-%.2g; jitter by %.2g, +-%.2g\n",
               period_ns / 1e6, jitter_ns / 1e3, updates, period->mean, period->deviation,
               jitter->mean, jitter->deviation);
}

void TestAccuracy() {
  Sum period, jitter;
  // What a first calibration sees of a counter of a millisecond.
  for (const double jitter_ns : {5e3, 20e3, 100e3}) {
    Trial(0.976e6, jitter_ns, 1500, 200, &period, &jitter);
    CHECK(std::abs(period.mean) < 5e-4 && period.deviation < 2e-3);
    CHECK(std::abs(jitter.mean) < 0.03 && jitter.deviation < 0.09);
  }
  // Reads once a millisecond of one of 20 ms.
  Trial(20e6, 1e6, 1e6, 256, &period, &jitter);
  CHECK(std::abs(period.mean) < 1e-3 && period.deviation < 1e-3);
  CHECK(std::abs(jitter.mean) < 0.05 && jitter.deviation < 0.1);
  // Three updates tell the period well enough.
  Trial(100e6, 20e3, 1500, 3, &period, &jitter);
  CHECK(std::abs(period.mean) < 1e-3 && period.deviation < 1e-3);
}

void TestLittle() {
  UpdateHistory history;
  CHECK(history.Evaluate().period_ns == 0 && history.Evaluate().updates == 0);
  history.Add(1000, 1010, 5);
  CHECK(history.Evaluate().period_ns == 0);
  history.Add(2000, 2010, 5);
  CHECK(history.Evaluate().period_ns == 0 && history.Evaluate().bracket_ns == 10);
  history.Add(3000, 3010, 5);
  CHECK(history.Evaluate().period_ns == 1000 && history.Evaluate().jitter_ns == 0);
  CHECK(history.Evaluate().last_ns == 3005);
  CHECK(history.Evaluate().quantum_ticks == 0);
  history.Clear();
  CHECK(history.size() == 0 && history.Evaluate().period_ns == 0);
}

// Where every read sees another count, the time between is that of the reads.
void TestReadsTooRare() {
  UpdateHistory history;
  for (uint64_t i = 0; i < 100; ++i) history.Add(i * 1000, (i + 1) * 1000 + 1, 3 * i);
  CHECK(history.Evaluate().period_ns == 0);
  CHECK(history.Evaluate().quantum_ticks == 3);
  // However irregular the reads are.
  std::mt19937_64 random(1);
  std::exponential_distribution<double> late(1.0 / 30000);
  for (const double least_ns : {100e3, 20e3, 1e3}) {
    double at = 1e9;
    history.Clear();
    for (uint64_t i = 0; i < 256; ++i) {
      const double next = at + least_ns + late(random);
      history.Add(static_cast<uint64_t>(at), static_cast<uint64_t>(next + 500), i);
      at = next;
    }
    CHECK(history.Evaluate().period_ns == 0);
  }
}

// Updates that were not seen, came too often, or were seen late do not mislead.
void TestDisturbed() {
  UpdateHistory history;
  uint64_t at = 1000000;
  for (uint64_t i = 0; i < 200; ++i) {
    at += i % 10 == 7 ? 3000000 : 1000000;
    const uint64_t width = i % 20 == 3 ? 600000 : 1000;
    history.Add(at - width / 2, at + width / 2, 10);
    if (i == 100) {
      for (uint64_t storm = 1; storm < 20; ++storm)
        history.Add(at + storm * 9000, at + storm * 9000 + 1000, 10);
    }
  }
  const Calibration found = history.Evaluate();
  CHECK(std::abs(found.period_ns - 1e6) < 1e3);
  CHECK(found.jitter_ns < 1000);
  CHECK(std::abs(found.last_ns - static_cast<double>(at)) < 1e4);
}

void TestReadCosts() {
  ReadCosts costs;
  CHECK(costs.QuantileNs(0.5) == 0);
  costs.Add(7);
  CHECK(costs.QuantileNs(0.5) == 7 && costs.QuantileNs(0.99) == 7);
  for (uint64_t i = 0; i < 2000; ++i) costs.Add(i % 100 == 99 ? uint64_t{1} << 40 : 1000 + i % 3);
  CHECK(costs.QuantileNs(0.5) == 1001);
  CHECK(costs.QuantileNs(1) == UINT32_MAX);
}

}  // namespace

int main() {
  TestAccuracy();
  TestLittle();
  TestReadsTooRare();
  TestDisturbed();
  TestReadCosts();
}
