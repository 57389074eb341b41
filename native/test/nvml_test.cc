// SPDX-License-Identifier: MIT
#include "fake_nvml.h"

namespace microjoule {
namespace {

void TestInitFailures() {
  const TempTree tree;
  const struct {
    int code;
    Status status;
  } cases[] = {{9, Status::kNotFound},
               {18, Status::kFailed},
               {4, Status::kNoPermission},
               {999, Status::kFailed}};
  for (const auto& [code, status] : cases) {
    WriteScript(tree, "init " + std::to_string(code) + "\n");
    const auto source = MakeNvml();
    const Outcome outcome = source->Probe(FakeOptions(tree));
    CHECK(outcome.status == status && !outcome.detail.empty());
    CHECK(source->counters().empty());
    // Whoever opens a meter now tries again.
    CHECK(source->Outdated());
  }
}

void TestNotNvml() {
  const TempTree tree;
  tree.Write("text.so", "this is no library");
  const auto probe = [&](const std::string& library) {
    const auto source = MakeNvml();
    const Outcome outcome = source->Probe(FakeOptions(tree, library));
    CHECK(source->counters().empty());
    // Whoever opens a meter later looks for GPUs again, but for no library.
    CHECK(source->Outdated() == (library == FakeNvml()));
    return outcome;
  };
  const Outcome text = probe(tree.Path("text.so"));
  CHECK(text.status == Status::kFailed);
  CHECK(text.detail.find("nvmlLibrary") != std::string::npos);
  CHECK(probe(tree.Path("absent.so")).status == Status::kNotFound);
  const Outcome other = probe("libm.so.6");
  CHECK(other.status == Status::kFailed);
  CHECK(other.detail.find("is not NVML") != std::string::npos);
  WriteScript(tree, "driver 550\n");
  CHECK(probe(FakeNvml()).status == Status::kNotFound);  // no GPU
}

// With half of its functions a library still gives what they tell.
void TestHalf() {
  const TempTree tree;
  {
    WriteScript(tree, "gpu A\npower 120\ngpu Old\nanswers energy 3\narch 5\npower 80\n");
    const auto source = MakeNvml();
    CHECK(source->Probe(FakeOptions(tree, FakeNvml("FAKE_NVML_HALF"))).status == Status::kOk);
    const std::vector<Counter>& counters = source->counters();
    CHECK(counters.size() == 2);
    CHECK(counters[0].id == "nvml:0" && counters[0].origin == "GPU at 0000:01:00.0");
    CHECK(counters[0].method == "total energy");
    CHECK(counters[1].method == "instant power, integrated");
    CHECK(counters[1].outcome.status == Status::kOk);
    const auto before = ReadAll(source.get());
    SleepMs(600);
    const auto after = ReadAll(source.get());
    for (size_t i = 0; i < 2; ++i) {
      const double watts = static_cast<double>(after[i].ticks - before[i].ticks) * 1e3 /
                           static_cast<double>(after[i].time_ns - before[i].time_ns);
      CHECK(watts > (i == 0 ? 115 : 75) && watts < (i == 0 ? 125 : 85));
    }
  }
  // A GPU that sleeps would be woken by what is there, so nothing is begun.
  WriteScript(tree, "gpu A\n");
  WritePciGpu(tree, "0000:01:00.0", "suspended");
  WritePciGpu(tree, "0000:02:00.0", "active");
  const auto careful = MakeNvml();
  const Outcome outcome = careful->Probe(FakeOptions(tree, FakeNvml("FAKE_NVML_HALF")));
  CHECK(outcome.status == Status::kNotSupported);
  CHECK(outcome.detail.find("wakeGpus") != std::string::npos);
  CHECK(ReadLog(tree).empty());
}

// Readers never wait for NVML, and several share one thread.
void TestReading() {
  const TempTree tree;
  WriteScript(tree, "latency 0.05\ngpu A\nperiod 0.01\n");
  const auto source = MakeNvml(), other = MakeNvml(), check = MakeNvmlPower();
  CHECK(source->Probe(FakeOptions(tree)).status == Status::kOk);
  CHECK(source->blocking());
  CHECK(other->Probe(FakeOptions(tree)).status == Status::kOk);
  CHECK(check->Probe(FakeOptions(tree)).status == Status::kOk);
  CHECK(check->counters().size() == 1 && check->counters()[0].id == "nvml-power:0");
  const std::string log = ReadLog(tree);
  CHECK(log.find("nvmlInit") == log.rfind("nvmlInit"));
  const uint64_t start_ns = SystemClock().MonotonicNs();
  for (int i = 0; i < 100; ++i) {
    ReadAll(source.get());
    ReadAll(other.get());
  }
  CHECK(SystemClock().MonotonicNs() - start_ns < 2000000000);
  CHECK(Eventually([&] { return ReadAll(check.get())[0].ticks > 0; }));
  CHECK(Eventually([&] { return source->Timing(0).read_cost_ns > 40000000; }));
}

void TestDevices() {
  const TempTree tree;
  WriteScript(tree,
              "driver 555.42\ngpu NVIDIA Fake\nbus 65\nlimit 250000\nbusy 50 10\n"
              "memory-bytes 1000000 250000\n");
  const auto source = MakeNvml();
  CHECK(source->Probe(FakeOptions(tree)).status == Status::kOk);
  CHECK(source->counters()[0].pci_address == "0000:41:00.0");
  CHECK(source->counters()[0].origin == "GPU-fake-0");
  CHECK(Eventually([&] { return source->Devices()[0].watched_seconds > 0.5; }));
  const DeviceState device = source->Devices()[0];
  CHECK(device.name == "NVIDIA Fake" && device.driver_version == "555.42");
  CHECK(device.power_limit_watts == 250);
  CHECK(device.memory_total_bytes == 1000000 && device.memory_used_bytes == 250000);
  CHECK(device.busy_seconds == device.watched_seconds / 2);
}

}  // namespace
}  // namespace microjoule

int main() {
  microjoule::TestInitFailures();
  microjoule::TestNotNvml();
  microjoule::TestHalf();
  microjoule::TestReading();
  microjoule::TestDevices();
}
