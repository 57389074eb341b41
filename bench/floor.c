// SPDX-License-Identifier: MIT
//
// The least that a reading can cost: boot time, time, one pread for each file kept open, time.
// floor PASSES BATCHES FILE... prints the median over batches of nanoseconds per pass.
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
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

int main(int argc, char **argv) {
  int fds[MAX_FILES];
  char text[MAX_FILES][64];
  static double batch_ns[MAX_BATCHES];
  volatile long long stamps[3];
  pthread_t thread;
  if (argc < 4 || argc - 3 > MAX_FILES) return 2;
  const int passes = atoi(argv[1]), batches = atoi(argv[2]), files = argc - 3;
  if (passes < 1 || batches < 1 || batches > MAX_BATCHES) return 2;
  for (int i = 0; i < files; ++i) {
    fds[i] = open(argv[3 + i], O_RDONLY);
    if (fds[i] < 0) return 1;
  }
  if (pthread_create(&thread, NULL, idle, NULL) != 0) return 1;
  for (int batch = 0; batch < batches; ++batch) {
    const long long start = now_ns(CLOCK_MONOTONIC);
    for (int pass = 0; pass < passes; ++pass) {
      stamps[2] = now_ns(CLOCK_BOOTTIME);
      stamps[0] = now_ns(CLOCK_MONOTONIC);
      for (int i = 0; i < files; ++i) {
        if (pread(fds[i], text[i], sizeof text[i], 0) <= 0) return 1;
      }
      stamps[1] = now_ns(CLOCK_MONOTONIC);
    }
    batch_ns[batch] = (double)(now_ns(CLOCK_MONOTONIC) - start) / passes;
  }
  qsort(batch_ns, batches, sizeof *batch_ns, ascending);
  printf("%f\n", batch_ns[batches / 2]);
  return 0;
}
