// SPDX-License-Identifier: MIT
#include <algorithm>

#include "count.h"
#include "nvml_gpu.h"

namespace microjoule {
namespace {

constexpr uint64_t kNsPerSecond = 1000000000u;
// A value that was not read for so long, or for so many periods, left something out.
constexpr uint64_t kLongestGapNs = kNsPerSecond;
constexpr uint64_t kLongestGapPeriods = 4;
constexpr uint64_t kMicrojoulesPerMillijoule = 1000;
constexpr uint64_t kLongestLagNs = 5 * kNsPerSecond;

}  // namespace

bool IsTransient(NvmlReturn code) {
  return code == kNvmlTimeout || code == kNvmlIrqIssue || code == kNvmlInUse ||
         code == kNvmlMemory || code == kNvmlNoData || code == kNvmlNotReady;
}

const char* NvmlMethodName(NvmlMethod method) {
  switch (method) {
    case NvmlMethod::kNone:
      return "";
    case NvmlMethod::kTotalEnergy:
      return "total energy";
    case NvmlMethod::kInstantPower:
      return "instant power, integrated";
    case NvmlMethod::kAveragePower:
      return "average power, integrated";
  }
  return "";
}

const char* NvmlReader::Name() const {
  switch (call) {
    case Call::kEnergy:
      return "nvmlDeviceGetTotalEnergyConsumption";
    case Call::kPower:
      return "nvmlDeviceGetPowerUsage";
    default:
      return "nvmlDeviceGetFieldValues";
  }
}

void NvmlChannel::Use(const NvmlReader& reader, NvmlMethod method, uint64_t averaging_ns,
                      const std::string& remark) {
  reader_ = reader;
  state_.method = method;
  averaging_ns_ = averaging_ns;
  detail_ = remark_ = remark;
}

void NvmlChannel::Refuse(Status status, const std::string& why) {
  reader_.call = NvmlReader::Call::kNone;
  Fail(status, why);
}

// The last good count stays.
void NvmlChannel::Fail(Status status, const std::string& why) {
  state_.status = status;
  if (detail_ != why) detail_ = why;
}

void NvmlChannel::LeaveTotal(const NvmlReader& power, NvmlMethod method, uint64_t averaging_ns,
                             const std::string& why) {
  base_ticks_ = state_.ticks;
  started_ = false;
  timer_ = UpdateTimer();
  ++state_.interruptions;
  Use(power, method, averaging_ns, why);
}

uint64_t NvmlChannel::still_ns() const {
  if (state_.method != NvmlMethod::kTotalEnergy || !started_ || reader_.code != kNvmlSuccess) {
    return 0;
  }
  return read_ns_ - moved_ns_;
}

void NvmlChannel::Take(const NvmlLibrary& library, uint64_t read_cost_ns) {
  if (reader_.call == NvmlReader::Call::kNone) return;
  const uint64_t middle_ns = reader_.start_ns + (reader_.end_ns - reader_.start_ns) / 2;
  read_ns_ = middle_ns;
  if (reader_.code != kNvmlSuccess) {
    if (IsTransient(reader_.code) && started_ && middle_ns - good_ns_ < kLongestGapNs) return;
    Fail(NvmlStatusOf(reader_.code), library.Sentence(reader_.Name(), reader_.code));
    return;
  }
  const bool is_total = state_.method == NvmlMethod::kTotalEnergy;
  const bool was_ok = state_.status == Status::kOk;
  // What told power when it was chosen does not rest at none.
  if (!is_total && reader_.value == 0) {
    Fail(Status::kImplausible,
         "its power reads 0 W, which nothing draws that answers: it is asked again");
    return;
  }
  if (!is_total && reader_.value > PlausibleWatts(domain_) * 1000) {
    Fail(Status::kImplausible, "its power reads " + std::to_string(reader_.value / 1000) +
                                   " W, which no such device draws: update its driver");
    return;
  }
  const uint64_t longest_gap_ns = std::max(kLongestGapNs, kLongestGapPeriods * timer_.period_ns());
  if (started_ && middle_ns - good_ns_ > longest_gap_ns) {
    timer_.Interrupt();
    if (!is_total) {
      integrator_.Interrupt();
      ++state_.interruptions;
    }
  }
  const bool changed = !started_ || reader_.value != raw_;
  const uint64_t update_ns = timer_.Observe(reader_.start_ns, reader_.end_ns, started_ && changed);
  if (update_ns != 0 && reader_.lag_ns != 0 && reader_.lag_ns < kLongestLagNs) {
    // The poll came at some time after the update.
    const uint64_t late_ns = middle_ns - update_ns;
    timer_.ObserveLag(reader_.lag_ns > late_ns ? reader_.lag_ns - late_ns : 0);
  }
  if (changed) moved_ns_ = middle_ns;
  if (is_total) {
    TakeEnergy(update_ns, middle_ns);
  } else {
    const uint64_t period_ns = timer_.period_ns();
    integrator_.Observe(reader_.value, middle_ns, update_ns,
                        period_ns != 0 ? period_ns : kNvmlAssumedPeriodNs);
    state_.ticks = base_ticks_ + integrator_.microjoules();
    state_.time_ns = integrator_.time_ns();
    state_.status = Status::kOk;
    if (detail_ != remark_) detail_ = remark_;
  }
  const uint64_t lag_ns = timer_.lag_ns() + averaging_ns_;
  if (!is_total || changed) state_.time_ns -= std::min(state_.time_ns, lag_ns);
  state_.period_ns = timer_.period_ns();
  state_.is_longest_period = timer_.is_of_polls();
  state_.lag_ns = lag_ns;
  state_.read_cost_ns = read_cost_ns;
  raw_ = reader_.value;
  good_ns_ = middle_ns;
  started_ = true;
  const uint32_t gaps = state_.restarts + state_.interruptions;
  if (state_.status != Status::kOk || (was_ok && gaps == told_gaps_)) return;
  told_gaps_ = gaps;
  state_.since_ns = state_.time_ns;
  state_.since_ticks = state_.ticks;
}

void NvmlChannel::TakeEnergy(uint64_t update_ns, uint64_t middle_ns) {
  if (started_ && reader_.value < raw_) ++state_.restarts;
  if (reader_.value > kNvmlMostMillijoules) {
    Fail(Status::kImplausible, "its total energy reads " + std::to_string(reader_.value / 1000) +
                                   " J, which no device can have used: update its driver");
    return;
  }
  if (!started_ || reader_.value != raw_) {
    state_.ticks = base_ticks_ + reader_.value * kMicrojoulesPerMillijoule;
    state_.time_ns = update_ns != 0 ? update_ns : middle_ns;
  }
  if (reader_.value == 0) {
    Fail(Status::kImplausible,
         "its total energy reads 0 J, so it counts nothing, and no power of it can be read");
    return;
  }
  // What the device was found to stand still with stays until it moves.
  if (state_.status == Status::kStale && reader_.value == raw_) return;
  state_.status = Status::kOk;
  if (detail_ != remark_) detail_ = remark_;
}

}  // namespace microjoule
