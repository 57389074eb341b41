// SPDX-License-Identifier: MIT
//
// The energy of AMD's single cores, summed per package. Each physical core has a register of its
// own, so a reading costs a system call and an interrupt per core.
#include <errno.h>

#include <algorithm>
#include <map>

#include "clock.h"
#include "msr_device_linux.h"
#include "msr_registers.h"
#include "topology_linux.h"

namespace microjoule {
namespace {

constexpr size_t kNone = SIZE_MAX;

class MsrCore final : public Source {
 public:
  Outcome Probe(const Options& options) override;
  const std::vector<Counter>& counters() const override { return counters_; }
  void Keep(const std::vector<bool>& wanted) override {
    KeepWanted(wanted, &counters_);
    KeepWanted(wanted, &packages_);
  }
  bool blocking() const override { return true; }
  void Read(const Pass& pass, RawReading* out) override;
  std::string Explain(size_t i) const override;

 private:
  // The 32 bits of a core, extended: each wraps in its own time, so they cannot be added as read.
  struct Core {
    uint64_t ticks = 0;
    uint32_t raw = 0;
    bool started = false;
  };
  struct Package {
    MsrReader reader;  // a core each, in the order of `cores`; empty when it could not be opened
    std::vector<Core> cores;
    size_t failed = kNone;  // the first core whose last reading failed

    void Extend();
  };
  // One CPU of each physical core, by die and core id.
  using Cpus = std::map<std::pair<int32_t, int32_t>, uint32_t>;

  Outcome OpenPackage(const CpuIdentity& cpu, const std::string& dev, const Cpus& cpus,
                      Counter* counter, Package* package) const;

  std::vector<Counter> counters_;
  std::vector<Package> packages_;  // in the order of the counters
};

Outcome MsrCore::Probe(const Options& options) {
  const CpuIdentity cpu = ReadCpuIdentity(options.sysfs);
  EnergyRegister unused;
  // The unit is not known yet; that there is such a register is all that is asked.
  const Outcome known = FindCoreRegister(cpu, UINT64_MAX, &unused);
  if (known.status != Status::kOk) return known;
  std::map<uint32_t, Cpus> packages;
  for (const CpuPlace& place : ReadTopology(options.sysfs)) {
    if (place.core < 0) {
      return {Status::kNotSupported,
              options.sysfs + "/devices/system/cpu/cpu" + std::to_string(place.cpu) +
                  "/topology/core_id is missing: which CPUs share a core is unknown, and the sum "
                  "would count some twice; mount the host's /sys and give its place with sysfs"};
    }
    Cpus& cpus = packages[static_cast<uint32_t>(std::max(place.package, 0))];
    const auto [it, is_new] = cpus.emplace(std::pair(place.die, place.core), place.cpu);
    if (!is_new) it->second = std::min(it->second, place.cpu);
  }
  if (packages.empty()) {
    return {Status::kNotFound, options.sysfs +
                                   "/devices/system/cpu/online lists no CPU: mount the host's /sys "
                                   "and give its place with sysfs"};
  }
  bool any = false;
  for (const auto& [id, cpus] : packages) {
    Counter counter;
    counter.id = "msr-core:core:" + std::to_string(id);
    counter.domain = Domain::kCore;
    counter.device = id;
    counter.wraps = true;
    counter.from_open = true;
    Package package;
    counter.outcome = OpenPackage(cpu, options.dev, cpus, &counter, &package);
    if (counter.outcome.status != Status::kOk) package = Package();
    any = any || counter.outcome.status == Status::kOk;
    counters_.push_back(std::move(counter));
    packages_.push_back(std::move(package));
  }
  if (any) return {};
  const Outcome trouble = counters_.front().outcome;
  counters_.clear();
  packages_.clear();
  return trouble;
}

Outcome MsrCore::OpenPackage(const CpuIdentity& cpu, const std::string& dev, const Cpus& cpus,
                             Counter* counter, Package* package) const {
  uint32_t unit_register = 0;
  FindUnitRegister(cpu, &unit_register);
  EnergyRegister energy;
  bool moves = false;
  for (const auto& [core, number] : cpus) {
    const auto device = std::make_shared<MsrDevice>(dev, number);
    uint64_t value = 0;
    int error = device->Open(unit_register, &value);
    if (error != 0) return ExplainUnit(cpu, *device, error, unit_register);
    const Outcome outcome = FindCoreRegister(cpu, value, &energy);
    if (outcome.status != Status::kOk) {
      return {outcome.status, device->path() + ": " + outcome.detail};
    }
    error = device->Read(energy.number, &value);
    if (error == EIO) {
      return {Status::kNotSupported, device->path() + ":" + RegisterName(energy.number) +
                                         " cannot be read: the processor refuses it (EIO), so it "
                                         "does not count single cores"};
    }
    if (error != 0) return {MsrDevice::StatusOf(error), device->Sentence(error, energy.number)};
    moves = moves || value != 0;
    if (package->cores.empty()) {
      counter->scale = energy.scale;
      counter->origin = device->path() + ":" + RegisterName(energy.number);
    }
    package->cores.emplace_back();
    package->reader.Add(device, energy.number);
  }
  if (cpus.size() > 1) {
    counter->origin += " and of " + std::to_string(cpus.size() - 1) + " more cores";
  }
  if (!moves) {
    return {Status::kVirtualised, counter->origin +
                                      " read 0, which no running core does: a hypervisor answers "
                                      "instead of the processor; measure on the host"};
  }
  package->reader.UseBatch(dev);
  return {};
}

void MsrCore::Package::Extend() {
  failed = kNone;
  for (size_t i = 0; i < cores.size(); ++i) {
    const MsrReader::Entry& entry = reader.entries()[i];
    if (entry.error != 0) {
      if (failed == kNone) failed = i;
      continue;
    }
    Core& core = cores[i];
    const uint32_t raw = MsrTicks(entry.value);
    if (core.started) core.ticks += static_cast<uint32_t>(raw - core.raw);
    core.raw = raw;
    core.started = true;
  }
}

void MsrCore::Read(const Pass& pass, RawReading* out) {
  for (size_t i = 0; i < packages_.size(); ++i) {
    Package& package = packages_[i];
    if (package.cores.empty()) {
      out[i].status = counters_[i].outcome.status;
      continue;
    }
    const uint64_t before_ns = pass.clock.MonotonicNs();
    package.reader.Read();
    out[i].time_ns = before_ns + (pass.clock.MonotonicNs() - before_ns) / 2;
    package.Extend();
    if (package.failed != kNone) {
      out[i].status = MsrDevice::StatusOf(package.reader.entries()[package.failed].error);
      continue;
    }
    out[i].status = Status::kOk;
    out[i].ticks = 0;
    for (const Core& core : package.cores) out[i].ticks += core.ticks;
  }
}

std::string MsrCore::Explain(size_t i) const {
  if (counters_[i].outcome.status != Status::kOk) return counters_[i].outcome.detail;
  const Package& package = packages_[i];
  if (package.failed == kNone) return "";
  const MsrDevice& device = *package.reader.entries()[package.failed].device;
  return "the sum of the cores lacks CPU " + std::to_string(device.cpu()) + ": " +
         package.reader.Explain(package.failed);
}

}  // namespace

std::unique_ptr<Source> MakeMsrCore() { return std::make_unique<MsrCore>(); }

}  // namespace microjoule
