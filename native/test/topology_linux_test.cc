// SPDX-License-Identifier: MIT
#include "topology_linux.h"

#include "check.h"
#include "temp_tree.h"

namespace microjoule {
namespace {

constexpr const char* kFolder = "devices/system/cpu/";

void AddCpu(const TempTree& tree, uint32_t cpu, const std::string& package, const std::string& die,
            const std::string& core) {
  const std::string folder = kFolder + ("cpu" + std::to_string(cpu)) + "/topology/";
  tree.Write(folder + "physical_package_id", package);
  tree.Write(folder + "die_id", die);
  tree.Write(folder + "core_id", core);
}

bool IsAt(const CpuPlace& place, uint32_t cpu, int32_t package, int32_t die, int32_t core) {
  return place.cpu == cpu && place.package == package && place.die == die && place.core == core;
}

// CPU 0 is offline, numbers interleave over packages, ids have gaps.
void TestOnlineCpus() {
  const TempTree tree;
  tree.Write(kFolder + std::string("online"), "1-2,10\n");
  AddCpu(tree, 0, "0\n", "0\n", "0\n");
  AddCpu(tree, 1, "5\n", "0\n", "3");
  AddCpu(tree, 2, "0\n", "1\n", "0\n");
  AddCpu(tree, 10, std::string("36\n\0\0", 5), "2", "71\n");
  const std::vector<CpuPlace> places = ReadTopology(tree.root());
  CHECK(places.size() == 3);
  CHECK(IsAt(places[0], 1, 5, 0, 3) && IsAt(places[1], 2, 0, 1, 0));
  CHECK(IsAt(places[2], 10, 36, 2, 71));
}

// What a file does not say is -1.
void TestUnknownPlaces() {
  const TempTree tree;
  tree.Write(kFolder + std::string("online"), "0-4");
  AddCpu(tree, 0, "-1\n", "-1\n", "0\n");
  AddCpu(tree, 1, "", "x", "1x");
  AddCpu(tree, 2, "2147483648", "99999999999999999999", "2147483647\n");
  tree.Folder(kFolder + std::string("cpu3/topology"));
  const std::vector<CpuPlace> places = ReadTopology(tree.root());
  CHECK(places.size() == 5);
  CHECK(IsAt(places[0], 0, -1, -1, 0) && IsAt(places[1], 1, -1, -1, -1));
  CHECK(IsAt(places[2], 2, -1, -1, INT32_MAX));
  CHECK(IsAt(places[3], 3, -1, -1, -1) && IsAt(places[4], 4, -1, -1, -1));
}

// Without a list, folders tell; an offline CPU has no topology.
void TestNoList() {
  const TempTree tree;
  CHECK(ReadTopology(tree.root()).empty());
  AddCpu(tree, 12, "1", "0", "0");
  AddCpu(tree, 3, "0", "0", "0");
  tree.Folder(kFolder + std::string("cpu0"));
  tree.Folder(kFolder + std::string("cpufreq/topology"));
  tree.Folder(kFolder + std::string("cpu/topology"));
  tree.Folder(kFolder + std::string("cpu1-2/topology"));
  for (const char* list : {"", "garbage\n", "\n"}) {
    if (*list != '\0') tree.Write(kFolder + std::string("online"), list);
    const std::vector<CpuPlace> places = ReadTopology(tree.root());
    CHECK(places.size() == 2 && IsAt(places[0], 3, 0, 0, 0) && IsAt(places[1], 12, 1, 0, 0));
  }
}

void TestThisMachine() {
  const std::vector<CpuPlace> places = ReadTopology("/sys");
  for (size_t i = 1; i < places.size(); ++i) CHECK(places[i - 1].cpu < places[i].cpu);
}

void TestIdentity() {
  const TempTree tree;
  CHECK(ReadCpuIdentity(tree.root()).vendor == CpuVendor::kUnknown);
  CHECK(!ReadCpuIdentity(tree.root()).is_virtual);
  tree.Write(kFolder + std::string("modalias"),
             "cpu:type:x86,ven0002fam0019mod0001:feature:,0000,0001,009F,00C0\n");
  CHECK(ReadCpuIdentity(tree.root()).is_virtual);
}

}  // namespace
}  // namespace microjoule

int main() {
  using namespace microjoule;
  TestOnlineCpus();
  TestUnknownPlaces();
  TestNoList();
  TestThisMachine();
  TestIdentity();
}
