// SPDX-License-Identifier: MIT
//
// AMD's energy of single cores through perf_event: the PMU `power_core`, one event per core, summed
// per package. Every core costs a system call and an interrupt on that core, so this is dear.
#include <memory>

#include "perf_event_linux.h"
#include "perf_sysfs_linux.h"

namespace microjoule {
namespace {

constexpr const char* kAbsentAdvice =
    "only AMD processors have it, with Linux 6.14 or later; msr-core reads the same registers";

class PerfCore final : public Source {
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
  struct Core {
    std::string origin;
    std::unique_ptr<PerfGroup> event;
    uint64_t last_ticks = 0;
  };
  // All cores of one; none where one of them could not be opened.
  struct Package {
    std::vector<Core> cores;
    int error = 0;
    size_t failed_core = 0;  // the first, where there is an error
    bool restarted = false;  // since the last good sum
  };

  void AddPackage(const PerfPmu& pmu, const PerfEvent& event, int32_t package);
  static uint64_t Sum(const Clock& clock, Package* package);

  std::vector<Counter> counters_;
  std::vector<Package> packages_;
};

Outcome PerfCore::Probe(const Options& options) {
  PerfPmu pmu;
  const Outcome outcome = ReadPerfPmu(options.sysfs, "power_core", kAbsentAdvice, &pmu);
  if (outcome.status != Status::kOk) return outcome;
  const PerfEvent* event = nullptr;
  for (const PerfEvent& one : pmu.events) {
    if (event == nullptr && one.domain == Domain::kCore) event = &one;
  }
  if (event == nullptr) {
    return {Status::kNotSupported,
            "the PMU power_core has no event energy-core: report the "
            "kernel's version"};
  }
  // A core without a place belongs to some package, whose sum would be short unseen.
  const PerfSite& last = pmu.sites.back();
  if (!last.problem.empty()) return {Status::kNotFound, last.problem};
  for (const PerfSite& site : pmu.sites) {
    const uint32_t package = static_cast<uint32_t>(site.place.package);
    if (counters_.empty() || counters_.back().device != package) {
      AddPackage(pmu, *event, site.place.package);
    }
  }
  for (const Counter& counter : counters_) {
    if (counter.outcome.status == Status::kOk) return {};
  }
  return counters_.front().outcome;
}

void PerfCore::AddPackage(const PerfPmu& pmu, const PerfEvent& event, int32_t number) {
  Package package;
  Counter counter;
  counter.id = "perf-core:" + event.name + ":" + std::to_string(number);
  counter.domain = event.domain;
  counter.device = static_cast<uint32_t>(number);
  counter.scale = event.scale;
  // As the PMU of packages: the kernel's count loses a wrap of the hardware's when unread.
  counter.wraps = true;
  counter.from_open = true;
  counter.outcome = event.outcome;
  size_t cores = 0;
  for (const PerfSite& site : pmu.sites) {
    if (site.place.package != number) continue;
    ++cores;
    if (counter.outcome.status != Status::kOk) continue;
    Core core;
    core.origin = PerfOrigin(pmu, event, site.place.cpu);
    core.event = std::make_unique<PerfGroup>(pmu.type_path, site.place.cpu);
    core.event->Add(event.config, 0);
    if (!core.event->Open(pmu.type)) {
      const int error = core.event->error(0);
      counter.outcome = {PerfStatusOf(error), PerfSentence(core.origin, error)};
      continue;
    }
    package.cores.push_back(std::move(core));
  }
  counter.origin = pmu.name + "/" + event.name + "/ on the " + std::to_string(cores) +
                   " cores of package " + std::to_string(number);
  if (counter.outcome.status != Status::kOk) package.cores.clear();
  counters_.push_back(std::move(counter));
  packages_.push_back(std::move(package));
}

// Reads all, also after a failure: what is not read loses wraps.
uint64_t PerfCore::Sum(const Clock& clock, Package* package) {
  package->error = 0;
  uint64_t sum = 0;
  for (size_t i = 0; i < package->cores.size(); ++i) {
    Core& core = package->cores[i];
    RawReading raw;
    core.event->Read(clock, &raw);
    const int error = core.event->error(0);
    if (error != 0) {
      if (package->error == 0) {
        package->error = error;
        package->failed_core = i;
      }
      continue;
    }
    // In the sum one core's fall would hide behind the others' rise.
    if (raw.restarted || raw.ticks < core.last_ticks) package->restarted = true;
    core.last_ticks = raw.ticks;
    sum += raw.ticks;
  }
  return sum;
}

void PerfCore::Read(const Pass& pass, RawReading* out) {
  uint64_t before_ns = pass.clock.MonotonicNs();
  for (size_t i = 0; i < packages_.size(); ++i) {
    Package& package = packages_[i];
    out[i].restarted = false;
    if (package.cores.empty()) {
      out[i].status = counters_[i].outcome.status;
      continue;
    }
    const uint64_t sum = Sum(pass.clock, &package);
    const uint64_t after_ns = pass.clock.MonotonicNs();
    out[i].time_ns = before_ns + (after_ns - before_ns) / 2;
    before_ns = after_ns;
    out[i].status = PerfStatusOf(package.error);
    if (package.error != 0) continue;
    out[i].ticks = sum;
    out[i].restarted = package.restarted;
    package.restarted = false;
  }
}

std::string PerfCore::Explain(size_t i) const {
  const Package& package = packages_[i];
  if (package.cores.empty()) return counters_[i].outcome.detail;
  if (package.error == 0) return "";
  return PerfSentence(package.cores[package.failed_core].origin, package.error);
}

}  // namespace

std::unique_ptr<Source> MakePerfCore() { return std::make_unique<PerfCore>(); }

}  // namespace microjoule
