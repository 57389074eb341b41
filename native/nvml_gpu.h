// SPDX-License-Identifier: MIT
//
// One GPU: which of its functions work is found by asking, each by itself; then it is polled. Knows
// no thread; whoever polls it does so from one.
#pragma once

#include <string>
#include <vector>

#include "clock.h"
#include "nvml_api.h"
#include "nvml_power.h"
#include "nvml_update.h"

namespace microjoule {

// Ten years at 3000 W: no driver was loaded for longer.
inline constexpr uint64_t kNvmlMostMillijoules = 3000ull * 1000 * 86400 * 3653;

// Half of the second that averages are of (NVML_FI_DEV_POWER_AVERAGE, nvmlDeviceGetPowerUsage).
inline constexpr uint64_t kNvmlAveragingNs = 500000000;

// How the energy of a counter comes about.
enum class NvmlMethod : uint32_t { kNone, kTotalEnergy, kInstantPower, kAveragePower };
const char* NvmlMethodName(NvmlMethod method);

// What is told of one counter: microjoules, whatever the method, so that the method may change.
struct NvmlState {
  Status status = Status::kFailed;
  NvmlMethod method = NvmlMethod::kNone;
  uint64_t ticks = 0;
  uint64_t time_ns = 0;            // up to when that is the energy
  uint32_t restarts = 0;           // how often the device's total began anew
  uint32_t interruptions = 0;      // how often it did not count all the time
  uint64_t since_ns = 0;           // when it was first read since it can be without a gap
  uint64_t since_ticks = 0;        // and what it was then
  uint64_t period_ns = 0;          // of its updates; 0: not known yet
  bool is_longest_period = false;  // it cannot be polled often enough to tell a shorter one
  uint64_t lag_ns = 0;             // from what a value stands for to when it can be read
  uint64_t read_cost_ns = 0;       // of one poll of its GPU
  uint64_t due_ns = 0;             // when it is read next, and at the earliest when it was told
};

// What reads one value, and what became of the last attempt.
struct NvmlReader {
  enum class Call { kNone, kEnergy, kField, kPower };
  Call call = Call::kNone;
  unsigned field = 0;
  unsigned scope = 0;
  NvmlReturn code = kNvmlFunctionNotFound;
  uint64_t value = 0;     // mJ or mW
  uint64_t lag_ns = 0;    // by the device's own time stamp; 0: none
  uint64_t start_ns = 0;  // of the call
  uint64_t end_ns = 0;
  const char* Name() const;
};

NvmlReader NvmlFieldReader(unsigned field, unsigned scope);
NvmlReader NvmlCallReader(NvmlReader::Call call);
// What passes by itself.
bool IsTransient(NvmlReturn code);
// Why what was read cannot be used; empty where it can.
std::string NvmlProblem(const NvmlLibrary& library, const NvmlReader& reader);

class NvmlChannel {
 public:
  explicit NvmlChannel(Domain domain) : domain_(domain) {}

  Domain domain() const { return domain_; }
  const NvmlState& state() const { return state_; }
  // Why it is as it is; a remark, or empty, where it is ok.
  const std::string& detail() const { return detail_; }
  NvmlReader& reader() { return reader_; }

  void Use(const NvmlReader& reader, NvmlMethod method, uint64_t averaging_ns,
           const std::string& remark);
  void Refuse(Status status, const std::string& why);
  // Takes what the reader read.
  void Take(const NvmlLibrary& library, uint64_t read_cost_ns);
  // How long the total has stood at its value for, where it counts by one.
  uint64_t still_ns() const;
  // Once its GPU draws power and its total does not move.
  void LeaveTotal(const NvmlReader& power, NvmlMethod method, uint64_t averaging_ns,
                  const std::string& why);
  void Fail(Status status, const std::string& why);

 private:
  void TakeEnergy(uint64_t update_ns, uint64_t middle_ns);

  const Domain domain_;
  NvmlReader reader_;
  NvmlState state_;
  std::string detail_, remark_;
  UpdateTimer timer_;
  PowerIntegrator integrator_;
  uint64_t averaging_ns_ = 0;  // half of the window that a value is the mean of
  uint64_t base_ticks_ = 0;    // counted by another method before
  bool started_ = false;
  uint32_t told_gaps_ = 0;
  uint64_t raw_ = 0;
  uint64_t good_ns_ = 0;   // when it was last read
  uint64_t moved_ns_ = 0;  // since when it has its value
  uint64_t read_ns_ = 0;   // when that was last tried
};

class NvmlGpu {
 public:
  explicit NvmlGpu(unsigned index);

  // From now on it has these counters and no others, as they were listed.
  void Fix() { fixed_ = true; }

  // Asks all functions once, and keeps those that work. The first time it settles by which of them
  // each counter is read; after that it stays.
  void Attach(const NvmlLibrary& library, NvmlDevice device, const Clock& clock);
  // It cannot be asked for now.
  void Detach(Status status, const std::string& why);
  bool attached() const { return device_ != nullptr; }
  // Whether it is known by which of its functions it is read, or that none works.
  bool settled() const { return settled_; }
  // It is asked anew for all of them later; its counters stay as they are told.
  void Release();
  // Its total reads 0 so far, which it may only where its driver was just loaded.
  bool has_empty_total() const { return has_empty_total_; }
  // Whether that moves by now; then it is chosen anew how each counter is read.
  bool TryTotal(const NvmlLibrary& library, const Clock& clock);

  // Reads all counters once. Gives the worst answer of the GPU's own.
  NvmlReturn Poll(const NvmlLibrary& library, const Clock& clock, bool check_power);
  // When to poll next, where polls may take a quarter of the time and so many share it.
  uint64_t NextNs(uint64_t now_ns, size_t gpu_count) const;
  // Utilisation and memory; seldom.
  void Look(const NvmlLibrary& library, uint64_t now_ns);

  unsigned index() const { return index_; }
  // The GPU's own first; where its total is what counts, its power last, read only where that is
  // to be checked.
  const std::vector<NvmlChannel>& channels() const { return channels_; }
  bool has_power_check() const { return has_power_check_; }
  DeviceState info;  // identity, kept while it cannot be asked

 private:
  void Identify(const NvmlLibrary& library);
  NvmlReturn Read(const NvmlLibrary& library, const Clock& clock,
                  const std::vector<NvmlReader*>& readers);
  void Choose(const NvmlLibrary& library, const Clock& clock);
  void CheckStill(const NvmlLibrary& library, const Clock& clock);
  // The method by which GetPowerUsage tells power, which depends on the architecture.
  bool UsageIsAverage() const;

  const unsigned index_;
  NvmlDevice device_ = nullptr;
  bool fixed_ = false;
  bool settled_ = false;
  bool has_empty_total_ = false;
  int unready_count_ = 0;  // how often its total could not be told for a moment
  bool has_power_check_ = false;
  unsigned architecture_ = 0;
  bool is_vgpu_ = false;
  std::vector<NvmlChannel> channels_;
  std::vector<NvmlReader*> readers_;  // kept, so that polling allocates nothing
  uint64_t read_cost_ns_ = 0;
  uint64_t looked_ns_ = 0;
  uint64_t checked_ns_ = 0;  // when a total that stands still was last compared with the power
};

}  // namespace microjoule
