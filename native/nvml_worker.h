// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <condition_variable>

#include "nvml_hub.h"

namespace microjoule {

// What the thread and its owner share. It outlives the owner where a call hangs.
class NvmlHub::Worker {
 public:
  explicit Worker(const Options& options) : options_(options), sleeper_(MakeSleeper()) {}

  // On the owner's thread, before the worker's own runs: finds the library and the bus's GPUs. No
  // call of NVML's is made. Whether there is something to run.
  bool Load();
  // Waits until it is known which counters there are, or for as long as NVML may take to tell.
  void AwaitList();
  // Lists those of the bus, unless it is known already which there are.
  void ListBus(const Outcome& why);
  Outcome outcome() const;
  // Once listed they stay.
  const std::vector<NvmlEntry>& entries() const { return entries_; }

  // On the thread, until it is told to stop.
  void Run();
  void Stop();
  // Whether it did so in time.
  bool WaitForEnd();
  void WantPowerCheck() { wants_power_check_ = true; }

  // From any thread.
  void Copy(const std::vector<size_t>& entries, std::vector<NvmlState>* out) const;
  NvmlState State(size_t entry) const;
  std::string Detail(size_t entry) const;
  std::vector<DeviceState> Devices() const;
  bool outdated() const { return outdated_; }

 private:
  struct Slot {
    explicit Slot(unsigned index) : gpu(index) {}
    NvmlGpu gpu;
    std::string address;  // on the PCI bus; empty: not known
    bool asleep = false;
    uint64_t due_ns = 0;      // when to poll, or to try again
    uint64_t backoff_ns = 0;  // 0 while all is well
    uint64_t look_ns = 0;
  };

  struct Place {
    size_t slot;
    size_t channel;
  };

  void Begin();
  uint64_t Round();
  void Serve(Slot* slot, uint64_t now_ns);
  NvmlReturn Find(Slot* slot, NvmlDevice* device);
  void Attach(Slot* slot, uint64_t now_ns);
  void TryAgain(Slot* slot, uint64_t now_ns);
  void Lose(Slot* slot, NvmlReturn code, const char* call, uint64_t now_ns);
  void PutToSleep(Slot* slot, uint64_t now_ns);
  Outcome Initialise();
  void Reinitialise(uint64_t now_ns);
  void AwaitUpdates();
  void AddEntries(size_t slot, const NvmlGpu& gpu);
  void List(const Outcome& outcome);
  void TellListed();
  void Publish();
  bool HasSleeper() const;

  const Options options_;
  const Clock& clock_ = SystemClock();
  NvmlLibrary library_;
  std::vector<PciGpu> bus_;
  std::chrono::steady_clock::time_point loaded_at_;
  std::vector<Slot> slots_;
  std::vector<Place> places_;  // where the state of each entry is
  bool has_begun_ = false;
  bool initialised_ = false;
  NvmlReturn init_code_ = kNvmlSuccess;
  uint64_t init_due_ns_ = 0;
  uint64_t init_backoff_ns_ = 0;
  unsigned known_count_ = 0;
  uint64_t count_due_ns_ = 0;

  const std::unique_ptr<Sleeper> sleeper_;
  std::atomic<bool> stop_{false};
  std::atomic<bool> wants_power_check_{false};
  std::atomic<bool> outdated_{false};

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool has_ended_ = false;  // under the mutex, as are those below
  bool is_listed_ = false;
  bool is_by_bus_ = false;  // NVML was not waited for
  Outcome outcome_;
  std::vector<NvmlEntry> entries_;
  std::vector<NvmlState> states_;
  std::vector<std::string> details_;
  std::vector<DeviceState> devices_;
};

}  // namespace microjoule
