// SPDX-License-Identifier: MIT
//
// GPUs and drivers that fail, come back, sleep and are added.
#include "fake_nvml.h"
#include "meter.h"
#include "registry.h"

namespace microjoule {
namespace {

bool Says(const Source& source, size_t counter, const char* words) {
  return source.Explain(counter).find(words) != std::string::npos;
}

// One of eight is lost; what it counted stays, and the others go on.
void TestLost() {
  const TempTree tree;
  std::string script;
  for (int i = 0; i < 8; ++i) script += "gpu G\nperiod 0.02\n";
  script += "fault energy after 20 code 15\nfault handle after 1 code 15\n";
  WriteScript(tree, script);
  const auto source = MakeNvml();
  CHECK(source->Probe(FakeOptions(tree)).status == Status::kOk);
  CHECK(source->counters().size() == 8);
  CHECK(Eventually([&] { return ReadAll(source.get())[7].status == Status::kFailed; }));
  CHECK(Says(*source, 7, "restart"));
  const auto lost = ReadAll(source.get());
  // It may be lost before its count, which stood there, was seen to move.
  CHECK(lost[7].ticks >= 5000000000u);
  for (int i = 0; i < 7; ++i) {
    CHECK(Eventually([&] {
      const RawReading other = ReadAll(source.get())[i];
      return other.status == Status::kOk && other.ticks > lost[i].ticks;
    }));
  }
  const auto later = ReadAll(source.get());
  CHECK(later[7].ticks == lost[7].ticks && later[7].time_ns == lost[7].time_ns);
}

// Each way to fail for good has its advice, and hides no other GPU.
void TestCodes() {
  const TempTree tree;
  const struct {
    int code;
    Status status;
    const char* words;
  } cases[] = {{15, Status::kFailed, "fell off the bus"},
               {16, Status::kFailed, "reset it"},
               {28, Status::kNotFound, "is gone"},
               {999, Status::kFailed, "in a container"}};
  std::string script = "gpu Good\nperiod 0.02\n";
  for (const auto& row : cases) {
    const std::string code = std::to_string(row.code);
    script += "gpu Bad\nperiod 0.02\nfault energy after 20 code " + code +
              "\nfault handle after 1 code " + code + "\n";
  }
  WriteScript(tree, script);
  const auto source = MakeNvml();
  CHECK(source->Probe(FakeOptions(tree)).status == Status::kOk);
  const auto first = ReadAll(source.get());
  for (size_t i = 0; i < std::size(cases); ++i) {
    CHECK(Eventually([&] { return ReadAll(source.get())[i + 1].status == cases[i].status; }));
    CHECK(Says(*source, i + 1, cases[i].words));
  }
  CHECK(Eventually([&] {
    const RawReading good = ReadAll(source.get())[0];
    return good.status == Status::kOk && good.ticks > first[0].ticks;
  }));
}

// UNKNOWN passes: nothing is lost, as the total went on.
void TestRecovery() {
  const TempTree tree;
  WriteScript(tree, "gpu A\nperiod 0.02\nfault energy after 20 code 999 times 2\ngpu B\n");
  const auto source = MakeNvml();
  CHECK(source->Probe(FakeOptions(tree)).status == Status::kOk);
  const auto first = ReadAll(source.get());
  CHECK(Eventually([&] { return ReadAll(source.get())[0].status == Status::kFailed; }));
  CHECK(ReadAll(source.get())[1].status == Status::kOk);
  RawReading back;
  CHECK(Eventually([&] { return (back = ReadAll(source.get())[0]).status == Status::kOk; }));
  SleepMs(200);
  back = ReadAll(source.get())[0];
  CHECK(!back.restarted && !back.interrupted);
  const double error = static_cast<double>(back.ticks - first[0].ticks) / 1e6 /
                           TrueJoules(FakeNvml(), 0, first[0].time_ns, back.time_ns) -
                       1;
  CHECK(error > -0.1 && error < 0.1);
}

// A moment's failure is none; what an integral missed is not known.
void TestMoments() {
  const TempTree tree;
  WriteScript(tree,
              "gpu A\nperiod 0.02\nfault energy after 20 code 27 times 3\n"
              "gpu B\nperiod 0.02\nanswers energy 3\nfault instant after 20 code 999 times 3\n");
  const auto source = MakeNvml();
  CHECK(source->Probe(FakeOptions(tree)).status == Status::kOk);
  bool failed = false, interrupted = false, lost = false;
  for (int i = 0; i < 400 && !interrupted; ++i) {
    SleepMs(10);
    const auto now = ReadAll(source.get());
    failed = failed || now[0].status != Status::kOk;
    lost = lost || now[1].status == Status::kFailed;
    interrupted = now[1].interrupted;
  }
  CHECK(!failed && lost && interrupted);
}

void TestFalls() {
  const TempTree tree;
  WriteScript(tree,
              "gpu Falls\nperiod 0.02\nfalls 0.7 40\n"
              "gpu Driver loaded again\nperiod 0.02\nrestarts 0.7\n");
  const Options options = [&] {
    Options all = FakeOptions(tree);
    all.sources = {"nvml"};
    return all;
  }();
  Meter meter(OpenSources(options), SystemClock(), false);
  std::vector<uint64_t> words(meter.words());
  meter.Read(words.data());
  // Both are told though nobody looked in between.
  SleepMs(1200);
  meter.Read(words.data());
  for (size_t i = 0; i < 2; ++i) {
    const uint64_t state = words[kHeaderWords + kCounterWords * i + 2];
    CHECK(state >> 32 == 1 && static_cast<uint32_t>(state) == 0);
    CHECK(meter.Explain(i).find("began anew") != std::string::npos);
  }
}

// A total that stops while the GPU draws power is left for the power.
void TestStandsStill() {
  const TempTree tree;
  WriteScript(tree,
              "gpu A\nstuck 700\npower 90\n"
              "gpu B\nstuck 700\nanswers instant 3\nanswers average 3\nanswers usage 3\n");
  const auto source = MakeNvml();
  CHECK(source->Probe(FakeOptions(tree)).status == Status::kOk);
  CHECK(source->counters()[0].method == "total energy");
  CHECK(Eventually([&] { return source->Timing(0).method == "instant power, integrated"; }));
  CHECK(Says(*source, 0, "stands still at 700 J while it draws 90 W"));
  CHECK(Eventually([&] { return ReadAll(source.get())[1].status == Status::kStale; }));
  CHECK(Eventually([&] { return ReadAll(source.get())[0].ticks > 700100000; }));
}

// NVML cannot begin now and can later.
void TestLater() {
  const TempTree tree;
  WritePciGpu(tree, "0000:01:00.0", "active");
  WriteScript(tree, "init 9 times 2\ngpu A\nanswers energy 3\n");
  const auto source = MakeNvml();
  CHECK(source->Probe(FakeOptions(tree)).status == Status::kNotFound);
  CHECK(source->counters().size() == 1 && source->counters()[0].pci_address == "0000:01:00.0");
  CHECK(ReadAll(source.get())[0].status == Status::kNotFound);
  CHECK(Says(*source, 0, "load the driver"));
  CHECK(Eventually([&] { return ReadAll(source.get())[0].status == Status::kOk; }));
  CHECK(source->Timing(0).method == "instant power, integrated");
  CHECK(Eventually([&] { return ReadAll(source.get())[0].ticks > 0; }));
}

// What a GPU tells in its first moment is not held against it for good.
void TestFirstMoment() {
  const TempTree tree;
  // A driver that was just loaded counts from nothing; power that was at rest; a total that could
  // not be told yet; a right that is lacking, which keeps its advice.
  WriteScript(tree,
              "gpu A\nperiod 0.05\ncounted 0\n"
              "gpu B\nanswers energy 3\npower 0 until 0.5 100\n"
              "gpu C\nperiod 0.02\nfault energy after 0 code 27 times 2\n"
              "gpu D\nanswers energy 4\nanswers instant 4\nanswers average 4\nanswers usage 4\n");
  const auto source = MakeNvml();
  CHECK(source->Probe(FakeOptions(tree)).status == Status::kOk);
  CHECK(source->counters()[0].method == "total energy");
  CHECK(source->counters()[3].outcome.status == Status::kNoPermission);
  CHECK(Eventually([&] { return ReadAll(source.get())[1].status == Status::kOk; }));
  CHECK(Eventually([&] { return ReadAll(source.get())[2].status == Status::kOk; }));
  CHECK(source->Timing(2).method == "total energy");
  CHECK(ReadAll(source.get())[3].status == Status::kNoPermission);
}

// Power that falls to nothing is no energy of 0 J.
void TestPowerOfNothing() {
  const TempTree tree;
  WriteScript(tree, "gpu A\nperiod 0.05\nanswers energy 3\npower 150 until 0.7 0\n");
  const auto source = MakeNvml();
  CHECK(source->Probe(FakeOptions(tree)).status == Status::kOk);
  CHECK(Eventually([&] { return ReadAll(source.get())[0].status == Status::kImplausible; }));
  CHECK(Says(*source, 0, "reads 0 W"));
}

// The driver is loaded again under an open meter: NVML begins anew.
void TestReload() {
  const TempTree tree;
  WriteScript(tree, "gpu A\nperiod 0.02\nfault energy after 30 code 1 times 1\nrestarts 0.4\n");
  const auto source = MakeNvml();
  CHECK(source->Probe(FakeOptions(tree)).status == Status::kOk);
  bool restarted = false;
  CHECK(Eventually([&] {
    const RawReading now = ReadAll(source.get())[0];
    restarted = restarted || now.restarted;
    return restarted && now.status == Status::kOk;
  }));
  const std::string log = ReadLog(tree);
  CHECK(log.find("nvmlShutdown") != std::string::npos);
  CHECK(log.find("nvmlInit") != log.rfind("nvmlInit"));
}

void TestSleeping() {
  const TempTree tree;
  WritePciGpu(tree, "0000:01:00.0", "suspended");
  WriteScript(tree, "gpu Laptop\npower 15\n");
  {
    // The only one: NVML is not even begun.
    const auto source = MakeNvml();
    CHECK(source->Probe(FakeOptions(tree)).status == Status::kOk);
    SleepMs(300);
    CHECK(ReadAll(source.get())[0].status == Status::kStale);
    CHECK(Says(*source, 0, "not woken"));
    CHECK(ReadLog(tree).empty());
    // Something else wakes it.
    WritePciGpu(tree, "0000:01:00.0", "active");
    CHECK(Eventually([&] { return ReadAll(source.get())[0].status == Status::kOk; }));
  }
  WritePciGpu(tree, "0000:01:00.0", "suspended");
  WritePciGpu(tree, "0000:02:00.0", "active");
  WriteScript(tree, "gpu Laptop\ngpu Dock\n");
  {
    // Beside one that is awake it is left alone.
    const auto source = MakeNvml();
    CHECK(source->Probe(FakeOptions(tree)).status == Status::kOk);
    CHECK(ReadAll(source.get())[0].status == Status::kStale);
    CHECK(ReadAll(source.get())[1].status == Status::kOk);
    CHECK(ReadLog(tree).find("nvmlInitWithFlags no-attach") == 0);
    CHECK(ReadLog(tree).find("attach 0") == std::string::npos);
  }
  Options options = FakeOptions(tree);
  options.wake_gpus = true;
  const auto source = MakeNvml();
  CHECK(source->Probe(options).status == Status::kOk);
  CHECK(ReadAll(source.get())[0].status == Status::kOk);
}

// Readers and whoever closes are not held up by a call that hangs, and what it keeps from being
// read is not told as if it were.
void TestHang() {
  const TempTree tree;
  WriteScript(tree, "gpu A\nperiod 0.01\nhangs 60 30\ngpu B\nperiod 0.01\n");
  auto source = MakeNvml();
  CHECK(source->Probe(FakeOptions(tree)).status == Status::kOk);
  const auto first = ReadAll(source.get());
  CHECK(first[0].status == Status::kOk && first[1].status == Status::kOk);
  CHECK(Eventually([&] { return ReadAll(source.get())[1].status == Status::kFailed; }));
  const uint64_t start_ns = SystemClock().MonotonicNs();
  const auto now = ReadAll(source.get());
  CHECK(SystemClock().MonotonicNs() - start_ns < 1000000000);
  for (size_t i = 0; i < 2; ++i) {
    CHECK(now[i].status == Status::kFailed && now[i].was_good);
    CHECK(now[i].ticks >= first[i].ticks && now[i].time_ns + 1000000000 < start_ns);
    CHECK(Says(*source, i, "has not answered for"));
  }
  source.reset();
  CHECK(SystemClock().MonotonicNs() - start_ns < 4000000000);
}

// NVML that does not answer keeps nobody who opens a meter waiting for long, and is read once it
// does.
void TestHangAtOpen() {
  const TempTree tree;
  WritePciGpu(tree, "0000:01:00.0", "active");
  WritePciGpu(tree, "0000:02:00.0", "active");
  WriteScript(tree, "gpu A\nperiod 0.01\ngpu B\nperiod 0.01\nlatency 1\n");
  const uint64_t start_ns = SystemClock().MonotonicNs();
  auto source = MakeNvml();
  const Outcome outcome = source->Probe(FakeOptions(tree));
  CHECK(SystemClock().MonotonicNs() - start_ns < 3500000000);
  CHECK(outcome.status == Status::kFailed);
  CHECK(outcome.detail.find("has not answered") != std::string::npos);
  CHECK(source->counters().size() == 2 && !source->Outdated());
  CHECK(ReadAll(source.get())[1].status == Status::kFailed);
  CHECK(source->counters()[1].pci_address == "0000:02:00.0");
  bool read = false;
  for (int i = 0; i < 6 && !read; ++i) {
    read = Eventually([&] { return ReadAll(source.get())[1].status == Status::kOk; });
  }
  CHECK(read && source->Outdated());
}

// A meter that could not begin is not shared with those opened later.
void TestShared() {
  const TempTree tree;
  WriteScript(tree, "init 18 times 1\ngpu A\n");
  Options options = FakeOptions(tree);
  options.sources = {"nvml"};
  const auto first = AcquireMeter(options);
  CHECK(first->sources()[0].outcome.status == Status::kFailed);
  const auto second = AcquireMeter(options);
  CHECK(second != first && second->counter_count() == 1);
  CHECK(AcquireMeter(options) == second);
}

}  // namespace
}  // namespace microjoule

int main() {
  microjoule::TestLost();
  microjoule::TestCodes();
  microjoule::TestRecovery();
  microjoule::TestMoments();
  microjoule::TestFalls();
  microjoule::TestStandsStill();
  microjoule::TestLater();
  microjoule::TestFirstMoment();
  microjoule::TestPowerOfNothing();
  microjoule::TestReload();
  microjoule::TestSleeping();
  microjoule::TestShared();
  microjoule::TestHangAtOpen();
  microjoule::TestHang();  // last: its thread stays in the library
}
