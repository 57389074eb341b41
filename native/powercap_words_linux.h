// SPDX-License-Identifier: MIT
//
// What is said where the powercap tree, or one zone of it, cannot be read.
#pragma once

#include <string>

#include "source.h"

namespace microjoule {

// Why a zone has no value, beside what errno says.
inline constexpr int kZoneHasNoNumber = -1;
inline constexpr int kZoneIsEmpty = -2;
inline constexpr int kZoneVanished = -3;
inline constexpr int kZoneReplaced = -4;
inline constexpr int kZoneMasked = -5;
inline constexpr int kZoneHasNoUnit = -6;

// For `error`, an errno or one of the above, about the file or folder `path`. `is_virtual`: the
// processor says that it is a virtual machine's.
Status ZoneStatus(int error, bool is_virtual);
std::string ZoneSentence(const std::string& path, int error, bool is_virtual);

// Where the class folder cannot be listed, for an errno; where it holds no zone, for 0; and where
// all zones lead nowhere, for kZoneMasked.
Outcome NoZones(const std::string& folder, int error);

}  // namespace microjoule
