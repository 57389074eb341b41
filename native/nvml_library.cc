// SPDX-License-Identifier: MIT
#include <cmath>
#include <vector>

#include "nvml_api.h"

namespace microjoule {
namespace {

const char* Advice(NvmlReturn code, const NvmlFiles& files) {
  switch (code) {
    case kNvmlNotSupported:
    case kNvmlFunctionNotFound:
      return "this GPU or driver does not have it";
    case kNvmlNoPermission:
      return files.when_denied;
    case kNvmlDriverNotLoaded:
      return files.when_driver_not_loaded;
    case kNvmlGpuIsLost:
      return "the GPU fell off the bus: restart the machine";
    case kNvmlResetRequired:
      return "reset it: nvidia-smi --gpu-reset";
    case kNvmlVersionMismatch:
      return "the driver was updated under a running kernel module: restart the machine";
    case kNvmlNotReady:
      return "the GPU is not ready yet: it is asked again";
    case kNvmlNotFound:
    case kNvmlGpuNotFound:
      return "the GPU is gone: see nvidia-smi -L";
    case kNvmlUnknown:
      return "in a container, restart it: it may have lost its devices";
    default:
      return "see whether nvidia-smi works";
  }
}

}  // namespace

bool ToUnsigned(const NvmlFieldValue& value, uint64_t* out) {
  switch (value.value_type) {
    case 0:
      if (!(value.value.as_double >= 0) || value.value.as_double > 9e18) return false;
      *out = static_cast<uint64_t>(std::llround(value.value.as_double));
      return true;
    case 1:
      *out = value.value.as_uint;
      return true;
    case 2:
      *out = value.value.as_ulong;
      return true;
    case 3:
      *out = value.value.as_ulonglong;
      return true;
    case 4:
      if (value.value.as_longlong < 0) return false;
      *out = static_cast<uint64_t>(value.value.as_longlong);
      return true;
    case 5:
      if (value.value.as_int < 0) return false;
      *out = static_cast<uint64_t>(value.value.as_int);
      return true;
    case 6:
      *out = value.value.as_ushort;
      return true;
    default:
      return false;
  }
}

Status NvmlStatusOf(NvmlReturn code) {
  switch (code) {
    case kNvmlSuccess:
      return Status::kOk;
    case kNvmlNotSupported:
    case kNvmlFunctionNotFound:
      return Status::kNotSupported;
    case kNvmlNoPermission:
      return Status::kNoPermission;
    case kNvmlNotFound:
    case kNvmlGpuNotFound:
    case kNvmlDriverNotLoaded:
      return Status::kNotFound;
    default:
      return Status::kFailed;
  }
}

NvmlLibrary::~NvmlLibrary() { Shutdown(); }

void NvmlLibrary::Shutdown() {
  if (initialised_) api_.shutdown();
  initialised_ = false;
}

Outcome NvmlLibrary::Load(const std::string& given) {
  const std::vector<std::string> places =
      given.empty() ? files_.places : std::vector<std::string>{given};
  const std::string advice =
      std::string("give the driver's own ") + files_.name + " with nvmlLibrary (--nvml-library)";
  std::string path, broken, why;
  for (const std::string& place : places) {
    path = place;
    bool missing = true;
    std::string error;
    if (library_.Open(place, &error, &missing)) break;
    // Another place may have a good one; of those that are none the first is told.
    if (missing || !broken.empty()) continue;
    broken = place;
    why = error;
  }
  if (!library_ && !broken.empty()) {
    return {Status::kFailed, broken + " cannot be loaded as NVML (" + why + "): " + advice};
  }
  if (!library_) {
    return {Status::kNotFound,
            given.empty()
                ? std::string("no NVML library: without an NVIDIA driver there are no NVIDIA "
                              "counters; if the driver is elsewhere give its ") +
                      files_.name + " with nvmlLibrary (--nvml-library)"
                : path + " does not exist: check the nvmlLibrary option (--nvml-library)"};
  }
  const char* lacking = nullptr;
  const auto find = [&](const char* symbol, auto* function, bool required = false) {
    *function = reinterpret_cast<std::remove_pointer_t<decltype(function)>>(library_.Find(symbol));
    if (*function == nullptr && required && lacking == nullptr) lacking = symbol;
  };
  find("nvmlInit_v2", &api_.init, true);
  find("nvmlShutdown", &api_.shutdown, true);
  find("nvmlDeviceGetCount_v2", &api_.count, true);
  find("nvmlDeviceGetHandleByIndex_v2", &api_.handle, true);
  find("nvmlInitWithFlags", &api_.init_with_flags);
  find("nvmlDeviceGetHandleByPciBusId_v2", &api_.handle_by_pci);
  find("nvmlErrorString", &api_.error_string);
  find("nvmlSystemGetDriverVersion", &api_.driver_version);
  find("nvmlDeviceGetUUID", &api_.uuid);
  find("nvmlDeviceGetName", &api_.name);
  find("nvmlDeviceGetPciInfo_v3", &api_.pci);
  // Of drivers before 384. It fills in less, and what is used of it likewise.
  if (api_.pci == nullptr) find("nvmlDeviceGetPciInfo_v2", &api_.pci);
  find("nvmlDeviceGetArchitecture", &api_.architecture);
  find("nvmlDeviceGetVirtualizationMode", &api_.virtualization);
  find("nvmlDeviceGetMigMode", &api_.mig_mode);
  find("nvmlDeviceGetMaxMigDeviceCount", &api_.mig_most);
  find("nvmlDeviceGetMigDeviceHandleByIndex", &api_.mig_handle);
  find("nvmlDeviceGetTotalEnergyConsumption", &api_.energy);
  find("nvmlDeviceGetFieldValues", &api_.fields);
  find("nvmlDeviceGetPowerUsage", &api_.power);
  find("nvmlDeviceGetEnforcedPowerLimit", &api_.power_limit);
  find("nvmlDeviceGetUtilizationRates", &api_.utilization);
  find("nvmlDeviceGetMemoryInfo", &api_.memory);
  if (lacking != nullptr) {
    return {Status::kFailed, path + " is not NVML (it has no " + lacking + "): " + advice};
  }
  return {};
}

NvmlReturn NvmlLibrary::Init(bool attach) {
  Shutdown();
  NvmlReturn code = kNvmlFunctionNotFound;
  if (attach) {
    code = api_.init();
  } else if (api_.init_with_flags != nullptr) {
    code = api_.init_with_flags(kNvmlNoAttach);
  }
  initialised_ = code == kNvmlSuccess;
  return code;
}

std::string NvmlLibrary::Sentence(const char* call, NvmlReturn code) const {
  const char* const words = api_.error_string != nullptr ? api_.error_string(code) : nullptr;
  return std::string(call) + " answers " + std::to_string(code) +
         (words != nullptr ? std::string(" (") + words + ")" : "") + ": " + Advice(code, files_);
}

}  // namespace microjoule
