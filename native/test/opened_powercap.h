// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "check.h"
#include "fake_source.h"
#include "temp_tree.h"

namespace microjoule {

std::unique_ptr<Source> MakePowercap();

// The powercap source, open on a tree, with its last readings.
struct OpenedPowercap {
  FakeClock clock;
  std::unique_ptr<Source> source = MakePowercap();
  Outcome outcome;
  std::vector<RawReading> raw;

  explicit OpenedPowercap(const TempTree& tree) {
    Options options;
    options.sysfs = tree.root();
    outcome = source->Probe(options);
    raw.resize(source->counters().size());
    Read();
  }
  void Read() {
    clock.now_ns += 1000000000u;
    source->Read({clock, clock.now_ns}, raw.data());
  }
  size_t Find(const std::string& zone) const {
    for (size_t i = 0; i < source->counters().size(); ++i) {
      if (source->counters()[i].id == "powercap:" + zone) return i;
    }
    CHECK(!"such a zone");
    return 0;
  }
  const Counter& At(const std::string& zone) const { return source->counters()[Find(zone)]; }
  const RawReading& Raw(const std::string& zone) const { return raw[Find(zone)]; }
};

}  // namespace microjoule
