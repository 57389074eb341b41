// SPDX-License-Identifier: MIT
#include "driver_log.h"

namespace microjoule {

const char* LookAtDriver() { return "see in the Device Manager whether its driver shows trouble"; }

}  // namespace microjoule
