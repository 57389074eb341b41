// SPDX-License-Identifier: MIT
#include "nvml_worker.h"

#include <algorithm>

namespace microjoule {
namespace {

constexpr uint64_t kNsPerSecond = 1000000000u;
// A GPU that is lost, or NVML where it could not begin, is tried again after this, and then after
// twice as long each time.
constexpr uint64_t kFirstRetryNs = kNsPerSecond / 4;
constexpr uint64_t kLongestRetryNs = 30 * kNsPerSecond;
// How often a sleeping GPU's status, and utilisation and memory, are looked at.
constexpr uint64_t kLookNs = kNsPerSecond;
constexpr uint64_t kCountNs = 10 * kNsPerSecond;
// So long may opening take to see an update of each total, by which the first count gets its time.
constexpr uint64_t kAwaitNs = 150000000;

constexpr char kAsleep[] =
    "it sleeps and was not woken to be read: it draws next to nothing, and is read from when "
    "something else wakes it; to wake it, set wakeGpus (--wake-gpus)";

// After which a GPU must be found anew.
bool IsFatal(NvmlReturn code) {
  return code == kNvmlUninitialized || code == kNvmlNotFound || code == kNvmlDriverNotLoaded ||
         code == kNvmlGpuIsLost || code == kNvmlResetRequired || code == kNvmlGpuNotFound ||
         code == kNvmlUnknown;
}

uint64_t Doubled(uint64_t backoff_ns) {
  return backoff_ns == 0 ? kFirstRetryNs : std::min(2 * backoff_ns, kLongestRetryNs);
}

}  // namespace

bool NvmlHub::Worker::HasSleeper() const {
  return std::any_of(slots_.begin(), slots_.end(), [](const Slot& slot) { return slot.asleep; });
}

bool NvmlHub::Worker::Load() {
  loaded_at_ = std::chrono::steady_clock::now();
  outcome_ = library_.Load(options_.nvml_library);
  is_listed_ = outcome_.status != Status::kOk;
  if (is_listed_) return false;
  // For those that sleep, and for all where NVML cannot begin now.
  bus_ = NvidiaPciGpus(options_.sysfs);
  for (const PciGpu& gpu : bus_) {
    slots_.emplace_back(static_cast<unsigned>(slots_.size()));
    slots_.back().address = slots_.back().gpu.info.pci_address = gpu.address;
    slots_.back().asleep = gpu.asleep && !options_.wake_gpus;
  }
  return true;
}

void NvmlHub::Worker::Begin() {
  const Outcome outcome = Initialise();
  if (!initialised_) {
    init_backoff_ns_ = kFirstRetryNs;
    init_due_ns_ = clock_.MonotonicNs() + kFirstRetryNs;
  }
  AwaitUpdates();
  List(outcome);
  has_begun_ = true;
  Publish();
  TellListed();
}

// NVML, and whatever GPUs there are and do not sleep. GPUs that the PCI bus told before keep their
// places.
Outcome NvmlHub::Worker::Initialise() {
  const uint64_t now_ns = clock_.MonotonicNs();
  const bool all_asleep =
      !slots_.empty() &&
      std::all_of(slots_.begin(), slots_.end(), [](const Slot& slot) { return slot.asleep; });
  for (Slot& slot : slots_) {
    if (slot.asleep) PutToSleep(&slot, now_ns);
  }
  // Nothing but opening NVML is needed to wake them.
  if (all_asleep) return {};
  const bool attach = !HasSleeper();
  init_code_ = library_.Init(attach);
  if (init_code_ != kNvmlSuccess) {
    const std::string why = attach ? library_.Sentence("nvmlInit_v2", init_code_)
                                   : library_.Sentence("nvmlInitWithFlags", init_code_) +
                                         "; without it a GPU that sleeps would be woken: to wake "
                                         "it, set wakeGpus (--wake-gpus)";
    for (Slot& slot : slots_) {
      if (!slot.asleep) slot.gpu.Detach(NvmlStatusOf(init_code_), why);
    }
    return {NvmlStatusOf(init_code_), why};
  }
  initialised_ = true;
  count_due_ns_ = now_ns + kCountNs;
  unsigned count = 0;
  const NvmlReturn code = library_.api().count(&count);
  if (code != kNvmlSuccess) {
    const Outcome outcome = {NvmlStatusOf(code), library_.Sentence("nvmlDeviceGetCount_v2", code)};
    for (Slot& slot : slots_) {
      if (!slot.asleep) slot.gpu.Detach(outcome.status, outcome.detail);
    }
    initialised_ = false;
    return outcome;
  }
  known_count_ = count;
  // By NVML's own numbers, which are those that users know; of a container's view of the bus it
  // may have a part only.
  if (!has_begun_ && attach) {
    slots_.clear();
    for (unsigned i = 0; i < count; ++i) slots_.emplace_back(i);
  }
  if (slots_.empty()) return {Status::kNotFound, "NVML works but finds no GPU: see nvidia-smi -L"};
  for (Slot& slot : slots_) {
    if (!slot.asleep) Attach(&slot, now_ns);
  }
  return {};
}

void NvmlHub::Worker::PutToSleep(Slot* slot, uint64_t now_ns) {
  slot->gpu.Detach(Status::kStale, kAsleep);
  slot->due_ns = now_ns + kLookNs;
}

// By address where that is known, which goes on meaning the same GPU.
NvmlReturn NvmlHub::Worker::Find(Slot* slot, NvmlDevice* device) {
  const NvmlApi& api = library_.api();
  if (!slot->address.empty() && api.handle_by_pci != nullptr) {
    return api.handle_by_pci(slot->address.c_str(), device);
  }
  return api.handle(slot->gpu.index(), device);
}

void NvmlHub::Worker::Attach(Slot* slot, uint64_t now_ns) {
  NvmlDevice device = nullptr;
  const bool by_address = !slot->address.empty() && library_.api().handle_by_pci != nullptr;
  NvmlReturn code = Find(slot, &device);
  if (code != kNvmlSuccess) {
    Lose(slot, code,
         by_address ? "nvmlDeviceGetHandleByPciBusId_v2" : "nvmlDeviceGetHandleByIndex_v2", now_ns);
    return;
  }
  slot->gpu.Attach(library_, device, clock_);
  if (slot->address.empty()) slot->address = slot->gpu.info.pci_address;
  // What it said stays its reason.
  if (!slot->gpu.settled()) {
    slot->gpu.Release();
    TryAgain(slot, now_ns);
    return;
  }
  code = slot->gpu.Poll(library_, clock_, wants_power_check_);
  if (IsFatal(code)) {
    Lose(slot, code, nullptr, now_ns);
    return;
  }
  slot->backoff_ns = 0;
  slot->due_ns = slot->gpu.NextNs(now_ns, slots_.size());
}

void NvmlHub::Worker::TryAgain(Slot* slot, uint64_t now_ns) {
  slot->backoff_ns = Doubled(slot->backoff_ns);
  slot->due_ns = now_ns + slot->backoff_ns;
}

// `call`: null where the counters say already what happened.
void NvmlHub::Worker::Lose(Slot* slot, NvmlReturn code, const char* call, uint64_t now_ns) {
  const std::string why =
      call != nullptr ? library_.Sentence(call, code) : slot->gpu.channels().front().detail();
  slot->gpu.Detach(NvmlStatusOf(code), why);
  TryAgain(slot, now_ns);
  // The driver is gone, or was loaded anew: no handle is of use any more.
  if (code == kNvmlUninitialized || code == kNvmlDriverNotLoaded) initialised_ = false;
}

void NvmlHub::Worker::Serve(Slot* slot, uint64_t now_ns) {
  if (slot->asleep) {
    if (IsPciDeviceAsleep(options_.sysfs, slot->address)) {
      slot->due_ns = now_ns + kLookNs;
      return;
    }
    slot->asleep = false;
    if (initialised_) Attach(slot, now_ns);
    return;
  }
  if (!initialised_) return;
  if (!slot->gpu.attached()) {
    Attach(slot, now_ns);
    return;
  }
  const NvmlReturn code = slot->gpu.Poll(library_, clock_, wants_power_check_);
  if (IsFatal(code)) {
    Lose(slot, code, nullptr, now_ns);
    return;
  }
  if (now_ns >= slot->look_ns) {
    slot->gpu.Look(library_, now_ns);
    slot->look_ns = now_ns + kLookNs;
  }
  slot->due_ns = slot->gpu.NextNs(clock_.MonotonicNs(), slots_.size());
}

// Where no GPU answers it may be NVML that must begin anew, as after its driver was.
void NvmlHub::Worker::Reinitialise(uint64_t now_ns) {
  const bool wanted =
      std::any_of(slots_.begin(), slots_.end(), [](const Slot& slot) { return !slot.asleep; });
  if (!wanted || now_ns < init_due_ns_) return;
  for (Slot& slot : slots_) slot.backoff_ns = 0;
  Initialise();
  const bool any = std::any_of(slots_.begin(), slots_.end(),
                               [](const Slot& slot) { return slot.gpu.attached(); });
  if (any) {
    init_backoff_ns_ = 0;
    return;
  }
  initialised_ = false;
  init_backoff_ns_ = Doubled(init_backoff_ns_);
  init_due_ns_ = now_ns + init_backoff_ns_;
}

// One pass. Gives when the next is due.
uint64_t NvmlHub::Worker::Round() {
  uint64_t now_ns = clock_.MonotonicNs();
  for (Slot& slot : slots_) {
    if (stop_) return 0;
    now_ns = clock_.MonotonicNs();
    if (now_ns < slot.due_ns) continue;
    Serve(&slot, now_ns);
    // At once, so that a call that hangs later hides nothing.
    Publish();
  }
  const bool all_lost = std::none_of(slots_.begin(), slots_.end(), [](const Slot& slot) {
    return slot.asleep || slot.gpu.attached();
  });
  if (all_lost) initialised_ = false;
  if (!initialised_) {
    Reinitialise(now_ns);
  } else if (now_ns >= count_due_ns_) {
    count_due_ns_ = now_ns + kCountNs;
    unsigned count = 0;
    if (library_.api().count(&count) == kNvmlSuccess && count > known_count_) outdated_ = true;
  }
  Publish();
  uint64_t next_ns = initialised_ ? count_due_ns_ : std::max(init_due_ns_, now_ns + kFirstRetryNs);
  for (const Slot& slot : slots_) {
    if (initialised_ || slot.asleep) next_ns = std::min(next_ns, slot.due_ns);
  }
  return next_ns;
}

// A first count is of some time in the period before; the next update tells its own.
void NvmlHub::Worker::AwaitUpdates() {
  const uint64_t until_ns = clock_.MonotonicNs() + kAwaitNs;
  std::vector<std::pair<Slot*, uint64_t>> waiting;
  for (Slot& slot : slots_) {
    const NvmlState& state = slot.gpu.channels().front().state();
    if (slot.gpu.attached() && state.method == NvmlMethod::kTotalEnergy &&
        state.status == Status::kOk) {
      waiting.emplace_back(&slot, state.ticks);
    }
  }
  std::vector<Slot*> empty;
  for (Slot& slot : slots_) {
    if (slot.gpu.attached() && slot.gpu.has_empty_total()) empty.push_back(&slot);
  }
  while (!(waiting.empty() && empty.empty()) && clock_.MonotonicNs() < until_ns) {
    sleeper_->SleepUntil(clock_.MonotonicNs() + kNsPerSecond / 1000);
    for (auto it = waiting.begin(); it != waiting.end();) {
      it->first->gpu.Poll(library_, clock_, false);
      const NvmlState& state = it->first->gpu.channels().front().state();
      it = state.ticks != it->second || state.status != Status::kOk ? waiting.erase(it) : it + 1;
    }
    // Their power is used unless their totals turn out to count.
    for (auto it = empty.begin(); it != empty.end();) {
      const bool counts = (*it)->gpu.TryTotal(library_, clock_);
      if (counts) (*it)->gpu.Poll(library_, clock_, false);
      it = counts ? empty.erase(it) : it + 1;
    }
  }
  for (Slot& slot : slots_) {
    if (!slot.gpu.attached()) continue;
    slot.gpu.Look(library_, clock_.MonotonicNs());
    slot.look_ns = clock_.MonotonicNs() + kLookNs;
  }
}

void NvmlHub::Worker::Run() {
  Begin();
  while (!stop_ && !slots_.empty()) {
    const uint64_t next_ns = Round();
    if (!stop_ && next_ns > clock_.MonotonicNs()) sleeper_->SleepUntil(next_ns);
  }
  library_.Shutdown();
  const std::lock_guard<std::mutex> lock(mutex_);
  has_ended_ = true;
  changed_.notify_all();
}

}  // namespace microjoule
