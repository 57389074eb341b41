// SPDX-License-Identifier: MIT
//
// The msr source through msr-safe, and what it leaves open.
#include "fake_msr.h"
// The fake comes first: it answers in the place of system headers.
#include <filesystem>

namespace microjoule {

std::unique_ptr<Source> MakeMsr();

namespace {

struct OpenedMsr : Opened {
  explicit OpenedMsr(const FakeMachine& machine) : Opened(MakeMsr(), machine) {}
};

constexpr const char* kXeon = "cpu:type:x86,ven0000fam0006mod008F:feature:,0000";
constexpr uint64_t kIntelUnits = 0xA0E03;

size_t OpenFiles() {
  size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    (void)entry;
    ++count;
  }
  return count;
}

// msr_safe comes first; its batch reads all packages by one call.
void TestMsrSafe() {
  FakeMachine machine(kXeon, "0-1");
  machine.Cpu(0, 0, 0, 0);
  machine.Cpu(1, 1, 0, 0);
  machine.Node(0, {{0x606, kIntelUnits}, {0x611, 1}});
  FakeNode& first = machine.SafeNode(0, {{0x606, kIntelUnits}, {0x611, 21}, {0x619, 22}});
  machine.SafeNode(1, {{0x606, kIntelUnits}, {0x611, 31}, {0x619, 32}});
  FakeMsr& fake = FakeMsr::The();
  {
    OpenedMsr opened(machine);
    CHECK(opened.At("package:0").origin == machine.tree.Path("cpu/0/msr_safe:0x611"));
    fake.preads = fake.ioctls = fake.allocations = 0;
    opened.source->Read({opened.clock, opened.clock.now_ns}, opened.raw.data());
    CHECK(fake.preads == 0 && fake.ioctls == 1 && fake.allocations == 0);
    CHECK(opened.raw[0].ticks == 21 && opened.raw[3].ticks == 32);
    // Only what is kept is asked for.
    opened.source->Keep({false, true, true, false});
    opened.Read();
    CHECK(opened.Ids() == "dram:0 package:1");
    CHECK(opened.raw[0].ticks == 22 && opened.raw[1].ticks == 31);
    // Once it fails, registers are read singly for good, and only the bad ones fail.
    first.offline = ENXIO;
    opened.Read();
    CHECK(opened.raw[0].status == Status::kFailed && opened.raw[1].ticks == 31);
    first.offline = 0;
    fake.ioctls = 0;
    opened.Read();
    CHECK(fake.ioctls == 0 && opened.raw[0].status == Status::kOk);
  }
  fake.ioctls = 0;
  // Operations of later versions have another layout.
  machine.tree.Write("cpu/msr_safe_version", "2.0.0\n");
  CHECK(OpenedMsr(machine).Raw("dram:1").ticks == 32 && fake.ioctls == 0);
  machine.tree.Write("cpu/msr_safe_version", "1.7.0\n");
  CHECK(OpenedMsr(machine).Raw("dram:1").ticks == 32 && fake.ioctls == 2);
  fake.batch_error = ENOTTY;
  CHECK(OpenedMsr(machine).Raw("dram:1").ticks == 32);
}

// msr-safe reads only what is on its list.
void TestMsrSafeList() {
  FakeMachine machine(kXeon, "0");
  machine.Cpu(0, 0, 0, 0);
  FakeNode& safe = machine.SafeNode(0, {{0x606, kIntelUnits}, {0x611, 21}});
  safe.other = EACCES;
  OpenedMsr opened(machine);
  CHECK(opened.Ids() == "package:0 dram:0 psys:0" && opened.Raw("package:0").ticks == 21);
  CHECK(opened.Raw("dram:0").status == Status::kNoPermission);
  CHECK(opened.Says("dram:0", "msr_allowlist"));
  // Nothing on the list: the plain driver, where it may be opened.
  safe.values.clear();
  CHECK(Has(OpenedMsr(machine).outcome, Status::kNoPermission, "msr_allowlist"));
  machine.Node(0, {{0x606, kIntelUnits}, {0x611, 1}});
  CHECK(OpenedMsr(machine).Raw("package:0").ticks == 1);
  FakeMsr& fake = FakeMsr::The();
  fake.open_errors[machine.tree.Path("cpu/0/msr")] = EACCES;
  CHECK(Has(OpenedMsr(machine).outcome, Status::kNoPermission, "msr_allowlist"));
  fake.open_errors[machine.tree.Path("cpu/0/msr_safe")] = EACCES;
  CHECK(Has(OpenedMsr(machine).outcome, Status::kNoPermission, "group of yours"));
}

// What is not kept is closed; so is all in the end.
void TestKeepCloses() {
  FakeMachine machine(kXeon, "0-1");
  machine.Cpu(0, 0, 0, 0);
  machine.Cpu(1, 1, 0, 0);
  machine.SafeNode(0, {{0x606, kIntelUnits}, {0x611, 1}, {0x619, 2}});
  machine.SafeNode(1, {{0x606, kIntelUnits}, {0x611, 3}, {0x619, 4}});
  const size_t before = OpenFiles();
  {
    OpenedMsr opened(machine);
    CHECK(OpenFiles() == before + 3);
    opened.source->Keep({false, false, true, false});
    opened.Read();
    CHECK(OpenFiles() == before + 2 && opened.Ids() == "package:1" && opened.raw[0].ticks == 3);
    opened.source->Keep({false});
    CHECK(OpenFiles() == before && opened.source->counters().empty());
    opened.Read();
  }
  CHECK(OpenFiles() == before);
  for (int i = 0; i < 1000; ++i) OpenedMsr opened(machine);
  CHECK(OpenFiles() == before);
}

}  // namespace
}  // namespace microjoule

int main() {
  using namespace microjoule;
  TestMsrSafe();
  TestMsrSafeList();
  TestKeepCloses();
}
