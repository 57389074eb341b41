// SPDX-License-Identifier: MIT
//
// A meter of one counter, and a clock that its test moves.
#pragma once

#include <memory>
#include <vector>

#include "check.h"
#include "fake_source.h"
#include "meter.h"

namespace microjoule {

inline constexpr uint64_t kSecond = 1000000000u;

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

}  // namespace microjoule
