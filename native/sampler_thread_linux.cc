// SPDX-License-Identifier: MIT
#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <climits>

#include "sampler_thread.h"
#include "topology_linux.h"

namespace microjoule {
namespace {

constexpr uint64_t kNsPerSecond = 1000000000u;

// A futex sleeps as exactly as clock_nanosleep, at the same cost, and can be woken without a signal
// or a descriptor. https://man7.org/linux/man-pages/man2/futex.2.html
class FutexSleeper final : public Sleeper {
 public:
  [[gnu::hot]] void SleepUntil(uint64_t monotonic_ns) override {
    // Absolute, on CLOCK_MONOTONIC: what FUTEX_WAIT_BITSET means without FUTEX_CLOCK_REALTIME.
    const timespec until = {static_cast<time_t>(monotonic_ns / kNsPerSecond),
                            static_cast<long>(monotonic_ns % kNsPerSecond)};
    // Signals are blocked here, but stopping a process (SIGSTOP) may interrupt this, too.
    while (interrupted_.load() == 0 &&
           syscall(SYS_futex, &interrupted_, FUTEX_WAIT_BITSET_PRIVATE, 0, &until, nullptr,
                   FUTEX_BITSET_MATCH_ANY) != 0 &&
           errno == EINTR) {
    }
    if (interrupted_.load() != 0) interrupted_ = 0;
  }
  void Interrupt() override {
    interrupted_ = 1;
    syscall(SYS_futex, &interrupted_, FUTEX_WAKE_PRIVATE, INT_MAX, nullptr, nullptr, 0);
  }

 private:
  std::atomic<uint32_t> interrupted_{0};
};
static_assert(sizeof(std::atomic<uint32_t>) == sizeof(uint32_t), "a futex is 32 bits");

// A set of as many CPUs as the kernel knows, which may be more than cpu_set_t holds.
class CpuSet {
 public:
  explicit CpuSet(size_t cpus) : cpus_(cpus), set_(CPU_ALLOC(cpus)) {
    if (set_ != nullptr) CPU_ZERO_S(size(), set_);
  }
  ~CpuSet() {
    if (set_ != nullptr) CPU_FREE(set_);
  }
  CpuSet(const CpuSet&) = delete;
  CpuSet& operator=(const CpuSet&) = delete;
  size_t cpus() const { return cpus_; }
  size_t size() const { return CPU_ALLOC_SIZE(cpus_); }
  cpu_set_t* get() const { return set_; }

 private:
  const size_t cpus_;
  cpu_set_t* const set_;
};

constexpr size_t kMostCpus = 8192;  // CONFIG_NR_CPUS of the largest kernels

// 0, an errno, or -1 where none of the CPUs may be used. 0 as the first argument of these calls is
// this thread alone.
int StayOn(const std::vector<uint32_t>& cpus) {
  const CpuSet allowed(kMostCpus), wanted(kMostCpus);
  if (allowed.get() == nullptr || wanted.get() == nullptr) return ENOMEM;
  if (sched_getaffinity(0, allowed.size(), allowed.get()) != 0) return errno;
  bool any = false;
  for (const uint32_t cpu : cpus) {
    if (cpu >= kMostCpus || !CPU_ISSET_S(cpu, allowed.size(), allowed.get())) continue;
    CPU_SET_S(cpu, wanted.size(), wanted.get());
    any = true;
  }
  if (!any) return -1;
  return sched_setaffinity(0, wanted.size(), wanted.get()) == 0 ? 0 : errno;
}

}  // namespace

std::unique_ptr<Sleeper> MakeSleeper() { return std::make_unique<FutexSleeper>(); }

std::vector<uint32_t> CpusOfPackage(const std::string& sysfs, uint32_t package) {
  std::vector<uint32_t> cpus;
  for (const CpuPlace& place : ReadTopology(sysfs)) {
    if (place.package >= 0 && static_cast<uint32_t>(place.package) == package) {
      cpus.push_back(place.cpu);
    }
  }
  return cpus;
}

std::string SettleSamplerThread(uint32_t package, const std::vector<uint32_t>& cpus) {
  const std::string number = std::to_string(package);
  pthread_setname_np(pthread_self(), ("microjoule-" + number.substr(0, 4)).c_str());
  // The default of 50 us is what a sleep may last longer; every wake-up would be late by that.
  prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
  const std::string away =
      ", so the thread that samples it may run elsewhere, and reading then "
      "interrupts one of its CPUs: ";
  if (cpus.empty()) {
    return "which CPUs package " + number + " has is not known" + away +
           "mount /sys with its devices/system/cpu";
  }
  const int error = StayOn(cpus);
  if (error == 0) return "";
  if (error < 0) {
    return "this process may not use any CPU of package " + number + away +
           "allow it one (taskset, cpuset)";
  }
  return "the CPUs of package " + number + " could not be chosen (" + strerror(error) + ")" + away +
         "allow sched_setaffinity";
}

uint64_t ThreadCpuNs(std::thread* thread) {
  clockid_t clock = CLOCK_THREAD_CPUTIME_ID;
  timespec used;
  if (thread != nullptr && pthread_getcpuclockid(thread->native_handle(), &clock) != 0) return 0;
  if (clock_gettime(clock, &used) != 0) return 0;
  return static_cast<uint64_t>(used.tv_sec) * kNsPerSecond + static_cast<uint64_t>(used.tv_nsec);
}

}  // namespace microjoule
