// SPDX-License-Identifier: MIT
//
// A stand-in for NVIDIA's library, loaded by its path. The file that FAKE_NVML_SCRIPT names says what it is
// (README.md here). Values come from a described true power; its exact integral is kept for comparison.
// With FAKE_NVML_HALF half of the functions are missing.
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

#ifdef _WIN32
#define EXPORT __declspec(dllexport)
#else
#define EXPORT __attribute__((visibility("default")))
#endif
#define MAX_GPUS 16
#define MAX_STEPS 32
#define MAX_FAULTS 8
#define MAX_MIG 7

enum what { ENERGY, INSTANT, AVERAGE, USAGE, MODULE, MEMORY, HANDLE, COUNT, INIT, WHATS };
static const char *const what_names[WHATS] = {"energy", "instant", "average", "usage", "module",
                                              "memory", "handle",  "count",   "init"};

struct fault {
  enum what what;
  long after, times; /* times 0: for good */
  int code;
};

struct gpu {
  char name[96], uuid[96];
  unsigned bus, index;
  int arch, virtualization, mig;
  struct gpu *parent; /* of a MIG instance */
  int codes[WHATS];   /* what each answers when all is well */
  long calls[WHATS];
  struct fault faults[MAX_FAULTS];
  int fault_count;
  double period_s, window_s, average_s, phase_s;
  double high_watts, low_watts, square_s; /* square wave, or steps */
  struct { double until_s, watts; } steps[MAX_STEPS];
  int step_count;
  double module_watts, memory_watts; /* module: beside the GPU's own */
  double base_joules, stuck_joules, lie_watts, restart_s, falls_s, falls_by_joules;
  int stuck, lies, value_type;
  long hangs_after;
  double hang_s, counts;
  unsigned limit_milliwatts, gpu_percent, memory_percent;
  unsigned long long memory_total, memory_used;
};

static struct gpu gpus[MAX_GPUS], instances[MAX_GPUS][MAX_MIG];
static struct fault library_faults[MAX_FAULTS];
static int library_fault_count;
static long library_calls[WHATS];
static unsigned gpu_count;
static double latency_s, epoch_s, arrives_s;
static char driver[80];
static int loaded;

static double now_s(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void sleep_s(double seconds) {
  struct timespec t;
  if (seconds <= 0) return;
  t.tv_sec = (time_t)seconds;
  t.tv_nsec = (long)((seconds - (double)t.tv_sec) * 1e9);
  nanosleep(&t, NULL);
}

/* One line a call that can wake a GPU. */
static void note(const char *format, ...) {
  const char *path = getenv("FAKE_NVML_LOG");
  FILE *file = path ? fopen(path, "a") : NULL;
  va_list arguments;
  if (!file) return;
  va_start(arguments, format);
  vfprintf(file, format, arguments);
  va_end(arguments);
  fputc('\n', file);
  fclose(file);
}

static void add_gpu(const char *name) {
  struct gpu *gpu = &gpus[gpu_count];
  int i;
  if (gpu_count == MAX_GPUS) return;
  memset(gpu, 0, sizeof *gpu);
  gpu->index = gpu_count++;
  snprintf(gpu->name, sizeof gpu->name, "%s", name);
  snprintf(gpu->uuid, sizeof gpu->uuid, "GPU-fake-%u", gpu->index);
  gpu->bus = gpu->index + 1;
  gpu->arch = 8;
  gpu->period_s = 0.1;
  gpu->window_s = 0.025;
  gpu->average_s = 1;
  gpu->high_watts = gpu->low_watts = 100;
  gpu->square_s = 1;
  gpu->base_joules = 5000;
  gpu->value_type = 1;
  gpu->limit_milliwatts = 300000;
  gpu->memory_total = 8ull << 30;
  gpu->memory_used = 1ull << 30;
  gpu->restart_s = gpu->falls_s = -1;
  for (i = MODULE; i <= MEMORY; ++i) gpu->codes[i] = 3;
}

static int what_of(const char *name) {
  int i;
  for (i = 0; i < WHATS; ++i)
    if (strcmp(what_names[i], name) == 0) return i;
  return -1;
}

static void read_steps(struct gpu *gpu, const char *rest) {
  double watts, until;
  int used;
  while (gpu->step_count < MAX_STEPS && sscanf(rest, "%lf until %lf%n", &watts, &until, &used) == 2) {
    gpu->steps[gpu->step_count].watts = watts;
    gpu->steps[gpu->step_count++].until_s = until;
    rest += used;
  }
  if (sscanf(rest, "%lf", &watts) == 1) gpu->high_watts = gpu->low_watts = watts;
}

/* Lines of a GPU. False: none of them. */
static int read_gpu_line(struct gpu *gpu, const char *key, const char *rest) {
  char word[32];
  struct fault *fault;
  int code;
  if (strcmp(key, "power") == 0) read_steps(gpu, rest);
  else if (strcmp(key, "square") == 0) sscanf(rest, "%lf %lf %lf", &gpu->high_watts, &gpu->low_watts, &gpu->square_s);
  else if (strcmp(key, "period") == 0) sscanf(rest, "%lf", &gpu->period_s);
  else if (strcmp(key, "window") == 0) sscanf(rest, "%lf", &gpu->window_s);
  else if (strcmp(key, "phase") == 0) sscanf(rest, "%lf", &gpu->phase_s);
  else if (strcmp(key, "bus") == 0) sscanf(rest, "%u", &gpu->bus);
  else if (strcmp(key, "uuid") == 0) sscanf(rest, "%95s", gpu->uuid);
  else if (strcmp(key, "arch") == 0) sscanf(rest, "%d", &gpu->arch);
  else if (strcmp(key, "virtualization") == 0) sscanf(rest, "%d", &gpu->virtualization);
  else if (strcmp(key, "mig") == 0) sscanf(rest, "%d", &gpu->mig);
  else if (strcmp(key, "module-watts") == 0) sscanf(rest, "%lf", &gpu->module_watts);
  else if (strcmp(key, "memory-watts") == 0) sscanf(rest, "%lf", &gpu->memory_watts);
  else if (strcmp(key, "counted") == 0) sscanf(rest, "%lf", &gpu->base_joules);
  else if (strcmp(key, "stuck") == 0) gpu->stuck = sscanf(rest, "%lf", &gpu->stuck_joules);
  else if (strcmp(key, "lies") == 0) gpu->lies = sscanf(rest, "%lf", &gpu->lie_watts);
  else if (strcmp(key, "value-type") == 0) sscanf(rest, "%d", &gpu->value_type);
  else if (strcmp(key, "restarts") == 0) sscanf(rest, "%lf", &gpu->restart_s);
  else if (strcmp(key, "falls") == 0) sscanf(rest, "%lf %lf", &gpu->falls_s, &gpu->falls_by_joules);
  else if (strcmp(key, "hangs") == 0) sscanf(rest, "%ld %lf", &gpu->hangs_after, &gpu->hang_s);
  else if (strcmp(key, "counts") == 0) sscanf(rest, "%lf", &gpu->counts);
  else if (strcmp(key, "limit") == 0) sscanf(rest, "%u", &gpu->limit_milliwatts);
  else if (strcmp(key, "busy") == 0) sscanf(rest, "%u %u", &gpu->gpu_percent, &gpu->memory_percent);
  else if (strcmp(key, "memory-bytes") == 0) sscanf(rest, "%llu %llu", &gpu->memory_total, &gpu->memory_used);
  else if (strcmp(key, "silent") == 0) gpu->codes[ENERGY] = gpu->codes[INSTANT] = gpu->codes[AVERAGE] = gpu->codes[USAGE] = 3;
  else if (strcmp(key, "answers") == 0 && sscanf(rest, "%31s %d", word, &code) == 2 && what_of(word) >= 0)
    gpu->codes[what_of(word)] = code;
  else if (strcmp(key, "fault") == 0 && gpu->fault_count < MAX_FAULTS) {
    fault = &gpu->faults[gpu->fault_count];
    fault->times = 0;
    if (sscanf(rest, "%31s after %ld code %d times %ld", word, &fault->after, &fault->code, &fault->times) >= 3 &&
        what_of(word) >= 0) {
      fault->what = (enum what)what_of(word);
      gpu->fault_count++;
    }
  } else return 0;
  return 1;
}

static void read_line(char *line) {
  char key[32];
  struct fault *fault;
  int used = 0;
  char *rest, word[32];
  line[strcspn(line, "\r\n#")] = 0;
  if (sscanf(line, "%31s %n", key, &used) < 1) return;
  rest = line + used;
  if (strcmp(key, "gpu") == 0) add_gpu(rest);
  else if (strcmp(key, "driver") == 0) snprintf(driver, sizeof driver, "%s", rest);
  else if (strcmp(key, "latency") == 0) sscanf(rest, "%lf", &latency_s);
  else if (strcmp(key, "epoch") == 0) sscanf(rest, "%lf", &epoch_s);
  else if (strcmp(key, "last-arrives") == 0) sscanf(rest, "%lf", &arrives_s);
  else if (strcmp(key, "init") == 0 && library_fault_count < MAX_FAULTS) {
    fault = &library_faults[library_fault_count];
    fault->times = 0;
    if (sscanf(rest, "%d times %ld", &fault->code, &fault->times) >= 1) {
      fault->what = INIT;
      fault->after = 0;
      library_fault_count++;
    }
  } else if (gpu_count > 0 && read_gpu_line(&gpus[gpu_count - 1], key, rest)) return;
  else if (sscanf(key, "%31s", word) == 1) fprintf(stderr, "fake-nvml: what is \"%s\"?\n", line);
}

static void load_script(void) {
  const char *path = getenv("FAKE_NVML_SCRIPT");
  FILE *file = path ? fopen(path, "r") : NULL;
  char line[512];
  unsigned i;
  int k;
  loaded = 1;
  gpu_count = 0;
  library_fault_count = 0;
  memset(library_calls, 0, sizeof library_calls);
  latency_s = 0;
  arrives_s = -1;
  epoch_s = now_s();
  snprintf(driver, sizeof driver, "550.54.14");
  if (file) {
    while (fgets(line, sizeof line, file)) read_line(line);
    fclose(file);
  } else {
    add_gpu("NVIDIA Fake 100");
  }
  for (i = 0; i < gpu_count; ++i) {
    for (k = 0; k < gpus[i].mig && k < MAX_MIG; ++k) {
      instances[i][k] = gpus[i];
      instances[i][k].parent = &gpus[i];
      snprintf(instances[i][k].uuid, sizeof instances[i][k].uuid, "MIG-fake-%u-%d", i, k);
    }
  }
}

/* The integral of the true power from the epoch to a time after it, in joules. */
static double joules_at(const struct gpu *gpu, double t) {
  double sum = 0, from = 0, whole;
  int i;
  if (t <= 0) return t * (gpu->step_count ? gpu->steps[0].watts : gpu->high_watts);
  for (i = 0; i < gpu->step_count && t > from; ++i) {
    double until = gpu->steps[i].until_s < t ? gpu->steps[i].until_s : t;
    if (until > from) sum += (until - from) * gpu->steps[i].watts;
    if (gpu->steps[i].until_s > from) from = gpu->steps[i].until_s;
  }
  t -= from;
  if (t <= 0) return sum;
  whole = (double)(long long)(t / gpu->square_s);
  sum += whole * gpu->square_s * (gpu->high_watts + gpu->low_watts) / 2;
  t -= whole * gpu->square_s;
  return sum + (t < gpu->square_s / 2 ? t * gpu->high_watts
                                      : gpu->square_s / 2 * gpu->high_watts + (t - gpu->square_s / 2) * gpu->low_watts);
}

/* When the value that is read now was last updated, in seconds from the epoch. */
static double updated_at(const struct gpu *gpu) {
  const double t = now_s() - epoch_s - gpu->phase_s;
  const double k = t / gpu->period_s;
  double whole = (double)(long long)k;
  if (whole > k) whole -= 1;
  return whole * gpu->period_s + gpu->phase_s;
}

static int fault_of(struct fault *faults, int count, enum what what, long calls) {
  int i;
  for (i = 0; i < count; ++i) {
    if (faults[i].what == what && calls > faults[i].after &&
        (faults[i].times == 0 || calls <= faults[i].after + faults[i].times))
      return faults[i].code;
  }
  return 0;
}

static int answer(struct gpu *gpu, enum what what) {
  const int code = fault_of(gpu->faults, gpu->fault_count, what, ++gpu->calls[what]);
  return code != 0 ? code : gpu->codes[what];
}

static unsigned watts_over(const struct gpu *gpu, double window_s, double more_watts) {
  const double t = updated_at(gpu);
  const double watts = (joules_at(gpu, t) - joules_at(gpu, t - window_s)) / window_s;
  return (unsigned)((gpu->lies ? gpu->lie_watts : watts + more_watts) * 1e3 + 0.5);
}

static unsigned long long energy_of(const struct gpu *gpu) {
  const double t = updated_at(gpu);
  double joules = gpu->base_joules + joules_at(gpu, t);
  if (gpu->stuck) return (unsigned long long)(gpu->stuck_joules * 1e3);
  if (gpu->restart_s >= 0 && t >= gpu->restart_s) joules = joules_at(gpu, t) - joules_at(gpu, gpu->restart_s);
  if (gpu->counts > 0) joules = gpu->base_joules + gpu->counts * joules_at(gpu, t);
  if (gpu->falls_s >= 0 && t >= gpu->falls_s) joules -= gpu->falls_by_joules;
  if (gpu->codes[MODULE] == 0 && gpu->codes[INSTANT] != 0) joules += gpu->module_watts * t;
  return joules < 0 ? 0 : (unsigned long long)(joules * 1e3);
}

/* For tests that load this library themselves: the truth, between two times of CLOCK_MONOTONIC. */
EXPORT double fakeNvmlTrueJoules(unsigned index, unsigned long long from_ns, unsigned long long to_ns) {
  if (index >= gpu_count) return -1;
  return joules_at(&gpus[index], (double)to_ns * 1e-9 - epoch_s) -
         joules_at(&gpus[index], (double)from_ns * 1e-9 - epoch_s);
}

static int init(const char *name) {
  int code;
  note("%s", name);
  if (!loaded) load_script();
  code = fault_of(library_faults, library_fault_count, INIT, ++library_calls[INIT]);
  return code;
}

EXPORT int nvmlInit_v2(void) { return init("nvmlInit_v2"); }

/* The script's counts of calls go on, so that faults can be told across a reload; a fresh load starts anew. */
EXPORT int nvmlShutdown(void) {
  note("nvmlShutdown");
  return 0;
}

EXPORT int nvmlDeviceGetCount_v2(unsigned *count) {
  *count = gpu_count;
  if (arrives_s >= 0 && gpu_count > 0 && now_s() - epoch_s < arrives_s) --*count;
  return 0;
}

static int open_gpu(unsigned index, void **device) {
  int code;
  if (index >= gpu_count) return 2;
  note("attach %u", index);
  code = answer(&gpus[index], HANDLE);
  *device = &gpus[index];
  return code;
}

EXPORT int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **device) { return open_gpu(index, device); }

EXPORT int nvmlDeviceGetTotalEnergyConsumption(void *device, unsigned long long *millijoules) {
  struct gpu *gpu = device;
  int code;
  if (gpu->parent) gpu = gpu->parent;
  sleep_s(latency_s / 2);
  if (gpu->hang_s > 0 && gpu->calls[ENERGY] >= gpu->hangs_after) sleep_s(gpu->hang_s);
  code = answer(gpu, ENERGY);
  if (code == 0) *millijoules = energy_of(gpu);
  sleep_s(latency_s / 2);
  return code;
}

EXPORT int nvmlDeviceGetPowerUsage(void *device, unsigned *milliwatts) {
  struct gpu *gpu = device;
  int code;
  sleep_s(latency_s);
  code = answer(gpu, USAGE);
  if (code == 0) *milliwatts = watts_over(gpu, gpu->arch >= 7 ? gpu->average_s : gpu->window_s, 0);
  return code;
}

struct pci_info {
  char bus_id_legacy[16];
  unsigned domain, bus, device, pci_device_id, pci_subsystem_id;
  char bus_id[32];
};

#ifdef FAKE_NVML_HALF
/* Of old drivers: without the longer bus_id. */
EXPORT int nvmlDeviceGetPciInfo_v2(void *device, struct pci_info *out) {
  memset(out, 0, offsetof(struct pci_info, bus_id));
  out->bus = ((struct gpu *)device)->bus;
  return 0;
}
#else
EXPORT const char *nvmlErrorString(int code) {
  return code == 3 ? "Not Supported" : code == 15 ? "GPU is lost" : "Fake error";
}

EXPORT int nvmlInitWithFlags(unsigned flags) { return init(flags & 2 ? "nvmlInitWithFlags no-attach" : "nvmlInitWithFlags"); }

EXPORT int nvmlSystemGetDriverVersion(char *out, unsigned size) {
  snprintf(out, size, "%s", driver);
  return 0;
}

EXPORT int nvmlDeviceGetHandleByPciBusId_v2(const char *id, void **device) {
  unsigned domain, bus, i;
  if (sscanf(id, "%x:%x:", &domain, &bus) != 2) return 2;
  for (i = 0; i < gpu_count; ++i)
    if (gpus[i].bus == bus) return open_gpu(i, device);
  return 6;
}

EXPORT int nvmlDeviceGetUUID(void *device, char *out, unsigned size) {
  snprintf(out, size, "%s", ((struct gpu *)device)->uuid);
  return 0;
}

EXPORT int nvmlDeviceGetName(void *device, char *out, unsigned size) {
  snprintf(out, size, "%s", ((struct gpu *)device)->name);
  return 0;
}

EXPORT int nvmlDeviceGetPciInfo_v3(void *device, struct pci_info *out) {
  memset(out, 0, sizeof *out);
  out->bus = ((struct gpu *)device)->bus;
  return 0;
}

EXPORT int nvmlDeviceGetArchitecture(void *device, unsigned *arch) {
  *arch = (unsigned)((struct gpu *)device)->arch;
  return 0;
}

EXPORT int nvmlDeviceGetVirtualizationMode(void *device, int *mode) {
  *mode = ((struct gpu *)device)->virtualization;
  return 0;
}

EXPORT int nvmlDeviceGetMigMode(void *device, unsigned *current, unsigned *pending) {
  const struct gpu *gpu = device;
  *current = *pending = gpu->mig > 0;
  return gpu->arch >= 7 ? 0 : 3;
}

EXPORT int nvmlDeviceGetMaxMigDeviceCount(void *device, unsigned *count) {
  *count = ((struct gpu *)device)->mig > 0 ? MAX_MIG : 0;
  return 0;
}

EXPORT int nvmlDeviceGetMigDeviceHandleByIndex(void *device, unsigned index, void **out) {
  struct gpu *gpu = device;
  if ((int)index >= gpu->mig) return 6;
  *out = &instances[gpu->index][index];
  return 0;
}

EXPORT int nvmlDeviceGetEnforcedPowerLimit(void *device, unsigned *milliwatts) {
  *milliwatts = ((struct gpu *)device)->limit_milliwatts;
  return *milliwatts == 0 ? 3 : 0;
}

EXPORT int nvmlDeviceGetUtilizationRates(void *device, unsigned *percents) {
  percents[0] = ((struct gpu *)device)->gpu_percent;
  percents[1] = ((struct gpu *)device)->memory_percent;
  return 0;
}

EXPORT int nvmlDeviceGetMemoryInfo(void *device, unsigned long long *out) {
  const struct gpu *gpu = device;
  if (gpu->memory_total == 0) return 3;
  out[0] = gpu->memory_total;
  out[1] = gpu->memory_total - gpu->memory_used;
  out[2] = gpu->memory_used;
  return 0;
}

struct field_value {
  unsigned field, scope;
  long long timestamp_us, latency_us;
  unsigned type;
  int code;
  union { double d; unsigned u; unsigned long ul; unsigned long long ull; long long sll; int si; } value;
};

static void set_value(struct field_value *value, int type, unsigned long long number) {
  memset(&value->value, 0, sizeof value->value);
  value->type = (unsigned)type;
  if (type == 0) value->value.d = (double)number;
  else if (type == 1) value->value.u = (unsigned)number;
  else if (type == 2) value->value.ul = (unsigned long)number;
  else value->value.ull = number;
}

/* Each with a status of its own; the call itself succeeds. */
EXPORT int nvmlDeviceGetFieldValues(void *device, int count, struct field_value *values) {
  struct gpu *gpu = device;
  struct timeval wall;
  int i;
  sleep_s(latency_s);
  for (i = 0; i < count; ++i) {
    struct field_value *value = &values[i];
    const double updated = updated_at(gpu);
    gettimeofday(&wall, NULL);
    value->timestamp_us = (long long)wall.tv_sec * 1000000 + wall.tv_usec -
                          (long long)((now_s() - epoch_s - updated) * 1e6);
    value->latency_us = (long long)(latency_s * 1e6);
    value->code = 3;
    if (value->field == 83) {
      value->code = answer(gpu, ENERGY);
      if (value->code == 0) set_value(value, 3, energy_of(gpu));
    } else if (value->field == 185 && value->scope == 0) {
      value->code = answer(gpu, AVERAGE);
      if (value->code == 0) set_value(value, gpu->value_type, watts_over(gpu, gpu->average_s, 0));
    } else if (value->field == 186 && value->scope <= 2) {
      const enum what what = value->scope == 0 ? INSTANT : value->scope == 1 ? MODULE : MEMORY;
      value->code = answer(gpu, what);
      if (value->code == 0 && what == MEMORY) set_value(value, gpu->value_type, (unsigned long long)(gpu->memory_watts * 1e3));
      else if (value->code == 0)
        set_value(value, gpu->value_type, watts_over(gpu, gpu->window_s, what == MODULE ? gpu->module_watts : 0));
    }
  }
  return 0;
}
#endif
