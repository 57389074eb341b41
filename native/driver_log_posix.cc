// SPDX-License-Identifier: MIT
#include "driver_log.h"

namespace microjoule {

const char* LookAtDriver() { return "look at its driver (dmesg | grep -i rapl)"; }

}  // namespace microjoule
