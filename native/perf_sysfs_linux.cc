// SPDX-License-Identifier: MIT
#include "perf_sysfs_linux.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include <algorithm>
#include <tuple>

#include "cpu_list.h"
#include "perf_event_linux.h"
#include "perf_pmu.h"
#include "text_file_linux.h"

namespace microjoule {
namespace {

bool Exists(const std::string& path) {
  struct stat info;
  return stat(path.c_str(), &info) == 0;
}

Outcome CannotRead(const std::string& path, int error) {
  if (error == EACCES || error == EPERM) {
    return {Status::kNoPermission,
            path + " may not be read: run as root, or let this user read it"};
  }
  return {Status::kFailed, path + " cannot be read: " + strerror(error) +
                               "; look at it, and at the kernel's log (dmesg)"};
}

// Why there is no folder of this PMU.
Outcome Absent(const std::string& sysfs, const std::string& folder, const char* advice) {
  constexpr const char* kMount = "mount the host's /sys read-only and give its place with sysfs";
  struct stat info;
  if (lstat(folder.c_str(), &info) == 0) {
    return {Status::kMasked, folder + " leads nowhere: the container hides it; " + kMount};
  }
  const std::string bus = sysfs + "/bus/event_source";
  if (!Exists(bus)) {
    return {Status::kMasked,
            bus + " does not exist: a container hides it, or /sys is not mounted; " + kMount};
  }
  const std::string missing = folder + " does not exist: ";
  if (ReadCpuIdentity(sysfs).is_virtual) {
    return {Status::kNotFound, missing +
                                   "this is a virtual machine, which seldom has energy counters; "
                                   "measure on its host"};
  }
  return {Status::kNotFound, missing + advice};
}

// The CPUs of the cpumask with their places. Their order there says nothing.
std::vector<PerfSite> FindSites(const std::string& sysfs, const std::string& cpumask,
                                const std::vector<uint32_t>& cpus) {
  const std::vector<CpuPlace> topology = ReadTopology(sysfs);
  std::vector<PerfSite> sites;
  for (const uint32_t cpu : cpus) {
    PerfSite site;
    site.place.cpu = cpu;
    const auto place =
        std::lower_bound(topology.begin(), topology.end(), cpu,
                         [](const CpuPlace& one, uint32_t wanted) { return one.cpu < wanted; });
    const std::string name = "CPU " + std::to_string(cpu) + ", which " + cpumask + " names, ";
    if (place == topology.end() || place->cpu != cpu) {
      site.problem = name + "is not online, or a container hides it: see " + sysfs +
                     "/devices/system/cpu/online";
    } else if (place->package < 0) {
      site.problem = name + "has no package: see " + sysfs + "/devices/system/cpu/cpu" +
                     std::to_string(cpu) + "/topology/physical_package_id";
    } else {
      site.place = *place;
    }
    sites.push_back(std::move(site));
  }
  std::sort(sites.begin(), sites.end(), [](const PerfSite& one, const PerfSite& other) {
    const auto key = [](const PerfSite& site) {
      return std::make_tuple(!site.problem.empty(), site.place.package, site.place.die,
                             site.place.cpu);
    };
    return key(one) < key(other);
  });
  return sites;
}

// "event=0x02" by the formats of the PMU.
Outcome ReadConfig(const std::string& folder, const std::string& path, uint64_t* config) {
  std::string text;
  const int error = ReadTextFile(path, &text);
  if (error != 0) return CannotRead(path, error);
  text = FirstLine(std::move(text));
  std::string_view rest = text;
  do {
    EventTerm term;
    if (!TakeEventTerm(&rest, &term)) {
      return {Status::kNotSupported,
              path + " holds \"" + text + "\", which is no event: report the driver that wrote it"};
    }
    const std::string format_path = folder + "/format/" + std::string(term.name);
    std::string format;
    const int format_error = ReadTextFile(format_path, &format);
    if (format_error != 0) return CannotRead(format_path, format_error);
    format = FirstLine(std::move(format));
    if (!PlaceBits(format, term.value, config)) {
      return {Status::kNotSupported, path + " holds \"" + text + "\", which \"" + format + "\" (" +
                                         format_path + ") has no room for: report the driver"};
    }
  } while (!rest.empty());
  return {};
}

Outcome ReadUnit(const std::string& path, Scale* scale) {
  std::string text;
  int error = ReadTextFile(path + ".unit", &text);
  if (error != 0 && error != ENOENT) return CannotRead(path + ".unit", error);
  const std::string unit = error == 0 ? FirstLine(std::move(text)) : "";
  if (unit != "Joules") {
    return {Status::kNotSupported, path + ".unit " +
                                       (unit.empty() ? "is missing" : "says \"" + unit + "\"") +
                                       " where Joules are expected: report the driver"};
  }
  error = ReadTextFile(path + ".scale", &text);
  if (error != 0 && error != ENOENT) return CannotRead(path + ".scale", error);
  const std::string number = error == 0 ? FirstLine(std::move(text)) : "";
  if (!ParseScale(number, scale)) {
    return {Status::kNotSupported,
            path + ".scale " +
                (number.empty() ? "is missing"
                                : "holds \"" + number +
                                      "\", which is no number that can be held "
                                      "exactly") +
                ", so what a count is worth is unknown: report the driver"};
  }
  return {};
}

// 0 or an errno. No folder is no events.
int ReadEvents(const std::string& folder, std::vector<PerfEvent>* out) {
  DIR* const dir = opendir((folder + "/events").c_str());
  if (dir == nullptr) return errno == ENOENT ? 0 : errno;
  while (const dirent* const entry = readdir(dir)) {
    PerfEvent event;
    event.name = entry->d_name;
    if (event.name.rfind("energy-", 0) != 0 || event.name.find('.') != std::string::npos) continue;
    event.domain = EventDomain(event.name);
    const std::string path = folder + "/events/" + event.name;
    event.outcome = ReadUnit(path, &event.scale);
    if (event.outcome.status == Status::kOk) {
      event.outcome = ReadConfig(folder, path, &event.config);
    }
    out->push_back(std::move(event));
  }
  closedir(dir);
  std::sort(out->begin(), out->end(), [](const PerfEvent& one, const PerfEvent& other) {
    return std::tie(one.domain, one.name) < std::tie(other.domain, other.name);
  });
  return 0;
}

}  // namespace

Outcome ReadPerfPmu(const std::string& sysfs, const char* name, const char* absent_advice,
                    PerfPmu* out) {
  const std::string folder = sysfs + "/bus/event_source/devices/" + name;
  out->name = name;
  out->type_path = folder + "/type";
  if (!Exists(folder)) {
    const int error = errno;
    if (error == EACCES) return CannotRead(folder, error);
    return Absent(sysfs, folder, absent_advice);
  }
  if (!ReadPmuType(out->type_path, &out->type)) {
    return {Status::kFailed, out->type_path +
                                 " holds no number, or may not be read: is sysfs a copy that "
                                 "lacks it?"};
  }
  int error = ReadEvents(folder, &out->events);
  if (error != 0) return CannotRead(folder + "/events", error);
  if (out->events.empty()) {
    return {Status::kVirtualised,
            folder +
                " is registered but has no data: no energy register of this machine moved when "
                "the driver looked, as on virtual machines; measure on the host"};
  }
  std::string text;
  std::vector<uint32_t> cpus;
  error = ReadTextFile(folder + "/cpumask", &text);
  if (error != 0) return CannotRead(folder + "/cpumask", error);
  if (!ParseCpuList(text, &cpus)) {
    return {Status::kFailed, folder +
                                 "/cpumask holds no list of CPUs: look at it, and report the "
                                 "driver that wrote it"};
  }
  if (cpus.empty()) {
    return {Status::kNotSupported,
            folder +
                "/cpumask is empty: the driver found no CPU that it can count on; look at the "
                "kernel's log (dmesg | grep -i rapl)"};
  }
  out->sites = FindSites(sysfs, folder + "/cpumask", cpus);
  return {};
}

std::string PerfOrigin(const PerfPmu& pmu, const PerfEvent& event, uint32_t cpu) {
  return pmu.name + "/" + event.name + "/ on CPU " + std::to_string(cpu);
}

}  // namespace microjoule
