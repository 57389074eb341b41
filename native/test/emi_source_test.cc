// SPDX-License-Identifier: MIT
#include "emi_source.h"

#include "check.h"
#include "fake_emi.h"
#include "fake_source.h"

namespace microjoule {
namespace {

struct Opened {
  std::map<std::string, FakeMeter> meters;
  std::unique_ptr<Source> source;
  Outcome outcome;

  explicit Opened(std::map<std::string, FakeMeter> given, EmiPart part = EmiPart::kMachine)
      : meters(std::move(given)) {
    source = MakeEmiSource(std::make_unique<FakeEmi>(&meters), part);
    outcome = source->Probe({});
  }
  std::vector<std::string> ids() const {
    std::vector<std::string> out;
    for (const Counter& counter : source->counters()) out.push_back(counter.id);
    return out;
  }
  std::vector<RawReading> Read() {
    FakeClock clock;
    std::vector<RawReading> raw(source->counters().size());
    source->Read({clock, clock.MonotonicNs()}, raw.data());
    return raw;
  }
};

using Ids = std::vector<std::string>;

void TestIntel() {
  Opened opened({{"a", MeterOf({{"RAPL_Package0_PKG"},
                                {"RAPL_Package0_PP0"},
                                {"RAPL_Package0_PP1"},
                                {"RAPL_Package0_DRAM"}})}});
  CHECK(opened.outcome.status == Status::kOk && opened.outcome.detail.empty());
  CHECK((opened.ids() == Ids{"emi:package:0", "emi:core:0", "emi:uncore:0", "emi:dram:0"}));
  const Counter& package = opened.source->counters()[0];
  CHECK(package.origin == "a, channel 0 RAPL_Package0_PKG");
  CHECK(package.device_name == "Microsoft PPM" && package.clock == CounterClock::kDevice);
  // 1 Wh is 3600 J.
  CHECK(package.scale.numerator * 1000000000000u / package.scale.denominator == 3600);
  CHECK(!package.wraps && !opened.source->blocking());
  const std::vector<RawReading> raw = opened.Read();
  for (size_t i = 0; i < 4; ++i)
    CHECK(raw[i].status == Status::kOk && raw[i].ticks == (i + 1) * 1000000);
  CHECK(opened.meters["a"].measured == 1);
}

// One device a core, the package on the first: that one alone is read for it.
void TestAmd() {
  std::map<std::string, FakeMeter> meters;
  meters["0"] = MeterOf({{"RAPL_Package0_PKG"}, {"RAPL_Package0_Core0_CORE"}});
  for (int i = 1; i < 8; ++i) {
    meters[std::to_string(i)] = MeterOf({{"RAPL_Package0_Core" + std::to_string(i) + "_CORE"}});
  }
  Opened opened(meters);
  CHECK(opened.ids() == Ids{"emi:package:0"});
  opened.Read();
  CHECK(opened.meters["0"].held == 1 && opened.meters["0"].measured == 1);
  CHECK(opened.meters["5"].held == 0 && opened.meters["5"].measured == 0);

  Opened cores(meters, EmiPart::kCores);
  CHECK(cores.source->counters().size() == 8 && cores.source->blocking());
  CHECK(cores.ids()[7] == "emi-core:core:0:7");
  for (const RawReading& raw : cores.Read()) CHECK(raw.status == Status::kOk);
}

// The same name twice is two counters, which their counts may show to be one.
void TestRepeated() {
  Opened opened({{"a", MeterOf({{"RAPL_Package0_PKG"}})},
                 {"b", MeterOf({{"RAPL_Package0_PKG"}})},
                 {"c", MeterOf({{"RAPL_Package1_PKG"}})}});
  CHECK((opened.ids() == Ids{"emi:package:0", "emi:package:0:1", "emi:package:1"}));
  CHECK(opened.source->counters()[1].device == 0 && opened.source->counters()[2].device == 1);
}

void TestUnknownNames() {
  Opened opened({{"a", MeterOf({{"Battery_Rail_0"}, {"Display_Rail"}, {""}})}});
  CHECK((opened.ids() == Ids{"emi:other:0:0", "emi:other:0:1", "emi:other:0:2"}));
  CHECK(opened.source->counters()[0].outcome.detail.find("Battery_Rail_0, ") == 0);
  CHECK(opened.outcome.status == Status::kOk);
  CHECK(opened.Read()[1].status == Status::kOk);
}

// It neither is read nor takes a package away from a channel that can be.
void TestUnknownUnit() {
  Opened opened({{"a", MeterOf({{"RAPL_Package0_PKG", 99}, {"Socket Power"}, {"SYS", 1}})}});
  CHECK((opened.ids() == Ids{"emi:other:0:0", "emi:package:0", "emi:psys:0"}));
  const std::vector<Counter>& counters = opened.source->counters();
  CHECK(counters[0].outcome.status == Status::kNotSupported);
  CHECK(counters[0].outcome.detail.find("unit 99") != std::string::npos);
  CHECK(!counters[0].unknown_content);  // its name is known
  const std::vector<RawReading> raw = opened.Read();
  CHECK(raw[0].status == Status::kNotSupported && raw[1].status == Status::kOk);
  CHECK(opened.source->Explain(2).find("unit 1") != std::string::npos);
}

void TestRefused() {
  std::map<std::string, FakeMeter> meters{{"a", MeterOf({{"RAPL_Package0_PKG"}})},
                                          {"b", MeterOf({{"RAPL_Package1_PKG"}})}};
  meters["b"].open_error = kEmiAccessDenied;
  Opened one(meters);
  CHECK(one.outcome.status == Status::kOk);
  CHECK(one.outcome.detail.find("1 of 2") != std::string::npos);
  CHECK((one.ids() == Ids{"emi:package:0", "emi:other:1"}));
  CHECK(one.source->counters()[1].outcome.status == Status::kNoPermission);
  CHECK(one.source->counters()[1].unknown_content && !one.source->counters()[0].unknown_content);
  const std::vector<RawReading> raw = one.Read();
  CHECK(raw[0].status == Status::kOk && raw[1].status == Status::kNoPermission);
  meters["a"].open_error = kEmiAccessDenied;
  Opened both(meters);
  CHECK(both.outcome.status == Status::kNoPermission);
}

void TestNone() {
  Opened none({});
  CHECK(none.outcome.status == Status::kNotFound && none.source->counters().empty());
  CHECK(none.outcome.detail.find("Windows 11") != std::string::npos);
  Opened cores({{"a", MeterOf({{"RAPL_Package0_PKG"}})}}, EmiPart::kCores);
  CHECK(cores.outcome.status == Status::kNotFound && cores.meters["a"].held == 0);
  Opened machine({{"a", MeterOf({{"RAPL_Package0_Core0_CORE"}})}});
  CHECK(machine.outcome.status == Status::kNotFound);
  CHECK(machine.outcome.detail.find("emi-core") != std::string::npos);
  Opened silent({{"a", MeterOf({})}});
  CHECK(silent.outcome.status == Status::kNotFound);
  CHECK(silent.outcome.detail.find("announces a channel") != std::string::npos);

  std::map<std::string, FakeMeter> meters;
  auto system = std::make_unique<FakeEmi>(&meters);
  system->error = 13;
  const std::unique_ptr<Source> source = MakeEmiSource(std::move(system), EmiPart::kMachine);
  const Outcome outcome = source->Probe({});
  CHECK(outcome.status == Status::kFailed && outcome.detail.find("13") != std::string::npos);
}

// What is not wanted is closed with its device, and the rest keeps its order.
void TestKeep() {
  Opened opened({{"a", MeterOf({{"RAPL_Package0_PKG"}, {"RAPL_Package0_DRAM"}})},
                 {"b", MeterOf({{"RAPL_Package1_PKG"}})}});
  opened.meters["a"].samples[1].picowatt_hours = 42;
  opened.source->Keep({false, true, false});
  CHECK(opened.ids() == Ids{"emi:dram:0"});
  CHECK(opened.meters["a"].held == 1 && opened.meters["b"].held == 0);
  CHECK(opened.Read()[0].ticks == 42);
}

// Seen by a meter: a device that comes back is one break and no energy, and a fall likewise.
void TestInAMeter() {
  std::map<std::string, FakeMeter> meters{{"a", MeterOf({{"RAPL_Package0_PKG"}})}};
  auto source = MakeEmiSource(std::make_unique<FakeEmi>(&meters), EmiPart::kMachine);
  CHECK(source->Probe({}).status == Status::kOk);
  FakeClock clock;
  Meter meter(OneSource(std::move(source)), clock, true);
  std::vector<uint64_t> words(meter.words());
  EmiSample& sample = meters["a"].samples[0];
  const auto read_after = [&](uint64_t seconds) {
    clock.now_ns += seconds * 1000000000u;
    meter.Read(words.data());
    return words[kHeaderWords];
  };
  const uint64_t first = read_after(0);
  sample.picowatt_hours += 1000;
  sample.time_100ns += 10000000;
  CHECK(read_after(1) == first + 1000 && words[kHeaderWords + 2] == 0);
  sample = {3, 1};
  CHECK(read_after(1) == first + 1000 && words[kHeaderWords + 2] >> 32 == 1);
  CHECK(meter.Explain(0).find("began anew") != std::string::npos);
  sample = {103, 10000001};
  CHECK(read_after(1) == first + 1100 && words[kHeaderWords + 2] >> 32 == 1);
}

}  // namespace
}  // namespace microjoule

int main() {
  using namespace microjoule;
  TestIntel();
  TestAmd();
  TestRepeated();
  TestUnknownNames();
  TestUnknownUnit();
  TestRefused();
  TestNone();
  TestKeep();
  TestInAMeter();
}
