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

// Whether a device that could be read is denied by the handle that it was read by.
bool EmiDevice::WasDenied(uint32_t error) const {
  return error == kEmiAccessDenied && has_read_ && handle_ != nullptr;
}

Outcome EmiDevice::Refuse(uint32_t error, const char* what) const {
  const char* advice = Advice(error);
  if (WasDenied(error)) advice = "it could be read until now, and is opened anew every second";
  return {StatusOf(error),
          path_ + ": " + what + " fails with error " + std::to_string(error) + ": " + advice};
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
  return {};
}

uint32_t EmiDevice::Measure(EmiHandle* handle, size_t* written) {
  return handle->Call(EmiRequest::kMeasurement, answer_.data(), answer_.size(), written);
}

// Takes a new handle in place of the old one, if any, where the device answers by it.
uint32_t EmiDevice::OpenAnew(size_t* written) {
  is_changed_ = false;
  std::unique_ptr<EmiHandle> handle;
  uint32_t error = system_->Open(path_, &handle);
  if (error != kEmiOk) return error == kEmiAccessDenied ? error : kEmiFileNotFound;
  std::vector<uint8_t> bytes;
  uint16_t version = 0;
  std::string trouble;
  error = GetMetadata(handle.get(), &bytes, &version, &trouble);
  if (error != kEmiOk) return error;
  is_changed_ = !trouble.empty() || bytes != metadata_bytes_;
  if (is_changed_) return kEmiFileNotFound;
  error = Measure(handle.get(), written);
  if (error != kEmiOk) return error;
  handle_ = std::move(handle);
  for (Channel& channel : channels_) channel.is_back = true;
  return kEmiOk;
}

void EmiDevice::Fail(uint32_t error) {
  error_ = error;
  answered_ = 0;
  Status status = is_changed_ ? Status::kFailed : StatusOf(error);
  // Rights are looked at when a device is opened: this is another trouble.
  if (WasDenied(error)) status = Status::kFailed;
  for (Channel& channel : channels_) channel.reading.status = status;
}

void EmiDevice::Read(uint64_t monotonic_ns) {
  size_t written = 0;
  uint32_t error = handle_ == nullptr ? error_ : Measure(handle_.get(), &written);
  if (error != kEmiOk) {
    if (IsGone(error)) {
      handle_.reset();
    } else if (error_ == kEmiOk) {
      // It may pass: a new handle would break off the count.
      retry_ns_ = std::max(retry_ns_, monotonic_ns + kRetryNs);
    }
    if (monotonic_ns >= retry_ns_) {
      retry_ns_ = monotonic_ns + kRetryNs;
      const uint32_t found = OpenAnew(&written);
      if (is_changed_) handle_.reset();
      if (found == kEmiOk || handle_ == nullptr) error = found;
    }
  }
  if (error != kEmiOk) {
    Fail(error);
    return;
  }
  error_ = kEmiOk;
  has_read_ = true;
  answered_ = std::min(written, answer_.size()) / kEmiSampleBytes;
  for (size_t i = 0; i < channels_.size(); ++i) {
    if (i < answered_) {
      Take(&channels_[i], ParseEmiSample(answer_.data() + i * kEmiSampleBytes), monotonic_ns);
    } else {
      channels_[i].reading.status = Status::kFailed;
    }
  }
}

void EmiDevice::Take(Channel* channel, const EmiSample& sample, uint64_t monotonic_ns) {
  RawReading& reading = channel->reading;
  const EmiSample last = channel->last;
  const bool fell =
      sample.picowatt_hours < last.picowatt_hours || sample.time_100ns < last.time_100ns;
  reading.restarted = channel->has_last && (fell || channel->is_back);
  reading.status = Status::kOk;
  channel->is_back = false;
  // Unchanged time is the same sample, whatever stands beside it.
  if (channel->has_last && sample.time_100ns == last.time_100ns && !reading.restarted) return;
  if (!channel->has_last || reading.restarted) {
    channel->anchor_ns = monotonic_ns;
    channel->anchor_time_100ns = sample.time_100ns;
  }
  channel->last = sample;
  channel->has_last = true;
  reading.ticks = sample.picowatt_hours;
  reading.time_ns = channel->anchor_ns + (sample.time_100ns - channel->anchor_time_100ns) * 100;
}

std::string EmiDevice::Explain(size_t channel) const {
  if (channels_[channel].reading.status == Status::kOk) return "";
  if (is_changed_) {
    return path_ + " came back with other channels: open the meter anew";
  }
  if (error_ != kEmiOk) {
    return Refuse(error_, handle_ == nullptr ? "opening it again" : "reading it").detail;
  }
  return path_ + " answers for " + std::to_string(answered_) + " of " +
         std::to_string(channels_.size()) + " channels, and channel " + std::to_string(channel) +
         " is not among them: update its driver";
}

}  // namespace microjoule
