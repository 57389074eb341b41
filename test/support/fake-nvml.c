// SPDX-License-Identifier: MIT
//
// A stand-in for NVIDIA's library, loaded by its path. The file named by FAKE_NVML_SCRIPT says what
// it is; each line is one of
//   init CODE                               what nvmlInit_v2 answers
//   gpu ENERGY_CODE WATTS BUS NAME          one GPU; WATTS flow from the first init on
//   fail INDEX AFTER CODE                   GPU INDEX answers CODE after AFTER energy reads
//   delay MS                                each energy read takes so long, and counts in the middle
// Without a script there is one GPU of 100 W.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define EXPORT __attribute__((visibility("default")))
#define MAX_GPUS 16

struct gpu {
  int energy_code;
  double watts;
  unsigned bus;
  char name[96];
  long reads, fail_after;
  int fail_code;
};

static struct gpu gpus[MAX_GPUS];
static unsigned gpu_count;
static int init_code;
static int delay_ms;
static int loaded;
static double start_seconds;

static double seconds_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void add_gpu(int code, double watts, unsigned bus, const char *name) {
  if (gpu_count == MAX_GPUS) return;
  struct gpu *gpu = &gpus[gpu_count++];
  memset(gpu, 0, sizeof *gpu);
  gpu->energy_code = code;
  gpu->watts = watts;
  gpu->bus = bus;
  gpu->fail_after = -1;
  snprintf(gpu->name, sizeof gpu->name, "%s", name);
}

static void load_script(void) {
  const char *path = getenv("FAKE_NVML_SCRIPT");
  FILE *file = path ? fopen(path, "r") : NULL;
  char line[256], name[128];
  int code, after, index;
  unsigned bus;
  double watts;
  loaded = 1;
  gpu_count = 0;
  init_code = 0;
  delay_ms = 0;
  start_seconds = seconds_now();
  if (!file) {
    add_gpu(0, 100.0, 1, "NVIDIA Fake 100");
    return;
  }
  while (fgets(line, sizeof line, file)) {
    if (sscanf(line, "init %d", &code) == 1) {
      init_code = code;
    } else if (sscanf(line, "delay %d", &delay_ms) == 1) {
      continue;
    } else if (sscanf(line, "gpu %d %lf %u %127[^\n]", &code, &watts, &bus, name) == 4) {
      add_gpu(code, watts, bus, name);
    } else if (sscanf(line, "fail %d %d %d", &index, &after, &code) == 3 && index >= 0 &&
               (unsigned)index < gpu_count) {
      gpus[index].fail_after = after;
      gpus[index].fail_code = code;
    }
  }
  fclose(file);
}

EXPORT int nvmlInit_v2(void) {
  if (!loaded) load_script();
  return init_code;
}

EXPORT int nvmlShutdown(void) {
  loaded = 0;
  return 0;
}

EXPORT const char *nvmlErrorString(int code) { return code == 3 ? "Not Supported" : "Fake error"; }

EXPORT int nvmlDeviceGetCount_v2(unsigned *count) {
  *count = gpu_count;
  return 0;
}

EXPORT int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **device) {
  if (index >= gpu_count) return 2;
  *device = &gpus[index];
  return 0;
}

EXPORT int nvmlDeviceGetUUID(void *device, char *out, unsigned size) {
  snprintf(out, size, "GPU-fake-%u", (unsigned)((struct gpu *)device - gpus));
  return 0;
}

EXPORT int nvmlDeviceGetName(void *device, char *out, unsigned size) {
  snprintf(out, size, "%s", ((struct gpu *)device)->name);
  return 0;
}

struct pci_info {
  char bus_id_legacy[16];
  unsigned domain, bus, device, pci_device_id, pci_subsystem_id;
  char bus_id[32];
};

EXPORT int nvmlDeviceGetPciInfo_v3(void *device, struct pci_info *out) {
  memset(out, 0, sizeof *out);
  out->bus = ((struct gpu *)device)->bus;
  return 0;
}

static void wait_half(void) {
  struct timespec t = {0, delay_ms * 500000L};
  if (delay_ms > 0) nanosleep(&t, NULL);
}

EXPORT int nvmlDeviceGetTotalEnergyConsumption(void *device, unsigned long long *millijoules) {
  struct gpu *gpu = device;
  if (gpu->energy_code != 0) return gpu->energy_code;
  if (gpu->fail_after >= 0 && gpu->reads >= gpu->fail_after) return gpu->fail_code;
  gpu->reads++;
  wait_half();
  *millijoules = 5000000ull + (unsigned long long)((seconds_now() - start_seconds) * gpu->watts * 1e3);
  wait_half();
  return 0;
}
