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
  // device that was gone is looked for again, at most once a second.
  void Read(uint64_t monotonic_ns);
  RawReading Get(size_t channel) const { return channels_[channel]; }

  // Why the last call brought nothing for this channel.
  std::string Explain(size_t channel) const;

  // Of an answer that is none; public for its table's sake.
  static Status StatusOf(uint32_t error);

 private:
  uint32_t GetMetadata(EmiHandle* handle, std::vector<uint8_t>* bytes, uint16_t* version,
                       std::string* trouble) const;
  bool Reopen(uint64_t monotonic_ns);
  void Fail(uint32_t error);
  void Take(size_t channel, const EmiSample& sample, uint64_t monotonic_ns);
  Outcome Refuse(uint32_t error, const char* what) const;

  EmiSystem* system_;
  std::string path_;
  std::unique_ptr<EmiHandle> handle_;
  EmiMetadata metadata_;
  std::vector<uint8_t> metadata_bytes_;
  std::vector<uint8_t> answer_;

  std::vector<RawReading> channels_;
  std::vector<EmiSample> last_;
  std::vector<bool> has_last_;
  // What turns the device's time into the reader's; taken anew when the device restarts.
  uint64_t anchor_ns_ = 0;
  uint64_t anchor_time_100ns_ = 0;
  bool has_anchor_ = false;

  uint32_t error_ = kEmiOk;
  size_t answered_ = 0;      // channels of the last answer
  bool is_changed_ = false;  // it came back with other channels
  bool is_back_ = false;     // and this is its first reading
  uint64_t retry_ns_ = 0;
};

}  // namespace microjoule
