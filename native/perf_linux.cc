// SPDX-License-Identifier: MIT
//
// RAPL through perf_event: the PMU `power`, one group of events per package (per die, where the PMU
// counts dies), one read() per group.
#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <set>
#include <thread>

#include "perf_event_linux.h"
#include "perf_sysfs_linux.h"
#include "topology_linux.h"

namespace microjoule {
namespace {

constexpr const char* kAbsentAdvice =
    "this processor or kernel has no perf events for energy; try modprobe rapl, or read powercap "
    "instead";

class Perf final : public Source {
 public:
  Outcome Probe(const Options& options) override;
  const std::vector<Counter>& counters() const override { return counters_; }
  void Keep(const std::vector<bool>& wanted) override;
  bool blocking() const override { return false; }
  void Read(const Pass& pass, RawReading* out) override;
  std::string Explain(size_t i) const override {
    const Counter& counter = counters_[i];
    const Place& place = places_[i];
    if (place.group == nullptr) return counter.outcome.detail;
    const int error = place.group->error(place.event);
    return error == 0 ? "" : PerfSentence(counter.origin, error);
  }

 private:
  // Where a counter is read; no group where it cannot be.
  struct Place {
    PerfGroup* group = nullptr;
    size_t event = 0;
  };

  void MendDramUnit(size_t i);
  void AddSite(const PerfPmu& pmu, const PerfSite& site, bool has_dies, bool first);
  void FindUnread();

  uint32_t type_ = 0;
  std::vector<std::unique_ptr<PerfGroup>> groups_;
  std::vector<Counter> counters_;
  std::vector<Place> places_;
  std::vector<size_t> unread_;  // counters without a group
};

// What the kernel does not tell gets a number of its own: taken for another's twin, it would be
// lost.
void NumberUnknown(std::vector<PerfSite>* sites) {
  int32_t free_package = 0;
  std::set<std::pair<int32_t, int32_t>> taken;
  for (PerfSite& site : *sites) {  // those without a package come last
    CpuPlace& place = site.place;
    if (place.package < 0) place.package = free_package;
    free_package = std::max(free_package, place.package == INT32_MAX ? 0 : place.package + 1);
    if (place.die < 0) place.die = 0;
    while (!taken.emplace(place.package, place.die).second) ++place.die;
  }
}

// AMD's registers are the package's, yet Linux 6.9 to 6.11 name a CPU of each die. By package
// sorted.
void OneSiteAPackage(std::vector<PerfSite>* sites) {
  const auto repeats = [](const PerfSite& a, const PerfSite& b) {
    return a.problem.empty() && b.problem.empty() && a.place.package == b.place.package;
  };
  sites->erase(std::unique(sites->begin(), sites->end(), repeats), sites->end());
}

Outcome Perf::Probe(const Options& options) {
  PerfPmu pmu;
  const Outcome outcome = ReadPerfPmu(options.sysfs, "power", kAbsentAdvice, &pmu);
  if (outcome.status != Status::kOk) return outcome;
  type_ = pmu.type;
  const CpuIdentity cpu = ReadCpuIdentity(options.sysfs);
  if (cpu.vendor == CpuVendor::kAmd || cpu.vendor == CpuVendor::kHygon) {
    OneSiteAPackage(&pmu.sites);
  }
  NumberUnknown(&pmu.sites);
  std::map<int32_t, size_t> sites_of_package;
  for (const PerfSite& site : pmu.sites) ++sites_of_package[site.place.package];
  for (const PerfSite& site : pmu.sites) {
    AddSite(pmu, site, sites_of_package[site.place.package] > 1, &site == pmu.sites.data());
  }
  FindUnread();
  if (HasDramInPackageUnits(cpu)) {
    for (size_t i = 0; i < counters_.size(); ++i) MendDramUnit(i);
  }
  for (Counter& counter : counters_) counter.may_rest = cpu.is_virtual;
  for (const Counter& counter : counters_) {
    if (counter.outcome.status == Status::kOk) return {};
  }
  return counters_.front().outcome;
}

// Kernels before 80275ca9e525 (Linux 6.1) count the memory of these processors in 2^-16 J, which
// they have not: four times too low. The steps of the count tell which kernel this is.
void Perf::MendDramUnit(size_t i) {
  constexpr uint64_t kHardwareStep = uint64_t{1} << 18;  // 2^-14 J in ticks of 2^-32 J
  constexpr int kMoves = 16;
  constexpr int kLooks = 50;  // a millisecond apart, as updates are
  Counter& counter = counters_[i];
  const Place& place = places_[i];
  if (counter.domain != Domain::kDram || place.group == nullptr) return;
  if (counter.scale.numerator != 1 || counter.scale.denominator != uint64_t{1} << 32) return;
  std::vector<RawReading> raw(counters_.size());
  uint64_t last = 0;
  int moves = 0;
  for (int look = 0; look < kLooks && moves < kMoves; ++look) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    place.group->Read(SystemClock(), raw.data());
    const uint64_t ticks = raw[i].ticks;
    if (ticks != last) ++moves;
    last = ticks;
    if (ticks % kHardwareStep == 0) continue;
    counter.scale.denominator = uint64_t{1} << 30;
    counter.outcome.detail =
        "this kernel counts the DRAM of this processor 4 times too low, in a unit of 2^-16 J that "
        "it does not have; corrected to 2^-14 J (Linux 6.1 and later are right)";
    return;
  }
  if (moves < kMoves) {
    counter.outcome.detail =
        "hardly moved when it was opened, so it is not known whether this kernel counts the DRAM "
        "of this processor 4 times too low, as some before Linux 6.1 do";
  }
}

void Perf::AddSite(const PerfPmu& pmu, const PerfSite& site, bool has_dies, bool first) {
  const CpuPlace& cpu = site.place;
  auto group = std::make_unique<PerfGroup>(pmu.type_path, cpu.cpu);
  const size_t begin = counters_.size();
  for (const PerfEvent& event : pmu.events) {
    // The platform is one, whatever the number of its packages.
    const bool is_platform = event.domain == Domain::kPsys;
    if (is_platform && !first) continue;
    Counter counter;
    Place place;
    counter.id = "perf:" + event.name + ":";
    counter.domain = event.domain;
    counter.origin = PerfOrigin(pmu, event, cpu.cpu);
    counter.scale = event.scale;
    // The kernel's own count of 64 bits loses a wrap of the hardware's when nobody reads it.
    counter.wraps = true;
    counter.from_open = true;
    counter.outcome = event.outcome;
    counter.device = static_cast<uint32_t>(cpu.package);
    if (site.problem.empty()) {
      counter.id += std::to_string(cpu.package);
      if (has_dies && !is_platform) {
        counter.die = cpu.die;
        counter.id += ":" + std::to_string(cpu.die);
      }
    } else {
      counter.id += "cpu" + std::to_string(cpu.cpu);
      counter.outcome = {Status::kNotFound, site.problem};
    }
    if (counter.outcome.status == Status::kOk) {
      place = {group.get(), group->Add(event.config, counters_.size())};
    }
    counters_.push_back(std::move(counter));
    places_.push_back(place);
  }
  group->Open(pmu.type);
  for (size_t i = begin; i < counters_.size(); ++i) {
    Place& place = places_[i];
    const int error = place.group == nullptr ? 0 : group->error(place.event);
    if (error == 0) continue;
    counters_[i].outcome = {PerfStatusOf(error), PerfSentence(counters_[i].origin, error)};
    group->Drop(place.event);
    place.group = nullptr;
  }
  if (!group->IsEmpty()) groups_.push_back(std::move(group));
}

void Perf::Keep(const std::vector<bool>& wanted) {
  std::set<PerfGroup*> changed;
  for (size_t i = 0; i < places_.size(); ++i) {
    const Place& place = places_[i];
    if (wanted[i] || place.group == nullptr) continue;
    place.group->Drop(place.event);
    changed.insert(place.group);
  }
  KeepWanted(wanted, &counters_);
  KeepWanted(wanted, &places_);
  FindUnread();
  for (size_t i = 0; i < places_.size(); ++i) {
    if (places_[i].group != nullptr) places_[i].group->Move(places_[i].event, i);
  }
  std::vector<std::unique_ptr<PerfGroup>> kept;
  for (auto& group : groups_) {
    if (group->IsEmpty()) continue;
    if (changed.count(group.get()) != 0) group->Open(type_);
    kept.push_back(std::move(group));
  }
  groups_ = std::move(kept);
}

void Perf::FindUnread() {
  unread_.clear();
  for (size_t i = 0; i < places_.size(); ++i) {
    if (places_[i].group == nullptr) unread_.push_back(i);
  }
}

[[gnu::hot]] void Perf::Read(const Pass& pass, RawReading* out) {
  for (const auto& group : groups_) group->Read(pass.clock, out);
  for (const size_t i : unread_) out[i] = {0, 0, counters_[i].outcome.status, false};
}

}  // namespace

std::unique_ptr<Source> MakePerf() { return std::make_unique<Perf>(); }

}  // namespace microjoule
