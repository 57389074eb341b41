// SPDX-License-Identifier: MIT
//
// How the hardware counts. model.ts says the same for the tests, in the same whole numbers: change
// both.
#include <errno.h>
#include <string.h>
#include <time.h>

#include <initializer_list>

#include "machine.h"

namespace virtual_machine {
namespace {

constexpr Femtojoules kFemtojoulesPerNanojoule = 1000000;
constexpr Femtojoules kFemtojoulesPerJoule = Femtojoules{1000000000} * 1000000;

// Steele, Lea, Flood: Fast splittable pseudorandom number generators (2014); the constants are
// theirs.
uint64_t SplitMix(uint64_t x) {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
  x = (x ^ x >> 27) * 0x94d049bb133111eb;
  return x ^ x >> 31;
}

// Nearly Gaussian: the sum of twelve uniform 16-bit numbers less its mean, so that 65536 is one
// standard deviation.
int64_t Gaussian(uint64_t seed, int64_t index) {
  int64_t sum = -6 * 65535;
  for (uint64_t i = 0; i < 3; ++i) {
    uint64_t bits = SplitMix(seed + static_cast<uint64_t>(index) * 3 + i);
    for (int part = 0; part < 4; ++part, bits >>= 16) sum += static_cast<int64_t>(bits & 0xffff);
  }
  return sum;
}

constexpr uint64_t kPhaseSeed = 0x5068617365;
constexpr uint64_t kNoiseSeed = 0x4e6f697365;
constexpr uint64_t kStartSeed = 0x5374617274;

// Tick k comes a fixed phase and k periods after time 0, less or more its jitter, of at most 0.45
// periods: ticks keep their order.
int64_t TickTime(const Meter& meter, int64_t phase_ns, int64_t tick) {
  int64_t jitter_ns = 0;
  if (meter.jitter_ns != 0) {
    jitter_ns = Gaussian(meter.seed, tick) * meter.jitter_ns / 65536;
    const int64_t most_ns = meter.update_ns * 45 / 100;
    if (jitter_ns > most_ns) jitter_ns = most_ns;
    if (jitter_ns < -most_ns) jitter_ns = -most_ns;
  }
  return phase_ns + tick * meter.update_ns + jitter_ns;
}

Femtojoules EnergyOfPart(const Part& part, int64_t length_ns) {
  const Femtojoules length = length_ns;
  switch (part.shape) {
    case Part::Shape::kConstant:
      return length * part.first_uw;
    case Part::Shape::kRamp: {
      const Femtojoules sloping = length < part.length_ns ? length : part.length_ns;
      const Femtojoules rise = part.second_uw - part.first_uw;
      return sloping * part.first_uw +
             rise * sloping * sloping / (2 * Femtojoules{part.length_ns}) +
             (length - sloping) * part.second_uw;
    }
    case Part::Shape::kSquare: {
      const Femtojoules half = part.length_ns / 2;
      const Femtojoules whole = length / (2 * half);
      const Femtojoules rest = length % (2 * half);
      const Femtojoules first = rest < half ? rest : half;
      return (whole * half + first) * part.first_uw +
             (whole * half + rest - first) * part.second_uw;
    }
  }
  return 0;
}

int64_t FloorDivide(Femtojoules a, Femtojoules b) {
  return static_cast<int64_t>(a / b - (a % b < 0 ? 1 : 0));
}

// -1 while it is there.
int64_t VanishedAt(const Fault& fault, int64_t now_ns) {
  if (fault.after_calls != 0) return fault.began_ns;
  return now_ns >= fault.from_ns ? fault.from_ns : -1;
}

}  // namespace

bool Name::Is(const char* other) const { return strcmp(text, other) == 0; }

bool Fault::Holds(int64_t now_ns) {
  if (now_ns < from_ns || now_ns >= to_ns) return false;
  if (after_calls != 0 || for_calls != INT64_MAX) {
    const int64_t call = calls.fetch_add(1, std::memory_order_relaxed);
    if (call < after_calls || call - after_calls >= for_calls) return false;
  }
  int64_t never = -1;
  // A fault by time began at its time, whoever saw it first.
  began_ns.compare_exchange_strong(never, after_calls != 0 ? now_ns : from_ns);
  return true;
}

uint64_t UsualStart(uint64_t seed) { return SplitMix(seed ^ kStartSeed) >> 33; }

Femtojoules EnergyAt(const Meter& meter, int64_t time_ns) {
  Femtojoules energy = 0;
  if (time_ns > 0 && meter.part_count > 0) {
    int i = meter.part_count - 1;
    while (i > 0 && meter.parts[i].from_ns > time_ns) --i;
    energy = meter.parts[i].before + EnergyOfPart(meter.parts[i], time_ns - meter.parts[i].from_ns);
  }
  if (meter.load_uw != 0 && time_ns > 0) energy += Femtojoules{meter.load_uw} * LoadNs(time_ns);
  for (int i = 0; i < meter.held_count; ++i) energy += EnergyAt(*meter.held[i], time_ns);
  return energy;
}

uint64_t CountAt(const Meter& meter, const Faults& way, int64_t time_ns) {
  Femtojoules less = 0;
  for (const Faults* faults : {&meter.faults, &way}) {
    for (int i = 0; i < faults->count; ++i) {
      Fault& fault = *faults->list[i];
      if (fault.what != Fault::What::kFreeze && fault.what != Fault::What::kBack) continue;
      if (!fault.Holds(time_ns)) continue;
      if (fault.what == Fault::What::kBack) {
        less += fault.back;
      } else if (fault.began_ns < time_ns) {
        time_ns = fault.began_ns;
      }
    }
  }
  Femtojoules noise = 0;
  if (meter.update_ns != 0) {
    const int64_t phase_ns = static_cast<int64_t>(SplitMix(meter.seed ^ kPhaseSeed) %
                                                  static_cast<uint64_t>(meter.update_ns));
    int64_t tick = (time_ns - phase_ns) / meter.update_ns + 1;
    while (tick >= 0 && TickTime(meter, phase_ns, tick) > time_ns) --tick;
    if (tick < 0) {
      time_ns = 0;
    } else {
      time_ns = TickTime(meter, phase_ns, tick);
      if (meter.noise_nj != 0) {
        noise = Femtojoules{Gaussian(meter.seed ^ kNoiseSeed, tick)} * meter.noise_nj *
                kFemtojoulesPerNanojoule / 65536;
      }
    }
  }
  const Femtojoules energy = EnergyAt(meter, time_ns) + noise - less;
  const int64_t counts =
      meter.unit_nj != 0
          ? FloorDivide(energy, meter.unit_nj * kFemtojoulesPerNanojoule)
          : FloorDivide(energy * (Femtojoules{1} << meter.esu), kFemtojoulesPerJoule);
  return meter.start + static_cast<uint64_t>(counts);
}

int FailureOf(const Faults& faults, int64_t now_ns, int64_t opened_ns) {
  for (int i = 0; i < faults.count; ++i) {
    Fault& fault = *faults.list[i];
    switch (fault.what) {
      case Fault::What::kRead:
        if (fault.Holds(now_ns)) return fault.error;
        break;
      case Fault::What::kVanish:
        // What was open when it vanished stays gone, even when it comes back under its name.
        fault.Holds(now_ns);
        if (VanishedAt(fault, now_ns) >= opened_ns) return ENODEV;
        break;
      case Fault::What::kSlow:
        if (fault.Holds(now_ns)) {
          const timespec wait = {fault.slow_ns / 1000000000, fault.slow_ns % 1000000000};
          nanosleep(&wait, nullptr);
        }
        break;
      default:
        break;
    }
  }
  return 0;
}

int OpenFailureOf(const Faults& faults, int64_t now_ns) {
  for (int i = 0; i < faults.count; ++i) {
    Fault& fault = *faults.list[i];
    if (fault.what == Fault::What::kOpen && fault.Holds(now_ns)) return fault.error;
    if (fault.what != Fault::What::kVanish) continue;
    if (VanishedAt(fault, now_ns) >= 0 && now_ns < fault.to_ns) return ENOENT;
  }
  return 0;
}

}  // namespace virtual_machine
