// SPDX-License-Identifier: MIT
//
// The least that sampling can cost: sleep to an absolute time, look at the clocks, read, look again.
//   floor-sampler RATE SECONDS files FILE...      one pread for each file kept open
//   floor-sampler RATE SECONDS group CPU COUNT    one read of a group of COUNT software events
// Prints microseconds of CPU time per read, and the number of reads.
#include <fcntl.h>
#include <linux/perf_event.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define MAX_FILES 64
static int fds[MAX_FILES], count, group;
static char text[64];
static double rate, seconds;

static long long now_ns(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static void read_all(void) {
  static long long values[1 + MAX_FILES];
  if (group) {
    if (read(fds[0], values, sizeof values) <= 0) exit(1);
    return;
  }
  for (int i = 0; i < count; ++i) {
    if (pread(fds[i], text, sizeof text, 0) <= 0) exit(1);
  }
}

static void *sample(void *unused) {
  volatile long long stamps[3];
  prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
  const long long interval = (long long)(1e9 / rate), start = now_ns(CLOCK_MONOTONIC);
  const long long end = start + (long long)(seconds * 1e9), cpu = now_ns(CLOCK_THREAD_CPUTIME_ID);
  long long next = start, reads = 0;
  for (;;) {
    stamps[2] = now_ns(CLOCK_BOOTTIME);
    stamps[0] = now_ns(CLOCK_MONOTONIC);
    read_all();
    stamps[1] = now_ns(CLOCK_MONOTONIC);
    ++reads;
    if (stamps[1] >= end) break;
    next += interval;
    if (next < stamps[1]) next += (stamps[1] - next) / interval * interval + interval;
    const struct timespec until = {next / 1000000000, next % 1000000000};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
  }
  printf("%f %lld\n", (now_ns(CLOCK_THREAD_CPUTIME_ID) - cpu) / 1e3 / reads, reads);
  return unused;
}

int main(int argc, char **argv) {
  pthread_t thread;
  if (argc < 5 || argc - 4 > MAX_FILES) return 2;
  rate = atof(argv[1]);
  seconds = atof(argv[2]);
  group = strcmp(argv[3], "group") == 0;
  count = group ? atoi(argv[5]) : argc - 4;
  for (int i = 0; i < count; ++i) {
    if (group) {
      struct perf_event_attr attr;
      memset(&attr, 0, sizeof attr);
      attr.type = PERF_TYPE_SOFTWARE;
      attr.size = sizeof attr;
      attr.config = i;
      attr.read_format = PERF_FORMAT_GROUP;
      fds[i] = syscall(SYS_perf_event_open, &attr, -1, atoi(argv[4]), i == 0 ? -1 : fds[0],
                       PERF_FLAG_FD_CLOEXEC);
    } else {
      fds[i] = open(argv[4 + i], O_RDONLY);
    }
    if (fds[i] < 0) {
      perror("floor-sampler: cannot open");
      return 1;
    }
  }
  // As in Node, the thread that samples is not the only one.
  if (pthread_create(&thread, NULL, sample, NULL) != 0) return 1;
  return pthread_join(thread, NULL) != 0;
}
