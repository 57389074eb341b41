// SPDX-License-Identifier: MIT
#pragma once

namespace microjoule {

// Where this system shows what befell the driver of a CPU's energy counters, as something to do.
const char* LookAtDriver();

}  // namespace microjoule
