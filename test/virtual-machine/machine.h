// SPDX-License-Identifier: MIT
//
// A described machine: what README.md in this folder calls facts, as C++ holds them. Fixed arrays
// and no C++ library: this is loaded into every process of a test, before anything else of it runs.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace virtual_machine {

// Energies are exact: microwatts times nanoseconds are femtojoules, and 128 bits hold 10^20 kJ of
// them.
using Femtojoules = __int128;

constexpr int kNameSize = 64;
constexpr int kMaxCpus = 256;

// Beside errno: a read gives nothing, as of an event whose PMU is gone.
constexpr int kEndOfFile = 4095;

struct Name {
  char text[kNameSize] = {};
  bool Is(const char* other) const;
};

struct CpuSet {
  uint64_t words[kMaxCpus / 64] = {};
  bool Has(int cpu) const {
    return cpu >= 0 && cpu < kMaxCpus && (words[cpu / 64] >> cpu % 64 & 1) != 0;
  }
  void Add(int cpu) { words[cpu / 64] |= uint64_t{1} << cpu % 64; }
  void Remove(int cpu) { words[cpu / 64] &= ~(uint64_t{1} << cpu % 64); }
};

struct CpuPlace {
  int package = -1;
  int die = -1;
  int core = -1;
};

// Part of a power profile, from its time to that of the next part.
struct Part {
  enum class Shape { kConstant, kRamp, kSquare };
  Shape shape = Shape::kConstant;
  int64_t from_ns = 0;
  int64_t first_uw = 0;
  int64_t second_uw = 0;   // ramp: in the end; square: in the second half of each period
  int64_t length_ns = 0;   // of the ramp, or of a whole period
  Femtojoules before = 0;  // energy of all earlier parts
};

struct Fault {
  enum class Target { kZone, kEvent, kMsr, kMeter, kFile };
  enum class What { kOpen, kRead, kVanish, kFreeze, kBack, kSlow };
  Target target = Target::kZone;
  Name name;  // of the zone, event, meter; path of the file
  int cpu = -1;
  uint32_t address = 0;
  What what = What::kRead;
  int error = 0;
  Femtojoules back = 0;
  int64_t slow_ns = 0;
  int64_t from_ns = 0;
  int64_t to_ns = INT64_MAX;
  int64_t after_calls = 0;
  int64_t for_calls = INT64_MAX;
  std::atomic<int64_t> calls{0};
  std::atomic<int64_t> began_ns{-1};  // when it was first seen to hold

  // Counts a call, and tells whether the fault holds for it.
  bool Holds(int64_t now_ns);
};

// The faults of one thing.
struct Faults {
  static constexpr int kMost = 4;
  int count = 0;
  Fault* list[kMost] = {};
};

// One physical counter.
struct Meter {
  static constexpr int kMaxParts = 16;
  static constexpr int kMaxHeld = 20;
  Name name;
  int esu = 14;         // counts 2^-esu J
  int64_t unit_nj = 0;  // or so many nJ, where it is no power of 2
  int bits = 32;
  uint64_t start = 0;
  int64_t update_ns = 1000000;
  int64_t jitter_ns = 0;  // standard deviation of one update
  int64_t noise_nj = 0;   // standard deviation of the count at one update
  int64_t load_uw = 0;    // drawn beside all else while the program's load is on
  uint64_t seed = 0;
  int part_count = 0;
  Part parts[kMaxParts];
  int held_count = 0;
  const Meter* held[kMaxHeld] = {};
  Faults faults;
};

struct Zone {
  Name folder;
  const Meter* meter = nullptr;
  int64_t unit_nj = 0;  // the kernel's
  bool padded = false;
  Faults faults;
};

struct Pmu {
  enum class Scope { kPackage, kDie, kCore };
  Name name;
  uint32_t type = 0;
  Scope scope = Scope::kPackage;
  CpuSet cpus;
  int64_t renumber_ns = INT64_MAX;
  uint32_t later_type = 0;
};

struct Event {
  const Pmu* pmu = nullptr;
  Name name;  // "power/energy-pkg"
  uint32_t code = 0;
  int cpu = 0;
  const Meter* meter = nullptr;
  Faults faults;
};

struct Register {
  CpuSet cpus;
  uint32_t address = 0;
  uint64_t value = 0;
  const Meter* meter = nullptr;  // or a counter
  Faults faults;
};

struct Suspend {
  int64_t at_ns = 0;
  int64_t for_ns = 0;
};

struct Machine {
  static constexpr int kMaxMeters = 64;
  static constexpr int kMaxZones = 64;
  static constexpr int kMaxPmus = 4;
  static constexpr int kMaxEvents = 256;
  static constexpr int kMaxRegisters = 256;
  static constexpr int kMaxFaults = 64;
  static constexpr int kMaxSuspends = 8;

  CpuPlace places[kMaxCpus];
  CpuSet online;
  int meter_count = 0;
  Meter meters[kMaxMeters];
  int zone_count = 0;
  Zone zones[kMaxZones];
  int pmu_count = 0;
  Pmu pmus[kMaxPmus];
  int event_count = 0;
  Event events[kMaxEvents];
  int register_count = 0;
  Register registers[kMaxRegisters];
  bool has_other_registers =
      false;  // what is not listed reads `other_registers` instead of failing
  uint64_t other_registers = 0;
  int fault_count = 0;
  Fault faults[kMaxFaults];
  int suspend_count = 0;
  Suspend suspends[kMaxSuspends];
  int paranoid = -1;
  bool has_paranoid = false;
  bool shares_loads = false;
};

// Reads a description into a machine that holds nothing yet. On failure false, with a sentence in
// `complaint`.
bool Parse(char* text, Machine* machine, char* complaint, size_t size);

// Where a meter stands at time 0 unless its line says: somewhere in the lower half, as of a machine
// that has run for a while.
uint64_t UsualStart(uint64_t seed);

// How long the program's load was on until a time; at level 2 twice as long.
int64_t LoadNs(int64_t time_ns);

// True energy since the machine's time 0.
Femtojoules EnergyAt(const Meter& meter, int64_t time_ns);

// What the hardware counts at a time, extended to 64 bits: the true energy at the last update, in
// whole counts, after the meter's own faults and those of the way it is read.
uint64_t CountAt(const Meter& meter, const Faults& way, int64_t time_ns);

// An errno that a read must fail with, or 0; a slow read sleeps here. `opened_ns` is when the file
// was opened.
int FailureOf(const Faults& faults, int64_t now_ns, int64_t opened_ns);

// An errno that an open must fail with, or 0.
int OpenFailureOf(const Faults& faults, int64_t now_ns);

}  // namespace virtual_machine
