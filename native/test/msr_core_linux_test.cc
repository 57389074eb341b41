// SPDX-License-Identifier: MIT
#include "fake_msr.h"
// The fake comes first: it answers in the place of system headers.
#include <random>

namespace microjoule {

std::unique_ptr<Source> MakeMsrCore();

namespace {

constexpr const char* kEpyc = "cpu:type:x86,ven0002fam0019mod0011:feature:,0000,007D";
constexpr uint32_t kUnit = 0xC0010299;
constexpr uint32_t kCore = 0xC001029A;

struct OpenedCores : Opened {
  explicit OpenedCores(const FakeMachine& machine) : Opened(MakeMsrCore(), machine) {}
};

// Two packages of four cores of two threads: the second threads are CPUs 8 to 15. Core ids have
// gaps and begin anew on each package.
struct Server {
  FakeMachine machine{kEpyc, "0-15"};
  std::vector<FakeNode*> cores;

  explicit Server(bool safe = false) {
    for (uint32_t cpu = 0; cpu < 16; ++cpu) {
      const uint32_t core = cpu % 8;
      machine.Cpu(cpu, static_cast<int>(core / 4), 0, static_cast<int>(core % 4 * 2));
      if (cpu >= 8) continue;
      const std::map<uint32_t, uint64_t> values = {{kUnit, 0xA1000}, {kCore, core + 1}};
      cores.push_back(safe ? &machine.SafeNode(cpu, values) : &machine.Node(cpu, values));
    }
  }
  void Move(size_t core, uint64_t ticks) const { cores[core]->values[kCore] += ticks; }
};

void TestSumsPhysicalCores() {
  Server server;
  OpenedCores opened(server.machine);
  CHECK(opened.outcome.status == Status::kOk && opened.source->counters().size() == 2);
  const Counter& counter = opened.source->counters()[1];
  CHECK(counter.id == "msr-core:core:1" && counter.device == 1 && counter.die == -1);
  CHECK(counter.domain == Domain::kCore && counter.scale.denominator == 65536);
  CHECK(counter.wraps && counter.modulus_ticks == 0 && counter.from_open);
  CHECK(counter.origin.find("cpu/4/msr:0xC001029A and of 3 more cores") != std::string::npos);
  CHECK(opened.source->blocking());
  CHECK(opened.raw[0].ticks == 0 && opened.raw[1].ticks == 0);
  for (size_t core = 0; core < 8; ++core) server.Move(core, uint64_t{1} << core);
  FakeMsr& fake = FakeMsr::The();
  fake.preads = fake.allocations = 0;
  opened.clock.step_ns = 100;
  opened.source->Read({opened.clock, opened.clock.now_ns}, opened.raw.data());
  CHECK(fake.preads == 8 && fake.allocations == 0);
  CHECK(opened.raw[0].ticks == 0x0F && opened.raw[1].ticks == 0xF0);
  // Each package has its own time, between the clock reads around it.
  CHECK(opened.raw[0].time_ns == 1150 && opened.raw[1].time_ns == 1350);
}

// Whatever the cores do at whatever times, wraps of each and bits above the 32 included, the sum is
// what they counted.
void TestSumsConserve() {
  for (const bool safe : {false, true}) {
    Server server(safe);
    std::mt19937_64 random(20261123);
    for (FakeNode* const node : server.cores) node->values[kCore] = random();
    OpenedCores opened(server.machine);
    uint64_t truth[2] = {0, 0};
    for (int step = 0; step < 20000; ++step) {
      for (size_t core = 0; core < 8; ++core) {
        const uint64_t ticks = random() % (uint64_t{1} << (random() % 33));
        truth[core / 4] += ticks;
        server.Move(core, ticks);
      }
      opened.Read();
      CHECK(opened.raw[0].ticks == truth[0] && opened.raw[1].ticks == truth[1]);
    }
    CHECK(truth[0] >> 32 > 1000);
    CHECK(safe == (FakeMsr::The().ioctls > 0));
  }
}

// A day of cores at up to 125 W each, through the meter, read at its own keep-alive: no break.
void TestADay() {
  Server server;
  Options options;
  options.sysfs = options.dev = server.machine.tree.root();
  auto source = MakeMsrCore();
  CHECK(source->Probe(options).status == Status::kOk);
  const uint64_t longest_ns = KeepAlivePeriodNs(source->counters());
  FakeClock clock;
  Meter meter(OneSource(std::move(source)), clock, false);
  std::vector<uint64_t> words(meter.words());
  meter.Read(words.data());
  std::mt19937_64 random(86400);
  uint64_t truth[2] = {0, 0};
  for (uint64_t elapsed_ns = 0; elapsed_ns < uint64_t{86400} * 1000000000u;) {
    const uint64_t step_ns = 1 + random() % longest_ns;
    for (size_t core = 0; core < 8; ++core) {
      const uint64_t ticks = step_ns / 1000 * (random() % 125) * 65536 / 1000000;
      truth[core / 4] += ticks;
      server.Move(core, ticks);
    }
    elapsed_ns += step_ns;
    clock.now_ns += step_ns;
    meter.Read(words.data());
    CHECK(words[kHeaderWords] == truth[0] && words[kHeaderWords + 3] == truth[1]);
  }
  CHECK(words[kHeaderWords + 2] == 0 && words[kHeaderWords + 5] == 0);
  CHECK(truth[0] >> 32 > 100);
}

// A core that fails takes its package's sum with it, not the other's, and loses nothing once back.
void TestOneCoreFails() {
  Server server;
  OpenedCores opened(server.machine);
  server.cores[6]->offline = ENXIO;
  for (size_t core = 0; core < 8; ++core) server.Move(core, 10);
  opened.Read();
  CHECK(opened.raw[0].status == Status::kOk && opened.raw[0].ticks == 40);
  CHECK(opened.raw[1].status == Status::kFailed);
  const std::string words = opened.source->Explain(1);
  CHECK(words.find("CPU 6") != std::string::npos && words.find("offline") != std::string::npos);
  CHECK(opened.source->Explain(0).empty());
  server.cores[6]->offline = 0;
  opened.Read();
  CHECK(opened.raw[1].status == Status::kOk && opened.raw[1].ticks == 40);
}

void TestBatch() {
  Server server(true);
  OpenedCores opened(server.machine);
  FakeMsr& fake = FakeMsr::The();
  for (size_t core = 0; core < 8; ++core) server.Move(core, 3);
  fake.preads = fake.ioctls = 0;
  opened.Read();
  CHECK(fake.preads == 0 && fake.ioctls == 2 && opened.raw[1].ticks == 12);
  server.cores[1]->offline = ENXIO;
  opened.Read();
  CHECK(opened.raw[0].status == Status::kFailed && opened.raw[1].ticks == 12);
  CHECK(opened.source->Explain(0).find("CPU 1") != std::string::npos);
  opened.source->Keep({false, true});
  fake.preads = fake.ioctls = 0;
  opened.Read();
  CHECK(fake.ioctls == 1 && fake.preads == 0 && opened.raw.size() == 1);
  CHECK(opened.source->counters()[0].device == 1 && opened.raw[0].ticks == 12);
}

void TestTroubles() {
  Server server;
  server.machine.tree.Remove("cpu/5");
  {
    OpenedCores opened(server.machine);
    CHECK(opened.outcome.status == Status::kOk && opened.raw[0].status == Status::kOk);
    CHECK(opened.raw[1].status == Status::kNotFound);
    CHECK(opened.source->Explain(1).find("cpu/5/msr") != std::string::npos);
  }
  server.cores[1]->errors[kCore] = EIO;
  CHECK(Has(OpenedCores(server.machine).outcome, Status::kNotSupported, "single cores"));
  server.cores[1]->errors.clear();
  for (FakeNode* const node : server.cores) node->values[kCore] = 0;
  CHECK(Has(OpenedCores(server.machine).outcome, Status::kVirtualised, "hypervisor"));
  server.cores[0]->values[kUnit] = 0;
  CHECK(Has(OpenedCores(server.machine).outcome, Status::kVirtualised, "unit register"));
  server.machine.tree.Remove("devices/system/cpu/cpu9/topology");
  CHECK(Has(OpenedCores(server.machine).outcome, Status::kNotSupported, "cpu9/topology/core_id"));
  server.machine.tree.Remove("devices/system/cpu/online");
  for (int cpu = 0; cpu < 16; ++cpu) {
    server.machine.tree.Remove("devices/system/cpu/cpu" + std::to_string(cpu));
  }
  CHECK(Has(OpenedCores(server.machine).outcome, Status::kNotFound, "online"));
  server.machine.tree.Write("devices/system/cpu/modalias", "cpu:type:x86,ven0000fam0006mod008F");
  CHECK(Has(OpenedCores(server.machine).outcome, Status::kNotSupported, "AMD"));
  CHECK(OpenedCores(server.machine).source->counters().empty());
}

}  // namespace
}  // namespace microjoule

int main() {
  using namespace microjoule;
  TestSumsPhysicalCores();
  TestSumsConserve();
  TestADay();
  TestOneCoreFails();
  TestBatch();
  TestTroubles();
}
