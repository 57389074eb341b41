// SPDX-License-Identifier: MIT
//
// Which paths are the machine's.
#pragma once

#include "preload.h"

namespace virtual_machine {

struct Opening {
  int error = 0;    // the open fails
  int served = -1;  // a descriptor with another content
  Kind kind = Kind::kNothing;
  int cpu = -1;
  bool allow_listed = false;
  const Zone* zone = nullptr;
  const Faults* faults = nullptr;
  int64_t now_ns = 0;
};

// What becomes of the opening of an absolute path.
Opening Decide(const char* path);

// From now on the descriptor is the machine's.
void Register(int fd, const Opening& opening);

}  // namespace virtual_machine
