// SPDX-License-Identifier: MIT
#include "nvml_hub.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <system_error>

#include "nvml_worker.h"
#include "quiet_thread.h"

namespace microjoule {
namespace {

constexpr auto kEndLimit = std::chrono::seconds(2);
// So long may NVML keep whoever opens a meter waiting. It takes seconds to begin where nothing
// keeps its driver initialised (persistence mode).
constexpr auto kListLimit = std::chrono::seconds(2);

const char* Suffix(Domain domain) {
  return domain == Domain::kModule ? ":module" : domain == Domain::kGpuMemory ? ":memory" : "";
}

}  // namespace

std::shared_ptr<NvmlHub> NvmlHub::Acquire(const Options& options) {
  struct Known {
    std::mutex mutex;
    std::map<std::string, std::weak_ptr<NvmlHub>> hubs;
  };
  // Leaked on purpose: meters may still be closed while exit() destroys statics.
  static auto* const known = new Known;
  const std::string key =
      options.nvml_library + '\0' + options.sysfs + '\0' + (options.wake_gpus ? "wake" : "");
  std::shared_ptr<NvmlHub> hub;
  {
    const std::lock_guard<std::mutex> lock(known->mutex);
    std::weak_ptr<NvmlHub>& place = known->hubs[key];
    hub = place.lock();
    if (hub == nullptr || hub->Outdated()) {
      hub.reset(new NvmlHub(options));
      place = hub;
    }
  }
  // Whoever opens other GPUs meanwhile does not wait for these.
  hub->worker_->AwaitList();
  return hub;
}

NvmlHub::NvmlHub(const Options& options) : worker_(std::make_shared<Worker>(options)) {
  if (!worker_->Load()) return;
  try {
    // The thread holds what it works with, so that it may outlast this where a call hangs.
    thread_ = StartQuietThread([worker = worker_] { worker->Run(); });
  } catch (const std::system_error& error) {
    worker_->ListBus({Status::kFailed, std::string("no thread could be started to read GPUs (") +
                                           error.what() +
                                           "): raise the limit of threads (ulimit -u)"});
  }
}

NvmlHub::~NvmlHub() {
  if (!thread_.joinable()) return;
  worker_->Stop();
  if (worker_->WaitForEnd()) {
    thread_.join();
  } else {
    thread_.detach();
  }
}

Outcome NvmlHub::outcome() const { return worker_->outcome(); }
const std::vector<NvmlEntry>& NvmlHub::entries() const { return worker_->entries(); }
void NvmlHub::WantPowerCheck() { worker_->WantPowerCheck(); }
void NvmlHub::Copy(const std::vector<size_t>& entries, std::vector<NvmlState>* out) const {
  worker_->Copy(entries, out);
}
NvmlState NvmlHub::State(size_t entry) const { return worker_->State(entry); }
std::string NvmlHub::Detail(size_t entry) const { return worker_->Detail(entry); }
std::vector<DeviceState> NvmlHub::Devices() const { return worker_->Devices(); }
bool NvmlHub::Outdated() const { return worker_->outdated(); }

// From here on what the thread and whoever reads share.

void NvmlHub::Worker::Stop() {
  stop_ = true;
  sleeper_->Interrupt();
}

bool NvmlHub::Worker::WaitForEnd() {
  std::unique_lock<std::mutex> lock(mutex_);
  return changed_.wait_for(lock, kEndLimit, [this] { return has_ended_; });
}

Outcome NvmlHub::Worker::outcome() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return outcome_;
}

void NvmlHub::Worker::AwaitList() {
  {
    std::unique_lock<std::mutex> lock(mutex_);
    if (changed_.wait_until(lock, loaded_at_ + kListLimit, [this] { return is_listed_; })) return;
  }
  ListBus({Status::kFailed,
           "NVML has not answered for " + std::to_string(kListLimit.count()) +
               " s: see whether nvidia-smi works; its GPUs are read from when it does"});
}

// Before NVML told of them, each has the one counter that every GPU has.
void NvmlHub::Worker::ListBus(const Outcome& why) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (is_listed_) return;
  for (size_t i = 0; i < bus_.size(); ++i) {
    NvmlGpu gpu(static_cast<unsigned>(i));
    gpu.info.pci_address = bus_[i].address;
    gpu.Detach(why.status, why.detail);
    AddEntries(i, gpu);
    states_.push_back(gpu.channels().front().state());
    details_.push_back(why.detail);
    devices_.push_back(gpu.info);
  }
  is_by_bus_ = is_listed_ = true;
  outcome_ = why;
}

void NvmlHub::Worker::AddEntries(size_t slot, const NvmlGpu& gpu) {
  const std::vector<NvmlChannel>& channels = gpu.channels();
  for (size_t k = 0; k < channels.size(); ++k) {
    const bool is_check = gpu.has_power_check() && k + 1 == channels.size();
    NvmlEntry entry{slot, k, is_check, {}};
    Counter& counter = entry.counter;
    const Domain domain = channels[k].domain();
    const std::string number = std::to_string(gpu.index());
    counter.id = (is_check ? "nvml-power:" : "nvml:") + number + Suffix(domain);
    counter.domain = domain;
    counter.device = gpu.index();
    counter.origin = !gpu.info.uuid.empty()          ? gpu.info.uuid
                     : !gpu.info.pci_address.empty() ? "GPU at " + gpu.info.pci_address
                                                     : "GPU " + number;
    counter.device_name = gpu.info.name;
    counter.pci_address = gpu.info.pci_address;
    const NvmlState& state = channels[k].state();
    const bool is_total = state.method == NvmlMethod::kTotalEnergy;
    counter.kind =
        is_total || state.method == NvmlMethod::kNone ? CounterKind::kEnergy : CounterKind::kPower;
    counter.scale = {1, 1000000};  // microjoules, whether counted in millijoules or integrated
    counter.clock = CounterClock::kDevice;
    counter.from_open = !is_total;
    counter.method = NvmlMethodName(state.method);
    // A power check is not read before it is wanted.
    counter.outcome = {is_check ? Status::kOk : state.status, channels[k].detail()};
    entries_.push_back(std::move(entry));
  }
}

// Settles which counters there are, unless their owner waited for too long to hear of them. Then
// they are found by their places on the bus, and whoever opens a meter later gets all.
void NvmlHub::Worker::List(const Outcome& outcome) {
  for (Slot& slot : slots_) slot.gpu.Fix();
  const std::lock_guard<std::mutex> lock(mutex_);
  if (is_by_bus_) {
    outdated_ = true;
    for (const NvmlEntry& entry : entries_) {
      const auto found = std::find_if(slots_.begin(), slots_.end(), [&entry](const Slot& slot) {
        return slot.address == entry.counter.pci_address;
      });
      places_.push_back({static_cast<size_t>(found - slots_.begin()), 0});
      if (found != slots_.end()) continue;
      states_[entry.slot].status = Status::kNotFound;
      details_[entry.slot] = "NVML does not know this GPU: see nvidia-smi -L";
    }
    return;
  }
  for (size_t i = 0; i < slots_.size(); ++i) AddEntries(i, slots_[i].gpu);
  for (const NvmlEntry& entry : entries_) places_.push_back({entry.slot, entry.channel});
  states_.resize(entries_.size());
  details_.resize(entries_.size());
  devices_.resize(slots_.size());
  outcome_ = outcome;
  // Whoever opens a meter later tries again.
  outdated_ = slots_.empty();
}

void NvmlHub::Worker::TellListed() {
  const std::lock_guard<std::mutex> lock(mutex_);
  is_listed_ = true;
  changed_.notify_all();
}

void NvmlHub::Worker::Publish() {
  const uint64_t now_ns = clock_.MonotonicNs();
  const std::lock_guard<std::mutex> lock(mutex_);
  for (size_t i = 0; i < places_.size(); ++i) {
    if (places_[i].slot >= slots_.size()) continue;
    const Slot& slot = slots_[places_[i].slot];
    const NvmlChannel& channel = slot.gpu.channels()[places_[i].channel];
    states_[i] = channel.state();
    states_[i].due_ns = std::max(slot.due_ns, now_ns);
    if (details_[i] != channel.detail()) details_[i] = channel.detail();
    devices_[entries_[i].slot] = slot.gpu.info;
  }
}

void NvmlHub::Worker::Copy(const std::vector<size_t>& entries, std::vector<NvmlState>* out) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  for (size_t i = 0; i < entries.size(); ++i) (*out)[i] = states_[entries[i]];
}

NvmlState NvmlHub::Worker::State(size_t entry) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return states_[entry];
}

std::string NvmlHub::Worker::Detail(size_t entry) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return details_[entry];
}

std::vector<DeviceState> NvmlHub::Worker::Devices() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return devices_;
}

}  // namespace microjoule
