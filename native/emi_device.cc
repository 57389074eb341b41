// SPDX-License-Identifier: MIT
#include "emi_device.h"

#include <algorithm>

namespace microjoule {
namespace {

constexpr uint64_t kRetryNs = 1000000000u;
// A channel takes some 50 bytes; so large a description is none.
constexpr uint32_t kMostMetadataBytes = 1 << 20;

// Error codes of Windows (winerror.h).
constexpr uint32_t kInvalidHandle = 6;
constexpr uint32_t kNotReady = 21;
constexpr uint32_t kNotSupported = 50;
constexpr uint32_t kDeviceNotExist = 55;
constexpr uint32_t kNoSuchDevice = 433;
constexpr uint32_t kOperationAborted = 995;
constexpr uint32_t kNotConnected = 1167;
constexpr uint32_t kDeviceRemoved = 1617;
constexpr uint32_t kInvalidFunction = 1;

// Whether the handle is of no more use: the device went, or its driver was loaded anew.
bool IsGone(uint32_t error) {
  return error == kEmiFileNotFound || error == kInvalidHandle || error == kNotReady ||
         error == kDeviceNotExist || error == kNoSuchDevice || error == kOperationAborted ||
         error == kNotConnected || error == kDeviceRemoved;
}

const char* Advice(uint32_t error) {
  switch (error) {
    case kEmiAccessDenied:
      return "Windows denies it to this user: ask who administers this machine";
    case kInvalidFunction:
    case kNotSupported:
      return "its driver does not know the request: update it";
    default:
      return IsGone(error) ? "the device is gone: it is looked for again every second"
                           : "see whether the device manager shows trouble with an energy meter";
  }
}

}  // namespace

Status EmiDevice::StatusOf(uint32_t error) {
  if (error == kEmiOk) return Status::kOk;
  if (error == kEmiAccessDenied) return Status::kNoPermission;
  if (error == kInvalidFunction || error == kNotSupported) return Status::kNotSupported;
  return IsGone(error) ? Status::kNotFound : Status::kFailed;
}

Outcome EmiDevice::Refuse(uint32_t error, const char* what) const {
  return {StatusOf(error), path_ + ": " + what + " fails with error " + std::to_string(error) +
                               ": " + Advice(error)};
}

uint32_t EmiDevice::GetMetadata(EmiHandle* handle, std::vector<uint8_t>* bytes, uint16_t* version,
                                std::string* trouble) const {
  uint8_t small[4];
  size_t written = 0;
  uint32_t error = handle->Call(EmiRequest::kVersion, small, 2, &written);
  if (error != kEmiOk) return error;
  if (written != 2) {
    *trouble = "its version has " + std::to_string(written) + " bytes instead of 2";
    return kEmiOk;
  }
  *version = static_cast<uint16_t>(small[0] | small[1] << 8);
  error = handle->Call(EmiRequest::kMetadataSize, small, 4, &written);
  if (error != kEmiOk) return error;
  uint32_t size = 0;
  for (size_t i = 0; i < 4; ++i) size |= static_cast<uint32_t>(small[i]) << (8 * i);
  if (written != 4 || size > kMostMetadataBytes) {
    *trouble = written != 4 ? "the size of its metadata has " + std::to_string(written) +
                                  " bytes instead of 4"
                            : "its metadata would take " + std::to_string(size) + " bytes";
    return kEmiOk;
  }
  bytes->assign(size, 0);
  error = handle->Call(EmiRequest::kMetadata, bytes->data(), size, &written);
  if (error != kEmiOk) return error;
  bytes->resize(std::min<size_t>(written, size));
  return kEmiOk;
}

Outcome EmiDevice::Open() {
  const uint32_t error = system_->Open(path_, &handle_);
  if (error != kEmiOk) return Refuse(error, "opening it");
  uint16_t version = 0;
  std::string trouble;
  const uint32_t failed = GetMetadata(handle_.get(), &metadata_bytes_, &version, &trouble);
  if (failed == kEmiOk && trouble.empty()) {
    ParseEmiMetadata(version, metadata_bytes_.data(), metadata_bytes_.size(), &metadata_, &trouble);
  }
  if (failed != kEmiOk || !trouble.empty()) {
    handle_.reset();
    if (failed != kEmiOk) return Refuse(failed, "asking for its channels");
    return {Status::kNotSupported,
            path_ + ": " + trouble + ", so it is not read: update its driver"};
  }
  const size_t count = metadata_.channels.size();
  answer_.resize(count * kEmiSampleBytes);
  channels_.resize(count);
  last_.resize(count);
  has_last_.resize(count);
  return {};
}

bool EmiDevice::Reopen(uint64_t monotonic_ns) {
  if (monotonic_ns < retry_ns_) return false;
  retry_ns_ = monotonic_ns + kRetryNs;
  const uint32_t error = system_->Open(path_, &handle_);
  if (error != kEmiOk) {
    Fail(error == kEmiAccessDenied ? error : kEmiFileNotFound);
    return false;
  }
  std::vector<uint8_t> bytes;
  uint16_t version = 0;
  std::string trouble;
  const uint32_t failed = GetMetadata(handle_.get(), &bytes, &version, &trouble);
  is_changed_ = failed == kEmiOk && (!trouble.empty() || bytes != metadata_bytes_);
  if (failed != kEmiOk || is_changed_) {
    handle_.reset();
    Fail(failed);
    return false;
  }
  is_back_ = true;
  return true;
}

void EmiDevice::Fail(uint32_t error) {
  error_ = error;
  answered_ = 0;
  if (IsGone(error)) handle_.reset();
  const Status status = error == kEmiOk ? Status::kFailed : StatusOf(error);
  for (RawReading& channel : channels_) channel.status = status;
}

void EmiDevice::Read(uint64_t monotonic_ns) {
  if (handle_ == nullptr && !Reopen(monotonic_ns)) return;
  size_t written = 0;
  const uint32_t error =
      handle_->Call(EmiRequest::kMeasurement, answer_.data(), answer_.size(), &written);
  if (error != kEmiOk) {
    Fail(error);
    return;
  }
  error_ = kEmiOk;
  answered_ = std::min(written, answer_.size()) / kEmiSampleBytes;
  for (size_t i = 0; i < channels_.size(); ++i) {
    if (i < answered_) {
      Take(i, ParseEmiSample(answer_.data() + i * kEmiSampleBytes), monotonic_ns);
    } else {
      channels_[i].status = Status::kFailed;
    }
  }
  is_back_ = false;
}

void EmiDevice::Take(size_t channel, const EmiSample& sample, uint64_t monotonic_ns) {
  RawReading& reading = channels_[channel];
  EmiSample& last = last_[channel];
  const bool fell = has_last_[channel] && (sample.picowatt_hours < last.picowatt_hours ||
                                           sample.time_100ns < last.time_100ns);
  reading.restarted = has_last_[channel] && (fell || is_back_);
  reading.status = Status::kOk;
  // Unchanged time is the same sample, whatever stands beside it.
  if (has_last_[channel] && sample.time_100ns == last.time_100ns && !reading.restarted) return;
  if (!has_anchor_ || reading.restarted) {
    // All channels of a device share one clock.
    has_anchor_ = true;
    anchor_ns_ = monotonic_ns;
    anchor_time_100ns_ = sample.time_100ns;
  }
  last = sample;
  has_last_[channel] = true;
  reading.ticks = sample.picowatt_hours;
  // Modulo 2^64 where a channel's time is before the anchor's, which comes out right.
  reading.time_ns = anchor_ns_ + (sample.time_100ns - anchor_time_100ns_) * 100;
}

std::string EmiDevice::Explain(size_t channel) const {
  if (channels_[channel].status == Status::kOk) return "";
  if (is_changed_) {
    return path_ + " came back with other channels: open the meter anew";
  }
  if (error_ != kEmiOk) return Refuse(error_, "reading it").detail;
  return path_ + " answers for " + std::to_string(answered_) + " of " +
         std::to_string(channels_.size()) + " channels, and channel " + std::to_string(channel) +
         " is not among them: update its driver";
}

}  // namespace microjoule
