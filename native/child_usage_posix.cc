// SPDX-License-Identifier: MIT
#include <sys/resource.h>

#include "child_usage.h"

namespace microjoule {
namespace {

uint64_t Microseconds(const timeval& t) {
  return static_cast<uint64_t>(t.tv_sec) * 1000000u + static_cast<uint64_t>(t.tv_usec);
}

}  // namespace

bool ReadChildUsage(ChildUsage* out) {
  rusage usage;
  if (getrusage(RUSAGE_CHILDREN, &usage) != 0) return false;
  out->user_us = Microseconds(usage.ru_utime);
  out->system_us = Microseconds(usage.ru_stime);
  return true;
}

}  // namespace microjoule
