// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace microjoule {

// CPU time of all children this process has waited for, their own children included.
struct ChildUsage {
  uint64_t user_us = 0;
  uint64_t system_us = 0;
};

// False where the operating system does not keep it.
bool ReadChildUsage(ChildUsage* out);

}  // namespace microjoule
