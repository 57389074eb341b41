// SPDX-License-Identifier: MIT
//
// Lets an addon that was linked on Debian 12 (glibc 2.36, GCC 12) load with glibc 2.28 and libstdc++ of GCC 8: what
// came later is either asked for by its old version or defined here. Part of prebuilt binaries alone.
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <new>

#if defined(__x86_64__)
#define FIRST "GLIBC_2.2.5"
#define SETNAME "GLIBC_2.12"
#elif defined(__aarch64__)
#define FIRST "GLIBC_2.17"
#define SETNAME "GLIBC_2.17"
#else
#error "Only where the kernel's struct stat is glibc's"
#endif

// These moved into libc.so.6 with 2.32 and 2.34, under a new version each. The old ones stayed.
#define OLD(name, version) __asm__(".symver old_" #name "," #name "@" version)
extern "C" {
OLD(dlopen, FIRST);
OLD(dlsym, FIRST);
OLD(dlclose, FIRST);
OLD(dlerror, FIRST);
OLD(pthread_mutex_trylock, FIRST);
OLD(pthread_sigmask, FIRST);
OLD(pthread_getcpuclockid, FIRST);
OLD(pthread_setname_np, SETNAME);

void* old_dlopen(const char*, int);
void* old_dlsym(void*, const char*);
int old_dlclose(void*);
char* old_dlerror();
int old_pthread_mutex_trylock(pthread_mutex_t*);
int old_pthread_sigmask(int, const sigset_t*, sigset_t*);
int old_pthread_getcpuclockid(pthread_t, clockid_t*);
int old_pthread_setname_np(pthread_t, const char*);

void* dlopen(const char* file, int mode) noexcept { return old_dlopen(file, mode); }
void* dlsym(void* __restrict handle, const char* __restrict name) noexcept {
  return old_dlsym(handle, name);
}
int dlclose(void* handle) noexcept { return old_dlclose(handle); }
char* dlerror() noexcept { return old_dlerror(); }
int pthread_mutex_trylock(pthread_mutex_t* mutex) noexcept {
  return old_pthread_mutex_trylock(mutex);
}
int pthread_sigmask(int how, const sigset_t* __restrict set, sigset_t* __restrict old) noexcept {
  return old_pthread_sigmask(how, set, old);
}
int pthread_getcpuclockid(pthread_t thread, clockid_t* clock) noexcept {
  return old_pthread_getcpuclockid(thread, clock);
}
int pthread_setname_np(pthread_t thread, const char* name) noexcept {
  return old_pthread_setname_np(thread, name);
}

// Since 2.33; before, macros around functions of other names.
int stat(const char* __restrict path, struct stat* __restrict out) noexcept {
  return static_cast<int>(syscall(SYS_newfstatat, AT_FDCWD, path, out, 0));
}
int lstat(const char* __restrict path, struct stat* __restrict out) noexcept {
  return static_cast<int>(syscall(SYS_newfstatat, AT_FDCWD, path, out, AT_SYMLINK_NOFOLLOW));
}
int fstat(int file, struct stat* out) noexcept {
  return static_cast<int>(syscall(SYS_fstat, file, out));
}

// Since 2.30: waits by any clock. Before, by the real-time clock alone: who waits looks at his own clock afterwards and
// waits on, but sleeps for longer where the time of day is set back meanwhile.
int pthread_cond_clockwait(pthread_cond_t* __restrict condition, pthread_mutex_t* __restrict mutex,
                           clockid_t clock, const timespec* __restrict until) {
  using ClockWait = int (*)(pthread_cond_t*, pthread_mutex_t*, clockid_t, const timespec*);
  static const auto newer = reinterpret_cast<ClockWait>(dlsym(RTLD_DEFAULT, "pthread_cond_clockwait"));
  if (newer != nullptr) return newer(condition, mutex, clock, until);
  constexpr long kSecondNs = 1000000000;
  timespec now, real;
  clock_gettime(clock, &now);
  clock_gettime(CLOCK_REALTIME, &real);
  real.tv_sec += until->tv_sec - now.tv_sec;
  real.tv_nsec += until->tv_nsec - now.tv_nsec;
  if (real.tv_nsec < 0) {
    real.tv_nsec += kSecondNs;
    --real.tv_sec;
  } else if (real.tv_nsec >= kSecondNs) {
    real.tv_nsec -= kSecondNs;
    ++real.tv_sec;
  }
  return pthread_cond_timedwait(condition, mutex, &real);
}

// Since 2.32: whether atomic counts may be plain ones. Never, in Node.
char __libc_single_threaded = 0;
}

// Since libstdc++ of GCC 11.
namespace std {
void __throw_bad_array_new_length() { throw bad_array_new_length(); }
}  // namespace std
