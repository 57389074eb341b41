// SPDX-License-Identifier: MIT
#include "emi_source.h"

#include <algorithm>
#include <map>

#include "clock.h"
#include "emi_device.h"

namespace microjoule {
namespace {

// A picowatt-hour is 3.6e-9 J.
constexpr Scale kPicowattHour{9, 2500000000u};

class Emi final : public Source {
 public:
  Emi(std::unique_ptr<EmiSystem> system, EmiPart part) : system_(std::move(system)), part_(part) {}

  Outcome Probe(const Options& options) override;
  const std::vector<Counter>& counters() const override { return counters_; }
  void Keep(const std::vector<bool>& wanted) override {
    KeepWanted(wanted, &counters_);
    KeepWanted(wanted, &entries_);
    CloseUnused();
  }
  // A machine with a device a core takes long for all of them.
  bool blocking() const override { return part_ == EmiPart::kCores; }
  void Read(const Pass& pass, RawReading* out) override;
  std::string Explain(size_t i) const override {
    if (counters_[i].outcome.status != Status::kOk) return counters_[i].outcome.detail;
    return entries_[i].device->Explain(entries_[i].channel);
  }

 private:
  struct Entry {
    EmiDevice* device = nullptr;  // null where there is nothing to read
    size_t channel = 0;
  };

  bool IsWanted(const EmiPlace& place) const {
    return (place.core >= 0) == (part_ == EmiPart::kCores);
  }
  void Add(EmiDevice* device, size_t index, size_t channel, const EmiPlace& place);
  void AddFailure(size_t index, const std::string& path, const Outcome& outcome);
  void CloseUnused();
  std::string NewId(const std::string& base);

  std::unique_ptr<EmiSystem> system_;  // before the devices, which use it
  const EmiPart part_;
  std::vector<std::unique_ptr<EmiDevice>> devices_;
  std::vector<Counter> counters_;
  std::vector<Entry> entries_;
  std::map<std::string, uint32_t> ids_;
};

Outcome Emi::Probe(const Options&) {
  std::vector<std::string> paths;
  const uint32_t error = system_->List(&paths);
  if (error != kEmiOk) {
    return {EmiDevice::StatusOf(error), "Windows' list of energy meters fails with error " +
                                            std::to_string(error) + ": restart the machine"};
  }
  // Windows promises no order, and the numbers in ids should stay.
  std::sort(paths.begin(), paths.end());
  if (paths.empty()) {
    return {Status::kNotFound,
            "Windows shows no energy meter: it has those of processors from Windows 11 on, and "
            "none in a virtual machine; on Windows 10 only some portable computers have one"};
  }
  std::vector<Outcome> outcomes;
  std::vector<EmiPlace> places;
  for (const std::string& path : paths) {
    devices_.push_back(std::make_unique<EmiDevice>(system_.get(), path));
    outcomes.push_back(devices_.back()->Open());
    for (const EmiChannel& channel : devices_.back()->metadata().channels) {
      places.push_back(PlaceEmiChannel(channel.name));
      // What cannot be read stands for no package.
      if (channel.unit != kEmiPicowattHours) places.back().rank = UINT32_MAX - 1;
    }
  }
  SettleEmiPlaces(&places);

  size_t place = 0;
  size_t failures = 0;
  for (size_t i = 0; i < devices_.size(); ++i) {
    if (outcomes[i].status != Status::kOk) {
      ++failures;
      // Whether it would be of cores is not known; it is listed once.
      if (part_ == EmiPart::kMachine) AddFailure(i, paths[i], outcomes[i]);
      continue;
    }
    for (size_t channel = 0; channel < devices_[i]->metadata().channels.size(); ++channel) {
      const EmiPlace& found = places[place++];
      if (IsWanted(found)) Add(devices_[i].get(), i, channel, found);
    }
  }
  CloseUnused();
  if (failures == paths.size()) return outcomes.front();
  if (counters_.empty() && places.empty() && failures == 0) {
    return {Status::kNotFound,
            "none of Windows' energy meters announces a channel: update the "
            "drivers of the processor"};
  }
  if (counters_.empty()) {
    return {Status::kNotFound, part_ == EmiPart::kCores
                                   ? "none of Windows' energy meters is of a single core"
                                   : "Windows' energy meters are of single cores alone: name the "
                                     "source emi-core to read them"};
  }
  if (failures == 0) return {};
  return {Status::kOk, std::to_string(failures) + " of " + std::to_string(paths.size()) +
                           " energy meters cannot be read, and what they meter is not known"};
}

std::string Emi::NewId(const std::string& base) {
  const uint32_t number = ids_[base]++;
  return number == 0 ? base : base + ":" + std::to_string(number);
}

void Emi::Add(EmiDevice* device, size_t index, size_t channel, const EmiPlace& place) {
  const EmiMetadata& metadata = device->metadata();
  const EmiChannel& described = metadata.channels[channel];
  Counter counter;
  counter.domain = place.domain;
  counter.device = place.package;
  counter.die = place.die;
  std::string id = std::string(part_ == EmiPart::kCores ? "emi-core:" : "emi:");
  if (place.domain == Domain::kOther) {
    id += "other:" + std::to_string(index) + ":" + std::to_string(channel);
  } else {
    id += std::string(DomainName(place.domain)) + ":" + std::to_string(place.package);
    if (place.die >= 0) id += ":" + std::to_string(place.die);
    if (place.core >= 0) id += ":" + std::to_string(place.core);
  }
  counter.id = NewId(id);
  counter.origin = device->path() + ", channel " + std::to_string(channel) +
                   (described.name.empty() ? "" : " " + described.name);
  counter.device_name =
      metadata.oem + (metadata.oem.empty() || metadata.model.empty() ? "" : " ") + metadata.model;
  counter.scale = kPicowattHour;
  counter.clock = CounterClock::kDevice;
  counter.may_rest = place.die >= 0;  // clusters of cores are switched off one by one
  counter.outcome.detail =
      (described.name.empty() || place.note.empty() ? "" : described.name + ", ") + place.note;
  if (described.unit != kEmiPicowattHours) {
    counter.outcome = {Status::kNotSupported,
                       counter.origin + " counts in unit " + std::to_string(described.unit) +
                           ", and only picowatt-hours (0) are defined: update its driver"};
  }
  counters_.push_back(std::move(counter));
  entries_.push_back({device, channel});
}

void Emi::AddFailure(size_t index, const std::string& path, const Outcome& outcome) {
  Counter counter;
  counter.id = NewId("emi:other:" + std::to_string(index));
  counter.origin = path;
  counter.scale = kPicowattHour;
  counter.clock = CounterClock::kDevice;
  counter.unknown_content = true;
  counter.outcome = outcome;
  counters_.push_back(std::move(counter));
  entries_.push_back({});
}

void Emi::CloseUnused() {
  const auto is_unused = [this](const std::unique_ptr<EmiDevice>& device) {
    return std::none_of(entries_.begin(), entries_.end(),
                        [&device](const Entry& entry) { return entry.device == device.get(); });
  };
  devices_.erase(std::remove_if(devices_.begin(), devices_.end(), is_unused), devices_.end());
}

void Emi::Read(const Pass& pass, RawReading* out) {
  // A slow pass began long before it comes to this device.
  for (const auto& device : devices_) device->Read(pass.clock.MonotonicNs());
  for (size_t i = 0; i < counters_.size(); ++i) {
    if (counters_[i].outcome.status != Status::kOk) {
      out[i].status = counters_[i].outcome.status;
    } else {
      out[i] = entries_[i].device->Get(entries_[i].channel);
    }
  }
}

}  // namespace

std::unique_ptr<Source> MakeEmiSource(std::unique_ptr<EmiSystem> system, EmiPart part) {
  return std::make_unique<Emi>(std::move(system), part);
}

}  // namespace microjoule
