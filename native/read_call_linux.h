// SPDX-License-Identifier: MIT
//
// The system calls of a reading, past the C library's own read() and pread(): where there are
// threads, those may be cancelled, and arranging for it costs as much as all that a reading does
// beside its system call.
#pragma once

#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

namespace microjoule {

// As read().
inline ssize_t ReadCall(int fd, void* buffer, size_t size) {
  return syscall(SYS_read, fd, buffer, size);
}

// As pread() at the start of the file.
inline ssize_t ReadCallAtStart(int fd, void* buffer, size_t size) {
  // Of zeros as many as any ABI needs for an offset of 64 bits.
  return syscall(SYS_pread64, fd, buffer, size, 0L, 0L, 0L);
}

}  // namespace microjoule
