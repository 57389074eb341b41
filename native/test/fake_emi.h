// SPDX-License-Identifier: MIT
//
// Energy meters that are no more than bytes, made by the layouts and not by the parser.
#pragma once

#include <algorithm>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "emi_source.h"

namespace microjoule {

inline void PutNumber(uint64_t value, size_t bytes, std::vector<uint8_t>* out) {
  for (size_t i = 0; i < bytes; ++i) out->push_back(static_cast<uint8_t>(value >> (8 * i)));
}

inline void PutText(std::string_view text, size_t units, std::vector<uint8_t>* out) {
  for (size_t i = 0; i < units; ++i) {
    PutNumber(i < text.size() ? static_cast<uint8_t>(text[i]) : 0, 2, out);
  }
}

struct FakeChannel {
  std::string name;
  uint32_t unit = 0;
};

inline std::vector<uint8_t> MetadataV2(const std::vector<FakeChannel>& channels,
                                       std::string_view oem = "Microsoft",
                                       std::string_view model = "PPM") {
  std::vector<uint8_t> out;
  PutText(oem, 16, &out);
  PutText(model, 16, &out);
  PutNumber(1, 2, &out);
  PutNumber(channels.size(), 2, &out);
  for (const FakeChannel& channel : channels) {
    PutNumber(channel.unit, 4, &out);
    PutNumber((channel.name.size() + 1) * 2, 2, &out);
    PutText(channel.name, channel.name.size() + 1, &out);
  }
  return out;
}

inline std::vector<uint8_t> MetadataV1(const FakeChannel& channel) {
  std::vector<uint8_t> out;
  PutNumber(channel.unit, 4, &out);
  PutText("OEM", 16, &out);
  PutText("Meter", 16, &out);
  PutNumber(7, 2, &out);
  PutNumber((channel.name.size() + 1) * 2, 2, &out);
  PutText(channel.name, channel.name.size() + 1, &out);
  return out;
}

// A device as a test sets it, whether or not anybody holds it open.
struct FakeMeter {
  uint16_t version = 2;
  std::vector<uint8_t> metadata;
  std::vector<EmiSample> samples;
  uint32_t open_error = kEmiOk;
  std::map<EmiRequest, uint32_t> errors;
  std::map<EmiRequest, size_t> most_bytes;  // of an answer that is cut short
  uint32_t stale_error = kEmiOk;            // of the first so many handles, to measure
  int stale_handles = 0;
  uint32_t announced = UINT32_MAX;  // size of the metadata, where it lies
  int opened = 0;
  int held = 0;
  int measured = 0;
};

class FakeEmiHandle final : public EmiHandle {
 public:
  explicit FakeEmiHandle(FakeMeter* meter) : meter_(meter), number_(meter->opened) {
    ++meter_->held;
  }
  ~FakeEmiHandle() override { --meter_->held; }

  uint32_t Call(EmiRequest request, uint8_t* out, size_t size, size_t* written) override {
    *written = 0;
    if (meter_->errors.count(request) != 0) return meter_->errors[request];
    if (request == EmiRequest::kMeasurement && number_ <= meter_->stale_handles) {
      return meter_->stale_error;
    }
    std::vector<uint8_t> answer;
    switch (request) {
      case EmiRequest::kVersion:
        PutNumber(meter_->version, 2, &answer);
        break;
      case EmiRequest::kMetadataSize:
        PutNumber(meter_->announced != UINT32_MAX ? meter_->announced : meter_->metadata.size(), 4,
                  &answer);
        break;
      case EmiRequest::kMetadata:
        answer = meter_->metadata;
        break;
      case EmiRequest::kMeasurement:
        ++meter_->measured;
        for (const EmiSample& sample : meter_->samples) {
          PutNumber(sample.picowatt_hours, 8, &answer);
          PutNumber(sample.time_100ns, 8, &answer);
        }
        break;
    }
    size_t bytes = std::min(answer.size(), size);
    if (meter_->most_bytes.count(request) != 0) {
      bytes = std::min(bytes, meter_->most_bytes[request]);
    }
    if (bytes > 0) std::memcpy(out, answer.data(), bytes);
    *written = bytes;
    return kEmiOk;
  }

 private:
  FakeMeter* meter_;
  const int number_;
};

class FakeEmi final : public EmiSystem {
 public:
  explicit FakeEmi(std::map<std::string, FakeMeter>* meters) : meters_(meters) {}

  uint32_t List(std::vector<std::string>* paths) override {
    for (const auto& [path, meter] : *meters_) paths->insert(paths->begin(), path);
    return error;
  }

  uint32_t Open(const std::string& path, std::unique_ptr<EmiHandle>* out) override {
    const auto found = meters_->find(path);
    if (found == meters_->end()) return kEmiFileNotFound;
    if (found->second.open_error != kEmiOk) return found->second.open_error;
    ++found->second.opened;
    *out = std::make_unique<FakeEmiHandle>(&found->second);
    return kEmiOk;
  }

  uint32_t error = kEmiOk;

 private:
  std::map<std::string, FakeMeter>* meters_;
};

inline FakeMeter MeterOf(const std::vector<FakeChannel>& channels) {
  FakeMeter meter;
  meter.metadata = MetadataV2(channels);
  meter.samples.resize(channels.size());
  for (size_t i = 0; i < channels.size(); ++i) meter.samples[i] = {1000000 * (i + 1), 5000};
  return meter;
}

}  // namespace microjoule
