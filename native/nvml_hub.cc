// SPDX-License-Identifier: MIT
#include "nvml_hub.h"

#include <chrono>
#include <map>
#include <system_error>

#include "nvml_worker.h"
#include "quiet_thread.h"

namespace microjoule {
namespace {

constexpr auto kEndLimit = std::chrono::seconds(2);

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
  const std::lock_guard<std::mutex> lock(known->mutex);
  const std::string key =
      options.nvml_library + '\0' + options.sysfs + '\0' + (options.wake_gpus ? "wake" : "");
  std::weak_ptr<NvmlHub>& place = known->hubs[key];
  std::shared_ptr<NvmlHub> hub = place.lock();
  if (hub == nullptr || hub->Outdated()) {
    hub.reset(new NvmlHub(options));
    place = hub;
  }
  return hub;
}

NvmlHub::NvmlHub(const Options& options) : worker_(std::make_shared<Worker>(options)) {
  outcome_ = worker_->Open();
  if (!worker_->has_gpus()) return;
  try {
    // The thread holds what it works with, so that it may outlast this where a call hangs.
    thread_ = StartQuietThread([worker = worker_] { worker->Run(); });
  } catch (const std::system_error& error) {
    outcome_ = {Status::kFailed, std::string("no thread could be started to read GPUs (") +
                                     error.what() + "): raise the limit of threads (ulimit -u)"};
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
  return ended_.wait_for(lock, kEndLimit, [this] { return has_ended_; });
}

// Settles which counters there are.
void NvmlHub::Worker::List() {
  for (size_t i = 0; i < slots_.size(); ++i) {
    NvmlGpu& gpu = slots_[i].gpu;
    gpu.Fix();
    const std::vector<NvmlChannel>& channels = gpu.channels();
    for (size_t k = 0; k < channels.size(); ++k) {
      const bool is_check = gpu.has_power_check() && k + 1 == channels.size();
      NvmlEntry entry{i, k, is_check, {}};
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
      counter.kind = is_total || state.method == NvmlMethod::kNone ? CounterKind::kEnergy
                                                                   : CounterKind::kPower;
      counter.scale = {1, 1000000};  // microjoules, whether counted in millijoules or integrated
      counter.clock = CounterClock::kDevice;
      counter.from_open = !is_total;
      counter.method = NvmlMethodName(state.method);
      // A power check is not read before it is wanted.
      counter.outcome = {is_check ? Status::kOk : state.status, channels[k].detail()};
      entries_.push_back(std::move(entry));
    }
  }
  const std::lock_guard<std::mutex> lock(mutex_);
  states_.resize(entries_.size());
  details_.resize(entries_.size());
  devices_.resize(slots_.size());
}

void NvmlHub::Worker::Publish() {
  const std::lock_guard<std::mutex> lock(mutex_);
  for (size_t i = 0; i < entries_.size(); ++i) {
    const NvmlChannel& channel = slots_[entries_[i].slot].gpu.channels()[entries_[i].channel];
    states_[i] = channel.state();
    if (details_[i] != channel.detail()) details_[i] = channel.detail();
  }
  for (size_t i = 0; i < slots_.size(); ++i) devices_[i] = slots_[i].gpu.info;
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
