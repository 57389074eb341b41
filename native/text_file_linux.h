// SPDX-License-Identifier: MIT
//
// Small text files of sysfs and procfs.
#pragma once

#include <string>

namespace microjoule {

// The first kilobytes of a file, as they are. 0, or an errno.
int ReadTextFile(const std::string& path, std::string* out);

// The first line of such a text, without NUL padding and trailing white space.
std::string FirstLine(std::string text);

}  // namespace microjoule
