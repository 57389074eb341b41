// SPDX-License-Identifier: MIT
//
// One device of Windows' Energy Meter: kept open, read by one call, found again after it was gone.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "emi_source.h"

namespace microjoule {

class EmiDevice {
 public:
  EmiDevice(EmiSystem* system, std::string path) : system_(system), path_(std::move(path)) {}

  const std::string& path() const { return path_; }
  const EmiMetadata& metadata() const { return metadata_; }

  // Opens the device and learns its channels.
  Outcome Open();

  // One call to the device. What it answers holds until the next. Allocates nothing, but where a
  // device that is gone, or has not answered for a second, is opened anew: once a second at most.
  void Read(uint64_t monotonic_ns);
  RawReading Get(size_t channel) const { return channels_[channel].reading; }

  // Why the last call brought nothing for this channel.
  std::string Explain(size_t channel) const;

  // Of an answer that is none; public for its table's sake.
  static Status StatusOf(uint32_t error);

 private:
  struct Channel {
    RawReading reading;
    EmiSample last;
    bool has_last = false;
    bool is_back = false;  // its device was opened anew since it last answered
    // What turns the device's time into the reader's; taken anew when the channel restarts.
    uint64_t anchor_ns = 0;
    uint64_t anchor_time_100ns = 0;
  };

  uint32_t GetMetadata(EmiHandle* handle, std::vector<uint8_t>* bytes, uint16_t* version,
                       std::string* trouble) const;
  uint32_t Measure(EmiHandle* handle, size_t* written);
  uint32_t OpenAnew(size_t* written);
  void Fail(uint32_t error);
  static void Take(Channel* channel, const EmiSample& sample, uint64_t monotonic_ns);
  bool WasDenied(uint32_t error) const;
  Outcome Refuse(uint32_t error, const char* what) const;

  EmiSystem* system_;
  std::string path_;
  std::unique_ptr<EmiHandle> handle_;
  EmiMetadata metadata_;
  std::vector<uint8_t> metadata_bytes_;
  std::vector<uint8_t> answer_;

  std::vector<Channel> channels_;
  uint32_t error_ = kEmiOk;
  size_t answered_ = 0;      // channels of the last answer
  bool has_read_ = false;    // it answered once
  bool is_changed_ = false;  // it came back with other channels
  uint64_t retry_ns_ = 0;
};

}  // namespace microjoule
