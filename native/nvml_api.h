// SPDX-License-Identifier: MIT
//
// What is used of NVIDIA's NVML, declared here so that nothing of NVIDIA's is needed to build.
// Prototypes, numbers and layouts are those of its documented interface, API 13:
// https://docs.nvidia.com/deploy/nvml-api/ (nvmlReturn_t, "Device Queries", "Field Value Queries").
#pragma once

#include <cstdint>
#include <string>

#include "dynamic_library.h"
#include "nvml_files.h"
#include "source.h"

namespace microjoule {

// nvmlReturn_t.
using NvmlReturn = int;
inline constexpr NvmlReturn kNvmlSuccess = 0;
inline constexpr NvmlReturn kNvmlUninitialized = 1;
inline constexpr NvmlReturn kNvmlNotSupported = 3;
inline constexpr NvmlReturn kNvmlNoPermission = 4;
inline constexpr NvmlReturn kNvmlNotFound = 6;
inline constexpr NvmlReturn kNvmlDriverNotLoaded = 9;
inline constexpr NvmlReturn kNvmlTimeout = 10;
inline constexpr NvmlReturn kNvmlIrqIssue = 11;
inline constexpr NvmlReturn kNvmlFunctionNotFound = 13;
inline constexpr NvmlReturn kNvmlGpuIsLost = 15;
inline constexpr NvmlReturn kNvmlResetRequired = 16;
inline constexpr NvmlReturn kNvmlVersionMismatch = 18;
inline constexpr NvmlReturn kNvmlInUse = 19;
inline constexpr NvmlReturn kNvmlMemory = 20;
inline constexpr NvmlReturn kNvmlNoData = 21;
inline constexpr NvmlReturn kNvmlNotReady = 27;
inline constexpr NvmlReturn kNvmlGpuNotFound = 28;
inline constexpr NvmlReturn kNvmlUnknown = 999;

using NvmlDevice = struct NvmlDeviceOpaque*;

// nvmlInitWithFlags: NVML_INIT_FLAG_NO_ATTACH. Without it every GPU is attached, and so woken.
inline constexpr unsigned kNvmlNoAttach = 2;

// NVML_FI_DEV_*.
inline constexpr unsigned kNvmlFieldTotalEnergy = 83;    // mJ
inline constexpr unsigned kNvmlFieldAveragePower = 185;  // mW, over 1 s
inline constexpr unsigned kNvmlFieldInstantPower = 186;  // mW

// NVML_POWER_SCOPE_*, the scopeId of power fields.
inline constexpr unsigned kNvmlScopeGpu = 0;
inline constexpr unsigned kNvmlScopeModule = 1;
inline constexpr unsigned kNvmlScopeMemory = 2;

// nvmlDeviceArchitecture_t: from Ampere on GetPowerUsage is an average.
inline constexpr unsigned kNvmlArchAmpere = 7;

// nvmlGpuVirtualizationMode_t: inside a virtual machine, with a part of a GPU.
inline constexpr int kNvmlVirtualizationVgpu = 2;

// NVML_DEVICE_UUID_V2_BUFFER_SIZE and NVML_DEVICE_NAME_V2_BUFFER_SIZE;
// NVML_SYSTEM_DRIVER_VERSION_BUFFER_SIZE is 80.
inline constexpr unsigned kNvmlTextSize = 96;

// nvmlPciInfo_t, of the _v3 call.
struct NvmlPciInfo {
  char bus_id_legacy[16];
  unsigned domain, bus, device, pci_device_id, pci_subsystem_id;
  char bus_id[32];
};
static_assert(sizeof(NvmlPciInfo) == 68, "as NVML lays it out");

// nvmlFieldValue_t.
struct NvmlFieldValue {
  unsigned field_id;
  unsigned scope_id;
  long long timestamp_us;  // wall clock, since 1970
  long long latency_us;
  unsigned value_type;  // nvmlValueType_t
  NvmlReturn status;
  union {
    double as_double;
    unsigned as_uint;
    unsigned long as_ulong;
    unsigned long long as_ulonglong;
    long long as_longlong;
    int as_int;
    unsigned short as_ushort;
  } value;
};
static_assert(sizeof(NvmlFieldValue) == 40, "as NVML lays it out");

// The value, by its own type, which varies with the driver. False where it is negative or of a type
// that is not known.
bool ToUnsigned(const NvmlFieldValue& value, uint64_t* out);

// nvmlUtilization_t, in per cent.
struct NvmlUtilization {
  unsigned gpu, memory;
};

// nvmlMemory_t, in bytes.
struct NvmlMemory {
  unsigned long long total, free, used;
};

// Null where the library lacks a function. The versioned names are those that the header's macros
// stand for.
struct NvmlApi {
  NvmlReturn (*init)() = nullptr;
  NvmlReturn (*shutdown)() = nullptr;
  NvmlReturn (*count)(unsigned*) = nullptr;
  NvmlReturn (*handle)(unsigned, NvmlDevice*) = nullptr;
  NvmlReturn (*init_with_flags)(unsigned) = nullptr;
  NvmlReturn (*handle_by_pci)(const char*, NvmlDevice*) = nullptr;
  const char* (*error_string)(NvmlReturn) = nullptr;
  NvmlReturn (*driver_version)(char*, unsigned) = nullptr;
  NvmlReturn (*uuid)(NvmlDevice, char*, unsigned) = nullptr;
  NvmlReturn (*name)(NvmlDevice, char*, unsigned) = nullptr;
  NvmlReturn (*pci)(NvmlDevice, NvmlPciInfo*) = nullptr;
  NvmlReturn (*architecture)(NvmlDevice, unsigned*) = nullptr;
  NvmlReturn (*virtualization)(NvmlDevice, int*) = nullptr;
  NvmlReturn (*mig_mode)(NvmlDevice, unsigned*, unsigned*) = nullptr;
  NvmlReturn (*mig_most)(NvmlDevice, unsigned*) = nullptr;
  NvmlReturn (*mig_handle)(NvmlDevice, unsigned, NvmlDevice*) = nullptr;
  NvmlReturn (*energy)(NvmlDevice, unsigned long long*) = nullptr;
  NvmlReturn (*fields)(NvmlDevice, int, NvmlFieldValue*) = nullptr;
  NvmlReturn (*power)(NvmlDevice, unsigned*) = nullptr;
  NvmlReturn (*power_limit)(NvmlDevice, unsigned*) = nullptr;
  NvmlReturn (*utilization)(NvmlDevice, NvmlUtilization*) = nullptr;
  NvmlReturn (*memory)(NvmlDevice, NvmlMemory*) = nullptr;
};

Status NvmlStatusOf(NvmlReturn code);

class NvmlLibrary {
 public:
  ~NvmlLibrary();
  // Loads the library, not yet initialised: `path`, or where it is empty the system's.
  Outcome Load(const std::string& path);
  // Without attaching, where it must not wake a GPU. Shuts down what was initialised before.
  NvmlReturn Init(bool attach);
  void Shutdown();

  const NvmlApi& api() const { return api_; }
  // "nvmlInit_v2 answers 9 (Driver Not Loaded): ..." and what to do.
  std::string Sentence(const char* call, NvmlReturn code) const;

 private:
  const NvmlFiles files_ = FindNvmlFiles();
  DynamicLibrary library_;
  NvmlApi api_;
  bool initialised_ = false;
};

}  // namespace microjoule
