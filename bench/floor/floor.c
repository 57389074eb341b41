// SPDX-License-Identifier: MIT
//
// The least that a reading can cost: boot time, time, the system calls, time, in a bare C loop. It runs inside the process
// that it is compared with, since the same system call costs more in a process of Node's size.
//   openFiles(paths)      then one pread a file and pass
//   openGroup(cpu, count) then one read of a group of `count` software events of a CPU
//   loop(passes)          nanoseconds a pass
#include <fcntl.h>
#include <linux/perf_event.h>
#include <node_api.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define MAX_FILES 64

static int fds[MAX_FILES];
static char text[MAX_FILES][64];
static uint32_t files;
static int group = -1;

static long long now_ns(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static napi_value fail(napi_env env, const char *what) {
  napi_throw_error(env, NULL, what);
  return NULL;
}

static napi_value open_files(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value paths;
  napi_get_cb_info(env, info, &count, &paths, NULL, NULL);
  napi_get_array_length(env, paths, &files);
  if (files > MAX_FILES) return fail(env, "too many files");
  for (uint32_t i = 0; i < files; ++i) {
    napi_value path;
    char name[4096];
    napi_get_element(env, paths, i, &path);
    napi_get_value_string_utf8(env, path, name, sizeof name, NULL);
    fds[i] = open(name, O_RDONLY | O_CLOEXEC);
    if (fds[i] < 0) return fail(env, "a file cannot be opened");
  }
  return NULL;
}

static napi_value open_group(napi_env env, napi_callback_info info) {
  size_t count = 2;
  napi_value args[2];
  int32_t cpu, events;
  napi_get_cb_info(env, info, &count, args, NULL, NULL);
  napi_get_value_int32(env, args[0], &cpu);
  napi_get_value_int32(env, args[1], &events);
  for (int i = 0; i < events; ++i) {
    struct perf_event_attr attr;
    memset(&attr, 0, sizeof attr);
    attr.type = PERF_TYPE_SOFTWARE;
    attr.size = sizeof attr;
    attr.config = i;
    attr.read_format = PERF_FORMAT_GROUP;
    const int fd = syscall(SYS_perf_event_open, &attr, -1, cpu, group, PERF_FLAG_FD_CLOEXEC);
    if (fd < 0) return fail(env, "an event cannot be opened: root or CAP_PERFMON is needed");
    if (i == 0) group = fd;
  }
  return NULL;
}

static napi_value loop(napi_env env, napi_callback_info info) {
  static long long values[1 + MAX_FILES];
  volatile long long stamps[3];
  size_t count = 1;
  napi_value arg, result;
  int32_t passes;
  napi_get_cb_info(env, info, &count, &arg, NULL, NULL);
  napi_get_value_int32(env, arg, &passes);
  const long long start = now_ns(CLOCK_MONOTONIC);
  for (int pass = 0; pass < passes; ++pass) {
    stamps[2] = now_ns(CLOCK_BOOTTIME);
    stamps[0] = now_ns(CLOCK_MONOTONIC);
    for (uint32_t i = 0; i < files; ++i) {
      if (pread(fds[i], text[i], sizeof text[i], 0) <= 0) return fail(env, "a file cannot be read");
    }
    if (group >= 0 && read(group, values, sizeof values) <= 0) return fail(env, "no events");
    stamps[1] = now_ns(CLOCK_MONOTONIC);
  }
  napi_create_double(env, (double)(now_ns(CLOCK_MONOTONIC) - start) / passes, &result);
  (void)stamps[2];
  return result;
}

NAPI_MODULE_INIT() {
  napi_value function;
  napi_create_function(env, "openFiles", NAPI_AUTO_LENGTH, open_files, NULL, &function);
  napi_set_named_property(env, exports, "openFiles", function);
  napi_create_function(env, "openGroup", NAPI_AUTO_LENGTH, open_group, NULL, &function);
  napi_set_named_property(env, exports, "openGroup", function);
  napi_create_function(env, "loop", NAPI_AUTO_LENGTH, loop, NULL, &function);
  napi_set_named_property(env, exports, "loop", function);
  return exports;
}
