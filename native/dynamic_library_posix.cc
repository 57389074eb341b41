// SPDX-License-Identifier: MIT
#include <dlfcn.h>
#include <unistd.h>

#include "dynamic_library.h"

namespace microjoule {

DynamicLibrary::~DynamicLibrary() {
  if (handle_ != nullptr) dlclose(handle_);
}

bool DynamicLibrary::Open(const std::string& path, std::string* error, bool* missing) {
  handle_ = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle_ != nullptr) return true;
  const char* const words = dlerror();
  *error = words != nullptr ? words : "dlopen failed";
  // A bare name was searched for along the loader's path: not loaded means not there, unless the
  // loader says what else was wrong.
  *missing = path.find('/') == std::string::npos ? error->find("o such file") != std::string::npos
                                                 : access(path.c_str(), F_OK) != 0;
  return false;
}

void* DynamicLibrary::Find(const char* symbol) const { return dlsym(handle_, symbol); }

}  // namespace microjoule
