// SPDX-License-Identifier: MIT
//
// perf_event_open on the machine's PMUs, refusing what arch/x86/events/rapl.c and
// kernel/events/core.c refuse.
#include <errno.h>
#include <linux/perf_event.h>
#include <string.h>
#include <sys/eventfd.h>

#include "preload.h"

namespace virtual_machine {
namespace {

constexpr uint64_t kEventBits = 0xff;  // format/event: config:0-7
constexpr int kCountBits = 32;         // counts are 2^-32 J, whatever the hardware's unit
constexpr uint64_t kFormats = PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING |
                              PERF_FORMAT_ID | PERF_FORMAT_GROUP;

// Opening and closing change groups; reading only looks.
std::atomic_flag changing = ATOMIC_FLAG_INIT;
class Lock {
 public:
  Lock() {
    while (changing.test_and_set(std::memory_order_acquire)) {
    }
  }
  ~Lock() { changing.clear(std::memory_order_release); }
};

uint32_t TypeNow(const Pmu& pmu, int64_t now_ns) {
  return now_ns < pmu.renumber_ns ? pmu.type : pmu.later_type;
}

bool SameScope(Pmu::Scope scope, const CpuPlace& a, const CpuPlace& b) {
  if (a.package < 0 || a.package != b.package) return false;
  if (scope == Pmu::Scope::kPackage) return true;
  if (a.die != b.die) return false;
  return scope == Pmu::Scope::kDie || a.core == b.core;
}

uint64_t ValueOf(const Descriptor& event, int64_t now_ns) {
  const Meter& meter = *event.event->meter;
  const uint64_t moved = CountAt(meter, event.event->faults, now_ns) - event.base;
  if (meter.unit_nj == 0) return moved << (kCountBits - meter.esu);
  return static_cast<uint64_t>(
      (static_cast<unsigned __int128>(moved) * static_cast<uint64_t>(meter.unit_nj) << kCountBits) /
      1000000000u);
}

int FailureOfEvent(const Descriptor& event, int64_t now_ns) {
  // Of a PMU that was registered anew, under another number.
  if (event.type != TypeNow(*event.event->pmu, now_ns)) return ENODEV;
  const Faults& faults = event.event->faults;
  return faults.count == 0 ? 0 : FailureOf(faults, now_ns, event.opened_ns);
}

}  // namespace

int64_t OpenEvent(const void* attributes, int pid, int cpu, int group, unsigned long flags) {
  perf_event_attr attr = {};
  uint32_t size = 0;
  memcpy(&size, static_cast<const char*>(attributes) + offsetof(perf_event_attr, size),
         sizeof size);
  if (size == 0) size = PERF_ATTR_SIZE_VER0;
  memcpy(&attr, attributes, size < sizeof attr ? size : sizeof attr);
  bool known = false;
  for (int i = 0; i < machine->pmu_count; ++i) {
    known = known || attr.type == machine->pmus[i].type || attr.type == machine->pmus[i].later_type;
  }
  if (!known) return kNotOurs;
  StartClock();
  const int64_t now_ns = Now();
  const Pmu* pmu = nullptr;
  for (int i = 0; i < machine->pmu_count; ++i) {
    if (attr.type == TypeNow(machine->pmus[i], now_ns)) pmu = &machine->pmus[i];
  }
  if (machine->has_paranoid && machine->paranoid > 0) return -EACCES;
  if (pmu == nullptr) return -ENOENT;
  if (pid != -1 || cpu < 0) return -EINVAL;
  if (!machine->online.Has(cpu)) return -ENODEV;
  if (attr.sample_period != 0 || attr.exclude_user != 0 || attr.exclude_kernel != 0 ||
      attr.exclude_hv != 0 || attr.exclude_idle != 0 || attr.exclude_host != 0 ||
      attr.exclude_guest != 0 || (attr.config & ~kEventBits) != 0 ||
      (attr.read_format & ~kFormats) != 0) {
    return -EINVAL;
  }
  const Event* event = nullptr;
  for (int i = 0; i < machine->event_count; ++i) {
    const Event& one = machine->events[i];
    if (one.pmu != pmu || one.code != attr.config) continue;
    if (SameScope(pmu->scope, machine->places[one.cpu], machine->places[cpu])) event = &one;
  }
  // The kernel says EINVAL of an event that it does not have, too.
  if (event == nullptr) return -EINVAL;
  const int error = OpenFailureOf(event->faults, now_ns);
  if (error != 0) return -error;

  const Lock lock;
  Descriptor* const leader = Find(group);
  if (group != -1) {
    if (leader == nullptr || leader->kind != Kind::kEvent) return group < 0 ? -EBADF : -EINVAL;
    if (leader->leader != group || leader->cpu != cpu || leader->event->pmu != pmu) return -EINVAL;
    if (leader->member_count == Descriptor::kMaxMembers) return -ENOSPC;
  }
  const int fd = eventfd(0, (flags & PERF_FLAG_FD_CLOEXEC) != 0 ? EFD_CLOEXEC : 0);
  if (fd < 0) return -errno;
  if (fd >= kMaxDescriptors) {
    RealClose(fd);
    return -EMFILE;
  }
  Descriptor& opened = descriptors[fd];
  opened.cpu = cpu;
  opened.event = event;
  opened.opened_ns = now_ns;
  opened.type = attr.type;
  opened.base = CountAt(*event->meter, event->faults, now_ns);
  opened.read_format = attr.read_format;
  opened.leader = group == -1 ? fd : group;
  opened.members[0] = fd;
  opened.member_count = 1;
  opened.kind.store(Kind::kEvent, std::memory_order_release);
  if (group != -1) {
    leader->members[leader->member_count] = fd;
    ++leader->member_count;
  }
  return fd;
}

void CloseEvent(int fd) {
  const Lock lock;
  const Descriptor& closed = descriptors[fd];
  if (closed.leader != fd) {
    Descriptor& leader = descriptors[closed.leader];
    int kept = 0;
    for (int i = 0; i < leader.member_count; ++i) {
      if (leader.members[i] != fd) leader.members[kept++] = leader.members[i].load();
    }
    leader.member_count = kept;
    return;
  }
  // Without their leader, members go on alone.
  for (int i = 1; i < closed.member_count; ++i)
    descriptors[closed.members[i]].leader = closed.members[i];
}

int64_t ReadEvent(const Descriptor& event, void* buffer, size_t size) {
  const int64_t now_ns = Now();
  uint64_t words[4 + 2 * Descriptor::kMaxMembers];
  size_t count = 0;
  const bool grouped = (event.read_format & PERF_FORMAT_GROUP) != 0;
  const Descriptor& leader = grouped ? descriptors[event.leader] : event;
  const int members = grouped ? leader.member_count.load() : 1;
  const uint64_t open_ns = static_cast<uint64_t>(now_ns - leader.opened_ns);
  const auto value = [&](const Descriptor& one, int fd) {
    const int error = FailureOfEvent(one, now_ns);
    words[count++] = ValueOf(one, now_ns);
    if ((event.read_format & PERF_FORMAT_ID) != 0 && grouped)
      words[count++] = static_cast<uint64_t>(fd);
    return error;
  };
  const auto times = [&] {
    if ((event.read_format & PERF_FORMAT_TOTAL_TIME_ENABLED) != 0) words[count++] = open_ns;
    if ((event.read_format & PERF_FORMAT_TOTAL_TIME_RUNNING) != 0) words[count++] = open_ns;
  };
  int error = 0;
  if (grouped) {
    words[count++] = static_cast<uint64_t>(members);
    times();
    for (int i = 0; i < members && error == 0; ++i) {
      const int fd = leader.members[i];
      error = value(descriptors[fd], fd);
    }
  } else {
    error = value(event, 0);
    times();
    if ((event.read_format & PERF_FORMAT_ID) != 0)
      words[count++] = static_cast<uint64_t>(&event - descriptors);
  }
  if (error != 0) return -error;
  if (size < count * sizeof words[0]) return -ENOSPC;
  memcpy(buffer, words, count * sizeof words[0]);
  return static_cast<int64_t>(count * sizeof words[0]);
}

}  // namespace virtual_machine
