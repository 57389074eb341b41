// SPDX-License-Identifier: MIT
//
// What a program draws by what it does: it switches the load on and off by writing to `load` under
// the root, and meters that are described with a load draw so much more meanwhile. Where loads are
// shared, all processes of the machine see the switches of each, in a file that they map.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <mutex>

#include "preload.h"

namespace virtual_machine {
namespace {

struct Switch {
  int64_t at_ns;
  int64_t on_before_ns;  // how long it had been on when it was switched, twice as long at level 2
  int64_t level;
};

// Enough for a minute of 100 us calls; pages are touched as they fill.
constexpr int64_t kMaxSwitches = 1 << 21;
struct Log {
  std::atomic<int64_t> count{0};
  Switch switches[kMaxSwitches];
};
Log own;
Log* the_log = &own;
std::mutex writing;

int64_t OnUntil(const Switch& last, int64_t time_ns) {
  return last.on_before_ns + last.level * (time_ns - last.at_ns);
}

}  // namespace

bool ShareLoads() {
  char path[sizeof root + 16];
  snprintf(path, sizeof path, "%s/loads", root);
  const int fd = RealOpen(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  // Zeros, as a new log is.
  if (fd < 0 || ftruncate(fd, sizeof(Log)) != 0) return false;
  void* const shared = mmap(nullptr, sizeof(Log), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  RealClose(fd);
  if (shared == MAP_FAILED) return false;
  the_log = static_cast<Log*>(shared);
  return true;
}

int64_t LoadNs(int64_t time_ns) {
  const Switch* const switches = the_log->switches;
  int64_t low = 0;
  int64_t high = the_log->count.load(std::memory_order_acquire);
  // The last switch at or before the time.
  while (low < high) {
    const int64_t middle = (low + high) / 2;
    if (switches[middle].at_ns > time_ns) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low == 0 ? 0 : OnUntil(switches[low - 1], time_ns);
}

int64_t WriteLoad(const void* buffer, size_t size) {
  if (size == 0) return 0;
  const char digit = *static_cast<const char*>(buffer);
  const int64_t level = digit >= '0' && digit <= '9' ? digit - '0' : 0;
  // Of several processes one writes at a time: their tests see to it.
  const std::lock_guard<std::mutex> lock(writing);
  Switch* const switches = the_log->switches;
  const int64_t count = the_log->count.load(std::memory_order_relaxed);
  if (count == kMaxSwitches) return -ENOSPC;
  const int64_t now_ns = Now();
  const int64_t before_ns = count == 0 ? 0 : OnUntil(switches[count - 1], now_ns);
  switches[count] = {now_ns, before_ns, level};
  the_log->count.store(count + 1, std::memory_order_release);
  return static_cast<int64_t>(size);
}

int64_t ReadLoad(void* buffer, size_t size, off_t offset) {
  char text[32];
  const int length = snprintf(text, sizeof text, "%lld\n", static_cast<long long>(LoadNs(Now())));
  if (offset < 0) return -EINVAL;
  if (offset >= length) return 0;
  const size_t left = static_cast<size_t>(length - offset);
  const size_t taken = size < left ? size : left;
  memcpy(buffer, text + offset, taken);
  return static_cast<int64_t>(taken);
}

}  // namespace virtual_machine
