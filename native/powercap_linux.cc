// SPDX-License-Identifier: MIT
//
// RAPL through the powercap tree of sysfs: every zone, kept descriptors, one pread per zone.
// https://docs.kernel.org/power/powercap/powercap.html
#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>

#include <algorithm>
#include <map>
#include <set>

#include "powercap_file_linux.h"
#include "powercap_words_linux.h"
#include "powercap_zone.h"
#include "source.h"
#include "text_file_linux.h"
#include "topology_linux.h"

namespace microjoule {
namespace {

class Powercap final : public Source {
 public:
  Outcome Probe(const Options& options) override;
  const std::vector<Counter>& counters() const override { return counters_; }
  void Keep(const std::vector<bool>& wanted) override {
    KeepWanted(wanted, &counters_);
    KeepWanted(wanted, &zones_);
  }
  bool blocking() const override { return false; }
  void Read(const Pass& pass, RawReading* out) override;
  std::string Explain(size_t i) const override {
    const Counter& counter = counters_[i];
    if (counter.outcome.status != Status::kOk) return counter.outcome.detail;
    const int error = zones_[i].error;
    return error == 0 ? "" : ZoneSentence(counter.origin, error, cpu_.is_virtual);
  }

 private:
  struct Zone {
    std::unique_ptr<ZoneFile> file;
    Inversion inversion;
    int error = 0;
  };

  int FindZones(const std::string& folder, std::map<ZonePath, std::string>* found) const;
  void AddZone(const ZonePath& path, const std::string& folder);
  static int OpenZone(const std::string& folder, bool has_no_unit, ZoneFile* file);
  void PlaceTheRest();

  CpuIdentity cpu_;
  std::vector<Counter> counters_;
  std::vector<Zone> zones_;
  // Package and die of each zone that is known to belong to one, for its sub-zones.
  std::map<std::string, ZoneName> places_;
  // What names each zone, for its sub-zones.
  std::map<std::string, KnownLine> names_;
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
  if (error != 0 || found.empty()) return NoZones(folder, error);
  cpu_ = ReadCpuIdentity(options.sysfs);
  for (const auto& [path, zone] : found) AddZone(path, zone);
  PlaceTheRest();
  const bool all_masked =
      std::all_of(counters_.begin(), counters_.end(),
                  [](const Counter& counter) { return counter.outcome.status == Status::kMasked; });
  return all_masked ? NoZones(folder, kZoneMasked) : Outcome{};
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
  ZoneName name = ParseZoneName(label);
  ZoneName place = name;
  const std::string parent_base = base.substr(0, base.rfind(':'));
  const auto parent = places_.find(parent_base);
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

  const bool has_range = ReadTextFile(folder + "/max_energy_range_uj", &text) == 0;
  const std::string range_line = has_range ? FirstLine(text) : "";
  uint64_t range_uj = 0;
  if (!ParseCount(range_line, &range_uj)) range_uj = 0;
  zone.inversion = InvertRange(range_uj);
  const bool has_no_unit = HasNoUnit(name.domain, zone.inversion);
  ApplyQuirks(cpu_, &name, &zone.inversion);
  counter.may_rest = cpu_.is_virtual;
  counter.domain = name.domain;
  counter.scale = zone.inversion.scale;
  counter.wraps = true;
  counter.modulus_ticks = zone.inversion.modulus_ticks;

  std::vector<KnownLine> known = {{folder + "/name", label},
                                  {folder + "/max_energy_range_uj", range_line}};
  const auto parent_name = names_.find(parent_base);
  if (parent_name != names_.end()) known.push_back(parent_name->second);
  names_[base] = known[0];
  zone.file = std::make_unique<ZoneFile>(counter.origin, std::move(known));
  zone.error = OpenZone(folder, has_no_unit, zone.file.get());
  if (zone.error != 0) {
    const std::string& where = zone.error == kZoneMasked ? folder : counter.origin;
    counter.outcome = {ZoneStatus(zone.error, cpu_.is_virtual),
                       ZoneSentence(where, zone.error, cpu_.is_virtual)};
  } else {
    std::string* const detail = &counter.outcome.detail;
    if (label.empty()) *detail = folder + "/name is missing or empty: what it meters is unknown";
    if (!detail->empty() && !zone.inversion.note.empty()) *detail += "; ";
    *detail += zone.inversion.note;
  }
  counters_.push_back(std::move(counter));
  zones_.push_back(std::move(zone));
}

// 0, an errno or a reason of powercap_words_linux.h.
int Powercap::OpenZone(const std::string& folder, bool has_no_unit, ZoneFile* file) {
  struct stat info;
  if (stat(folder.c_str(), &info) != 0 && errno == ENOENT) return kZoneMasked;
  return has_no_unit ? kZoneHasNoUnit : file->Open();
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

void Powercap::Read(const Pass& pass, RawReading* out) {
  for (size_t i = 0; i < zones_.size(); ++i) {
    Zone& zone = zones_[i];
    out[i].restarted = false;
    if (counters_[i].outcome.status != Status::kOk) {
      out[i].status = counters_[i].outcome.status;
      continue;
    }
    uint64_t microjoules = 0;
    zone.error = zone.file->Read(pass, &microjoules);
    out[i].status = zone.error == 0 ? Status::kOk : ZoneStatus(zone.error, cpu_.is_virtual);
    if (zone.error != 0) continue;
    out[i].ticks = zone.inversion.Ticks(microjoules);
    out[i].restarted = zone.file->TakeRestarted();
  }
}

}  // namespace

std::unique_ptr<Source> MakePowercap() { return std::make_unique<Powercap>(); }

}  // namespace microjoule
