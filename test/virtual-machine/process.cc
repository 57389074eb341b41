// SPDX-License-Identifier: MIT
//
// The machine that this process runs in, and its clock.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "preload.h"

namespace virtual_machine {

Descriptor descriptors[kMaxDescriptors];
Machine* machine = nullptr;
char root[4096] = "";

namespace {

constexpr int kComplaintCode = 97;

Machine the_machine;
// CLOCK_MONOTONIC at the machine's time 0; 0 while it is not set.
std::atomic<int64_t> epoch_ns{0};

[[noreturn]] void Complain(const char* what, const char* why) {
  fprintf(stderr, "virtual machine: %s: %s\n", what, why);
  _exit(kComplaintCode);
}

int64_t MonotonicNs() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * 1000000000 + now.tv_nsec;
}

int64_t ReadEpoch(const char* path) {
  const int fd = RealOpen(path, O_RDONLY | O_CLOEXEC, 0);
  if (fd < 0) return 0;
  char text[32] = "";
  const ssize_t size = RealRead(fd, text, sizeof text - 1);
  RealClose(fd);
  return size > 0 ? strtoll(text, nullptr, 10) : 0;
}

__attribute__((constructor)) void Load() {
  const char* const description = getenv("VIRTUAL_MACHINE");
  const char* const folder = getenv("VIRTUAL_MACHINE_ROOT");
  if (description == nullptr || folder == nullptr) return;
  if (strlen(folder) >= sizeof root - 64) Complain(folder, "the path is too long");
  strcpy(root, folder);
  static char text[65536];
  const int fd = RealOpen(description, O_RDONLY | O_CLOEXEC, 0);
  if (fd < 0) Complain(description, strerror(errno));
  size_t size = 0;
  ssize_t more = 0;
  while ((more = RealRead(fd, text + size, sizeof text - 1 - size)) > 0)
    size += static_cast<size_t>(more);
  RealClose(fd);
  if (size == sizeof text - 1) Complain(description, "too long");
  char complaint[160];
  if (!Parse(text, &the_machine, complaint, sizeof complaint)) Complain(description, complaint);
  char path[sizeof root + 16];
  snprintf(path, sizeof path, "%s/epoch", root);
  epoch_ns = ReadEpoch(path);
  machine = &the_machine;
  if (machine->shares_loads && !ShareLoads()) Complain("loads", strerror(errno));
}

}  // namespace

void StartClock() {
  if (epoch_ns.load(std::memory_order_relaxed) != 0) return;
  char path[sizeof root + 16];
  char draft[sizeof root + 48];
  snprintf(path, sizeof path, "%s/epoch", root);
  snprintf(draft, sizeof draft, "%s/epoch.%d.%p", root, getpid(), static_cast<void*>(&path));
  char text[32];
  const int size = snprintf(text, sizeof text, "%lld\n", static_cast<long long>(MonotonicNs()));
  const int fd = RealOpen(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0 || write(fd, text, static_cast<size_t>(size)) != size)
    Complain(draft, strerror(errno));
  RealClose(fd);
  // The first of all processes and threads wins, with a whole file.
  if (link(draft, path) != 0 && errno != EEXIST) Complain(path, strerror(errno));
  unlink(draft);
  epoch_ns = ReadEpoch(path);
}

int64_t Now() {
  const int64_t epoch = epoch_ns.load(std::memory_order_relaxed);
  return epoch == 0 ? 0 : MonotonicNs() - epoch;
}

int64_t SleptNs() {
  if (epoch_ns.load(std::memory_order_relaxed) == 0) return 0;
  const int64_t now_ns = Now();
  int64_t slept_ns = 0;
  for (int i = 0; i < machine->suspend_count; ++i) {
    if (now_ns >= machine->suspends[i].at_ns) slept_ns += machine->suspends[i].for_ns;
  }
  return slept_ns;
}

}  // namespace virtual_machine
