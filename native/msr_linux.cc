// SPDX-License-Identifier: MIT
//
// RAPL through model-specific registers: the hardware's own counts, on one CPU of each package.
#include <errno.h>

#include <algorithm>
#include <map>
#include <set>

#include "msr_device_linux.h"
#include "msr_registers.h"
#include "topology_linux.h"

namespace microjoule {
namespace {

// What has a set of registers of its own, and the CPU that reads them.
struct Unit {
  uint32_t package = 0;
  int32_t die = -1;
  uint32_t cpu = 0;
};

// As in the kernel (rapl_pkg_pmu_is_pkg_scope() of arch/x86/events/rapl.c): AMD's registers belong
// to the package, Intel's to the die, though most packages are one die.
std::vector<Unit> FindUnits(const CpuIdentity& cpu, const std::vector<CpuPlace>& places) {
  // In a virtual machine without topology all CPUs are of one package.
  const auto package_of = [](const CpuPlace& place) {
    return static_cast<uint32_t>(std::max(place.package, 0));
  };
  std::map<uint32_t, std::set<int32_t>> dies;
  for (const CpuPlace& place : places) dies[package_of(place)].insert(place.die);
  std::map<std::pair<uint32_t, int32_t>, uint32_t> first;
  for (const CpuPlace& place : places) {
    const uint32_t package = package_of(place);
    const bool apart = cpu.vendor == CpuVendor::kIntel && dies[package].size() > 1;
    const auto [it, is_new] = first.emplace(std::pair(package, apart ? place.die : -1), place.cpu);
    if (!is_new) it->second = std::min(it->second, place.cpu);
  }
  std::vector<Unit> units;
  for (const auto& [key, number] : first) units.push_back({key.first, key.second, number});
  return units;
}

class Msr final : public Source {
 public:
  Outcome Probe(const Options& options) override;
  const std::vector<Counter>& counters() const override { return counters_; }
  void Keep(const std::vector<bool>& wanted) override {
    KeepWanted(wanted, &counters_);
    reader_.Keep(wanted);
  }
  bool blocking() const override { return false; }
  void Read(const Pass& pass, RawReading* out) override;
  std::string Explain(size_t i) const override {
    return counters_[i].outcome.status == Status::kOk ? reader_.Explain(i)
                                                      : counters_[i].outcome.detail;
  }

 private:
  // A register that answered, or did not.
  struct Found {
    Unit unit;
    std::shared_ptr<MsrDevice> device;
    EnergyRegister energy;
    uint64_t value = 0;
    int error = 0;
    // Twice 0: the processor has the register and counts nothing there, so that the kernel, too,
    // leaves it out.
    bool is_idle() const { return error == 0 && value == 0; }
  };

  Outcome AddUnit(const CpuIdentity& cpu, uint32_t unit_register, const std::string& dev,
                  const Unit& unit, std::string* note);
  void Add(const Found& found);
  void AddFailure(const Unit& unit, const Outcome& outcome);
  void AddPsys(uint32_t lowest_package);

  std::vector<Counter> counters_;
  MsrReader reader_;  // in the order of the counters
  std::vector<Found> psys_;
};

Outcome Msr::Probe(const Options& options) {
  const CpuIdentity cpu = ReadCpuIdentity(options.sysfs);
  uint32_t unit_register = 0;
  const Outcome known = FindUnitRegister(cpu, &unit_register);
  if (known.status != Status::kOk) return known;
  const std::vector<Unit> units = FindUnits(cpu, ReadTopology(options.sysfs));
  if (units.empty()) {
    return {Status::kNotFound, options.sysfs +
                                   "/devices/system/cpu/online lists no CPU: mount the host's /sys "
                                   "and give its place with sysfs"};
  }
  Outcome whole;
  std::vector<Outcome> troubles;
  for (const Unit& unit : units) {
    const Outcome outcome = AddUnit(cpu, unit_register, options.dev, unit, &whole.detail);
    if (outcome.status == Status::kOk) continue;
    AddFailure(unit, outcome);
    troubles.push_back(outcome);
  }
  if (troubles.size() == units.size()) {
    counters_.clear();
    reader_ = MsrReader();
    return troubles.front();
  }
  AddPsys(units.front().package);
  for (Counter& counter : counters_) counter.may_rest = cpu.is_virtual;
  reader_.UseBatch(options.dev);
  return whole;
}

// What one package or die has; not ok when nothing of it can be read.
Outcome Msr::AddUnit(const CpuIdentity& cpu, uint32_t unit_register, const std::string& dev,
                     const Unit& unit, std::string* note) {
  const auto device = std::make_shared<MsrDevice>(dev, unit.cpu);
  uint64_t value = 0;
  const int error = device->Open(unit_register, &value);
  if (error != 0) return ExplainUnit(cpu, *device, error, unit_register);
  std::vector<EnergyRegister> registers;
  Outcome outcome = FindEnergyRegisters(cpu, value, &registers);
  if (outcome.status != Status::kOk)
    return {outcome.status, device->path() + ": " + outcome.detail};
  *note = outcome.detail;

  std::vector<Found> all;
  for (const EnergyRegister& energy : registers) {
    Found found{unit, device, energy, 0, 0};
    found.error = device->Read(energy.number, &found.value);
    if (found.error == 0 && found.value == 0) {
      found.error = device->Read(energy.number, &found.value);
    }
    all.push_back(std::move(found));
  }
  const Found& package = all.front();
  if (package.error == 0 && package.value == 0) {
    return {Status::kVirtualised,
            device->path() + ":" + RegisterName(package.energy.number) +
                " reads 0, which no running package does: a hypervisor answers instead of the "
                "processor; measure on the host"};
  }
  const bool any = std::any_of(all.begin(), all.end(),
                               [](const Found& f) { return f.error == 0 && !f.is_idle(); });
  if (!any && package.error != EIO) {
    return {MsrDevice::StatusOf(package.error),
            device->Sentence(package.error, package.energy.number)};
  }
  if (!any) {
    return {Status::kNotSupported, device->path() + ": the processor refuses the register " +
                                       RegisterName(package.energy.number) +
                                       " of its package's energy (EIO); use powercap"};
  }
  for (const Found& found : all) {
    if (found.energy.domain == Domain::kPsys) {
      psys_.push_back(found);
    } else if (found.energy.domain == Domain::kPackage ||
               (found.error != EIO && !found.is_idle())) {
      // One that this processor does not have is no trouble, but each package should count.
      Add(found);
    }
  }
  return {};
}

void Msr::Add(const Found& found) {
  Counter counter;
  counter.domain = found.energy.domain;
  counter.device = found.unit.package;
  counter.die = found.unit.die;
  counter.id = std::string("msr:") + DomainName(counter.domain) + ":" +
               std::to_string(counter.device) +
               (counter.die < 0 ? "" : ":" + std::to_string(counter.die));
  counter.origin = found.device->path() + ":" + RegisterName(found.energy.number);
  counter.scale = found.energy.scale;
  counter.wraps = true;
  counter.modulus_ticks = kMsrModulusTicks;
  counter.outcome.detail = found.energy.note;
  if (found.error == EIO) {
    counter.outcome = {Status::kNotSupported,
                       counter.origin +
                           " cannot be read: the processor refuses it (EIO), so it "
                           "counts no such energy; use powercap"};
  } else if (found.error != 0) {
    counter.outcome = {MsrDevice::StatusOf(found.error),
                       found.device->Sentence(found.error, found.energy.number)};
  }
  counters_.push_back(std::move(counter));
  reader_.Add(found.error == 0 ? found.device : nullptr, found.energy.number);
}

void Msr::AddFailure(const Unit& unit, const Outcome& outcome) {
  Counter counter;
  counter.domain = Domain::kPackage;
  counter.device = unit.package;
  counter.die = unit.die;
  counter.id = "msr:package:" + std::to_string(unit.package) +
               (unit.die < 0 ? "" : ":" + std::to_string(unit.die));
  counter.origin = "CPU " + std::to_string(unit.cpu);
  counter.outcome = outcome;
  counters_.push_back(std::move(counter));
  reader_.Add(nullptr, 0);
}

// There is one platform, though every package has its register: on several sockets only one of them
// counts, and the others read 0.
void Msr::AddPsys(uint32_t lowest_package) {
  const auto pick = [this](auto&& suits) {
    return std::find_if(psys_.begin(), psys_.end(), suits);
  };
  auto best = pick([](const Found& found) { return found.error == 0 && found.value != 0; });
  if (best == psys_.end()) {
    best = pick([](const Found& found) { return found.error != EIO && !found.is_idle(); });
  }
  if (best != psys_.end()) {
    best->unit.package = lowest_package;
    best->unit.die = -1;
    Add(*best);
  }
  psys_.clear();
}

void Msr::Read(const Pass&, RawReading* out) {
  reader_.Read();
  for (size_t i = 0; i < counters_.size(); ++i) {
    const MsrReader::Entry& entry = reader_.entries()[i];
    if (entry.device == nullptr) {
      out[i].status = counters_[i].outcome.status;
      continue;
    }
    out[i].status = MsrDevice::StatusOf(entry.error);
    if (entry.error == 0) out[i].ticks = MsrTicks(entry.value);
  }
}

}  // namespace

std::unique_ptr<Source> MakeMsr() { return std::make_unique<Msr>(); }

}  // namespace microjoule
