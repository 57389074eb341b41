// SPDX-License-Identifier: MIT
#include "paths.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

namespace virtual_machine {
namespace {

// A descriptor whose content is a number.
int Serve(long number) {
  const int fd = memfd_create("virtual-machine", MFD_CLOEXEC);
  char text[32];
  const int size = snprintf(text, sizeof text, "%ld\n", number);
  if (fd >= 0 && pwrite(fd, text, static_cast<size_t>(size), 0) != size) abort();
  return fd;
}

// Takes a text off the front.
bool Skip(const char** text, const char* prefix) {
  const size_t size = strlen(prefix);
  if (strncmp(*text, prefix, size) != 0) return false;
  *text += size;
  return true;
}

bool OpenMsr(const char* path, Opening* opening) {
  if (!Skip(&path, "dev/cpu/")) return false;
  if (strcmp(path, "msr_batch") == 0) {
    opening->kind = Kind::kMsrBatch;
    return true;
  }
  char* end = nullptr;
  const long cpu = strtol(path, &end, 10);
  opening->allow_listed = strcmp(end, "/msr_safe") == 0;
  if (end == path || (!opening->allow_listed && strcmp(end, "/msr") != 0)) return false;
  opening->cpu = static_cast<int>(cpu);
  opening->kind = Kind::kMsr;
  if (!machine->online.Has(opening->cpu)) opening->error = ENXIO;
  return true;
}

bool OpenZone(const char* path, Opening* opening) {
  const char* const file = strrchr(path, '/');
  if (file == nullptr || strcmp(file, "/energy_uj") != 0) return false;
  for (int i = 0; i < machine->zone_count; ++i) {
    const Zone& zone = machine->zones[i];
    const size_t size = strlen(zone.folder.text);
    if (static_cast<size_t>(file - path) <= size || file[-1 - static_cast<long>(size)] != '/')
      continue;
    if (strncmp(file - size, zone.folder.text, size) != 0) continue;
    opening->kind = Kind::kZone;
    opening->zone = &zone;
    return true;
  }
  return false;
}

bool ServeType(const char* path, int64_t now_ns, Opening* opening) {
  if (!Skip(&path, "sys/bus/event_source/devices/")) return false;
  for (int i = 0; i < machine->pmu_count; ++i) {
    const Pmu& pmu = machine->pmus[i];
    const char* file = path;
    if (!Skip(&file, pmu.name.text) || strcmp(file, "/type") != 0 || now_ns < pmu.renumber_ns)
      continue;
    opening->served = Serve(pmu.later_type);
    return true;
  }
  return false;
}

// The faults of files, each with a list of its own.
const Faults* FaultsOfFile(const char* path) {
  static Faults lists[Machine::kMaxFaults];
  for (int i = 0; i < machine->fault_count; ++i) {
    Fault& fault = machine->faults[i];
    if (fault.target != Fault::Target::kFile || !fault.name.Is(path)) continue;
    lists[i].list[0] = &fault;
    lists[i].count = 1;
    return &lists[i];
  }
  return nullptr;
}

}  // namespace

Opening Decide(const char* path) {
  Opening opening;
  if (machine->has_paranoid && strcmp(path, "/proc/sys/kernel/perf_event_paranoid") == 0) {
    opening.served = Serve(machine->paranoid);
    return opening;
  }
  if (!Skip(&path, root) || *path != '/') return opening;
  while (*path == '/') ++path;
  if (strcmp(path, "load") == 0) opening.kind = Kind::kLoad;
  if (OpenMsr(path, &opening) || OpenZone(path, &opening)) {
    // A time of its own begins with the first counter that anybody opens.
    StartClock();
  }
  opening.now_ns = Now();
  if (opening.kind == Kind::kNothing && ServeType(path, opening.now_ns, &opening)) return opening;
  const Faults* const faults = opening.zone != nullptr ? &opening.zone->faults : FaultsOfFile(path);
  if (faults == nullptr || faults->count == 0) return opening;
  if (opening.error == 0) opening.error = OpenFailureOf(*faults, opening.now_ns);
  if (opening.kind == Kind::kNothing) {
    opening.kind = Kind::kFile;
    opening.faults = faults;
  }
  return opening;
}

void Register(int fd, const Opening& opening) {
  Descriptor& descriptor = descriptors[fd];
  descriptor.cpu = opening.cpu;
  descriptor.allow_listed = opening.allow_listed;
  descriptor.zone = opening.zone;
  descriptor.faults = opening.faults;
  descriptor.opened_ns = opening.now_ns;
  descriptor.kind.store(opening.kind, std::memory_order_release);
}

}  // namespace virtual_machine
