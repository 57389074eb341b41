// SPDX-License-Identifier: MIT
//
// Zones that look other than they should, and zones that come and go.
#include <errno.h>

#include "check.h"
#include "meter.h"
#include "opened_powercap.h"
#include "powercap_words_linux.h"

namespace microjoule {
namespace {

constexpr const char* kServerDram = "65712999613\n";
constexpr const char* kModalias = "devices/system/cpu/modalias";

bool Says(const std::string& text, const char* words) {
  return text.find(words) != std::string::npos;
}

void TestSapphireRapids() {
  const TempTree tree;
  tree.Write(kModalias, "cpu:type:x86,ven0000fam0006mod008F:feature:,0000,0001\n");
  tree.Zone("intel-rapl:0", "package-0", "61035\n");
  tree.Zone("intel-rapl:0:0", "dram", "15300\n", kServerDram);
  tree.Zone("intel-rapl:1", "psys", "3000000\n", "4294967295000000\n");
  OpenedPowercap opened(tree);
  const Counter& dram = opened.At("intel-rapl:0:0");
  CHECK(dram.domain == Domain::kDram && dram.scale.numerator == 1);
  CHECK(dram.scale.denominator == opened.At("intel-rapl:0").scale.denominator);
  CHECK(opened.Raw("intel-rapl:0:0").ticks == 1000 && opened.Raw("intel-rapl:0").ticks == 1000);
  CHECK(dram.outcome.status == Status::kOk && Says(dram.outcome.detail, "corrected"));
  CHECK(opened.Raw("intel-rapl:1").ticks == 3 && opened.At("intel-rapl:1").outcome.detail.empty());
}

void TestAmdCoreZone() {
  const TempTree tree;
  tree.Write(kModalias, "cpu:type:x86,ven0002fam0019mod0001:feature:,0000,007D\n");
  tree.Zone("intel-rapl:0", "package-1", "1\n", "65532610987\n");
  tree.Zone("intel-rapl:0:0", "core", "1\n", "65532610987\n");
  OpenedPowercap opened(tree);
  const Counter& core = opened.At("intel-rapl:0:0");
  CHECK(core.domain == Domain::kOther && core.device == 1);
  CHECK(core.outcome.status == Status::kOk && Says(core.outcome.detail, "one core only"));
  CHECK(opened.At("intel-rapl:0").domain == Domain::kPackage);
  CHECK(opened.Raw("intel-rapl:0:0").status == Status::kOk);
}

// What belongs to the power limits says nothing about the count.
void TestLimitsAreNotRead() {
  const TempTree tree;
  tree.Zone("intel-rapl:0", "package-0", "61035\n");
  tree.Write("class/powercap/intel-rapl:0/enabled", "0\n");
  tree.Write("class/powercap/intel-rapl:0/constraint_2_name", "peak_power\n");
  tree.Write("class/powercap/intel-rapl:0/constraint_2_max_power_uw", "");
  OpenedPowercap opened(tree);
  CHECK(opened.source->counters().size() == 1);
  CHECK(opened.Raw("intel-rapl:0").status == Status::kOk &&
        opened.Raw("intel-rapl:0").ticks == 1000);
}

void TestControlTypes() {
  const TempTree tree;
  for (const char* type : {"intel-rapl", "intel-rapl-mmio", "intel-rapl-tpmi"}) {
    tree.Zone(std::string(type) + ":0", "package-0", "61035\n");
  }
  tree.Zone("intel-rapl:10", "package-16", "1\n");
  tree.Zone("intel-rapl:a", "package-10", "1\n");
  tree.Zone("intel-rapl:9", "package-9", "1\n");
  tree.Zone("dtpm:0", "package-0", "1\n");
  OpenedPowercap opened(tree);
  const std::vector<std::string> order = {"intel-rapl:0",      "intel-rapl:9",
                                          "intel-rapl:a",      "intel-rapl:10",
                                          "intel-rapl-tpmi:0", "intel-rapl-mmio:0"};
  CHECK(opened.source->counters().size() == order.size());
  for (size_t i = 0; i < order.size(); ++i) {
    CHECK(opened.source->counters()[i].id == "powercap:" + order[i]);
  }
  CHECK(opened.At("intel-rapl:10").device == 16 && opened.At("intel-rapl:a").device == 10);
}

void TestOddNames() {
  const TempTree tree;
  tree.Zone("intel-rapl:0", "domain", "5\n", "0\n");
  tree.Zone("intel-rapl:1", "package-0", "1\n");
  tree.Zone("intel-rapl:2", "core", "1\n");
  tree.Zone("intel-rapl:3", "dram", "1\n");
  tree.Zone("intel-rapl:4", "", "1\n", "");
  OpenedPowercap opened(tree);
  CHECK(opened.At("intel-rapl:0").domain == Domain::kOther &&
        opened.Raw("intel-rapl:0").ticks == 5);
  CHECK(Says(opened.At("intel-rapl:0").outcome.detail, "wrap"));
  CHECK(opened.At("intel-rapl:1").domain == Domain::kPackage &&
        opened.At("intel-rapl:1").device == 0);
  CHECK(opened.At("intel-rapl:2").domain == Domain::kCore);
  CHECK(opened.At("intel-rapl:3").domain == Domain::kDram);
  const std::string& both = opened.At("intel-rapl:4").outcome.detail;
  CHECK(Says(both, "name is missing or empty") && Says(both, "max_energy_range_uj is missing"));
}

void TestUnitRegisterOfZero() {
  const TempTree tree;
  tree.Zone("intel-rapl:0", "package-0", "0\n", "4294967295000000\n");
  OpenedPowercap opened(tree);
  CHECK(opened.Raw("intel-rapl:0").status == Status::kVirtualised);
  CHECK(Says(opened.source->Explain(0), "unit register"));
}

// A count beyond its own range is no wrap: the meter refuses it.
void TestEnergyBeyondRange() {
  const TempTree tree;
  tree.Zone("intel-rapl:0", "package-0", "262143328851\n");
  Options options;
  options.sysfs = tree.root();
  FakeClock clock;
  auto source = MakePowercap();
  source->Probe(options);
  Meter meter(OneSource(std::move(source)), clock, false);
  std::vector<uint64_t> words(meter.words());
  meter.Read(words.data());
  CHECK(static_cast<uint32_t>(words[kHeaderWords + 2]) ==
        static_cast<uint32_t>(Status::kImplausible));
  CHECK(Says(meter.Explain(0), "beyond its own range"));
}

void TestErrorsHaveTheirWords() {
  const TempTree tree;
  tree.Zone("intel-rapl:0", "package-0", "");
  tree.Remove("class/powercap/intel-rapl:0/energy_uj");
  tree.Link("class/powercap/intel-rapl:0/energy_uj", "/proc/self/mem");  // EIO at offset 0
  tree.Zone("intel-rapl:1", "package-1", "1\n");
  {
    OpenedPowercap opened(tree);
    CHECK(opened.Raw("intel-rapl:0").status == Status::kFailed);
    CHECK(Says(opened.source->Explain(0), "EIO") && Says(opened.source->Explain(0), "dmesg"));
    CHECK(opened.Raw("intel-rapl:1").status == Status::kOk);
  }
  tree.Write(kModalias, "cpu:type:x86,ven0000fam0006mod0055:feature:,0000,009F\n");
  OpenedPowercap opened(tree);
  CHECK(opened.Raw("intel-rapl:0").status == Status::kVirtualised);
  CHECK(Says(opened.source->Explain(0), "on its host"));

  const std::vector<std::pair<int, const char*>> words = {
      {EINVAL, "failed to read the register"},
      {ENODATA, "no value"},
      {EMFILE, "ulimit"},
      {EACCES, "udev"},
      {EPERM, "udev"},
      {ENODEV, "vanished"},
  };
  for (const auto& [error, part] : words) CHECK(Says(ZoneSentence("x", error, false), part));
  CHECK(ZoneStatus(EINVAL, false) == Status::kFailed);
  CHECK(ZoneStatus(EINVAL, true) == Status::kVirtualised);
  CHECK(ZoneStatus(EMFILE, true) == Status::kFailed);
  CHECK(NoZones("x", ENOENT).status == Status::kNotFound);
  CHECK(NoZones("x", EMFILE).status == Status::kFailed);
}

constexpr const char* kEnergy = "class/powercap/intel-rapl:0:0/energy_uj";

// A zone is looked for again at once, then once a second, and says that it began anew.
void TestVanishesAndComesBack() {
  const TempTree tree;
  tree.Zone("intel-rapl:0", "package-0", "61035");
  tree.Zone("intel-rapl:0:0", "dram", "61035");
  OpenedPowercap opened(tree);
  const size_t dram = opened.Find("intel-rapl:0:0");
  const auto read = [&](uint64_t after_ns) -> const RawReading& {
    opened.clock.now_ns += after_ns;
    opened.source->Read({opened.clock, opened.clock.now_ns}, opened.raw.data());
    return opened.raw[dram];
  };
  CHECK(opened.raw[dram].status == Status::kOk && !opened.raw[dram].restarted);
  tree.Remove(kEnergy);
  CHECK(read(1000000000).status == Status::kNotFound);
  CHECK(Says(opened.source->Explain(dram), "vanished"));
  // And stays so, however soon it is read again.
  CHECK(read(0).status == Status::kNotFound);
  tree.Write(kEnergy, "122\n");
  CHECK(read(999999999).status == Status::kNotFound);
  CHECK(read(1).status == Status::kOk && opened.raw[dram].restarted);
  CHECK(opened.raw[dram].ticks == 2 && opened.source->Explain(dram).empty());
  CHECK(read(1).status == Status::kOk && !opened.raw[dram].restarted);
  CHECK(opened.Raw("intel-rapl:0").status == Status::kOk && !opened.Raw("intel-rapl:0").restarted);

  // It comes back unreadable at first: the break is not lost.
  tree.Remove(kEnergy);
  CHECK(read(2000000000).status == Status::kNotFound);
  tree.Write(kEnergy, "");
  CHECK(read(2000000000).status == Status::kFailed);
  tree.Write(kEnergy, "183\n");
  CHECK(read(1).status == Status::kOk && opened.raw[dram].restarted);
}

// Numbered anew, the path leads to another zone.
void TestComesBackAsAnother() {
  const TempTree tree;
  tree.Zone("intel-rapl:0", "package-0", "61035");
  tree.Zone("intel-rapl:0:0", "dram", "61035");
  const char* const renamed[] = {"class/powercap/intel-rapl:0:0/name",
                                 "class/powercap/intel-rapl:0:0/max_energy_range_uj",
                                 "class/powercap/intel-rapl:0/name"};
  const char* const before[] = {"dram\n", "262143328850\n", "package-0\n"};
  const char* const after[] = {"dram-2\n", "65712999613\n", "package-1\n"};
  for (size_t i = 0; i < 3; ++i) {
    OpenedPowercap opened(tree);
    tree.Remove(kEnergy);
    tree.Write(kEnergy, "122\n");
    tree.Write(renamed[i], after[i]);
    opened.Read();
    CHECK(opened.Raw("intel-rapl:0:0").status == Status::kNotFound);
    CHECK(Says(opened.source->Explain(opened.Find("intel-rapl:0:0")), "another zone"));
    tree.Write(renamed[i], before[i]);
    opened.Read();
    CHECK(opened.Raw("intel-rapl:0:0").status == Status::kOk);
    CHECK(opened.Raw("intel-rapl:0:0").restarted);
  }
}

}  // namespace
}  // namespace microjoule

int main() {
  using namespace microjoule;
  TestSapphireRapids();
  TestAmdCoreZone();
  TestLimitsAreNotRead();
  TestControlTypes();
  TestOddNames();
  TestUnitRegisterOfZero();
  TestEnergyBeyondRange();
  TestErrorsHaveTheirWords();
  TestVanishesAndComesBack();
  TestComesBackAsAnother();
}
