// SPDX-License-Identifier: MIT
#include "check.h"
#include "fake_source.h"
#include "perf_tree.h"

namespace microjoule {

std::unique_ptr<Source> MakePerfCore();

namespace {

const RealCpus kCpus;

struct Opened {
  FakeClock clock;
  std::unique_ptr<Source> source = MakePerfCore();
  Outcome outcome;
  std::vector<RawReading> raw;

  explicit Opened(const TempTree& tree) {
    clock.step_ns = 100;
    Options options;
    options.sysfs = tree.root();
    outcome = source->Probe(options);
    raw.resize(source->counters().size());
    Read();
  }
  void Read() { source->Read({clock, clock.now_ns}, raw.data()); }
  const Counter& At(size_t i) const { return source->counters()[i]; }
};

// Two cores, in the packages that are given.
struct TwoCores : PerfTree {
  TwoCores(int first_package, int last_package)
      : PerfTree("power_core", std::to_string(kCpus.last) + "," + std::to_string(kCpus.first)) {
    Online(std::to_string(kCpus.first) + "," + std::to_string(kCpus.last) + "\n");
    Cpu(kCpus.first, first_package);
    Cpu(kCpus.last, last_package);
    Event("energy-core", kCpuClock);
  }
};

bool Contains(const std::string& text, const std::string& words) {
  return text.find(words) != std::string::npos;
}

// A file that answers once as an event does whose count is `ticks`.
void Answer(const PerfTree& tree, int fd, uint64_t ticks) {
  const uint64_t words[] = {1, ticks};
  const std::string name = "answer" + std::to_string(fd);
  tree.Write(name, std::string(reinterpret_cast<const char*>(words), sizeof words));
  Replace(fd, tree.Path(name));
}

void TestSum() {
  const TwoCores tree(4, 4);
  Opened opened(tree);
  CHECK(opened.outcome.status == Status::kOk && opened.source->blocking());
  CHECK(opened.raw.size() == 1 && opened.raw[0].status == Status::kOk);
  const Counter& counter = opened.At(0);
  CHECK(counter.id == "perf-core:energy-core:4" && counter.device == 4 && counter.die == -1);
  CHECK(counter.domain == Domain::kCore && counter.from_open && counter.wraps);
  CHECK(counter.scale.denominator == uint64_t{1} << 32);
  CHECK(counter.origin == "power_core/energy-core/ on the 2 cores of package 4");
  const std::vector<int> descriptors = PerfDescriptors();
  CHECK(descriptors.size() == 2);

  Answer(tree, descriptors[0], uint64_t{1} << 50);
  Answer(tree, descriptors[1], (uint64_t{1} << 50) + 42);
  const uint64_t before_ns = opened.clock.now_ns;
  opened.Read();
  CHECK(opened.raw[0].ticks == (uint64_t{1} << 51) + 42 && !opened.raw[0].restarted);
  CHECK(opened.raw[0].time_ns == before_ns + 150 && opened.clock.now_ns == before_ns + 200);

  // One core falls while the sum rises.
  Answer(tree, descriptors[0], uint64_t{1} << 55);
  Answer(tree, descriptors[1], 7);
  opened.Read();
  CHECK(opened.raw[0].status == Status::kOk && opened.raw[0].restarted);
  Answer(tree, descriptors[0], uint64_t{1} << 55);
  Answer(tree, descriptors[1], 7);
  opened.Read();
  CHECK(opened.raw[0].ticks == (uint64_t{1} << 55) + 7 && !opened.raw[0].restarted);

  // One fails: no sum. When it counts again, the sum goes on.
  Answer(tree, descriptors[0], uint64_t{1} << 55);
  Replace(descriptors[1], tree.root());
  opened.Read();
  CHECK(opened.raw[0].status == Status::kFailed);
  CHECK(Contains(opened.source->Explain(0), "on CPU " + std::to_string(kCpus.last)));
  Answer(tree, descriptors[0], uint64_t{1} << 55);
  Answer(tree, descriptors[1], 8);
  opened.Read();
  CHECK(opened.raw[0].ticks == (uint64_t{1} << 55) + 8 && !opened.raw[0].restarted);
  CHECK(opened.source->Explain(0).empty());

  // One is opened anew, so that the sum is not the one before.
  Replace(descriptors[0]);
  Answer(tree, descriptors[1], 9);
  opened.Read();
  CHECK(opened.raw[0].status == Status::kOk && opened.raw[0].restarted);

  // One is gone: what began anew is still said once it is back.
  tree.Write(tree.folder + "type", "4242\n");
  Replace(descriptors[1]);
  opened.Read();
  CHECK(opened.raw[0].status == Status::kNotFound);
  CHECK(Contains(opened.source->Explain(0), "vanished"));
  tree.Write(tree.folder + "type", "1\n");
  opened.clock.now_ns += 1000000000u;
  opened.Read();
  CHECK(opened.raw[0].status == Status::kOk && opened.raw[0].restarted);
}

void TestPackages() {
  const TwoCores tree(1, 0);
  Opened opened(tree);
  CHECK(opened.raw.size() == 2);
  CHECK(opened.At(0).id == "perf-core:energy-core:0" && opened.At(1).device == 1);
  const std::vector<int> descriptors = PerfDescriptors();
  Answer(tree, descriptors[0], 11);
  Answer(tree, descriptors[1], 12);
  opened.Read();
  CHECK(opened.raw[1].time_ns == opened.raw[0].time_ns + 100);
  // The core of package 0 is the last CPU.
  Replace(descriptors[0], tree.root());
  Answer(tree, descriptors[1], 12);
  opened.Read();
  CHECK(opened.raw[0].status == Status::kFailed && opened.raw[1].status == Status::kOk);
  CHECK(Contains(opened.source->Explain(0), "on CPU " + std::to_string(kCpus.last)));
  opened.source->Keep({false, true});
  Answer(tree, descriptors[1], 12);
  opened.Read();
  CHECK(opened.At(0).device == 1 && opened.raw[0].ticks == 12);
}

// A CPU that is offline to the kernel though the tree lists it: its package has no sum.
void TestCoreThatCannotBeOpened() {
  const TwoCores tree(0, 1);
  tree.Write(tree.folder + "cpumask",
             std::to_string(kCpus.first) + "-" + std::to_string(kCpus.last) + ",4000\n");
  tree.Online("0-4000\n");
  tree.Cpu(4000, 1);
  for (uint32_t cpu = kCpus.first; cpu < kCpus.last; ++cpu) tree.Cpu(cpu, 0);
  const Opened opened(tree);
  CHECK(opened.outcome.status == Status::kOk && opened.raw.size() == 2);
  CHECK(opened.raw[0].status == Status::kOk && opened.raw[1].status != Status::kOk);
  CHECK(Contains(opened.source->Explain(1), "on CPU 4000"));
  CHECK(opened.At(1).outcome.status == opened.raw[1].status);
}

void TestRefusals() {
  const TempTree nothing;
  CHECK(Opened(nothing).outcome.status == Status::kMasked);
  const TwoCores tree(0, 0);
  tree.Write(tree.folder + "events/energy-core.unit", "Watts\n");
  const Opened watts(tree);
  CHECK(watts.outcome.status == Status::kNotSupported && watts.raw.size() == 1);
  CHECK(watts.raw[0].status == Status::kNotSupported);
  CHECK(Contains(watts.source->Explain(0), "Watts"));
  // A core of no package would be missing from some sum.
  tree.Write(tree.folder + "cpumask", std::to_string(kCpus.first) + ",4000");
  const Opened placeless(tree);
  CHECK(placeless.outcome.status == Status::kNotFound && placeless.raw.empty());
  CHECK(Contains(placeless.outcome.detail, "CPU 4000"));
  tree.Remove(tree.folder + "events");
  tree.Event("energy-pkg", kCpuClock);
  CHECK(Opened(tree).outcome.status == Status::kNotSupported);
  tree.Remove(tree.folder);
  CHECK(Contains(Opened(tree).outcome.detail, "msr-core"));
}

bool MayCount() {
  const Opened opened(TwoCores(0, 0));
  return opened.outcome.status == Status::kOk;
}

}  // namespace
}  // namespace microjoule

int main() {
  using namespace microjoule;
  TestRefusals();
  if (!MayCount() || !kCpus.two()) return 0;
  TestSum();
  TestPackages();
  TestCoreThatCannotBeOpened();
  CHECK(PerfDescriptors().empty());
}
