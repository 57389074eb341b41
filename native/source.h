// SPDX-License-Identifier: MIT
//
// The contract of a counter source. Standard headers only: no Node, no operating system.
//
// A source knows one interface to energy counters (powercap, NVML, ...). It probes once, describes
// what it found, and from then on reads every counter in one pass into memory it is given. Hardware
// trouble is a Status with a sentence of detail, never an exception.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace microjoule {

// The one status vocabulary. "addon-missing" exists on the JavaScript side only.
enum class Status : uint32_t {
  kOk,
  kNotFound,
  kNoPermission,
  kMasked,
  kVirtualised,
  kNotSupported,
  kStale,
  kImplausible,
  kFailed,
};
inline constexpr size_t kStatusCount = 9;
const char* StatusName(Status status);

enum class Domain : uint32_t {
  kPackage,
  kCore,
  kUncore,
  kDram,
  kPsys,
  kGpu,
  kGpuMemory,
  kModule,
  kOther,
};
const char* DomainName(Domain domain);

enum class CounterKind { kEnergy, kPower };

// Whose clock stamps a reading: the reader's, or the device's own.
enum class CounterClock { kReader, kDevice };

// Joules per tick, exact.
struct Scale {
  uint64_t numerator = 1;
  uint64_t denominator = 1;
};

struct Outcome {
  Status status = Status::kOk;
  std::string detail;
};

struct Counter {
  std::string id;  // unique and stable while open, e.g. "powercap:intel-rapl:0"
  Domain domain = Domain::kOther;
  uint32_t device = 0;  // CPU package or GPU index
  int32_t die = -1;     // die within the package; -1 where the interface names none
  std::string origin;   // where it is read: a path, an event and CPU, a UUID
  std::string device_name;
  std::string pci_address;  // "0000:01:00.0"; empty when not a PCI device
  CounterKind kind = CounterKind::kEnergy;
  Scale scale;
  bool wraps = false;          // the hardware's count returns to 0 now and then
  uint64_t modulus_ticks = 0;  // after this many; 0 where it is not known
  CounterClock clock = CounterClock::kReader;
  uint64_t update_period_ns = 0;  // 0: not known
  bool may_rest = false;          // even a package: hypervisors give an idle guest no energy
  // Stands for a whole device of which not even the channels are known: a package may be among
  // them.
  bool unknown_content = false;
  bool from_open = false;  // the count starts when it is opened; else it is the hardware's own
  // How its energy comes about, where that is not a count of the hardware's; may be known later.
  std::string method;
  Outcome outcome;  // of opening it; of a source that recovers, a counter may be read later
};

// What is known of a counter by now. 0 or empty: nothing.
struct CounterTiming {
  uint64_t update_period_ns = 0;
  uint64_t lag_ns = 0;        // from what a value stands for to when it can be read
  uint64_t read_cost_ns = 0;  // of asking the device
  std::string method;
  bool is_longest_period = false;  // it is no longer than that: it cannot be asked more often
  // By the meter's count: what it was, and when, since it can be read without a gap; 0: all along.
  uint64_t resumed_ticks = 0;
  uint64_t resumed_ns = 0;
  // How many breaks there were at the last one after which more is unknown than what a gap hid.
  uint32_t jump_breaks = 0;
};

// A device beside its counters. What is not known is 0 or empty.
struct DeviceState {
  uint32_t device = 0;
  std::string name, uuid, pci_address, driver_version;
  double power_limit_watts = 0;
  uint64_t memory_total_bytes = 0;
  uint64_t memory_used_bytes = 0;
  // Time in which its utilisation was watched, and how much of it the device was busy.
  double watched_seconds = 0;
  double busy_seconds = 0;
  uint32_t instances = 0;  // parts that it is divided into, which have no counters of their own
};

// One raw value. `ticks` means something only when `status` is kOk, or `was_good`.
struct RawReading {
  uint64_t ticks = 0;
  uint64_t time_ns = 0;  // own time where the counter has one; 0: the time of the whole pass
  Status status = Status::kFailed;
  // The count began anew since the last reading (a driver came back), so it does not go on from it.
  bool restarted = false;
  // It did not count all the time since the last reading.
  bool interrupted = false;
  // It cannot be read now; count and time are those of the last time that it could.
  bool was_good = false;
  // Where it could not be read before, or lost something: the first reading since, from which on it
  // went on without a gap. 0: the source does not tell.
  uint64_t since_ns = 0;
  uint64_t since_ticks = 0;
};

struct Pass;

struct Options {
  std::string sysfs = "/sys";
  std::string dev = "/dev";
  std::string nvml_library;          // empty: the system's
  bool wake_gpus = false;            // those too that sleep
  std::vector<std::string> sources;  // empty: those of the table that are used by default
};

class Source {
 public:
  virtual ~Source() = default;

  // Finds and opens the counters. Called once. The source as a whole may be ok while single
  // counters are not.
  virtual Outcome Probe(const Options& options) = 0;

  virtual const std::vector<Counter>& counters() const = 0;

  // Closes the counters that are not wanted (one flag each) and forgets them: another source reads
  // the same meters, or another thread reads the rest. Called after Probe, at most once for each of
  // these reasons. A source whose counters no other has, and that blocks, need not follow.
  virtual void Keep(const std::vector<bool>& wanted) { (void)wanted; }

  // True when asking the hardware takes milliseconds. It is then no source for samplers, its counts
  // have times of their own, and the meter reads it apart from the fast ones.
  virtual bool blocking() const = 0;

  // Reads every counter, in order, into `out[0 .. counters().size())`. Allocates nothing.
  virtual void Read(const Pass& pass, RawReading* out) = 0;

  // Why the last reading of one counter was not ok, in a sentence that says what to do.
  virtual std::string Explain(size_t counter) const = 0;

  // What was learned since Probe.
  virtual CounterTiming Timing(size_t counter) const {
    CounterTiming timing;
    timing.update_period_ns = counters()[counter].update_period_ns;
    timing.method = counters()[counter].method;
    return timing;
  }
  virtual std::vector<DeviceState> Devices() const { return {}; }
  // True once Probe would find other counters: whoever opens a meter now gets a new one.
  virtual bool Outdated() const { return false; }
};

// The elements that are wanted, in order. For Source::Keep.
template <typename T>
void KeepWanted(const std::vector<bool>& wanted, std::vector<T>* elements) {
  size_t kept = 0;
  for (size_t i = 0; i < elements->size(); ++i) {
    if (wanted[i] && kept++ != i) (*elements)[kept - 1] = std::move((*elements)[i]);
  }
  elements->erase(elements->begin() + static_cast<std::ptrdiff_t>(kept), elements->end());
}

struct SourceEntry {
  const char* name;
  std::unique_ptr<Source> (*make)();
  // False: too dear to read for what it adds; opened only by name.
  bool by_default;
};

// All sources of this platform, in order of preference.
const std::vector<SourceEntry>& SourceTable();

}  // namespace microjoule
