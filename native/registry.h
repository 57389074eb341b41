// SPDX-License-Identifier: MIT
#pragma once

#include <memory>

#include "meter.h"

namespace microjoule {

// The meter for these options: the one already open in this process, if any environment has it.
// It closes with its last holder.
std::shared_ptr<Meter> AcquireMeter(const Options& options);

}  // namespace microjoule
