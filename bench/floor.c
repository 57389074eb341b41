// SPDX-License-Identifier: MIT
//
// The least that a reading can cost: boot time, time, the system calls, time.
//   floor files PASSES BATCHES FILE...    one pread for each file kept open
//   floor group PASSES BATCHES CPU COUNT  one read of a group of COUNT software events of a CPU
// Prints the median over batches of nanoseconds per pass.
#include <fcntl.h>
#include <linux/perf_event.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define MAX_FILES 64
#define MAX_BATCHES 1000

static long long now_ns(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return t.tv_sec * 1000000000ll + t.tv_nsec;
}

// In a process of one thread the kernel need not count references to open files; Node has many.
static void *idle(void *unused) {
  for (;;) pause();
  return unused;
}

static int ascending(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static int fds[MAX_FILES];
static char text[MAX_FILES][64];
static int files;

static int open_files(char **paths, int count) {
  files = count;
  for (int i = 0; i < files; ++i) {
    fds[i] = open(paths[i], O_RDONLY);
    if (fds[i] < 0) return 0;
  }
  return 1;
}

static int read_files(void) {
  for (int i = 0; i < files; ++i) {
    if (pread(fds[i], text[i], sizeof text[i], 0) <= 0) return 0;
  }
  return 1;
}

static int open_group(int cpu, int count) {
  fds[0] = -1;
  for (int i = 0; i < count; ++i) {
    struct perf_event_attr attr;
    memset(&attr, 0, sizeof attr);
    attr.type = PERF_TYPE_SOFTWARE;
    attr.size = sizeof attr;
    attr.config = i;
    attr.read_format = PERF_FORMAT_GROUP;
    const int fd = syscall(SYS_perf_event_open, &attr, -1, cpu, fds[0], PERF_FLAG_FD_CLOEXEC);
    if (fd < 0) return 0;
    if (i == 0) fds[0] = fd;
  }
  return 1;
}

static int read_group(void) {
  static long long values[1 + MAX_FILES];
  return read(fds[0], values, sizeof values) > 0;
}

int main(int argc, char **argv) {
  static double batch_ns[MAX_BATCHES];
  volatile long long stamps[3];
  pthread_t thread;
  if (argc < 5 || argc - 4 > MAX_FILES) return 2;
  const int group = strcmp(argv[1], "group") == 0;
  const int passes = atoi(argv[2]), batches = atoi(argv[3]);
  if (passes < 1 || batches < 1 || batches > MAX_BATCHES || (group && argc != 6)) return 2;
  if (!(group ? open_group(atoi(argv[4]), atoi(argv[5])) : open_files(argv + 4, argc - 4))) {
    perror("floor: cannot open");
    return 1;
  }
  if (pthread_create(&thread, NULL, idle, NULL) != 0) return 1;
  for (int batch = 0; batch < batches; ++batch) {
    const long long start = now_ns(CLOCK_MONOTONIC);
    for (int pass = 0; pass < passes; ++pass) {
      stamps[2] = now_ns(CLOCK_BOOTTIME);
      stamps[0] = now_ns(CLOCK_MONOTONIC);
      if (!(group ? read_group() : read_files())) return 1;
      stamps[1] = now_ns(CLOCK_MONOTONIC);
    }
    batch_ns[batch] = (double)(now_ns(CLOCK_MONOTONIC) - start) / passes;
  }
  qsort(batch_ns, batches, sizeof *batch_ns, ascending);
  printf("%f\n", batch_ns[batches / 2]);
  return 0;
}
