// SPDX-License-Identifier: MIT
#include <windows.h>

#include "dynamic_library.h"

namespace microjoule {
namespace {

std::wstring Widen(const std::string& utf8) {
  const int length = MultiByteToWideChar(CP_UTF8, 0, utf8.c_str(), -1, nullptr, 0);
  std::wstring wide(length > 0 ? static_cast<size_t>(length) : 1, L'\0');
  MultiByteToWideChar(CP_UTF8, 0, utf8.c_str(), -1, wide.data(), length);
  wide.resize(wide.size() - 1);
  return wide;
}

}  // namespace

DynamicLibrary::~DynamicLibrary() {
  if (handle_ != nullptr) FreeLibrary(static_cast<HMODULE>(handle_));
}

bool DynamicLibrary::Open(const std::string& path, std::string* error, bool* missing) {
  // A bare name is looked for in System32 alone: the current folder must not be able to plant one.
  const bool bare = path.find_first_of("\\/") == std::string::npos;
  const DWORD flags = bare ? LOAD_LIBRARY_SEARCH_SYSTEM32 : LOAD_WITH_ALTERED_SEARCH_PATH;
  handle_ = LoadLibraryExW(Widen(path).c_str(), nullptr, flags);
  if (handle_ != nullptr) return true;
  const DWORD code = GetLastError();
  *missing = code == ERROR_MOD_NOT_FOUND || code == ERROR_FILE_NOT_FOUND;
  *error = "LoadLibraryEx failed with error " + std::to_string(code);
  return false;
}

void* DynamicLibrary::Find(const char* symbol) const {
  return reinterpret_cast<void*>(GetProcAddress(static_cast<HMODULE>(handle_), symbol));
}

}  // namespace microjoule
