// SPDX-License-Identifier: MIT
#include <map>

#include "check.h"
#include "opened_powercap.h"
#include "temp_tree.h"

namespace microjoule {
namespace {

void TestTwoSockets() {
  const TempTree tree;
  tree.Folder("class/powercap/intel-rapl");
  // The index is not the package, and psys stands among the packages.
  tree.Zone("intel-rapl:0", "package-1", "61\n");
  tree.Zone("intel-rapl:0:0", "dram", "15", "65712999613");
  tree.Zone("intel-rapl:1", "psys", "5000000", "4294967295000000");
  tree.Zone("intel-rapl:a", "package-0", std::string("122\n\0\0\0", 7));
  tree.Zone("intel-rapl:a:0", "dram", "30\n", "65712999613\n");
  tree.Zone("intel-rapl-mmio:0", "package-0", "122\n");
  tree.Folder("class/powercap/dtpm");
  OpenedPowercap opened(tree);
  CHECK(opened.outcome.status == Status::kOk);
  CHECK(opened.source->counters().size() == 6);
  CHECK(opened.At("intel-rapl:0").device == 1 && opened.At("intel-rapl:0:0").device == 1);
  CHECK(opened.At("intel-rapl:a").device == 0 && opened.At("intel-rapl:a:0").device == 0);
  CHECK(opened.At("intel-rapl:a:0").domain == Domain::kDram);
  CHECK(opened.At("intel-rapl:1").domain == Domain::kPsys);
  CHECK(opened.Raw("intel-rapl:0").ticks == 1 && opened.Raw("intel-rapl:a").ticks == 2);
  CHECK(opened.Raw("intel-rapl:a:0").ticks == 2 && opened.Raw("intel-rapl:1").ticks == 5);
  CHECK(opened.source->counters()[0].id == "powercap:intel-rapl:0");
  CHECK(opened.source->counters()[3].id == "powercap:intel-rapl:a");
  CHECK(opened.source->counters()[5].id == "powercap:intel-rapl-mmio:0");
}

// In a copied tree sub-zones may stand inside their parents alone.
void TestNestedZones() {
  const TempTree tree;
  tree.Zone("intel-rapl:3", "package-5", "1");
  tree.Zone("intel-rapl:3/intel-rapl:3:0", "core", "1");
  OpenedPowercap opened(tree);
  CHECK(opened.At("intel-rapl:3:0").device == 5);
}

// Four zones at top level that are all called dram are four meters.
void TestTopLevelDram() {
  const TempTree tree;
  for (int i = 0; i < 4; ++i) tree.Zone("intel-rapl:" + std::to_string(i), "dram", "1");
  OpenedPowercap opened(tree);
  CHECK(opened.At("intel-rapl:2").device == 2 && opened.At("intel-rapl:3").device == 3);
}

// A sub-zone belongs to the die of its parent.
void TestDies() {
  const TempTree tree;
  for (const char* die : {"0", "1"}) {
    const std::string zone = std::string("intel-rapl:") + die;
    tree.Zone(zone, std::string("package-0-die-") + die, "1");
    tree.Zone(zone + ":0", "dram", "1");
  }
  OpenedPowercap opened(tree);
  CHECK(opened.At("intel-rapl:0:0").die == 0 && opened.At("intel-rapl:1:0").die == 1);
  CHECK(opened.At("intel-rapl:1:0").device == 0);
}

// What nothing places takes a number that no zone of its kind has.
void TestUnplacedZones() {
  const TempTree tree;
  tree.Zone("intel-rapl:0", "package-0", "1");
  tree.Zone("intel-rapl:0:0", "dram", "1");
  tree.Zone("intel-rapl:1", "", "1");
  tree.Zone("intel-rapl:1:0", "dram", "1");
  tree.Zone("intel-rapl:7:0", "dram", "1");
  tree.Zone("intel-rapl-mmio:0:0", "dram", "1");
  OpenedPowercap opened(tree);
  CHECK(opened.At("intel-rapl:0:0").device == 0);
  CHECK(opened.At("intel-rapl:1:0").device == 1 && opened.At("intel-rapl:7:0").device == 2);
  CHECK(opened.At("intel-rapl-mmio:0:0").device == 0);
}

// One bad file hides no other, and each says what is wrong with it.
void TestBadFiles() {
  const TempTree tree;
  tree.Zone("intel-rapl:0", "package-0", "1000000");
  tree.Zone("intel-rapl:1", "package-1", "");
  tree.Zone("intel-rapl:2", "package-2", "garbage\n");
  tree.Zone("intel-rapl:3", "package-3", "1000000", "");
  tree.Zone("intel-rapl:4", "package-4", "1000000", "0\n");
  tree.Zone("intel-rapl:5", "package-5", "1000000", "many\n");
  tree.Zone("intel-rapl:6", "package-6", "1");
  tree.Remove("class/powercap/intel-rapl:6/energy_uj");
  tree.Zone("intel-rapl:7", "", "1");
  tree.Zone("intel-rapl:8", "package-8", "1");
  tree.Remove("class/powercap/intel-rapl:8/energy_uj");
  tree.Folder("class/powercap/intel-rapl:8/energy_uj");
  tree.Link("class/powercap/intel-rapl:9", "../../devices/nowhere");
  OpenedPowercap opened(tree);
  CHECK(opened.outcome.status == Status::kOk);
  const std::map<std::string, Status> expected = {
      {"intel-rapl:0", Status::kOk},       {"intel-rapl:1", Status::kFailed},
      {"intel-rapl:2", Status::kFailed},   {"intel-rapl:3", Status::kOk},
      {"intel-rapl:4", Status::kOk},       {"intel-rapl:5", Status::kOk},
      {"intel-rapl:6", Status::kNotFound}, {"intel-rapl:7", Status::kOk},
      {"intel-rapl:8", Status::kFailed},   {"intel-rapl:9", Status::kMasked},
  };
  for (const auto& [zone, status] : expected) {
    CHECK(opened.Raw(zone).status == status);
    CHECK((status == Status::kOk) == opened.source->Explain(opened.Find(zone)).empty());
  }
  CHECK(opened.source->Explain(opened.Find("intel-rapl:1")).find("is empty") != std::string::npos);
  CHECK(opened.source->Explain(opened.Find("intel-rapl:2")).find("no number") != std::string::npos);
  for (const char* zone : {"intel-rapl:3", "intel-rapl:4", "intel-rapl:5"}) {
    CHECK(opened.At(zone).modulus_ticks == 0 && opened.Raw(zone).ticks == 1000000);
    CHECK(opened.At(zone).outcome.detail.find("max_energy_range_uj") != std::string::npos);
  }
  CHECK(opened.At("intel-rapl:7").domain == Domain::kOther);
}

void TestAbsentTrees() {
  const TempTree tree;
  {
    OpenedPowercap nothing(tree);
    CHECK(nothing.outcome.status == Status::kNotFound && !nothing.outcome.detail.empty());
  }
  tree.Folder("class/powercap");
  {
    OpenedPowercap empty(tree);
    CHECK(empty.outcome.status == Status::kNotFound);
    CHECK(empty.outcome.detail.find("modprobe") != std::string::npos);
  }
  tree.Link("class/powercap/intel-rapl:0",
            "../../devices/virtual/powercap/intel-rapl/intel-rapl:0");
  {
    OpenedPowercap masked(tree);
    CHECK(masked.outcome.status == Status::kMasked);
    CHECK(masked.outcome.detail.find("container") != std::string::npos);
  }
}

}  // namespace
}  // namespace microjoule

int main() {
  using namespace microjoule;
  TestTwoSockets();
  TestNestedZones();
  TestTopLevelDram();
  TestDies();
  TestUnplacedZones();
  TestBadFiles();
  TestAbsentTrees();
}
