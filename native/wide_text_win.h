// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace microjoule {

// Between UTF-8, as everywhere here, and the UTF-16 of Windows.
std::wstring Widen(const std::string& utf8);
std::string Narrow(const std::wstring& wide);

}  // namespace microjoule
