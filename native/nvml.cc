// SPDX-License-Identifier: MIT
//
// NVIDIA GPUs through NVML, loaded at run time: nothing of NVIDIA's is needed to build or to start.
// Signatures and codes: https://docs.nvidia.com/deploy/nvml-api/
#include <cstdio>

#include "clock.h"
#include "dynamic_library.h"
#include "source.h"

namespace microjoule {
namespace {

using NvmlReturn = int;
using NvmlDevice = struct NvmlDeviceOpaque*;

constexpr NvmlReturn kSuccess = 0;
constexpr NvmlReturn kNotSupported = 3;
constexpr NvmlReturn kNoPermission = 4;
constexpr NvmlReturn kNotFound = 6;
constexpr NvmlReturn kDriverNotLoaded = 9;
constexpr NvmlReturn kFunctionNotFound = 13;
constexpr NvmlReturn kGpuIsLost = 15;
constexpr NvmlReturn kResetRequired = 16;
constexpr NvmlReturn kVersionMismatch = 18;
constexpr NvmlReturn kUnknown = 999;

// nvml.h: NVML_DEVICE_UUID_V2_BUFFER_SIZE and NVML_DEVICE_NAME_V2_BUFFER_SIZE.
constexpr unsigned kTextSize = 96;

// nvml.h: nvmlPciInfo_t of the _v3 call.
struct NvmlPciInfo {
  char bus_id_legacy[16];
  unsigned domain, bus, device, pci_device_id, pci_subsystem_id;
  char bus_id[32];
};

struct Api {
  NvmlReturn (*init)() = nullptr;
  NvmlReturn (*shutdown)() = nullptr;
  const char* (*error_string)(NvmlReturn) = nullptr;
  NvmlReturn (*count)(unsigned*) = nullptr;
  NvmlReturn (*handle)(unsigned, NvmlDevice*) = nullptr;
  NvmlReturn (*uuid)(NvmlDevice, char*, unsigned) = nullptr;
  NvmlReturn (*name)(NvmlDevice, char*, unsigned) = nullptr;
  NvmlReturn (*pci)(NvmlDevice, NvmlPciInfo*) = nullptr;
  NvmlReturn (*energy)(NvmlDevice, unsigned long long*) = nullptr;
};

// In the order of trial: the versioned soname of the driver, its System32 copy on Windows, and the
// place of drivers before 2019.
std::vector<std::string> DefaultLibraries() {
  return {"libnvidia-ml.so.1", "nvml.dll",
          "C:\\Program Files\\NVIDIA Corporation\\NVSMI\\nvml.dll"};
}

Status StatusOf(NvmlReturn code) {
  switch (code) {
    case kNotSupported:
    case kFunctionNotFound:
      return Status::kNotSupported;
    case kNoPermission:
      return Status::kNoPermission;
    case kNotFound:
    case kDriverNotLoaded:
      return Status::kNotFound;
    default:
      return Status::kFailed;
  }
}

const char* Advice(NvmlReturn code) {
  switch (code) {
    case kNotSupported:
    case kFunctionNotFound:
      return "this GPU or driver keeps no energy count (Volta and later do, virtual GPUs do not)";
    case kNoPermission:
      return "let this user open /dev/nvidia*";
    case kDriverNotLoaded:
      return "load the driver: run nvidia-smi as root";
    case kGpuIsLost:
      return "the GPU fell off the bus: restart the machine";
    case kResetRequired:
      return "reset it: nvidia-smi --gpu-reset";
    case kVersionMismatch:
      return "the driver was updated under a running kernel module: restart the machine";
    case kUnknown:
      return "in a container, restart it: it may have lost its devices";
    default:
      return "see whether nvidia-smi works";
  }
}

class Nvml final : public Source {
 public:
  ~Nvml() override {
    if (initialised_) api_.shutdown();
  }

  Outcome Probe(const Options& options) override;
  const std::vector<Counter>& counters() const override { return counters_; }
  bool blocking() const override { return true; }
  void Read(const Pass& pass, RawReading* out) override;
  std::string Explain(size_t i) const override {
    if (counters_[i].outcome.status != Status::kOk) return counters_[i].outcome.detail;
    return codes_[i] == kSuccess ? "" : Sentence("nvmlDeviceGetTotalEnergyConsumption", codes_[i]);
  }

 private:
  Outcome Load(const Options& options);
  void AddDevice(unsigned index);
  std::string Sentence(const char* call, NvmlReturn code) const;

  DynamicLibrary library_;
  Api api_;
  bool initialised_ = false;
  std::vector<Counter> counters_;
  std::vector<NvmlDevice> devices_;
  std::vector<NvmlReturn> codes_;
};

std::string Nvml::Sentence(const char* call, NvmlReturn code) const {
  const char* const words = api_.error_string != nullptr ? api_.error_string(code) : nullptr;
  return std::string(call) + " answers " + std::to_string(code) +
         (words != nullptr ? std::string(" (") + words + ")" : "") + ": " + Advice(code);
}

Outcome Nvml::Load(const Options& options) {
  const bool given = !options.nvml_library.empty();
  std::string error;
  bool missing = true;
  std::string path;
  for (const std::string& candidate :
       given ? std::vector<std::string>{options.nvml_library} : DefaultLibraries()) {
    path = candidate;
    if (library_.Open(candidate, &error, &missing) || !missing) break;
  }
  if (!library_ && missing) {
    return {Status::kNotFound,
            given
                ? path + " does not exist: check the nvmlLibrary option"
                : "no NVML library: without an NVIDIA driver there are no NVIDIA counters; if the "
                  "driver is elsewhere give its libnvidia-ml.so.1 with nvmlLibrary"};
  }
  if (!library_) {
    return {Status::kFailed, path + " cannot be loaded as NVML (" + error +
                                 "): give the driver's own libnvidia-ml.so.1 with nvmlLibrary"};
  }
  const char* lacking = nullptr;
  const auto find = [&](const char* symbol, auto* function, bool required) {
    *function = reinterpret_cast<std::remove_pointer_t<decltype(function)>>(library_.Find(symbol));
    if (*function == nullptr && required && lacking == nullptr) lacking = symbol;
  };
  find("nvmlInit_v2", &api_.init, true);
  find("nvmlShutdown", &api_.shutdown, true);
  find("nvmlDeviceGetCount_v2", &api_.count, true);
  find("nvmlDeviceGetHandleByIndex_v2", &api_.handle, true);
  find("nvmlErrorString", &api_.error_string, false);
  find("nvmlDeviceGetUUID", &api_.uuid, false);
  find("nvmlDeviceGetName", &api_.name, false);
  find("nvmlDeviceGetPciInfo_v3", &api_.pci, false);
  find("nvmlDeviceGetTotalEnergyConsumption", &api_.energy, false);
  if (lacking != nullptr) {
    return {Status::kFailed, path + " is not NVML (it has no " + lacking +
                                 "): give the driver's own libnvidia-ml.so.1 with nvmlLibrary"};
  }
  return {};
}

Outcome Nvml::Probe(const Options& options) {
  const Outcome loaded = Load(options);
  if (loaded.status != Status::kOk) return loaded;
  NvmlReturn code = api_.init();
  if (code != kSuccess) return {StatusOf(code), Sentence("nvmlInit_v2", code)};
  initialised_ = true;
  unsigned count = 0;
  code = api_.count(&count);
  if (code != kSuccess) return {StatusOf(code), Sentence("nvmlDeviceGetCount_v2", code)};
  if (count == 0) return {Status::kNotFound, "NVML works but finds no GPU: see nvidia-smi -L"};
  for (unsigned index = 0; index < count; ++index) AddDevice(index);
  codes_.resize(devices_.size(), kSuccess);
  return {};
}

// A GPU that answers badly is listed with its reason and hides no other.
void Nvml::AddDevice(unsigned index) {
  Counter counter;
  counter.id = "nvml:" + std::to_string(index);
  counter.domain = Domain::kGpu;
  counter.device = index;
  counter.origin = "GPU " + std::to_string(index);
  counter.scale = {1, 1000};  // millijoules since the driver was loaded
  NvmlDevice device = nullptr;
  NvmlReturn code = api_.handle(index, &device);
  if (code != kSuccess) {
    counter.outcome = {StatusOf(code), Sentence("nvmlDeviceGetHandleByIndex_v2", code)};
  } else {
    char text[kTextSize] = {};
    if (api_.uuid != nullptr && api_.uuid(device, text, kTextSize) == kSuccess) {
      counter.origin = text;
    }
    if (api_.name != nullptr && api_.name(device, text, kTextSize) == kSuccess) {
      counter.device_name = text;
    }
    NvmlPciInfo pci = {};
    if (api_.pci != nullptr && api_.pci(device, &pci) == kSuccess) {
      char address[32];
      std::snprintf(address, sizeof address, "%04x:%02x:%02x.0", pci.domain, pci.bus & 0xffu,
                    pci.device & 0xffu);
      counter.pci_address = address;
    }
    unsigned long long energy = 0;
    code = api_.energy != nullptr ? api_.energy(device, &energy) : kFunctionNotFound;
    if (code != kSuccess) {
      counter.outcome = {StatusOf(code), Sentence("nvmlDeviceGetTotalEnergyConsumption", code)};
    }
  }
  counters_.push_back(std::move(counter));
  devices_.push_back(device);
}

void Nvml::Read(const Pass& pass, RawReading* out) {
  for (size_t i = 0; i < devices_.size(); ++i) {
    if (counters_[i].outcome.status != Status::kOk) {
      out[i].status = counters_[i].outcome.status;
      continue;
    }
    unsigned long long energy = 0;
    const uint64_t before_ns = pass.clock.MonotonicNs();
    codes_[i] = api_.energy(devices_[i], &energy);
    out[i].status = codes_[i] == kSuccess ? Status::kOk : StatusOf(codes_[i]);
    out[i].ticks = energy;
    out[i].time_ns = before_ns + (pass.clock.MonotonicNs() - before_ns) / 2;
  }
}

}  // namespace

std::unique_ptr<Source> MakeNvml() { return std::make_unique<Nvml>(); }

}  // namespace microjoule
