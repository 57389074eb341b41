// SPDX-License-Identifier: MIT
//
// The bytes of Windows' Energy Meter Interface (EMI): which channels a device has, and what they
// count. Pure: no device is opened here. Layouts:
// https://learn.microsoft.com/windows-hardware/drivers/powermeter/energy-meter-interface
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace microjoule {

// EMI_MEASUREMENT_UNIT: picowatt-hours, the only unit that is defined.
inline constexpr uint32_t kEmiPicowattHours = 0;

struct EmiChannel {
  std::string name;  // UTF-8, without padding; may be empty
  uint32_t unit = kEmiPicowattHours;
};

struct EmiMetadata {
  std::string oem;
  std::string model;
  uint16_t revision = 0;
  std::vector<EmiChannel> channels;
};

// False with the reason in `error` unless every field lies within the bytes: what follows a field
// that does not cannot be trusted either. `out` is empty then.
bool ParseEmiMetadata(uint16_t version, const uint8_t* data, size_t size, EmiMetadata* out,
                      std::string* error);

// EMI_CHANNEL_MEASUREMENT_DATA. A device answers with one a channel, in the order of its metadata.
struct EmiSample {
  uint64_t picowatt_hours = 0;
  uint64_t time_100ns = 0;  // by the device's own clock, whose origin is not defined
};
inline constexpr size_t kEmiSampleBytes = 16;

EmiSample ParseEmiSample(const uint8_t* data);

}  // namespace microjoule
