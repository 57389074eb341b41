// SPDX-License-Identifier: MIT
//
// A sampler of simulated counters, run as its thread would run it, and what it recorded against the
// truth.
#pragma once

#include <memory>
#include <random>
#include <vector>

#include "check.h"
#include "package_sampler.h"
#include "simulated_counter.h"

namespace microjoule {

inline constexpr uint64_t kStartNs = 5000000000;

struct Record {
  uint32_t counter, flags, missed;
  uint64_t lower_ns, upper_ns, ticks;
};

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

}  // namespace microjoule
