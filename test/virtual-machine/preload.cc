// SPDX-License-Identifier: MIT
//
// The system calls that reading counters takes, as the C library names them. What does not belong
// to the machine goes straight on to the real ones.
#include "preload.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "paths.h"

#define EXPORTED extern "C" __attribute__((visibility("default")))

namespace virtual_machine {
namespace {

// The next definition of a function after ours. Looked up at its first call, which may come before
// any constructor ran.
template <typename Function>
Function* Next(std::atomic<void*>* slot, const char* name) {
  void* found = slot->load(std::memory_order_relaxed);
  if (found == nullptr) {
    found = dlsym(RTLD_NEXT, name);
    slot->store(found, std::memory_order_relaxed);
  }
  return reinterpret_cast<Function*>(found);
}

#define NEXT(type, name)              \
  ([]() {                             \
    static std::atomic<void*> slot{}; \
    return Next<type>(&slot, name);   \
  }())

using Open = int(const char*, int, ...);
using OpenAt = int(int, const char*, int, ...);
using Read = ssize_t(int, void*, size_t);
using ReadChecked = ssize_t(int, void*, size_t, size_t);
using Write = ssize_t(int, const void*, size_t);
using Pwrite = ssize_t(int, const void*, size_t, off_t);
using Pread = ssize_t(int, void*, size_t, off_t);
using PreadChecked = ssize_t(int, void*, size_t, off_t, size_t);
using Ioctl = int(int, unsigned long, ...);
using Close = int(int);
using Syscall = long(long, ...);
using Dup = int(int);
using Dup2 = int(int, int);
using Dup3 = int(int, int, int);
using CopyFileRange = ssize_t(int, off_t*, int, off_t*, size_t, unsigned);
using ClockGettime = int(clockid_t, timespec*);

int64_t Result(int64_t result) {
  if (result >= 0) return result;
  if (result == -kEndOfFile) return 0;
  errno = static_cast<int>(-result);
  return -1;
}

// Whoever shares our memory after vfork() closes only what is its own.
std::atomic<pid_t> owner{0};
void SetOwner() { owner = getpid(); }
__attribute__((constructor)) void WatchForks() {
  SetOwner();
  pthread_atfork(nullptr, nullptr, SetOwner);
}

void Forget(int fd) {
  Descriptor* const found = Find(fd);
  if (found == nullptr || owner.load() != getpid()) return;
  if (found->kind == Kind::kEvent) CloseEvent(fd);
  found->kind.store(Kind::kNothing, std::memory_order_release);
}

// Opens a path, unless the machine has another answer. `real` opens it in truth.
template <typename Real>
int OpenIn(const char* path, const Real& real) {
  Opening opening;
  // Relative paths are nobody's counters.
  if (machine != nullptr && path != nullptr && path[0] == '/') opening = Decide(path);
  if (opening.error != 0) return static_cast<int>(Result(-opening.error));
  const int fd = opening.served >= 0 ? opening.served : real();
  if (fd < 0 || fd >= kMaxDescriptors) return fd;
  if (Find(fd) != nullptr) Forget(fd);  // closed in a way that we do not see
  if (opening.kind != Kind::kNothing) Register(fd, opening);
  return fd;
}

// The copy of a descriptor stands for what the first one does.
int Copy(int from, int to) {
  if (to < 0 || to >= kMaxDescriptors) return to;
  if (Find(to) != nullptr) Forget(to);
  const Descriptor* const file = Find(from);
  if (file == nullptr || file->kind == Kind::kEvent || owner.load() != getpid()) return to;
  Opening opening;
  opening.kind = file->kind;
  opening.cpu = file->cpu;
  opening.allow_listed = file->allow_listed;
  opening.zone = file->zone;
  opening.faults = file->faults;
  opening.now_ns = file->opened_ns;
  Register(to, opening);
  return to;
}

// `offset` is null for read(): from the position of the real file, which moves on.
int64_t ReadOf(int fd, const Descriptor& file, void* buffer, size_t size, const off_t* offset,
               bool* ours) {
  *ours = true;
  switch (file.kind) {
    case Kind::kEvent:
      return offset == nullptr ? ReadEvent(file, buffer, size) : -ESPIPE;
    case Kind::kMsr:
      return ReadMsr(file, buffer, size, offset == nullptr ? lseek(fd, 0, SEEK_CUR) : *offset);
    case Kind::kZone: {
      if (offset != nullptr) return ReadZone(file, buffer, size, *offset);
      const off_t position = lseek(fd, 0, SEEK_CUR);
      const int64_t taken = ReadZone(file, buffer, size, position);
      if (taken > 0) lseek(fd, position + taken, SEEK_SET);
      return taken;
    }
    case Kind::kLoad:
      return ReadLoad(buffer, size, offset == nullptr ? lseek(fd, 0, SEEK_CUR) : *offset);
    case Kind::kFile: {
      const int error = FailureOf(*file.faults, Now(), file.opened_ns);
      *ours = error != 0;
      return -error;
    }
    default:
      *ours = false;
      return 0;
  }
}

template <typename Real>
ssize_t ReadIn(int fd, void* buffer, size_t size, const off_t* offset, const Real& real) {
  const Descriptor* const file = Find(fd);
  if (file == nullptr) return real();
  bool ours = false;
  const int64_t result = ReadOf(fd, *file, buffer, size, offset, &ours);
  return ours ? Result(result) : real();
}

bool IsLoad(int fd) {
  const Descriptor* const file = Find(fd);
  return file != nullptr && file->kind == Kind::kLoad;
}

}  // namespace

int RealOpen(const char* path, int flags, mode_t mode) {
  return NEXT(Open, "open")(path, flags, mode);
}
int RealClose(int fd) { return NEXT(Close, "close")(fd); }
ssize_t RealRead(int fd, void* buffer, size_t size) { return NEXT(Read, "read")(fd, buffer, size); }

}  // namespace virtual_machine

using namespace virtual_machine;  // NOLINT: the C library's names must stand outside

// The mode, which is there only where a file may be made.
#define MODE_FROM(flags, mode)                                      \
  mode_t mode = 0;                                                  \
  if (((flags)&O_CREAT) != 0 || ((flags)&O_TMPFILE) == O_TMPFILE) { \
    va_list arguments;                                              \
    va_start(arguments, flags);                                     \
    mode = va_arg(arguments, mode_t);                               \
    va_end(arguments);                                              \
  }

EXPORTED int open(const char* path, int flags, ...) {
  MODE_FROM(flags, mode)
  return OpenIn(path, [&] { return NEXT(Open, "open")(path, flags, mode); });
}
EXPORTED int open64(const char* path, int flags, ...) {
  MODE_FROM(flags, mode)
  return OpenIn(path, [&] { return NEXT(Open, "open64")(path, flags, mode); });
}
EXPORTED int openat(int folder, const char* path, int flags, ...) {
  MODE_FROM(flags, mode)
  return OpenIn(path, [&] { return NEXT(OpenAt, "openat")(folder, path, flags, mode); });
}
EXPORTED int openat64(int folder, const char* path, int flags, ...) {
  MODE_FROM(flags, mode)
  return OpenIn(path, [&] { return NEXT(OpenAt, "openat64")(folder, path, flags, mode); });
}
EXPORTED int __open_2(const char* path, int flags) {
  return OpenIn(path, [&] { return NEXT(Open, "open")(path, flags, 0); });
}
EXPORTED int __open64_2(const char* path, int flags) {
  return OpenIn(path, [&] { return NEXT(Open, "open64")(path, flags, 0); });
}

EXPORTED ssize_t read(int fd, void* buffer, size_t size) {
  return ReadIn(fd, buffer, size, nullptr, [&] { return NEXT(Read, "read")(fd, buffer, size); });
}
EXPORTED ssize_t __read_chk(int fd, void* buffer, size_t size, size_t room) {
  return ReadIn(fd, buffer, size, nullptr,
                [&] { return NEXT(ReadChecked, "__read_chk")(fd, buffer, size, room); });
}
EXPORTED ssize_t pread(int fd, void* buffer, size_t size, off_t offset) {
  return ReadIn(fd, buffer, size, &offset,
                [&] { return NEXT(Pread, "pread")(fd, buffer, size, offset); });
}
EXPORTED ssize_t pread64(int fd, void* buffer, size_t size, off_t offset) {
  return ReadIn(fd, buffer, size, &offset,
                [&] { return NEXT(Pread, "pread64")(fd, buffer, size, offset); });
}
EXPORTED ssize_t __pread_chk(int fd, void* buffer, size_t size, off_t offset, size_t room) {
  return ReadIn(fd, buffer, size, &offset,
                [&] { return NEXT(PreadChecked, "__pread_chk")(fd, buffer, size, offset, room); });
}
EXPORTED ssize_t __pread64_chk(int fd, void* buffer, size_t size, off_t offset, size_t room) {
  return ReadIn(fd, buffer, size, &offset, [&] {
    return NEXT(PreadChecked, "__pread64_chk")(fd, buffer, size, offset, room);
  });
}

EXPORTED ssize_t write(int fd, const void* buffer, size_t size) {
  if (IsLoad(fd)) return Result(WriteLoad(buffer, size));
  return NEXT(Write, "write")(fd, buffer, size);
}
EXPORTED ssize_t pwrite(int fd, const void* buffer, size_t size, off_t offset) {
  if (IsLoad(fd)) return Result(WriteLoad(buffer, size));
  return NEXT(Pwrite, "pwrite")(fd, buffer, size, offset);
}
EXPORTED ssize_t pwrite64(int fd, const void* buffer, size_t size, off_t offset) {
  if (IsLoad(fd)) return Result(WriteLoad(buffer, size));
  return NEXT(Pwrite, "pwrite64")(fd, buffer, size, offset);
}

EXPORTED int close(int fd) {
  Forget(fd);
  return RealClose(fd);
}

// Shells redirect so. The copy of an event is not the machine's.
EXPORTED int dup(int from) { return Copy(from, NEXT(Dup, "dup")(from)); }
EXPORTED int dup2(int from, int to) {
  const int fd = NEXT(Dup2, "dup2")(from, to);
  return from == to ? fd : Copy(from, fd);
}
EXPORTED int dup3(int from, int to, int flags) {
  return Copy(from, NEXT(Dup3, "dup3")(from, to, flags));
}

// cat reads only when this fails.
EXPORTED ssize_t copy_file_range(int in, off_t* in_offset, int out, off_t* out_offset, size_t size,
                                 unsigned flags) {
  if (Find(in) != nullptr) return Result(-EINVAL);
  return NEXT(CopyFileRange, "copy_file_range")(in, in_offset, out, out_offset, size, flags);
}

EXPORTED int ioctl(int fd, unsigned long request, ...) {
  va_list arguments;
  va_start(arguments, request);
  void* const argument = va_arg(arguments, void*);
  va_end(arguments);
  // _IOWR('c', 0xA2, 16 bytes): msr-safe's batch.
  constexpr unsigned long kBatch = 0xc01063a2;
  const Descriptor* const file = Find(fd);
  if (file != nullptr && file->kind == Kind::kMsrBatch) {
    return static_cast<int>(Result(request == kBatch ? ReadBatch(*file, argument) : -ENOTTY));
  }
  // Enabling and disabling: an event counts from its opening on.
  if (file != nullptr && file->kind == Kind::kEvent) return 0;
  return NEXT(Ioctl, "ioctl")(fd, request, argument);
}

EXPORTED long syscall(long number, ...) {
  long a[6];
  va_list arguments;
  va_start(arguments, number);
  for (long& argument : a) argument = va_arg(arguments, long);
  va_end(arguments);
  const auto real = [&] {
    return NEXT(Syscall, "syscall")(number, a[0], a[1], a[2], a[3], a[4], a[5]);
  };
  if (number == SYS_close) Forget(static_cast<int>(a[0]));
  if (number == SYS_read || number == SYS_pread64) {
    const off_t offset = a[3];
    return ReadIn(static_cast<int>(a[0]), reinterpret_cast<void*>(a[1]), static_cast<size_t>(a[2]),
                  number == SYS_read ? nullptr : &offset, real);
  }
  if (number == SYS_perf_event_open && machine != nullptr && machine->pmu_count != 0) {
    const int64_t result =
        OpenEvent(reinterpret_cast<const void*>(a[0]), static_cast<int>(a[1]),
                  static_cast<int>(a[2]), static_cast<int>(a[3]), static_cast<unsigned long>(a[4]));
    if (result != kNotOurs) return Result(result);
  }
  return real();
}

EXPORTED int clock_gettime(clockid_t clock, timespec* time) {
  const int result = NEXT(ClockGettime, "clock_gettime")(clock, time);
  if (clock != CLOCK_BOOTTIME || result != 0 || machine == nullptr || machine->suspend_count == 0)
    return result;
  const int64_t total_ns = int64_t{time->tv_nsec} + SleptNs();
  time->tv_sec += total_ns / 1000000000;
  time->tv_nsec = total_ns % 1000000000;
  return 0;
}
