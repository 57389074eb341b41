// SPDX-License-Identifier: MIT
//
// What a channel of Windows' Energy Meter meters, by its name. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "source.h"

namespace microjoule {

struct EmiPlace {
  Domain domain = Domain::kOther;
  uint32_t package = 0;
  int32_t die = -1;   // a cluster of cores, where those are what is metered
  int32_t core = -1;  // a single core; -1 where it is no single core's
  // Of names that claim the same package the lowest is it.
  uint32_t rank = 0;
  std::string note;  // what a reader should know of it; empty when its name says all
};

// The place that a name claims for itself. kOther for names that are not known: they are listed and
// never added up.
EmiPlace PlaceEmiChannel(std::string_view name);

// Settles the claims of all channels of all devices: each package is metered by the best of its
// names, and the others become kOther with a note. Channels of equal name stay: whether they repeat
// one meter only their counts tell.
void SettleEmiPlaces(std::vector<EmiPlace>* places);

}  // namespace microjoule
