// SPDX-License-Identifier: MIT
//
// RAPL through the powercap tree of sysfs: every zone, kept descriptors, one pread per zone.
// https://docs.kernel.org/power/powercap/powercap.html
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <map>
#include <set>

#include "clock.h"
#include "powercap_zone.h"
#include "source.h"
#include "text_file_linux.h"

namespace microjoule {
namespace {

constexpr const char* kPermissionAdvice =
    "energy_uj is readable by root alone since Linux 5.10; run as root, or let a group of yours "
    "read it (chgrp and chmod g+r, by a udev rule to last)";
constexpr uint64_t kVanishCheckNs = 1000000;  // at most one fstat a millisecond

// A reason of our own beside errno.
constexpr int kNotANumber = -1;
constexpr int kEmpty = -2;
constexpr int kVanished = -3;

Status StatusOf(int error) {
  switch (error) {
    case EACCES:
    case EPERM:
      return Status::kNoPermission;
    case ENOENT:
    case ENODEV:
    case kVanished:
      return Status::kNotFound;
    default:
      return Status::kFailed;
  }
}

std::string Sentence(const std::string& path, int error) {
  switch (error) {
    case EACCES:
    case EPERM:
      return path + " may not be read: " + kPermissionAdvice;
    case ENOENT:
      return path + " does not exist: is the host's /sys mounted here? Give its place with sysfs";
    case ENODEV:
    case kVanished:
      return path + " vanished while it was read: was the driver unloaded? Open the meter again";
    case kNotANumber:
      return path + " holds no number: look at it, and report the driver that wrote it";
    case kEmpty:
      return path + " is empty: look at the driver that should fill it (dmesg | grep -i rapl)";
    default:
      return path + " cannot be read: " + strerror(error) +
             " (virtual machines may list counters that they do not have)";
  }
}

class Powercap final : public Source {
 public:
  ~Powercap() override {
    for (const Zone& zone : zones_) {
      if (zone.fd >= 0) close(zone.fd);
    }
  }

  Outcome Probe(const Options& options) override;
  const std::vector<Counter>& counters() const override { return counters_; }
  void Keep(const std::vector<bool>& wanted) override;
  bool blocking() const override { return false; }
  void Read(const Clock& clock, RawReading* out) override;
  std::string Explain(size_t i) const override {
    const Counter& counter = counters_[i];
    if (counter.outcome.status != Status::kOk) return counter.outcome.detail;
    return zones_[i].error == 0 ? "" : Sentence(counter.origin, zones_[i].error);
  }

 private:
  struct Zone {
    int fd = -1;
    Inversion inversion;
    int error = 0;
    uint64_t last_uj = UINT64_MAX;
    uint64_t next_vanish_check_ns = 0;
  };

  int FindZones(const std::string& folder, std::map<ZonePath, std::string>* found) const;
  void AddZone(const ZonePath& path, const std::string& folder);
  void PlaceTheRest();
  int ReadZone(const Clock& clock, Zone* zone, uint64_t* microjoules) const;

  std::vector<Counter> counters_;
  std::vector<Zone> zones_;
  // Package and die of each zone that is known to belong to one, for its sub-zones.
  std::map<std::string, ZoneName> places_;
  // Zones of which nothing tells the package.
  std::vector<size_t> unplaced_;
};

// The class folder lists every zone; in a copied tree sub-zones may stand inside their parents
// only. 0 or an errno.
int Powercap::FindZones(const std::string& folder, std::map<ZonePath, std::string>* found) const {
  DIR* const dir = opendir(folder.c_str());
  if (dir == nullptr) return errno;
  std::vector<std::string> fresh;
  while (const dirent* const entry = readdir(dir)) {
    ZonePath path;
    if (!ParseZonePath(entry->d_name, &path)) continue;
    const std::string zone = folder + "/" + entry->d_name;
    if (found->emplace(path, zone).second) fresh.push_back(zone);
  }
  closedir(dir);
  // After the whole level, so that a zone listed here is known by its shortest path.
  for (const std::string& zone : fresh) FindZones(zone, found);
  return 0;
}

Outcome Powercap::Probe(const Options& options) {
  const std::string folder = options.sysfs + "/class/powercap";
  std::map<ZonePath, std::string> found;
  const int error = FindZones(folder, &found);
  if (error == EACCES || error == EPERM) {
    return {Status::kNoPermission,
            folder + " may not be listed: run as root, or give this user the right to enter it"};
  }
  if (error != 0) {
    return {
        StatusOf(error),
        folder + ": " + strerror(error) +
            ", so the kernel offers no RAPL counters here. On bare metal try modprobe "
            "intel_rapl_msr; a virtual machine seldom has them; in a container mount the host's "
            "/sys and give its place with sysfs"};
  }
  if (found.empty()) {
    return {Status::kNotFound,
            folder + " holds no RAPL zone: load the driver with modprobe intel_rapl_msr"};
  }
  size_t masked = 0;
  struct stat info;
  for (const auto& [path, zone] : found) {
    if (stat(zone.c_str(), &info) != 0 && errno == ENOENT) ++masked;
    AddZone(path, zone);
  }
  PlaceTheRest();
  if (masked == found.size()) {
    return {Status::kMasked,
            folder +
                " lists zones that lead nowhere: the container hides "
                "/sys/devices/virtual/powercap; mount the host's /sys read-only and give its "
                "place with sysfs"};
  }
  return {};
}

void Powercap::AddZone(const ZonePath& path, const std::string& folder) {
  Counter counter;
  Zone zone;
  const std::string base = folder.substr(folder.rfind('/') + 1);
  counter.id = "powercap:" + base;
  counter.origin = folder + "/energy_uj";

  std::string text;
  const int name_error = ReadTextFile(folder + "/name", &text);
  const std::string label = name_error == 0 ? FirstLine(text) : "";
  const ZoneName name = ParseZoneName(label);
  counter.domain = name.domain;
  ZoneName place = name;
  const auto parent = places_.find(base.substr(0, base.rfind(':')));
  if (place.package < 0 && path.indices.size() > 1 && parent != places_.end()) {
    place = parent->second;
  }
  if (place.package >= 0) {
    counter.device = static_cast<uint32_t>(place.package);
    counter.die = place.die;
    places_[base] = place;
  } else {
    unplaced_.push_back(counters_.size());
  }

  uint64_t range_uj = 0;
  if (ReadTextFile(folder + "/max_energy_range_uj", &text) != 0 || !ParseCount(text, &range_uj)) {
    range_uj = 0;
  }
  zone.inversion = InvertRange(range_uj);
  counter.scale = zone.inversion.scale;
  counter.wraps = true;
  counter.modulus_ticks = zone.inversion.modulus_ticks;
  counter.outcome.detail = zone.inversion.note;

  struct stat info;
  if (stat(folder.c_str(), &info) != 0 && errno == ENOENT) {
    counter.outcome = {Status::kMasked,
                       folder +
                           " leads nowhere: the container hides it; mount the host's /sys "
                           "read-only and give its place with sysfs"};
  } else {
    zone.fd = open(counter.origin.c_str(), O_RDONLY | O_CLOEXEC);
    const int error = errno;
    if (zone.fd < 0) counter.outcome = {StatusOf(error), Sentence(counter.origin, error)};
  }
  if (label.empty() && counter.outcome.status == Status::kOk) {
    counter.outcome.detail = folder + "/name is missing or empty: what it meters is unknown";
  }
  counters_.push_back(std::move(counter));
  zones_.push_back(zone);
}

// A zone that nothing places gets a number that no zone of its kind has: taken for another one's
// twin, it would be lost.
void Powercap::PlaceTheRest() {
  const auto kind = [this](size_t i) {
    const std::string& id = counters_[i].id;
    return id.substr(0, id.find(':', id.find(':') + 1)) + DomainName(counters_[i].domain);
  };
  const std::set<size_t> unplaced(unplaced_.begin(), unplaced_.end());
  std::set<std::pair<std::string, uint32_t>> taken;
  for (size_t i = 0; i < counters_.size(); ++i) {
    if (unplaced.count(i) == 0) taken.emplace(kind(i), counters_[i].device);
  }
  for (const size_t i : unplaced_) {
    while (!taken.emplace(kind(i), counters_[i].device).second) ++counters_[i].device;
  }
}

void Powercap::Keep(const std::vector<bool>& wanted) {
  for (size_t i = 0; i < zones_.size(); ++i) {
    if (!wanted[i] && zones_[i].fd >= 0) close(zones_[i].fd);
  }
  KeepWanted(wanted, &counters_);
  KeepWanted(wanted, &zones_);
}

// 0, an errno or one of ours.
int Powercap::ReadZone(const Clock& clock, Zone* zone, uint64_t* microjoules) const {
  char buffer[64];
  const ssize_t size = pread(zone->fd, buffer, sizeof buffer, 0);
  if (size < 0) return errno;
  if (size == 0) return kEmpty;
  if (!ParseCount({buffer, static_cast<size_t>(size)}, microjoules)) return kNotANumber;
  // A removed attribute of sysfs answers ENODEV; a removed plain file would look frozen.
  if (*microjoules == zone->last_uj) {
    const uint64_t now_ns = clock.MonotonicNs();
    if (now_ns >= zone->next_vanish_check_ns) {
      struct stat info;
      if (fstat(zone->fd, &info) == 0 && info.st_nlink == 0) return kVanished;
      zone->next_vanish_check_ns = now_ns + kVanishCheckNs;
    }
  }
  zone->last_uj = *microjoules;
  return 0;
}

void Powercap::Read(const Clock& clock, RawReading* out) {
  for (size_t i = 0; i < zones_.size(); ++i) {
    Zone& zone = zones_[i];
    if (zone.fd < 0) {
      out[i].status = counters_[i].outcome.status;
      continue;
    }
    uint64_t microjoules = 0;
    zone.error = ReadZone(clock, &zone, &microjoules);
    out[i].status = zone.error == 0 ? Status::kOk : StatusOf(zone.error);
    if (zone.error == 0) out[i].ticks = zone.inversion.Ticks(microjoules);
  }
}

}  // namespace

std::unique_ptr<Source> MakePowercap() { return std::make_unique<Powercap>(); }

}  // namespace microjoule
