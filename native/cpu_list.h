// SPDX-License-Identifier: MIT
//
// Lists of CPUs as sysfs prints them. Pure: no file is opened here.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace microjoule {

// CPU numbers and the length of a list are below this; the kernel's own limit (NR_CPUS) is 8192.
inline constexpr uint32_t kMaxCpus = 65536;

// "0-3,8,10-11" into ascending numbers without repeats, whatever order the text has. Empty text is
// an empty list; white space and NUL padding at the end are let pass. False, with `out` empty, for
// anything else and for numbers or lists beyond kMaxCpus.
bool ParseCpuList(std::string_view text, std::vector<uint32_t>* out);

}  // namespace microjoule
