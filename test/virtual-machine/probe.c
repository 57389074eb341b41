// SPDX-License-Identifier: MIT
//
// Makes the system calls of counter readers in a virtual machine, and prints what comes back: one
// line a call, with CLOCK_MONOTONIC before and after it, and the values or the errno.
//
//   probe events TYPE CPU COUNT CODE...      a group of perf events, read COUNT times
//   probe open TYPE PID CPU CODE [FLAG]      one perf_event_open; FLAG: sample exclude
//   group=TYPE/CPU/CODE probe msr CPU COUNT REGISTER...          pread of registers probe batch
//   VERSION CPU REGISTER...      one ioctl of msr-safe probe boot SECONDS COUNT boot time less
//   monotonic time, before and after so many seconds probe cost FILE OFFSET SIZE COUNT        ns a
//   pread probe cost-events TYPE CPU COUNT CODE... ns a read of the group probe threads FILE COUNT
//   as `cost`, from four threads, which open and close it all the time
//   probe load LEVEL MILLISECONDS FILE       draws, and appends the nanoseconds to the file
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static int64_t NowNs(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void Pause(void) {
  const struct timespec wait = {0, 300000};
  nanosleep(&wait, NULL);
}

static const char* ErrorName(int error) {
  const char* const name = strerrorname_np(error);
  return name != NULL ? name : "?";
}

static int OpenEvent(uint32_t type, int pid, int cpu, uint64_t config, int group,
                     const char* flag) {
  struct perf_event_attr attr;
  memset(&attr, 0, sizeof attr);
  attr.size = sizeof attr;
  attr.type = type;
  attr.config = config;
  attr.read_format = PERF_FORMAT_GROUP;
  if (strcmp(flag, "sample") == 0) attr.sample_period = 1000;
  if (strcmp(flag, "exclude") == 0) attr.exclude_kernel = 1;
  return (int)syscall(SYS_perf_event_open, &attr, pid, cpu, group, PERF_FLAG_FD_CLOEXEC);
}

static int OpenGroup(char** argv, int codes) {
  int leader = -1;
  for (int i = 0; i < codes; ++i) {
    const uint32_t type = (uint32_t)strtoul(argv[0], NULL, 0);
    const int fd = OpenEvent(type, -1, atoi(argv[1]), strtoull(argv[3 + i], NULL, 0), leader, "");
    if (fd < 0) {
      printf("open %s\n", ErrorName(errno));
      exit(0);
    }
    if (leader < 0) leader = fd;
  }
  return leader;
}

static void ReadEvents(char** argv, int codes) {
  const int64_t before_open_ns = NowNs(CLOCK_MONOTONIC);
  const int leader = OpenGroup(argv, codes);
  printf("%lld %lld opened\n", (long long)before_open_ns, (long long)NowNs(CLOCK_MONOTONIC));
  const int count = atoi(argv[2]);
  for (int i = 0; i < count; ++i) {
    uint64_t words[1 + 16];
    const int64_t from_ns = NowNs(CLOCK_MONOTONIC);
    const ssize_t size = read(leader, words, sizeof words);
    const int error = errno;
    printf("%lld %lld", (long long)from_ns, (long long)NowNs(CLOCK_MONOTONIC));
    if (size < 0) printf(" %s", ErrorName(error));
    for (ssize_t j = 0; j * 8 < size; ++j) printf(" %llu", (unsigned long long)words[j]);
    printf("\n");
    Pause();
  }
}

static void OpenOne(int argc, char** argv) {
  const char* flag = argc > 4 ? argv[4] : "";
  int group = -1;
  if (strncmp(flag, "group=", 6) == 0) {
    uint32_t type = 0;
    int cpu = 0;
    unsigned code = 0;
    if (sscanf(flag, "group=%u/%d/%u", &type, &cpu, &code) != 3) exit(2);
    group = OpenEvent(type, -1, cpu, code, -1, "");
  }
  const int fd = OpenEvent((uint32_t)atoi(argv[0]), atoi(argv[1]), atoi(argv[2]),
                           strtoull(argv[3], NULL, 0), group, flag);
  printf("%s\n", fd >= 0 ? "ok" : ErrorName(errno));
}

static void ReadRegisters(int argc, char** argv) {
  char path[4200];
  snprintf(path, sizeof path, "%s/dev/cpu/%s/msr", getenv("VIRTUAL_MACHINE_ROOT"), argv[0]);
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    printf("open %s\n", ErrorName(errno));
    return;
  }
  const int count = atoi(argv[1]);
  for (int i = 0; i < count; ++i) {
    for (int j = 2; j < argc; ++j) {
      uint64_t value = 0;
      const int64_t from_ns = NowNs(CLOCK_MONOTONIC);
      const ssize_t size = pread(fd, &value, sizeof value, (off_t)strtoull(argv[j], NULL, 0));
      const int error = errno;
      printf("%lld %lld ", (long long)from_ns, (long long)NowNs(CLOCK_MONOTONIC));
      if (size == 8) {
        printf("%llu\n", (unsigned long long)value);
      } else {
        printf("%s\n", ErrorName(error));
      }
    }
    Pause();
  }
  close(fd);
}

// As msr-safe's ioctl takes them: https://github.com/LLNL/msr-safe (msr_safe.h).
struct Operation {
  uint16_t cpu;
  uint16_t is_read;
  int32_t error;
  uint32_t address;
  uint64_t value;
  uint64_t write_mask;
};
struct Batch {
  uint32_t count;
  uint32_t version;
  struct Operation* operations;
};

static void ReadBatch(int argc, char** argv) {
  char path[4200];
  snprintf(path, sizeof path, "%s/dev/cpu/msr_batch", getenv("VIRTUAL_MACHINE_ROOT"));
  const int fd = open(path, O_RDWR | O_CLOEXEC);
  struct Operation operations[16];
  memset(operations, 0, sizeof operations);
  struct Batch batch = {0, (uint32_t)strtoul(argv[0], NULL, 0), operations};
  for (int i = 2; i < argc; ++i) {
    struct Operation* const one = &operations[batch.count++];
    one->cpu = (uint16_t)atoi(argv[1]);
    one->is_read = 1;
    one->address = (uint32_t)strtoul(argv[i], NULL, 0);
  }
  const int64_t from_ns = NowNs(CLOCK_MONOTONIC);
  const int result = fd < 0 ? -1 : ioctl(fd, _IOWR('c', 0xA2, struct Batch), &batch);
  const int error = errno;
  printf("%lld %lld %s", (long long)from_ns, (long long)NowNs(CLOCK_MONOTONIC),
         result < 0 ? ErrorName(error) : "ok");
  for (uint32_t i = 0; i < batch.count; ++i) {
    printf(" %d/%llu", operations[i].error, (unsigned long long)operations[i].value);
  }
  printf("\n");
}

static int64_t SleptNs(void) {
  const int64_t before_ns = NowNs(CLOCK_MONOTONIC);
  const int64_t boot_ns = NowNs(CLOCK_BOOTTIME);
  return boot_ns - before_ns;
}

static void ReadBoot(char** argv) {
  // Opening a counter starts the machine's clock.
  char path[4200];
  snprintf(path, sizeof path, "%s/dev/cpu/0/msr", getenv("VIRTUAL_MACHINE_ROOT"));
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  const int count = atoi(argv[1]);
  for (int i = 0; i < count; ++i) {
    printf("%lld %lld\n", (long long)NowNs(CLOCK_MONOTONIC), (long long)SleptNs());
    usleep((useconds_t)(atof(argv[0]) * 1e6));
  }
  if (fd >= 0) close(fd);
}

static void Cost(char** argv) {
  const int fd = open(argv[0], O_RDONLY | O_CLOEXEC);
  const off_t offset = (off_t)strtoull(argv[1], NULL, 0);
  const size_t size = strtoull(argv[2], NULL, 0);
  const int count = atoi(argv[3]);
  char buffer[4096];
  const int64_t from_ns = NowNs(CLOCK_MONOTONIC);
  for (int i = 0; i < count; ++i) {
    if (pread(fd, buffer, size, offset) < 0) exit(1);
  }
  printf("%.0f\n", (double)(NowNs(CLOCK_MONOTONIC) - from_ns) / count);
}

static void CostOfEvents(char** argv, int codes) {
  const int leader = OpenGroup(argv, codes);
  uint64_t words[17];
  const int count = atoi(argv[2]);
  const int64_t from_ns = NowNs(CLOCK_MONOTONIC);
  for (int i = 0; i < count; ++i) {
    if (read(leader, words, sizeof words) < 0) exit(1);
  }
  printf("%.0f\n", (double)(NowNs(CLOCK_MONOTONIC) - from_ns) / count);
}

// Draws at a level for so long, and appends to a file how many nanoseconds that was.
static int Load(char** argv) {
  char path[4200];
  snprintf(path, sizeof path, "%s/load", getenv("VIRTUAL_MACHINE_ROOT"));
  const int fd = open(path, O_WRONLY | O_CLOEXEC);
  const int64_t wait_ns = (int64_t)(atof(argv[1]) * 1e6);
  const struct timespec wait = {wait_ns / 1000000000, wait_ns % 1000000000};
  const int64_t from_ns = NowNs(CLOCK_MONOTONIC);
  if (fd < 0 || write(fd, argv[0], 1) != 1) return 1;
  nanosleep(&wait, NULL);
  if (write(fd, "0", 1) != 1) return 1;
  const int64_t to_ns = NowNs(CLOCK_MONOTONIC);
  FILE* const file = fopen(argv[2], "a");
  if (file == NULL) return 1;
  fprintf(file, "%lld\n", (long long)(to_ns - from_ns));
  return fclose(file) == 0 ? 0 : 1;
}

static const char* thread_path;
static int thread_count;

// Every count must be a number that does not fall.
static void* Storm(void* unused) {
  (void)unused;
  uint64_t last = 0;
  for (int i = 0; i < thread_count; ++i) {
    char buffer[64] = "";
    const int fd = open(thread_path, O_RDONLY | O_CLOEXEC);
    const int plain = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (fd < 0 || pread(fd, buffer, sizeof buffer - 1, 0) < 2) return "a counter failed";
    if (plain < 0 || pread(plain, buffer + 32, 8, 0) != 0) return "a plain file counted";
    const uint64_t value = strtoull(buffer, NULL, 10);
    if (value < last) return "a count fell";
    last = value;
    close(plain);
    close(fd);
  }
  return NULL;
}

static int Threads(char** argv) {
  thread_path = argv[0];
  thread_count = atoi(argv[1]);
  pthread_t threads[4];
  for (int i = 0; i < 4; ++i) pthread_create(&threads[i], NULL, Storm, NULL);
  const char* wrong = NULL;
  for (int i = 0; i < 4; ++i) {
    void* result = NULL;
    pthread_join(threads[i], &result);
    if (result != NULL) wrong = result;
  }
  printf("%s\n", wrong == NULL ? "ok" : wrong);
  return wrong == NULL ? 0 : 1;
}

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  const char* const command = argv[1];
  argv += 2;
  argc -= 2;
  if (strcmp(command, "events") == 0) {
    ReadEvents(argv, argc - 3);
  } else if (strcmp(command, "open") == 0) {
    OpenOne(argc, argv);
  } else if (strcmp(command, "msr") == 0) {
    ReadRegisters(argc, argv);
  } else if (strcmp(command, "batch") == 0) {
    ReadBatch(argc, argv);
  } else if (strcmp(command, "boot") == 0) {
    ReadBoot(argv);
  } else if (strcmp(command, "cost") == 0) {
    Cost(argv);
  } else if (strcmp(command, "cost-events") == 0) {
    CostOfEvents(argv, argc - 3);
  } else if (strcmp(command, "load") == 0) {
    return Load(argv);
  } else if (strcmp(command, "threads") == 0) {
    return Threads(argv);
  } else {
    return 2;
  }
  return 0;
}
