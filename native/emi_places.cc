// SPDX-License-Identifier: MIT
#include "emi_places.h"

#include <algorithm>
#include <map>

namespace microjoule {
namespace {

char Upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

bool Take(std::string_view* text, std::string_view prefix) {
  if (text->size() < prefix.size()) return false;
  for (size_t i = 0; i < prefix.size(); ++i) {
    if (Upper((*text)[i]) != Upper(prefix[i])) return false;
  }
  text->remove_prefix(prefix.size());
  return true;
}

bool Is(std::string_view text, std::string_view word) { return Take(&text, word) && text.empty(); }

bool TakeNumber(std::string_view* text, uint32_t* out) {
  size_t digits = 0;
  *out = 0;
  // Nobody has a million packages, cores or clusters.
  while (digits < text->size() && digits < 6 && (*text)[digits] >= '0' && (*text)[digits] <= '9') {
    *out = *out * 10 + static_cast<uint32_t>((*text)[digits++] - '0');
  }
  text->remove_prefix(digits);
  return digits > 0;
}

// RAPL_Package0_PKG and RAPL_Package0_Core3_CORE: the processor drivers of Windows, intelppm and
// amdppm.
bool PlaceRapl(std::string_view name, EmiPlace* out) {
  static constexpr struct {
    std::string_view word;
    Domain domain;
  } kDomains[] = {
      {"PKG", Domain::kPackage}, {"PP0", Domain::kCore},  {"PP1", Domain::kUncore},
      {"DRAM", Domain::kDram},   {"PSYS", Domain::kPsys},
  };
  uint32_t package = 0;
  if (!Take(&name, "RAPL_Package") || !TakeNumber(&name, &package) || !Take(&name, "_")) {
    return false;
  }
  for (const auto& [word, domain] : kDomains) {
    if (!Is(name, word)) continue;
    out->domain = domain;
    out->package = package;
    return true;
  }
  uint32_t core = 0;
  if (!Take(&name, "Core") || !TakeNumber(&name, &core) || !Is(name, "_CORE")) return false;
  out->domain = Domain::kCore;
  out->package = package;
  out->core = static_cast<int32_t>(core);
  return true;
}

constexpr uint32_t kSocketRank = 1;
constexpr uint32_t kApuRank = 2;
constexpr uint32_t kClusterRank = 3;

// Names of drivers that have none for a package by its number: AMD's own on laptops, Qualcomm's.
// Those of AMD end in "Energy" or in "Power", and count energy either way.
struct Name {
  std::string_view word;
  bool has_ending;
  Domain domain;
  uint32_t rank;
  const char* note;
};
constexpr Name kNames[] = {
    {"Current Socket", true, Domain::kPackage, kSocketRank, ""},
    {"Socket", true, Domain::kPackage, kSocketRank, ""},
    {"Apu", true, Domain::kPackage, kApuRank, ""},
    {"CPU", true, Domain::kCore, 0, "the cores"},
    {"VDDCR_VDD", true, Domain::kCore, 0, "the voltage rail of the cores"},
    {"VDDCR_SOC", true, Domain::kOther, 0,
     "the voltage rail of memory controller and I/O, inside the package"},
    {"SYS", false, Domain::kPsys, 0, ""},
    {"PSU_USB", false, Domain::kOther, 0, "what a supply delivers"},
    {"USBC_TOTAL", false, Domain::kOther, 0, "what the USB-C ports deliver"},
};

bool PlaceNamed(std::string_view name, EmiPlace* out) {
  for (const Name& known : kNames) {
    std::string_view rest = name;
    if (!Take(&rest, known.word)) continue;
    if (known.has_ending ? !(Is(rest, " Energy") || Is(rest, " Power")) : !rest.empty()) continue;
    out->domain = known.domain;
    out->rank = known.rank;
    out->note = known.note;
    return true;
  }
  return false;
}

}  // namespace

EmiPlace PlaceEmiChannel(std::string_view name) {
  EmiPlace place;
  if (PlaceRapl(name, &place) || PlaceNamed(name, &place)) return place;
  uint32_t cluster = 0;
  std::string_view rest = name;
  if (Take(&rest, "CPU_CLUSTER_") && TakeNumber(&rest, &cluster) && rest.empty()) {
    place.domain = Domain::kPackage;
    place.die = static_cast<int32_t>(cluster);
    place.rank = kClusterRank;
    place.note = "one cluster of CPU cores";
  } else if (Is(name, "GPU")) {
    // Of a Snapdragon. On other machines a rail of this name may be what NVML counts already.
    place.domain = Domain::kGpu;
    place.rank = kClusterRank;
    place.note = "the GPU beside the clusters of cores";
  } else {
    place.note = name.empty() ? "a channel without a name" : "a channel whose name is not known";
  }
  return place;
}

void SettleEmiPlaces(std::vector<EmiPlace>* places) {
  std::map<uint32_t, uint32_t> best;
  for (const EmiPlace& place : *places) {
    if (place.domain != Domain::kPackage) continue;
    const auto [it, is_new] = best.emplace(place.package, place.rank);
    if (!is_new) it->second = std::min(it->second, place.rank);
  }
  const auto of_clusters = best.find(0);
  const bool has_clusters = of_clusters != best.end() && of_clusters->second == kClusterRank;
  for (EmiPlace& place : *places) {
    if (place.domain == Domain::kPackage && place.rank > best[place.package]) {
      place.note = place.rank == kClusterRank
                       ? "one cluster of CPU cores, inside a package that is metered as a whole"
                       : "a package that is metered under another name";
      place.domain = Domain::kOther;
      place.die = -1;
    } else if (place.domain == Domain::kGpu && !has_clusters) {
      place.note = "a GPU, and which is not known: it may be counted elsewhere";
      place.domain = Domain::kOther;
    }
  }
}

}  // namespace microjoule
