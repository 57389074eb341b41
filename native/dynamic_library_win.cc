// SPDX-License-Identifier: MIT
#include <windows.h>

#include "dynamic_library.h"
#include "wide_text_win.h"

namespace microjoule {
DynamicLibrary::~DynamicLibrary() {
  if (handle_ != nullptr) FreeLibrary(static_cast<HMODULE>(handle_));
}

// Neither the library nor what it needs is looked for in the current folder, where anybody may have
// planted one: a bare name means System32, and a path is made whole first.
bool DynamicLibrary::Open(const std::string& path, std::string* error, bool* missing) {
  const bool bare = path.find_first_of("\\/") == std::string::npos;
  std::wstring file = Widen(path);
  DWORD flags = LOAD_LIBRARY_SEARCH_SYSTEM32;
  if (!bare) {
    flags = LOAD_LIBRARY_SEARCH_DLL_LOAD_DIR | LOAD_LIBRARY_SEARCH_DEFAULT_DIRS;
    std::wstring whole(GetFullPathNameW(file.c_str(), 0, nullptr, nullptr), L'\0');
    const DWORD length =
        GetFullPathNameW(file.c_str(), static_cast<DWORD>(whole.size()), whole.data(), nullptr);
    if (length > 0 && length < whole.size()) file = whole.substr(0, length);
  }
  handle_ = LoadLibraryExW(file.c_str(), nullptr, flags);
  if (handle_ != nullptr) return true;
  const DWORD code = GetLastError();
  // The same error as for a library that it needs.
  *missing = bare ? code == ERROR_MOD_NOT_FOUND || code == ERROR_FILE_NOT_FOUND
                  : GetFileAttributesW(file.c_str()) == INVALID_FILE_ATTRIBUTES;
  *error = "LoadLibraryEx failed with error " + std::to_string(code);
  return false;
}

void* DynamicLibrary::Find(const char* symbol) const {
  return reinterpret_cast<void*>(GetProcAddress(static_cast<HMODULE>(handle_), symbol));
}

}  // namespace microjoule
