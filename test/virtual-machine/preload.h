// SPDX-License-Identifier: MIT
//
// The machine of this process, the descriptors that belong to it, and the system calls underneath.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>

#include "machine.h"

namespace virtual_machine {

// What a descriptor stands for.
enum class Kind : uint8_t { kNothing, kZone, kMsr, kMsrBatch, kEvent, kFile, kLoad };

struct Descriptor {
  static constexpr int kMaxMembers = 16;
  std::atomic<Kind> kind{Kind::kNothing};
  int cpu = 0;                // kMsr
  bool allow_listed = false;  // kMsr: what is not allowed is EACCES
  const Zone* zone = nullptr;
  const Event* event = nullptr;
  const Faults* faults = nullptr;  // kFile
  int64_t opened_ns = 0;
  // kEvent
  uint32_t type = 0;
  uint64_t base = 0;
  uint64_t read_format = 0;
  int leader = 0;
  std::atomic<int> member_count{0};
  std::atomic<int> members[kMaxMembers] = {};
};

constexpr int kMaxDescriptors = 16384;
extern Descriptor descriptors[kMaxDescriptors];

// Null for what belongs to no machine.
inline Descriptor* Find(int fd) {
  if (fd < 0 || fd >= kMaxDescriptors) return nullptr;
  Descriptor* const found = &descriptors[fd];
  return found->kind.load(std::memory_order_acquire) == Kind::kNothing ? nullptr : found;
}

// Null where the process runs in no machine.
extern Machine* machine;
extern char root[4096];

// Time since the machine's time 0, which the first counter to be opened by any process sets.
int64_t Now();
void StartClock();
// How much longer the machine has slept at a time; 0 before time 0.
int64_t SleptNs();

// The C library's own.
int RealOpen(const char* path, int flags, mode_t mode);
int RealClose(int fd);
ssize_t RealRead(int fd, void* buffer, size_t size);
ssize_t RealPread(int fd, void* buffer, size_t size, off_t offset);

// A result or, below 0, an errno.
int64_t ReadZone(const Descriptor& file, void* buffer, size_t size, off_t offset);
int64_t ReadMsr(const Descriptor& file, void* buffer, size_t size, off_t address);
int64_t ReadBatch(const Descriptor& file, void* argument);
int64_t ReadEvent(const Descriptor& event, void* buffer, size_t size);
// From now on the loads of all processes are one. False with an errno.
bool ShareLoads();
int64_t ReadLoad(void* buffer, size_t size, off_t offset);
int64_t WriteLoad(const void* buffer, size_t size);

// perf_event_open of one of the machine's PMUs; kNotOurs for any other.
constexpr int64_t kNotOurs = INT64_MIN;
int64_t OpenEvent(const void* attributes, int pid, int cpu, int group, unsigned long flags);
void CloseEvent(int fd);

}  // namespace virtual_machine
