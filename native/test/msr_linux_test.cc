// SPDX-License-Identifier: MIT
#include "fake_msr.h"
// The fake comes first: it answers in the place of system headers.

namespace microjoule {

std::unique_ptr<Source> MakeMsr();

namespace {

struct OpenedMsr : Opened {
  explicit OpenedMsr(const FakeMachine& machine) : Opened(MakeMsr(), machine) {}
};

constexpr const char* kXeon = "cpu:type:x86,ven0000fam0006mod008F:feature:,0000";
constexpr const char* kClient = "cpu:type:x86,ven0000fam0006mod009E:feature:,0000";
constexpr const char* kEpyc = "cpu:type:x86,ven0002fam0019mod0011:feature:,0000,007D";
constexpr uint64_t kIntelUnits = 0xA0E03;

// CPUs of the packages interleave, CPU 0 is offline, package 1 does not exist, and the platform is
// counted by the other socket.
void TestTwoSockets() {
  FakeMachine machine(kXeon, "1-3,5");
  machine.Cpu(1, 2, 0, 0);
  machine.Cpu(2, 0, 0, 0);
  machine.Cpu(3, 2, 0, 1);
  machine.Cpu(5, 0, 0, 1);
  machine.Node(2, {{0x606, kIntelUnits}, {0x611, 100}, {0x619, 7}, {0x64D, 0}});
  FakeNode& other = machine.Node(
      1, {{0x606, kIntelUnits}, {0x611, 0xFFFFFFFF00000005}, {0x619, 8}, {0x64D, 900}});
  OpenedMsr opened(machine);
  CHECK(opened.outcome.status == Status::kOk && opened.outcome.detail.empty());
  CHECK(opened.Ids() == "package:0 dram:0 package:2 dram:2 psys:0");
  CHECK(opened.Raw("package:0").ticks == 100 && opened.Raw("package:2").ticks == 5);
  CHECK(opened.Raw("dram:0").ticks == 7 && opened.Raw("psys:0").ticks == 900);
  CHECK(opened.At("package:2").device == 2 && opened.At("package:2").die == -1);
  CHECK(opened.At("package:2").origin == machine.tree.Path("cpu/1/msr:0x611"));
  CHECK(opened.At("package:0").origin == machine.tree.Path("cpu/2/msr:0x611"));
  for (const char* id : {"package:0", "dram:0", "package:2", "dram:2"}) {
    CHECK(opened.At(id).scale.numerator == 1 && opened.At(id).scale.denominator == 16384);
    CHECK(opened.At(id).wraps && opened.At(id).modulus_ticks == uint64_t{1} << 32);
  }
  CHECK(opened.At("psys:0").scale.numerator == 1 && opened.At("psys:0").scale.denominator == 1);
  CHECK(opened.At("psys:0").origin == machine.tree.Path("cpu/1/msr:0x64D"));

  // One system call per register, and no memory.
  FakeMsr& fake = FakeMsr::The();
  fake.preads = fake.allocations = 0;
  opened.source->Read({opened.clock, opened.clock.now_ns}, opened.raw.data());
  CHECK(fake.preads == 5 && fake.allocations == 0);

  // A CPU that goes offline takes nothing else with it, and may come back.
  other.offline = ENXIO;
  opened.Read();
  CHECK(opened.Raw("package:2").status == Status::kFailed && opened.Says("package:2", "CPU 1"));
  CHECK(opened.Says("package:2", "offline"));
  CHECK(opened.Raw("package:0").status == Status::kOk);
  other.offline = EIO;
  opened.Read();
  CHECK(opened.Raw("dram:2").status == Status::kFailed && opened.Says("dram:2", "EIO"));
  other.offline = 0;
  opened.Read();
  CHECK(opened.Raw("package:2").status == Status::kOk && opened.source->Explain(2).empty());
}

// Plain files stand for devices too: no register overlaps the next.
void TestPlainFiles() {
  FakeMachine machine(kClient, "0");
  machine.Cpu(0, 0, 0, 0);
  std::string content(0x700, '\xFF');
  uint8_t next = 1;
  for (const size_t at : {0x611u, 0x619u, 0x639u, 0x641u, 0x64Du}) {
    content.replace(at, 8, std::string(1, static_cast<char>(next++)) + std::string(7, '\0'));
  }
  content.replace(0x606, 8, std::string("\x03\x0E\x0A\0\0\0\0\0", 8));
  machine.tree.Write("cpu/0/msr", content);
  OpenedMsr opened(machine);
  CHECK(opened.Ids() == "package:0 dram:0 core:0 uncore:0 psys:0");
  for (size_t i = 0; i < 5; ++i) CHECK(opened.raw[i].ticks == i + 1);
  machine.tree.Write("cpu/0/msr", "short");
  opened.Read();
  CHECK(opened.Raw("package:0").status == Status::kFailed && opened.Says("package:0", "8 bytes"));
}

// A register that the processor refuses, or that counts nothing, is left out; but not a package's.
void TestTryAndSee() {
  FakeMachine machine(kClient, "0");
  machine.Cpu(0, 0, 0, 0);
  FakeNode& node =
      machine.Node(0, {{0x606, kIntelUnits}, {0x611, 1}, {0x639, 2}, {0x641, 0}, {0x64D, 0}});
  CHECK(OpenedMsr(machine).Ids() == "package:0 core:0");
  node.errors[0x611] = EIO;
  OpenedMsr opened(machine);
  CHECK(opened.outcome.status == Status::kOk && opened.Ids() == "package:0 core:0");
  CHECK(opened.Raw("package:0").status == Status::kNotSupported && opened.Says("package:0", "EIO"));
  CHECK(opened.Raw("core:0").ticks == 2);
  node.errors[0x639] = node.errors[0x641] = EIO;
  CHECK(Has(OpenedMsr(machine).outcome, Status::kNotSupported, "0x611"));
  CHECK(OpenedMsr(machine).Ids().empty());
}

void TestVirtualMachines() {
  FakeMachine machine(kXeon, "0-1");  // without topology
  FakeNode& node = machine.Node(0, {{0x606, 0}, {0x611, 0}, {0x619, 0}, {0x64D, 0}});
  CHECK(Has(OpenedMsr(machine).outcome, Status::kVirtualised, "hypervisor"));
  // Units, but no energy.
  node.values[0x606] = kIntelUnits;
  CHECK(Has(OpenedMsr(machine).outcome, Status::kVirtualised, "0x611 reads 0"));
  node.values[0x611] = 44;
  OpenedMsr opened(machine);
  CHECK(opened.Ids() == "package:0" && opened.Raw("package:0").ticks == 44);
  node.values.clear();
  CHECK(Has(OpenedMsr(machine).outcome, Status::kNotSupported, "0x606"));
  machine.tree.Write("devices/system/cpu/modalias", std::string(kXeon) + ",009F");
  CHECK(Has(OpenedMsr(machine).outcome, Status::kVirtualised, "0x606"));
}

// One package that cannot be read hides no other.
void TestOneBadPackage() {
  FakeMachine machine(kXeon, "0-2");
  for (int i = 0; i < 3; ++i) machine.Cpu(static_cast<uint32_t>(i), i, 0, 0);
  machine.Node(0, {{0x606, 0}});
  machine.Node(2, {{0x606, kIntelUnits}, {0x611, 5}});
  OpenedMsr opened(machine);
  CHECK(opened.outcome.status == Status::kOk && opened.Ids() == "package:0 package:1 package:2");
  CHECK(opened.Raw("package:0").status == Status::kVirtualised);
  CHECK(opened.Raw("package:1").status == Status::kNotFound);
  CHECK(opened.Says("package:1", "modprobe msr"));
  CHECK(opened.Raw("package:2").ticks == 5);
}

void TestWhatIsMissing() {
  FakeMachine machine(kXeon, "0");
  machine.Cpu(0, 0, 0, 0);
  machine.tree.Remove("cpu");
  CHECK(Has(OpenedMsr(machine).outcome, Status::kNotFound, "modprobe msr"));
  machine.Node(0, {{0x606, kIntelUnits}, {0x611, 5}});
  FakeMsr& fake = FakeMsr::The();
  for (const int error : {EACCES, EPERM}) {
    fake.open_errors[machine.tree.Path("cpu/0/msr")] = error;
    const Outcome outcome = OpenedMsr(machine).outcome;
    CHECK(Has(outcome, Status::kNoPermission, "CAP_SYS_RAWIO"));
    CHECK(Has(outcome, Status::kNoPermission, "lockdown"));
    CHECK(outcome.detail.find("chmod") == std::string::npos);
    CHECK(outcome.detail.find("setcap") == std::string::npos);
  }
  fake.open_errors[machine.tree.Path("cpu/0/msr")] = ENXIO;
  CHECK(Has(OpenedMsr(machine).outcome, Status::kFailed, "offline"));
  fake.open_errors.clear();
  machine.tree.Write("real", "");
  machine.tree.Remove("cpu/0/msr");
  machine.tree.Link("cpu/0/msr", machine.tree.Path("real"));
  CHECK(Has(OpenedMsr(machine).outcome, Status::kFailed, "is a link"));
  machine.tree.Remove("devices/system/cpu/online");
  machine.tree.Remove("devices/system/cpu/cpu0/topology");
  CHECK(Has(OpenedMsr(machine).outcome, Status::kNotFound, "online"));
  machine.tree.Remove("devices/system/cpu/modalias");
  CHECK(Has(OpenedMsr(machine).outcome, Status::kNotSupported, "vendor"));
}

void TestAmd() {
  FakeMachine machine(kEpyc, "0-3");
  for (uint32_t cpu = 0; cpu < 4; ++cpu) {
    machine.Cpu(cpu, static_cast<int>(cpu / 2), static_cast<int>(cpu), 0);
  }
  // Dies of a package share its register; the count goes on above 32 bits.
  machine.Node(0, {{0xC0010299, 0xA1000}, {0xC001029A, 1}, {0xC001029B, 0x500000009}});
  machine.Node(2, {{0xC0010299, 0xA1000}, {0xC001029A, 1}, {0xC001029B, 4}});
  OpenedMsr opened(machine);
  CHECK(opened.Ids() == "package:0 package:1");
  CHECK(opened.Raw("package:0").ticks == 9 && opened.Raw("package:1").ticks == 4);
  CHECK(opened.At("package:0").scale.denominator == 65536);
}

void TestAmdWithoutRapl() {
  FakeMachine machine("cpu:type:x86,ven0002fam0015mod0002:feature:,0000", "0");
  machine.Cpu(0, 0, 0, 0);
  machine.Node(0, {});
  CHECK(Has(OpenedMsr(machine).outcome, Status::kNotSupported, "CPUID"));
  // The bit may be missing where the registers are not: an old kernel does not show it.
  machine.Node(0, {{0xC0010299, 0xA1003}, {0xC001029B, 3}});
  CHECK(OpenedMsr(machine).Ids() == "package:0");
}

// Intel's registers belong to the die.
void TestDies() {
  FakeMachine machine("cpu:type:x86,ven0000fam0006mod0055:feature:,0000", "0-3");
  for (uint32_t cpu = 0; cpu < 4; ++cpu) {
    machine.Cpu(cpu, static_cast<int>(cpu / 2), static_cast<int>(cpu % 2), 0);
    machine.Node(cpu, {{0x606, kIntelUnits}, {0x611, cpu + 1}, {0x619, 1}});
  }
  OpenedMsr opened(machine);
  CHECK(opened.Ids() ==
        "package:0:0 dram:0:0 package:0:1 dram:0:1 package:1:0 dram:1:0 package:1:1 dram:1:1");
  CHECK(opened.At("package:1:1").device == 1 && opened.At("package:1:1").die == 1);
  CHECK(opened.Raw("package:1:1").ticks == 4);
  CHECK(opened.At("dram:0:0").scale.denominator == 65536);
}

void TestUnknownModel() {
  FakeMachine machine("cpu:type:x86,ven0000fam0006mod00F1:feature:,0000", "0");
  machine.Cpu(0, 0, 0, 0);
  machine.Node(0, {{0x606, kIntelUnits}, {0x611, 1}, {0x619, 2}});
  OpenedMsr opened(machine);
  CHECK(opened.Ids() == "package:0 dram:0");
  CHECK(Has(opened.outcome, Status::kOk, "not in our table"));
}

}  // namespace
}  // namespace microjoule

int main() {
  using namespace microjoule;
  TestTwoSockets();
  TestPlainFiles();
  TestTryAndSee();
  TestVirtualMachines();
  TestOneBadPackage();
  TestWhatIsMissing();
  TestAmd();
  TestAmdWithoutRapl();
  TestDies();
  TestUnknownModel();
}
