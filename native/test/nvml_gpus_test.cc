// SPDX-License-Identifier: MIT
//
// A table of described GPUs: by which method each is read, why, and how near to the truth its
// energy is after 41 updates.
#include <cmath>
#include <cstdio>
#include <cstring>

#include "fake_nvml.h"

namespace microjoule {
namespace {

constexpr double kPeriodMs = 100;

struct Row {
  const char* script;
  Status status;
  const char* method;
  const char* detail;  // a part of it
  double tolerance;    // of the energy; 0: there is none
};

// Each is one GPU of one machine, in this order.
const Row kRows[] = {
    {"gpu Data centre\nsquare 400 90 0.7\n", Status::kOk, "total energy", "", 0.01},
    {"gpu Pascal\narch 4\nwindow 0.01\nanswers energy 3\nanswers average 3\npower 180\n",
     Status::kOk, "instant power, integrated", "answers 3 (Not Supported)", 0.01},
    {"gpu Laptop without a limit\nlimit 0\nanswers energy 3\npower 50 until 3 60\n", Status::kOk,
     "instant power, integrated", "so its power is integrated", 0.01},
    {"gpu Workstation, instant only\nanswers energy 3\nanswers average 3\nanswers usage 3\n"
     "window 0.1\nsquare 200 160 8\n",
     Status::kOk, "instant power, integrated", "", 0.01},
    {"gpu Average only\nanswers energy 3\nanswers instant 3\nanswers usage 3\npower 70\n",
     Status::kOk, "average power, integrated", "", 0.01},
    {"gpu Usage only, Ampere\narch 7\nanswers energy 3\nanswers instant 3\nanswers average 3\n"
     "power 70\n",
     Status::kOk, "average power, integrated", "", 0.01},
    {"gpu NVIDIA A100-SXM4\narch 7\nanswers energy 3\nanswers instant 3\nanswers average 3\n"
     "power 70\n",
     Status::kOk, "instant power, integrated", "", 0.01},
    {"gpu With instances\nmig 4\npower 300\n", Status::kOk, "total energy", "4 MIG instances",
     0.01},
    {"gpu Total stuck at 0\nstuck 0\npower 150\n", Status::kOk, "instant power, integrated",
     "total energy reads 0 J", 0.01},
    {"gpu Total absurd\nstuck 1e14\npower 150\n", Status::kOk, "instant power, integrated",
     "which no device can have used", 0.01},
    {"gpu Lies\nanswers energy 3\nlies 1500000\n", Status::kImplausible, "",
     "its power reads 1500000 W", 0},
    {"gpu Lies, but counts\nlies 1500000\npower 110\n", Status::kOk, "total energy", "", 0.01},
    {"gpu Stuck at 0 and no power\nstuck 0\nanswers instant 3\nanswers average 3\n"
     "answers usage 3\n",
     Status::kImplausible, "total energy", "reads 0 J", 0},
    {"gpu Nothing\nanswers energy 3\nanswers instant 3\nanswers average 3\nanswers usage 3\n",
     Status::kNotSupported, "", "keeps no energy count", 0},
    {"gpu Virtual\nvirtualization 2\nanswers energy 3\nanswers instant 3\nanswers average 3\n"
     "answers usage 3\n",
     Status::kVirtualised, "", "vGPU", 0},
    {"gpu Values as doubles\nvalue-type 0\nanswers energy 3\npower 33\n", Status::kOk,
     "instant power, integrated", "", 0.01},
};

void TestTable() {
  const TempTree tree;
  std::string script;
  for (const Row& row : kRows) {
    script += row.script + std::string("period ") + std::to_string(kPeriodMs / 1e3) + "\n";
    // Most sensors see a part of each period only.
    if (std::strstr(row.script, "window") == nullptr) script += "window 0.025\n";
  }
  WriteScript(tree, script);
  const auto source = MakeNvml();
  CHECK(source->Probe(FakeOptions(tree)).status == Status::kOk);
  const std::vector<Counter>& counters = source->counters();
  const size_t count = sizeof kRows / sizeof *kRows;
  CHECK(counters.size() == count);
  SleepMs(static_cast<int>(6 * kPeriodMs));
  const auto first = ReadAll(source.get());
  SleepMs(static_cast<int>(42 * kPeriodMs));
  const auto last = ReadAll(source.get());
  bool good = true;
  for (size_t i = 0; i < count; ++i) {
    const Row& row = kRows[i];
    const Counter& counter = counters[i];
    double error = 0;
    if (row.tolerance > 0) {
      const double joules = static_cast<double>(last[i].ticks - first[i].ticks) / 1e6;
      error = joules / TrueJoules(FakeNvml(), static_cast<unsigned>(i), first[i].time_ns,
                                  last[i].time_ns) -
              1;
    }
    const bool is_power = counter.method.find("power") != std::string::npos;
    const bool holds =
        last[i].status == row.status && counter.outcome.status == row.status &&
        counter.domain == Domain::kGpu && counter.method == row.method &&
        (row.status != Status::kOk || (counter.kind == CounterKind::kPower) == is_power) &&
        counter.outcome.detail.find(row.detail) != std::string::npos && !std::isnan(error) &&
        std::abs(error) <= row.tolerance;
    std::printf("%-32.*s %-26s %+.3f %%  %s\n",
                static_cast<int>(std::strcspn(row.script + 4, "\n")), row.script + 4,
                counter.method.c_str(), error * 100, holds ? "" : "DOES NOT HOLD");
    if (!holds) {
      std::printf("  %s: %s\n", StatusName(last[i].status), counter.outcome.detail.c_str());
    }
    good = good && holds;
  }
  CHECK(good);
  // The period is found where the total moves with each update.
  const CounterTiming timing = source->Timing(0);
  CHECK(std::abs(static_cast<double>(timing.update_period_ns) / 1e6 - kPeriodMs) < 10);
  CHECK(timing.lag_ns < 50000000);
  CHECK(source->Timing(4).lag_ns >= 500000000);  // of the second's average
}

// GPU, module and memory are counters of their own, and a total that may be the module's is not
// taken for the GPU's.
void TestScopes() {
  const TempTree tree;
  const std::string module = "answers module 0\nmodule-watts 200\n";
  WriteScript(tree, "gpu Module alone\nanswers instant 3\nanswers average 3\nanswers usage 3\n" +
                        module + "gpu Both\npower 100\n" + module +
                        "gpu With memory\npower 100\nanswers memory 0\nmemory-watts 30\n"
                        "gpu Ignores scopes\npower 100\nanswers module 0\n"
                        "gpu Memory of nothing\npower 100\nanswers memory 0\n");
  const auto source = MakeNvml();
  CHECK(source->Probe(FakeOptions(tree)).status == Status::kOk);
  std::string told;
  for (const Counter& counter : source->counters()) {
    told += counter.id + " " + DomainName(counter.domain) + " " +
            StatusName(counter.outcome.status) + " " + counter.method + "\n";
  }
  const std::string expected =
      "nvml:0 gpu not-supported \n"
      "nvml:0:module module ok total energy\n"
      "nvml:1 gpu ok instant power, integrated\n"
      "nvml:1:module module ok instant power, integrated\n"
      "nvml:2 gpu ok total energy\n"
      "nvml:2:memory gpu-memory ok instant power, integrated\n"
      "nvml:3 gpu ok total energy\n"
      "nvml:4 gpu ok total energy\n";
  if (told != expected) std::printf("%s", told.c_str());
  CHECK(told == expected);
  CHECK(source->Explain(0).find("nvml:0:module") != std::string::npos);
  // By name, the power of those that count.
  const auto check = MakeNvmlPower();
  CHECK(check->Probe(FakeOptions(tree)).status == Status::kOk);
  CHECK(check->counters().size() == 3 && check->counters()[0].id == "nvml-power:2");
  CHECK(ReadAll(check.get())[0].status == Status::kOk);
}

}  // namespace
}  // namespace microjoule

int main() {
  microjoule::TestTable();
  microjoule::TestScopes();
}
