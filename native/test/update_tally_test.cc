// SPDX-License-Identifier: MIT
#include "update_tally.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "calibration.h"
#include "check.h"

using microjoule::Calibration;
using microjoule::UpdateTally;

namespace {

constexpr double kPeriodNs = 1e6;

Calibration Known(double period_ns = kPeriodNs, double jitter_ns = 20e3) {
  Calibration known;
  known.updates = 200;
  known.period_ns = period_ns;
  known.period_uncertainty_ns = period_ns * 2e-5;
  known.jitter_ns = jitter_ns;
  return known;
}

// A read that takes a microsecond, after one that saw the old count at `lower_ns`.
UpdateTally::Seen Add(UpdateTally* tally, double lower_ns, double upper_ns) {
  return tally->Add(static_cast<uint64_t>(lower_ns), static_cast<uint64_t>(upper_ns - 1000),
                    static_cast<uint64_t>(upper_ns));
}
UpdateTally::Seen Watch(UpdateTally* tally, double at_ns) {
  return Add(tally, at_ns - 1000, at_ns + 1000);
}
bool IsSure(const UpdateTally::Seen& seen, uint32_t missed) {
  return seen.sure && !seen.lost && seen.missed == missed;
}

UpdateTally Started() {
  UpdateTally tally;
  tally.Learn(Known());
  CHECK(tally.last_ns() == 0);
  CHECK(IsSure(Watch(&tally, 1e9), 0));
  CHECK(std::abs(tally.last_ns() - 1e9) < 2000);
  return tally;
}

void TestOne() {
  UpdateTally tally = Started();
  CHECK(IsSure(Watch(&tally, 1e9 + 1.02e6), 0));
  // Two that did not come.
  CHECK(IsSure(Watch(&tally, 1e9 + 3.99e6), 2));
  // Several in one bracket: as many as fit before its end.
  CHECK(IsSure(Add(&tally, 1e9 + 4.2e6, 1e9 + 7.5e6), 2));
  CHECK(std::abs(tally.last_ns() - (1e9 + 7e6)) < 30e3);
  CHECK(IsSure(Watch(&tally, 1e9 + 8e6), 0));
}

// So near to the next update that nobody knows whether it came: the next record makes up for it.
void TestUndecided() {
  for (const bool came : {true, false}) {
    UpdateTally tally = Started();
    const UpdateTally::Seen seen = Add(&tally, 1e9 + 0.2e6, 1e9 + 3.01e6);
    CHECK(!seen.sure && !seen.lost && seen.missed == 1);
    if (came) {
      // The third had come; the next one is the fourth.
      CHECK(IsSure(Watch(&tally, 1e9 + 4e6), 1));
    } else {
      CHECK(IsSure(Watch(&tally, 1e9 + 3.03e6), 0));
      CHECK(IsSure(Watch(&tally, 1e9 + 4e6), 0));
    }
  }
}

// What came before the period was known is told when it is.
void TestUnknown() {
  UpdateTally tally;
  CHECK(IsSure(Watch(&tally, 1e9), 0));
  CHECK(!Watch(&tally, 1e9 + 1e6).sure);
  CHECK(!Watch(&tally, 1e9 + 4e6).sure);
  tally.Learn(Calibration());
  CHECK(!Watch(&tally, 1e9 + 5e6).sure);
  tally.Learn(Known());
  CHECK(IsSure(Watch(&tally, 1e9 + 6e6), 2));
}

void TestLost() {
  // After an hour nobody knows.
  UpdateTally tally = Started();
  const UpdateTally::Seen seen = Watch(&tally, 1e9 + 3600e9);
  CHECK(!seen.sure && seen.lost);
  CHECK(seen.missed > 3.59e6 && seen.missed < 3.61e6);
  CHECK(IsSure(Watch(&tally, 1e9 + 3600e9 + 1e6), 0));
  // After a break nothing is told of it.
  tally.Restart();
  CHECK(IsSure(Watch(&tally, 1e9 + 3700e9), 0));
  CHECK(IsSure(Watch(&tally, 1e9 + 3700e9 + 3e6), 2));
  // Nor where the jitter is as long as the period.
  UpdateTally wild;
  wild.Learn(Known(kPeriodNs, 400e3));
  Watch(&wild, 1e9);
  CHECK(!Watch(&wild, 1e9 + 1.1e6).sure);
}

// Updates that come too often were seen, and others were not missed for it.
void TestStorm() {
  UpdateTally tally = Started();
  for (int i = 1; i < 100; ++i) {
    const UpdateTally::Seen seen = Watch(&tally, 1e9 + 50e3 * i);
    CHECK(!seen.sure && seen.missed == 0);
  }
  CHECK(Watch(&tally, 1e9 + 5.5e6).missed == 0);
  CHECK(IsSure(Watch(&tally, 1e9 + 6.5e6), 0));
}

// Reads at random, held up at random: all that is sure is right, and most is.
void TestProperty() {
  size_t records = 0, unsure = 0, lost = 0, held_up = 0;
  for (uint32_t seed = 0; seed < 60; ++seed) {
    std::mt19937_64 random(seed);
    std::normal_distribution<double> normal;
    std::uniform_real_distribution<double> uniform;
    const double period_ns = 1e6 * std::pow(20, uniform(random));
    const double jitter_ns = period_ns * 0.06 * uniform(random);
    // Wanders by half a thousandth in a second, as the loop has to follow.
    const double drift_ratio = 5e-4 * (uniform(random) - 0.5);
    std::vector<double> truth;
    double grid_ns = 1e9;
    for (int i = 0; i < 4000; ++i) {
      truth.push_back(grid_ns + jitter_ns * normal(random));
      grid_ns += period_ns * (1 + drift_ratio * (grid_ns - 1e9) / 1e9 * (1e6 / period_ns));
    }
    std::sort(truth.begin(), truth.end());
    UpdateTally tally;
    Calibration known =
        Known(period_ns * (1 + 2e-5 * normal(random)), jitter_ns * (0.85 + 0.3 * uniform(random)));
    tally.Learn(known);

    const double read_ns = 2000;
    const double held_up_ratio = 0.3 * uniform(random) * read_ns * 10 / period_ns;
    size_t at = 0, told = 0, true_count = 0;
    bool first = true;
    double lower_ns = 1e9;
    for (double now_ns = 1e9; at + 100 < truth.size();) {
      const double start_ns = now_ns;
      double inside_ns = read_ns * uniform(random);
      double after_ns = read_ns - inside_ns;
      // Held up before the read looks, after it, or between reads.
      double pause_ns = 0;
      if (uniform(random) < held_up_ratio) {
        const double length_ns = period_ns * -4 * std::log(uniform(random) + 1e-9);
        double* const where[] = {&inside_ns, &after_ns, &pause_ns, &pause_ns};
        *where[random() % 4] += length_ns;
      }
      const double look_ns = start_ns + inside_ns;
      size_t moved = 0;
      for (; at < truth.size() && truth[at] <= look_ns; ++at) ++moved;
      now_ns = look_ns + after_ns;
      if (moved > 0) {
        const auto lower = static_cast<uint64_t>(lower_ns);
        const auto seen = tally.Add(lower, static_cast<uint64_t>(start_ns),
                                    static_cast<uint64_t>(std::ceil(now_ns)));
        CHECK(tally.last_ns() >= lower_ns - 1 && tally.last_ns() <= now_ns + 1);
        ++records;
        if (moved > 1) ++held_up;
        told += 1 + seen.missed;
        true_count += moved;
        if (first || seen.lost) told = true_count;
        first = false;
        if (seen.lost) ++lost;
        if (seen.sure) {
          CHECK(told == true_count);
        } else {
          ++unsure;
          CHECK(seen.lost || told <= true_count);
        }
      }
      lower_ns = start_ns;
      now_ns += pause_ns;
      // To spare time, reads are rare where nothing is due.
      if (at < truth.size() && truth[at] - now_ns > 50 * read_ns) now_ns += 40 * read_ns;
    }
    CHECK(true_count > 3000);
  }
  std::fprintf(stderr, "%zu records, %zu of several updates; %zu unsure, %zu lost\n", records,
               held_up, unsure, lost);
  CHECK(held_up > records / 50);
  CHECK(unsure < held_up);
  CHECK(lost < records / 1000);
}

}  // namespace

int main() {
  TestOne();
  TestUndecided();
  TestUnknown();
  TestLost();
  TestStorm();
  TestProperty();
}
