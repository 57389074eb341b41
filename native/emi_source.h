// SPDX-License-Identifier: MIT
//
// Windows' Energy Meter as a source, given what it needs of Windows. Standard headers only, so that
// any machine can test it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "emi_metadata.h"
#include "emi_places.h"
#include "source.h"

namespace microjoule {

// The requests of the interface, in the order of their codes.
enum class EmiRequest { kVersion, kMetadataSize, kMetadata, kMeasurement };

// Error codes of Windows that mean something here.
inline constexpr uint32_t kEmiOk = 0;
inline constexpr uint32_t kEmiFileNotFound = 2;
inline constexpr uint32_t kEmiAccessDenied = 5;

// A device that was opened. Closed with the object.
class EmiHandle {
 public:
  virtual ~EmiHandle() = default;
  // An error code; kEmiOk with the number of bytes that were written.
  virtual uint32_t Call(EmiRequest request, uint8_t* out, size_t size, size_t* written) = 0;
};

class EmiSystem {
 public:
  virtual ~EmiSystem() = default;
  // Paths of all meters that are present, as the system names them.
  virtual uint32_t List(std::vector<std::string>* paths) = 0;
  virtual uint32_t Open(const std::string& path, std::unique_ptr<EmiHandle>* out) = 0;
};

// The energy meter of everything but single cores, or that of single cores alone.
enum class EmiPart { kMachine, kCores };
std::unique_ptr<Source> MakeEmiSource(std::unique_ptr<EmiSystem> system, EmiPart part);

}  // namespace microjoule
