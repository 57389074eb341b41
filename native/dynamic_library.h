// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace microjoule {

// A library loaded at run time. Unloaded with the object.
class DynamicLibrary {
 public:
  DynamicLibrary() = default;
  ~DynamicLibrary();
  DynamicLibrary(const DynamicLibrary&) = delete;
  DynamicLibrary& operator=(const DynamicLibrary&) = delete;

  // False with the system's own words in `error`. `missing` tells whether there was no such file.
  bool Open(const std::string& path, std::string* error, bool* missing);

  // Null when the library has no such function.
  void* Find(const char* symbol) const;

  explicit operator bool() const { return handle_ != nullptr; }

 private:
  void* handle_ = nullptr;
};

}  // namespace microjoule
