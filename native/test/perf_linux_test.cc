// SPDX-License-Identifier: MIT
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "check.h"
#include "fake_source.h"
#include "perf_tree.h"

static std::atomic<size_t> allocations{0};

void* operator new(size_t size) {
  ++allocations;
  if (void* const memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }

namespace microjoule {

std::unique_ptr<Source> MakePerf();

namespace {

constexpr uint64_t kSecondNs = 1000000000u;
const RealCpus kCpus;

struct Opened {
  FakeClock clock;
  std::unique_ptr<Source> source = MakePerf();
  Outcome outcome;
  std::vector<RawReading> raw;

  explicit Opened(const TempTree& tree) {
    Options options;
    options.sysfs = tree.root();
    outcome = source->Probe(options);
    Read();
  }
  void Read() {
    raw.resize(source->counters().size());
    source->Read({clock, clock.now_ns}, raw.data());
  }
  size_t size() const { return source->counters().size(); }
  size_t Find(const std::string& id) const {
    for (size_t i = 0; i < size(); ++i) {
      if (source->counters()[i].id == "perf:" + id) return i;
    }
    CHECK(!"such a counter");
    return 0;
  }
  const Counter& At(const std::string& id) const { return source->counters()[Find(id)]; }
  const RawReading& Raw(const std::string& id) const { return raw[Find(id)]; }
  bool IsOk(const std::string& id) const {
    return At(id).outcome.status == Status::kOk && Raw(id).status == Status::kOk &&
           source->Explain(Find(id)).empty();
  }
  bool Says(const std::string& id, Status status, const std::string& words) const {
    return Raw(id).status == status && source->Explain(Find(id)).find(words) != std::string::npos;
  }
};

bool Contains(const Outcome& outcome, Status status, const std::string& words) {
  return outcome.status == status && outcome.detail.find(words) != std::string::npos;
}

struct OnePackage : PerfTree {
  OnePackage() : PerfTree("power", std::to_string(kCpus.first)) {
    Online(std::to_string(kCpus.first));
    Cpu(kCpus.first, 0);
  }
};

// Whether this machine lets us count at all. Where not, the words must say why.
bool MayCount() {
  const OnePackage tree;
  tree.Event("energy-pkg", kCpuClock);
  const Opened opened(tree);
  if (opened.outcome.status == Status::kOk) return true;
  CHECK(opened.outcome.status == Status::kNoPermission);
  CHECK(opened.At("energy-pkg:0").outcome.status == opened.outcome.status);
  CHECK(opened.outcome.detail.find("seccomp") != std::string::npos ||
        opened.outcome.detail.find("perf_event_paranoid") != std::string::npos);
  std::printf("perf_event_open is not allowed here: %s\n", opened.outcome.detail.c_str());
  return false;
}

void Spin() {
  for (volatile int i = 0; i < 100000; i = i + 1) {
  }
}

// Position in the cpumask is not a package, ids have gaps, and the platform is one.
void TestTwoPackages() {
  PerfTree tree("power", std::to_string(kCpus.last) + "," + std::to_string(kCpus.first));
  tree.Online(std::to_string(kCpus.first) + "-" + std::to_string(kCpus.last) + "\n");
  tree.Cpu(kCpus.first, 5);
  tree.Cpu(kCpus.last, 1);
  tree.Event("energy-psys", kDummy);
  tree.Event("energy-ram", kTaskClock);
  tree.Event("energy-pkg", std::string("event=0x00\n\0\0\0", 14));
  tree.Event("energy-cores", kCpuClock);
  tree.Event("energy-gpu", kPageFaults);
  tree.Event("energy-lamp", kPageFaults);
  Opened opened(tree);
  CHECK(opened.outcome.status == Status::kOk && opened.size() == 11);
  const std::vector<int> descriptors = PerfDescriptors();
  CHECK(descriptors.size() == 11);
  for (size_t i = 0; i < opened.size(); ++i) {
    const Counter& counter = opened.source->counters()[i];
    CHECK(counter.outcome.status == Status::kOk && opened.raw[i].status == Status::kOk);
    CHECK(counter.from_open && counter.wraps && counter.modulus_ticks == 0 && counter.die == -1);
    CHECK(counter.scale.numerator == 1 && counter.scale.denominator == uint64_t{1} << 32);
    CHECK(!opened.raw[i].restarted && opened.raw[i].time_ns == 0);
  }
  CHECK(opened.source->counters()[0].id == "perf:energy-pkg:1");
  CHECK(opened.At("energy-pkg:1").origin ==
        "power/energy-pkg/ on CPU " + std::to_string(kCpus.last));
  CHECK(opened.At("energy-pkg:5").origin ==
        "power/energy-pkg/ on CPU " + std::to_string(kCpus.first));
  CHECK(opened.At("energy-pkg:1").device == 1 && opened.At("energy-ram:5").device == 5);
  CHECK(opened.At("energy-ram:5").domain == Domain::kDram);
  CHECK(opened.At("energy-gpu:1").domain == Domain::kUncore);
  CHECK(opened.At("energy-cores:1").domain == Domain::kCore);
  CHECK(opened.At("energy-psys:1").domain == Domain::kPsys);
  CHECK(opened.At("energy-lamp:5").domain == Domain::kOther);

  // One system call serves a group: only the leaders' descriptors matter. The others' events live
  // on by a second descriptor.
  std::vector<int> kept;
  for (size_t i = 0; i < descriptors.size(); ++i) {
    if (i == 0 || i == 6) continue;
    kept.push_back(dup(descriptors[i]));
    Replace(descriptors[i]);
  }
  for (int round = 0; round < 20; ++round) {
    const std::vector<RawReading> before = opened.raw;
    Spin();
    const size_t allocated = allocations;
    opened.Read();
    CHECK(allocations == allocated);
    for (const char* id : {"energy-pkg:1", "energy-pkg:5", "energy-cores:1", "energy-cores:5"}) {
      CHECK(opened.IsOk(id) && opened.Raw(id).ticks > before[opened.Find(id)].ticks);
    }
    CHECK(opened.Raw("energy-psys:1").ticks == 0);
  }
  for (const int fd : kept) close(fd);
}

// One bad event hides no other, and each says what is wrong with it.
void TestBadEvents() {
  const OnePackage tree;
  tree.Event("energy-pkg", kNone);
  tree.Event("energy-cores", "event=0x100\n");
  tree.Event("energy-gpu", "garbage!\n");
  tree.Event("energy-ram", kCpuClock);
  tree.Event("energy-psys", "event=0x02,umask=0x1\n");
  tree.Event("energy-a", kCpuClock);
  tree.Write(tree.folder + "events/energy-a.unit", "Watts\n");
  tree.Event("energy-b", kCpuClock);
  tree.Remove(tree.folder + "events/energy-b.scale");
  tree.Event("energy-c", kCpuClock);
  tree.Write(tree.folder + "events/energy-c.scale", "0.1234567890123456789012345");
  tree.Event("energy-d", kCpuClock);
  tree.Remove(tree.folder + "events/energy-d.unit");
  tree.Event("energy-e", kCpuClock);
  tree.Write(tree.folder + "events/energy-e.unit", std::string("Joules\0\0", 8));
  tree.Write(tree.folder + "events/energy-e.scale", std::string("6.103515625e-05\0\0", 17));
  tree.Event("other", kCpuClock);
  const Opened opened(tree);
  CHECK(opened.outcome.status == Status::kOk && opened.size() == 10);
  CHECK(opened.IsOk("energy-ram:0") && opened.IsOk("energy-e:0"));
  CHECK(opened.At("energy-e:0").scale.denominator == 1 << 14);
  CHECK(PerfDescriptors().size() == 2);
  CHECK(opened.Says("energy-pkg:0", Status::kNotSupported, "does not count it"));
  CHECK(opened.Says("energy-cores:0", Status::kNotSupported, "config:0-7"));
  CHECK(opened.Says("energy-gpu:0", Status::kNotSupported, "no event"));
  CHECK(opened.Says("energy-psys:0", Status::kFailed, "format/umask"));
  CHECK(opened.Says("energy-a:0", Status::kNotSupported, "Watts"));
  CHECK(opened.Says("energy-b:0", Status::kNotSupported, ".scale is missing"));
  CHECK(opened.Says("energy-c:0", Status::kNotSupported, "exactly"));
  CHECK(opened.Says("energy-d:0", Status::kNotSupported, ".unit is missing"));
}

void TestNothingCounts() {
  const OnePackage tree;
  tree.Event("energy-pkg", kNone);
  const Opened opened(tree);
  CHECK(Contains(opened.outcome, Status::kNotSupported, "energy-pkg"));
  CHECK(opened.size() == 1 && PerfDescriptors().empty());
}

void TestDies() {
  for (const bool known : {true, false}) {
    PerfTree tree("power", std::to_string(kCpus.first) + "," + std::to_string(kCpus.last) + "\n");
    tree.Online(std::to_string(kCpus.first) + "," + std::to_string(kCpus.last) + "\n");
    tree.Cpu(kCpus.first, 3, known ? "1\n" : "");
    tree.Cpu(kCpus.last, 3, known ? "0\n" : "");
    tree.Event("energy-pkg", kCpuClock);
    tree.Event("energy-psys", kDummy);
    const Opened opened(tree);
    CHECK(opened.size() == 3);
    CHECK(opened.IsOk("energy-pkg:3:0") && opened.IsOk("energy-pkg:3:1"));
    CHECK(opened.IsOk("energy-psys:3") && opened.At("energy-psys:3").die == -1);
    CHECK(opened.At("energy-pkg:3:1").die == 1 && opened.At("energy-pkg:3:1").device == 3);
    CHECK(opened.At("energy-pkg:3:1").origin ==
          "power/energy-pkg/ on CPU " + std::to_string(known ? kCpus.first : kCpus.last));
  }
}

// CPU 0 may be offline, and a container may hide any.
void TestPlacelessCpus() {
  PerfTree tree("power", std::to_string(kCpus.first) + ",4000,5000");
  tree.Online(std::to_string(kCpus.first) + ",5000");
  tree.Cpu(kCpus.first, 2);
  tree.Event("energy-pkg", kCpuClock);
  const Opened opened(tree);
  CHECK(opened.outcome.status == Status::kOk && opened.size() == 3);
  CHECK(opened.IsOk("energy-pkg:2"));
  CHECK(opened.Says("energy-pkg:cpu4000", Status::kNotFound, "not online"));
  CHECK(opened.Says("energy-pkg:cpu5000", Status::kNotFound, "has no package"));
  CHECK(opened.At("energy-pkg:cpu4000").device == 3 && opened.At("energy-pkg:cpu5000").device == 4);
}

void TestSixteenPackages() {
  PerfTree tree("power", "0-15\n");
  tree.Online("0-15\n");
  for (uint32_t cpu = 0; cpu < 16; ++cpu) tree.Cpu(cpu, 15 - static_cast<int>(cpu));
  for (const char* event : {"energy-pkg", "energy-ram", "energy-psys"}) {
    tree.Event(event, kCpuClock);
  }
  const Opened opened(tree);
  CHECK(opened.size() == 33);
  for (uint32_t package = 0; package < 16; ++package) {
    const Counter& counter = opened.At("energy-ram:" + std::to_string(package));
    CHECK(counter.device == package);
    CHECK(counter.origin == "power/energy-ram/ on CPU " + std::to_string(15 - package));
    if (counter.outcome.status != Status::kOk) CHECK(!counter.outcome.detail.empty());
  }
  CHECK(opened.At("energy-psys:0").device == 0);
}

void TestComesBack() {
  const OnePackage tree;
  tree.Event("energy-pkg", kCpuClock);
  tree.Event("energy-ram", kTaskClock);
  Opened opened(tree);
  const auto all_are = [&](bool restarted) {
    return opened.IsOk("energy-pkg:0") && opened.IsOk("energy-ram:0") &&
           opened.raw[0].restarted == restarted && opened.raw[1].restarted == restarted;
  };
  CHECK(all_are(false));
  Replace(PerfDescriptors()[0]);
  opened.Read();
  CHECK(all_are(true) && PerfDescriptors().size() == 2);
  opened.Read();
  CHECK(all_are(false));

  // Gone for longer, and looked for once a second.
  tree.Write(tree.folder + "type", "4242\n");
  Replace(PerfDescriptors()[0]);
  opened.Read();
  CHECK(opened.Says("energy-pkg:0", Status::kNotFound, "vanished"));
  tree.Write(tree.folder + "type", "1\n");
  opened.clock.now_ns += kSecondNs - 1;
  opened.Read();
  CHECK(opened.Says("energy-ram:0", Status::kNotFound, "vanished"));
  opened.clock.now_ns += 1;
  opened.Read();
  CHECK(all_are(true));

  tree.Write(tree.folder + "type", "4242\n");
  Replace(PerfDescriptors()[0]);
  opened.clock.now_ns += kSecondNs;
  opened.Read();
  CHECK(opened.Says("energy-pkg:0", Status::kNotFound, "modprobe") && PerfDescriptors().empty());
  tree.Remove(tree.folder + "type");
  opened.clock.now_ns += kSecondNs;
  opened.Read();
  CHECK(opened.Says("energy-pkg:0", Status::kNotFound, "vanished"));

  // And back again.
  tree.Write(tree.folder + "type", "1\n");
  opened.clock.now_ns += kSecondNs;
  opened.Read();
  CHECK(all_are(true));
}

void TestOddAnswers() {
  const OnePackage tree;
  tree.Event("energy-pkg", kCpuClock);
  tree.Event("energy-ram", kCpuClock);
  Opened opened(tree);
  const int leader = PerfDescriptors()[0];
  uint64_t answer[3] = {2, 7, 9};
  const auto answers = [&](size_t size) {
    tree.Write("answer", std::string(reinterpret_cast<const char*>(answer), size));
    Replace(leader, tree.Path("answer"));
    opened.Read();
  };
  answers(sizeof answer);
  CHECK(opened.IsOk("energy-pkg:0") && opened.raw[0].ticks == 7 && opened.raw[1].ticks == 9);
  answers(8);
  CHECK(opened.Says("energy-pkg:0", Status::kFailed, "number of counts"));
  answer[0] = 1;
  answers(sizeof answer);
  CHECK(opened.Says("energy-ram:0", Status::kFailed, "number of counts"));
  Replace(leader, tree.root());
  opened.Read();
  CHECK(opened.Says("energy-ram:0", Status::kFailed, "directory"));
  answer[0] = 2;
  answers(sizeof answer);
  CHECK(opened.IsOk("energy-pkg:0") && !opened.raw[0].restarted);
}

void TestKeep() {
  const OnePackage tree;
  tree.Event("energy-pkg", kCpuClock);
  tree.Event("energy-cores", kNone);
  tree.Event("energy-gpu", kCpuClock);
  tree.Event("energy-ram", kPageFaults);
  Opened opened(tree);
  CHECK(PerfDescriptors().size() == 3);
  opened.source->Keep({false, false, true, true});
  opened.Read();
  CHECK(opened.size() == 2 && PerfDescriptors().size() == 2);
  CHECK(opened.IsOk("energy-gpu:0") && opened.IsOk("energy-ram:0"));
  CHECK(!opened.raw[0].restarted);

  Opened nothing(tree);
  nothing.source->Keep({false, true, false, false});
  nothing.Read();
  CHECK(nothing.size() == 1 && PerfDescriptors().size() == 2);
  CHECK(nothing.Says("energy-cores:0", Status::kNotSupported, "does not count"));
}

void TestAbsentPmus() {
  const TempTree tree;
  CHECK(Contains(Opened(tree).outcome, Status::kMasked, "bus/event_source does not exist"));
  tree.Folder("bus/event_source/devices");
  CHECK(Contains(Opened(tree).outcome, Status::kNotFound, "modprobe rapl"));
  tree.Write("devices/system/cpu/modalias",
             "cpu:type:x86,ven0000fam0006mod008F:feature:,0000,009F\n");
  CHECK(Contains(Opened(tree).outcome, Status::kNotFound, "virtual machine"));
  tree.Link("bus/event_source/devices/power", "../../../devices/power");
  CHECK(Contains(Opened(tree).outcome, Status::kMasked, "leads nowhere"));
}

void TestOddPmus() {
  const OnePackage tree;
  CHECK(Contains(Opened(tree).outcome, Status::kVirtualised, "has no data"));
  tree.Folder(tree.folder + "events");
  CHECK(Contains(Opened(tree).outcome, Status::kVirtualised, "has no data"));
  tree.Event("energy-pkg", kCpuClock);
  tree.Write(tree.folder + "cpumask", "\n");
  CHECK(Contains(Opened(tree).outcome, Status::kNotSupported, "cpumask is empty"));
  tree.Write(tree.folder + "cpumask", "0-\n");
  CHECK(Contains(Opened(tree).outcome, Status::kFailed, "no list of CPUs"));
  tree.Remove(tree.folder + "cpumask");
  CHECK(Contains(Opened(tree).outcome, Status::kFailed, "cpumask"));
  tree.Write(tree.folder + "type", "x\n");
  CHECK(Contains(Opened(tree).outcome, Status::kFailed, "type"));
}

}  // namespace
}  // namespace microjoule

int main() {
  using namespace microjoule;
  TestAbsentPmus();
  TestOddPmus();
  TestSixteenPackages();
  if (!MayCount()) return 0;
  if (kCpus.two()) {
    TestTwoPackages();
    TestDies();
  }
  TestBadEvents();
  TestNothingCounts();
  TestPlacelessCpus();
  TestComesBack();
  TestOddAnswers();
  TestKeep();
  CHECK(PerfDescriptors().empty());
}
