// SPDX-License-Identifier: MIT
#include "source.h"

namespace microjoule {

const char* StatusName(Status status) {
  switch (status) {
    case Status::kOk:
      return "ok";
    case Status::kNotFound:
      return "not-found";
    case Status::kNoPermission:
      return "no-permission";
    case Status::kMasked:
      return "masked";
    case Status::kVirtualised:
      return "virtualised";
    case Status::kNotSupported:
      return "not-supported";
    case Status::kStale:
      return "stale";
    case Status::kImplausible:
      return "implausible";
    case Status::kFailed:
      return "failed";
  }
  return "failed";
}

const char* DomainName(Domain domain) {
  switch (domain) {
    case Domain::kPackage:
      return "package";
    case Domain::kCore:
      return "core";
    case Domain::kUncore:
      return "uncore";
    case Domain::kDram:
      return "dram";
    case Domain::kPsys:
      return "psys";
    case Domain::kGpu:
      return "gpu";
    case Domain::kGpuMemory:
      return "gpu-memory";
    case Domain::kModule:
      return "module";
    case Domain::kOther:
      return "other";
  }
  return "other";
}

}  // namespace microjoule
