// SPDX-License-Identifier: MIT
//
// What the texts of a PMU's folder in sysfs mean (Documentation/ABI/testing/
// sysfs-bus-event_source-devices-{events,format}). Pure: no file is opened here.
#pragma once

#include <cstdint>
#include <string_view>

#include "source.h"

namespace microjoule {

// One term of an event: "event=0x02". A bare name counts as 1.
struct EventTerm {
  std::string_view name;  // into the parsed text; only what may stand in a file's name
  uint64_t value = 0;
};

// Takes the first term off "event=0x02,umask=0x1". False, with neither changed, when none stands
// there. Text without padding or line end, please.
bool TakeEventTerm(std::string_view* text, EventTerm* out);

// Puts `value` into the bits that a format names, lowest first: "config:0-7", "config:0-7,32-35".
// False, with `config` unchanged, for other fields (config1), for malformed text, and for a value
// that does not fit.
bool PlaceBits(std::string_view format, uint64_t value, uint64_t* config);

// Decimal text such as "2.3283064365386962890625e-10", exactly: 1/4294967296, in lowest terms.
// False for 0, for negative numbers, for what does not fit into 64 over 64 bits, and for digits
// that do not fit into 128 bits.
bool ParseScale(std::string_view text, Scale* out);

// The domain of an event of the RAPL PMUs (arch/x86/events/rapl.c): "energy-pkg".
Domain EventDomain(std::string_view name);

}  // namespace microjoule
