// SPDX-License-Identifier: MIT
#include "emi_places.h"

#include "check.h"

namespace microjoule {
namespace {

std::vector<EmiPlace> Settle(const std::vector<std::string_view>& names) {
  std::vector<EmiPlace> places;
  for (const std::string_view name : names) places.push_back(PlaceEmiChannel(name));
  SettleEmiPlaces(&places);
  return places;
}

std::vector<Domain> Domains(const std::vector<std::string_view>& names) {
  std::vector<Domain> domains;
  for (const EmiPlace& place : Settle(names)) domains.push_back(place.domain);
  return domains;
}

void TestRapl() {
  CHECK(PlaceEmiChannel("RAPL_Package0_PKG").domain == Domain::kPackage);
  CHECK(PlaceEmiChannel("RAPL_Package1_PP0").domain == Domain::kCore);
  CHECK(PlaceEmiChannel("RAPL_Package1_PP0").package == 1);
  CHECK(PlaceEmiChannel("RAPL_Package1_PP0").core == -1);
  CHECK(PlaceEmiChannel("RAPL_Package0_PP1").domain == Domain::kUncore);
  CHECK(PlaceEmiChannel("RAPL_Package12_DRAM").domain == Domain::kDram);
  CHECK(PlaceEmiChannel("RAPL_Package12_DRAM").package == 12);
  CHECK(PlaceEmiChannel("RAPL_Package0_PSYS").domain == Domain::kPsys);
  const EmiPlace core = PlaceEmiChannel("RAPL_Package1_Core15_CORE");
  CHECK(core.domain == Domain::kCore && core.package == 1 && core.core == 15);
}

void TestUnknown() {
  for (const char* odd :
       {"", "RAPL_Package_PKG", "RAPL_Package0", "RAPL_Package0_", "RAPL_Package0_PKGX",
        "RAPL_Package0_Core_CORE", "RAPL_Package0_Core1", "RAPL_Package9999999_PKG",
        "Battery_Rail_0", "Display_Rail", "CPU", "Socket", "VDDCR_VDD", "CPU_CLUSTER_",
        "CPU_CLUSTER_X", "_Total", "SYSTEM", "xRAPL_Package0_PKG"}) {
    const EmiPlace place = PlaceEmiChannel(odd);
    CHECK(place.domain == Domain::kOther && !place.note.empty());
  }
}

void TestAmdLaptop() {
  using D = Domain;
  CHECK((Domains({"VDDCR_VDD Energy", "VDDCR_SOC Energy", "Current Socket Energy", "Apu Energy"}) ==
         std::vector<Domain>{D::kCore, D::kOther, D::kPackage, D::kOther}));
  CHECK((Domains({"CPU Power", "Socket Power"}) == std::vector<Domain>{D::kCore, D::kPackage}));
  CHECK((Domains({"Apu Power"}) == std::vector<Domain>{D::kPackage}));
}

// A package has one meter, whichever devices its names stand on, and in whatever order.
void TestOnePackage() {
  using D = Domain;
  CHECK((Domains({"Current Socket Energy", "RAPL_Package0_PKG"}) ==
         std::vector<Domain>{D::kOther, D::kPackage}));
  CHECK((Domains({"RAPL_Package0_PKG", "CPU_CLUSTER_0", "Apu Energy", "Socket Power"}) ==
         std::vector<Domain>{D::kPackage, D::kOther, D::kOther, D::kOther}));
  // Another package's name says nothing of this one.
  CHECK((Domains({"RAPL_Package1_PKG", "Socket Power"}) ==
         std::vector<Domain>{D::kPackage, D::kPackage}));
  // Two devices that repeat a channel: their counts will tell.
  CHECK((Domains({"RAPL_Package0_PKG", "RAPL_Package0_PKG"}) ==
         std::vector<Domain>{D::kPackage, D::kPackage}));
}

void TestSnapdragon() {
  using D = Domain;
  const std::vector<EmiPlace> places = Settle(
      {"CPU_CLUSTER_0", "CPU_CLUSTER_1", "CPU_CLUSTER_2", "GPU", "SYS", "PSU_USB", "USBC_TOTAL"});
  const Domain expected[] = {D::kPackage, D::kPackage, D::kPackage, D::kGpu,
                             D::kPsys,    D::kOther,   D::kOther};
  for (size_t i = 0; i < places.size(); ++i) CHECK(places[i].domain == expected[i]);
  for (int32_t i = 0; i < 3; ++i) {
    CHECK(places[static_cast<size_t>(i)].die == i && places[static_cast<size_t>(i)].package == 0);
  }
  // Elsewhere a rail called GPU may be what another source counts.
  CHECK((Domains({"GPU", "RAPL_Package0_PKG"}) == std::vector<Domain>{D::kOther, D::kPackage}));
}

}  // namespace
}  // namespace microjoule

int main() {
  using namespace microjoule;
  TestRapl();
  TestUnknown();
  TestAmdLaptop();
  TestOnePackage();
  TestSnapdragon();
}
