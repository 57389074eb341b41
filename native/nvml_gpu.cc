// SPDX-License-Identifier: MIT
#include "nvml_gpu.h"

#include <algorithm>
#include <chrono>

namespace microjoule {
namespace {

constexpr uint64_t kNsPerSecond = 1000000000u;
constexpr size_t kMostFields = 8;
// Eight polls a period put an update within a sixteenth of it.
constexpr uint64_t kPollsPerPeriod = 8;
constexpr uint64_t kShortestPollNs = 2000000;
constexpr uint64_t kLongestPollNs = 50000000;
constexpr uint64_t kPollNs = 10000000;  // until the period is known
// Polls may take this part of the thread's time.
constexpr uint64_t kRestPerCost = 4;
constexpr uint64_t kStillNs = 3 * kNsPerSecond;
constexpr uint64_t kStillPeriods = 10;
// No GPU that answers draws less than a watt.
constexpr uint64_t kLeastMilliwatts = 1000;
// A tenth of the polls, so that one that was held up does not show for long.
constexpr uint64_t kCostWeight = 10;

}  // namespace

NvmlGpu::NvmlGpu(unsigned index) : index_(index) {
  info.device = index;
  channels_.emplace_back(Domain::kGpu);
}

void NvmlGpu::Detach(Status status, const std::string& why) {
  Release();
  for (NvmlChannel& channel : channels_) channel.Fail(status, why);
}

// How busy it is meanwhile nobody watches.
void NvmlGpu::Release() {
  device_ = nullptr;
  looked_ns_ = 0;
}

void NvmlGpu::Attach(const NvmlLibrary& library, NvmlDevice device, const Clock& clock) {
  device_ = device;
  Identify(library);
  if (!settled_) Choose(library, clock);
  readers_.reserve(channels_.size());
}

NvmlReturn NvmlGpu::Read(const NvmlLibrary& library, const Clock& clock,
                         const std::vector<NvmlReader*>& readers) {
  const NvmlApi& api = library.api();
  NvmlFieldValue batch[kMostFields] = {};
  NvmlReader* of[kMostFields];
  int fields = 0;
  for (NvmlReader* reader : readers) {
    reader->code = kNvmlFunctionNotFound;
    reader->lag_ns = 0;
    if (reader->call == NvmlReader::Call::kField) {
      batch[fields].field_id = reader->field;
      batch[fields].scope_id = reader->scope;
      of[fields++] = reader;
      continue;
    }
    reader->start_ns = clock.MonotonicNs();
    if (reader->call == NvmlReader::Call::kEnergy && api.energy != nullptr) {
      unsigned long long energy = 0;
      reader->code = api.energy(device_, &energy);
      reader->value = energy;
    } else if (reader->call == NvmlReader::Call::kPower && api.power != nullptr) {
      unsigned power = 0;
      reader->code = api.power(device_, &power);
      reader->value = power;
    }
    reader->end_ns = clock.MonotonicNs();
  }
  if (fields == 0 || api.fields == nullptr) return kNvmlSuccess;
  const uint64_t start_ns = clock.MonotonicNs();
  const NvmlReturn code = api.fields(device_, fields, batch);
  const uint64_t end_ns = clock.MonotonicNs();
  const auto wall_us = std::chrono::duration_cast<std::chrono::microseconds>(
                           std::chrono::system_clock::now().time_since_epoch())
                           .count();
  for (int i = 0; i < fields; ++i) {
    NvmlReader* const reader = of[i];
    reader->start_ns = start_ns;
    reader->end_ns = end_ns;
    reader->code = code != kNvmlSuccess ? code : batch[i].status;
    if (reader->code != kNvmlSuccess) continue;
    if (!ToUnsigned(batch[i], &reader->value)) reader->code = kNvmlNoData;
    // From the middle of the call, as the other times are.
    const long long lag_us =
        wall_us - batch[i].timestamp_us - static_cast<long long>((end_ns - start_ns) / 2000);
    if (batch[i].timestamp_us > 0 && lag_us > 0) {
      reader->lag_ns = static_cast<uint64_t>(lag_us) * 1000;
    }
  }
  return code;
}

NvmlReturn NvmlGpu::Poll(const NvmlLibrary& library, const Clock& clock, bool check_power) {
  if (device_ == nullptr) return kNvmlNotFound;
  readers_.clear();
  const size_t count = channels_.size() - (has_power_check_ && !check_power ? 1 : 0);
  for (size_t i = 0; i < count; ++i) {
    if (channels_[i].reader().call != NvmlReader::Call::kNone) {
      readers_.push_back(&channels_[i].reader());
    }
  }
  if (readers_.empty()) return kNvmlSuccess;
  const uint64_t start_ns = clock.MonotonicNs();
  Read(library, clock, readers_);
  const uint64_t cost_ns = clock.MonotonicNs() - start_ns;
  read_cost_ns_ =
      read_cost_ns_ == 0 ? cost_ns : (read_cost_ns_ * (kCostWeight - 1) + cost_ns) / kCostWeight;
  for (size_t i = 0; i < count; ++i) channels_[i].Take(library, read_cost_ns_);
  CheckStill(library, clock);
  return readers_.front()->code;
}

// A total that succeeds and stands still counts nothing.
void NvmlGpu::CheckStill(const NvmlLibrary& library, const Clock& clock) {
  NvmlChannel& own = channels_.front();
  const uint64_t still_ns = own.still_ns();
  if (still_ns < std::max(kStillNs, kStillPeriods * own.state().period_ns)) return;
  const uint64_t now_ns = clock.MonotonicNs();
  if (now_ns - checked_ns_ < kStillNs) return;
  checked_ns_ = now_ns;
  NvmlReader instant = NvmlFieldReader(kNvmlFieldInstantPower, kNvmlScopeGpu);
  NvmlReader average = NvmlFieldReader(kNvmlFieldAveragePower, kNvmlScopeGpu);
  NvmlReader usage = NvmlCallReader(NvmlReader::Call::kPower);
  Read(library, clock, {&instant, &average, &usage});
  const std::string stands =
      "its total energy stands still at " + std::to_string(own.state().ticks / 1000000) + " J";
  for (const NvmlReader* reader : {&instant, &average, &usage}) {
    if (!NvmlProblem(library, *reader).empty() || reader->value < kLeastMilliwatts) continue;
    const bool is_average = reader == &average || (reader == &usage && UsageIsAverage());
    own.LeaveTotal(*reader, is_average ? NvmlMethod::kAveragePower : NvmlMethod::kInstantPower,
                   is_average ? kNvmlAveragingNs : 0,
                   stands + " while it draws " + std::to_string(reader->value / 1000) +
                       " W, so its power is integrated");
    return;
  }
  if (own.state().status == Status::kOk) {
    own.Fail(Status::kStale, stands + ", and no power of it can be read: it is not known");
  }
}

uint64_t NvmlGpu::NextNs(uint64_t now_ns, size_t gpu_count) const {
  uint64_t poll_ns = kLongestPollNs;
  for (const NvmlChannel& channel : channels_) {
    const uint64_t period_ns = channel.state().period_ns;
    poll_ns = std::min(poll_ns, period_ns == 0 ? kPollNs : period_ns / kPollsPerPeriod);
  }
  return now_ns + std::max({poll_ns, kShortestPollNs, kRestPerCost * gpu_count * read_cost_ns_});
}

void NvmlGpu::Look(const NvmlLibrary& library, uint64_t now_ns) {
  if (device_ == nullptr) return;
  const NvmlApi& api = library.api();
  NvmlUtilization busy = {};
  if (api.utilization != nullptr && api.utilization(device_, &busy) == kNvmlSuccess &&
      busy.gpu <= 100) {
    if (looked_ns_ != 0) {
      const double seconds = static_cast<double>(now_ns - looked_ns_) / kNsPerSecond;
      info.watched_seconds += seconds;
      info.busy_seconds += seconds * busy.gpu / 100;
    }
    looked_ns_ = now_ns;
  }
  NvmlMemory memory = {};
  if (api.memory != nullptr && api.memory(device_, &memory) == kNvmlSuccess) {
    info.memory_total_bytes = memory.total;
    info.memory_used_bytes = memory.used;
  }
}

}  // namespace microjoule
