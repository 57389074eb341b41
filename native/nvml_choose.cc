// SPDX-License-Identifier: MIT
//
// What a GPU is, and which of its functions count its energy.
#include <cstdio>

#include "count.h"
#include "nvml_gpu.h"

namespace microjoule {
namespace {

// So often a total that is not told yet is asked for before power is used in its place.
constexpr int kMostUnready = 3;

}  // namespace

std::string NvmlProblem(const NvmlLibrary& library, const NvmlReader& reader) {
  if (reader.code != kNvmlSuccess) return library.Sentence(reader.Name(), reader.code);
  if (reader.call == NvmlReader::Call::kEnergy || reader.field == kNvmlFieldTotalEnergy) {
    if (reader.value == 0) return "its total energy reads 0 J";
    if (reader.value <= kNvmlMostMillijoules) return "";
    return "its total energy reads " + std::to_string(reader.value / 1000) +
           " J, which no device can have used";
  }
  if (reader.value == 0) return "its power reads 0 W";
  if (reader.value <= PlausibleWatts(Domain::kGpu) * 1000) return "";
  return "its power reads " + std::to_string(reader.value / 1000) + " W, which no GPU draws";
}

NvmlReader NvmlFieldReader(unsigned field, unsigned scope) {
  NvmlReader reader;
  reader.call = NvmlReader::Call::kField;
  reader.field = field;
  reader.scope = scope;
  return reader;
}

NvmlReader NvmlCallReader(NvmlReader::Call call) {
  NvmlReader reader;
  reader.call = call;
  return reader;
}

void NvmlGpu::Identify(const NvmlLibrary& library) {
  const NvmlApi& api = library.api();
  char text[kNvmlTextSize] = {};
  if (api.uuid != nullptr && api.uuid(device_, text, kNvmlTextSize) == kNvmlSuccess) {
    info.uuid = text;
  }
  if (api.name != nullptr && api.name(device_, text, kNvmlTextSize) == kNvmlSuccess) {
    info.name = text;
  }
  if (api.driver_version != nullptr && api.driver_version(text, kNvmlTextSize) == kNvmlSuccess) {
    info.driver_version = text;
  }
  NvmlPciInfo pci = {};
  if (api.pci != nullptr && api.pci(device_, &pci) == kNvmlSuccess) {
    char address[32];
    std::snprintf(address, sizeof address, "%04x:%02x:%02x.0", pci.domain, pci.bus & 0xffu,
                  pci.device & 0xffu);
    info.pci_address = address;
  }
  unsigned number = 0, pending = 0;
  if (api.architecture != nullptr && api.architecture(device_, &number) == kNvmlSuccess) {
    architecture_ = number;
  }
  int mode = 0;
  is_vgpu_ = api.virtualization != nullptr && api.virtualization(device_, &mode) == kNvmlSuccess &&
             mode == kNvmlVirtualizationVgpu;
  if (api.power_limit != nullptr && api.power_limit(device_, &number) == kNvmlSuccess) {
    info.power_limit_watts = number / 1e3;
  }
  // Instances tell the energy of the whole GPU as their own: they are counted, never read.
  info.instances = 0;
  if (api.mig_mode == nullptr || api.mig_most == nullptr || api.mig_handle == nullptr) return;
  if (api.mig_mode(device_, &number, &pending) != kNvmlSuccess || number == 0) return;
  if (api.mig_most(device_, &number) != kNvmlSuccess) return;
  for (unsigned i = 0; i < number; ++i) {
    NvmlDevice instance = nullptr;
    if (api.mig_handle(device_, i, &instance) == kNvmlSuccess) ++info.instances;
  }
}

bool NvmlGpu::UsageIsAverage() const {
  if (architecture_ < kNvmlArchAmpere) return false;
  // GA100, the one of its architecture that tells it as it is (NVML's words on GetPowerUsage).
  for (const char* name : {" A100", " A800", " A30"}) {
    const size_t at = info.name.find(name);
    if (at == std::string::npos) continue;
    const size_t end = at + std::string(name).size();
    if (end == info.name.size() || info.name[end] < '0' || info.name[end] > '9') return false;
  }
  return true;
}

bool NvmlGpu::TryTotal(const NvmlLibrary& library, const Clock& clock) {
  NvmlReader energy = NvmlCallReader(NvmlReader::Call::kEnergy);
  Read(library, clock, {&energy});
  if (!NvmlProblem(library, energy).empty()) return false;
  channels_.clear();
  channels_.emplace_back(Domain::kGpu);
  has_power_check_ = has_empty_total_ = false;
  Choose(library, clock);
  readers_.reserve(channels_.size());
  return true;
}

void NvmlGpu::Choose(const NvmlLibrary& library, const Clock& clock) {
  NvmlReader energy = NvmlCallReader(NvmlReader::Call::kEnergy);
  NvmlReader usage = NvmlCallReader(NvmlReader::Call::kPower);
  NvmlReader energy_field = NvmlFieldReader(kNvmlFieldTotalEnergy, 0);
  NvmlReader instant = NvmlFieldReader(kNvmlFieldInstantPower, kNvmlScopeGpu);
  NvmlReader average = NvmlFieldReader(kNvmlFieldAveragePower, kNvmlScopeGpu);
  NvmlReader module = NvmlFieldReader(kNvmlFieldInstantPower, kNvmlScopeModule);
  NvmlReader memory = NvmlFieldReader(kNvmlFieldInstantPower, kNvmlScopeMemory);
  Read(library, clock, {&energy, &usage, &energy_field, &instant, &average, &module, &memory});
  if (energy.code != kNvmlSuccess && energy_field.code == kNvmlSuccess) energy = energy_field;

  struct Way {
    const NvmlReader* reader;
    NvmlMethod method;
    uint64_t averaging_ns;
  };
  const Way powers[] = {
      {&instant, NvmlMethod::kInstantPower, 0},
      {&average, NvmlMethod::kAveragePower, kNvmlAveragingNs},
      {&usage, UsageIsAverage() ? NvmlMethod::kAveragePower : NvmlMethod::kInstantPower,
       UsageIsAverage() ? kNvmlAveragingNs : 0},
  };
  const Way* power = nullptr;
  std::string lies;
  bool is_at_rest = false;  // so far, at 0 W
  for (const Way& way : powers) {
    const std::string problem = NvmlProblem(library, *way.reader);
    if (problem.empty()) {
      if (power == nullptr) power = &way;
    } else if (way.reader->code == kNvmlSuccess && lies.empty()) {
      lies = problem;
      is_at_rest = way.reader->value == 0;
    }
  }
  const std::string no_total = NvmlProblem(library, energy);
  // A driver that does not know scopes answers each with the GPU's own.
  const auto is_scope = [&](const NvmlReader& reader) {
    return NvmlProblem(library, reader).empty() &&
           !(instant.code == kNvmlSuccess && instant.value == reader.value);
  };
  const bool has_module = is_scope(module);
  NvmlChannel& own = channels_.front();
  settled_ = true;
  has_empty_total_ = energy.code == kNvmlSuccess && energy.value == 0;
  // A total that is told in a moment is worth that wait, though not for ever.
  if (IsTransient(energy.code) && ++unready_count_ <= kMostUnready) {
    settled_ = false;
    own.Refuse(NvmlStatusOf(energy.code), no_total);
    return;
  }
  std::string remark;
  if (info.instances != 0) {
    remark = "the whole GPU: its " + std::to_string(info.instances) +
             " MIG instances have no counters of their own";
  }
  if (has_module && power == nullptr) {
    own.Refuse(Status::kNotSupported,
               "only its module as a whole tells its power, which holds the CPU, too: nvml:" +
                   std::to_string(index_) + ":module");
  } else if (no_total.empty() && !has_module) {
    own.Use(energy, NvmlMethod::kTotalEnergy, 0, remark);
  } else if (power != nullptr) {
    own.Use(*power->reader, power->method, power->averaging_ns,
            (no_total.empty() ? "its total energy may be that of its module" : no_total) +
                ", so its power is integrated" + (remark.empty() ? "" : "; " + remark));
  } else if (energy.code == kNvmlSuccess && energy.value == 0) {
    own.Use(energy, NvmlMethod::kTotalEnergy, 0, remark);  // once it moves
  } else if (is_vgpu_) {
    own.Refuse(Status::kVirtualised,
               "this is a part of a GPU (vGPU), which has no counters: measure on its host");
  } else if (energy.code == kNvmlSuccess || !lies.empty()) {
    settled_ = energy.code == kNvmlSuccess || !is_at_rest;
    own.Refuse(Status::kImplausible,
               (energy.code == kNvmlSuccess ? no_total : lies) + ": update its driver");
  } else if (NvmlStatusOf(energy.code) == Status::kNotSupported) {
    own.Refuse(Status::kNotSupported,
               "this GPU or driver keeps no energy count and tells no power (Volta and later count "
               "energy, virtual GPUs do not)");
  } else {
    settled_ = false;  // it may be able to, once it is well
    own.Refuse(NvmlStatusOf(energy.code), no_total);
  }
  if (fixed_ || !settled_) return;
  if (has_module) {
    channels_.emplace_back(Domain::kModule);
    const bool by_total = power == nullptr && no_total.empty();
    channels_.back().Use(by_total ? energy : module,
                         by_total ? NvmlMethod::kTotalEnergy : NvmlMethod::kInstantPower, 0, "");
  }
  if (is_scope(memory)) {
    channels_.emplace_back(Domain::kGpuMemory);
    channels_.back().Use(memory, NvmlMethod::kInstantPower, 0, "");
  }
  has_power_check_ =
      power != nullptr && channels_.front().state().method == NvmlMethod::kTotalEnergy;
  if (has_power_check_) {
    channels_.emplace_back(Domain::kGpu);
    channels_.back().Use(*power->reader, power->method, power->averaging_ns, "");
  }
}

}  // namespace microjoule
