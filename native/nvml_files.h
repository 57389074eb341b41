// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

namespace microjoule {

// Where this system keeps NVIDIA's library, and what to say where it cannot be used.
struct NvmlFiles {
  std::vector<std::string> places;  // in the order of trial
  const char* name;                 // of the file that users would give
  const char* when_denied;
  const char* when_driver_not_loaded;
};

NvmlFiles FindNvmlFiles();

}  // namespace microjoule
