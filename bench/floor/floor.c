// SPDX-License-Identifier: MIT
//
// The least that a reading can cost: boot time, time, the system calls, time, in a bare C loop. It runs inside the process
// that it is compared with, since the same system call costs more in a process of Node's size, and on the very
// descriptors, since two equal groups of events can differ by 0.1 µs in the kernel.
//   useFiles(descriptors)  then one pread a file and pass
//   useGroup(descriptor)   then one read of a group of events
//   loop(passes)           nanoseconds a pass
//   pass()                 one pass: what calling it through Node-API adds
#include <node_api.h>
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

static napi_value use_files(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value list;
  napi_get_cb_info(env, info, &count, &list, NULL, NULL);
  napi_get_array_length(env, list, &files);
  if (files > MAX_FILES) return fail(env, "too many files");
  for (uint32_t i = 0; i < files; ++i) {
    napi_value fd;
    napi_get_element(env, list, i, &fd);
    napi_get_value_int32(env, fd, &fds[i]);
  }
  return NULL;
}

static napi_value use_group(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value fd;
  napi_get_cb_info(env, info, &count, &fd, NULL, NULL);
  napi_get_value_int32(env, fd, &group);
  return NULL;
}

static volatile long long stamps[3];

static inline const char *read_all(void) {
  static long long values[1 + MAX_FILES];
  stamps[2] = now_ns(CLOCK_BOOTTIME);
  stamps[0] = now_ns(CLOCK_MONOTONIC);
  for (uint32_t i = 0; i < files; ++i) {
    if (pread(fds[i], text[i], sizeof text[i], 0) <= 0) return "a file cannot be read";
  }
  if (group >= 0 && read(group, values, sizeof values) <= 0) return "no events";
  stamps[1] = now_ns(CLOCK_MONOTONIC);
  return NULL;
}

static napi_value loop(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value arg, result;
  int32_t passes;
  napi_get_cb_info(env, info, &count, &arg, NULL, NULL);
  napi_get_value_int32(env, arg, &passes);
  const long long start = now_ns(CLOCK_MONOTONIC);
  for (int pass = 0; pass < passes; ++pass) {
    const char *const failure = read_all();
    if (failure != NULL) return fail(env, failure);
  }
  napi_create_double(env, (double)(now_ns(CLOCK_MONOTONIC) - start) / passes, &result);
  return result;
}

static napi_value pass(napi_env env, napi_callback_info info) {
  (void)info;
  const char *const failure = read_all();
  return failure == NULL ? NULL : fail(env, failure);
}

NAPI_MODULE_INIT() {
  napi_value function;
  napi_create_function(env, "useFiles", NAPI_AUTO_LENGTH, use_files, NULL, &function);
  napi_set_named_property(env, exports, "useFiles", function);
  napi_create_function(env, "useGroup", NAPI_AUTO_LENGTH, use_group, NULL, &function);
  napi_set_named_property(env, exports, "useGroup", function);
  napi_create_function(env, "loop", NAPI_AUTO_LENGTH, loop, NULL, &function);
  napi_set_named_property(env, exports, "loop", function);
  napi_create_function(env, "pass", NAPI_AUTO_LENGTH, pass, NULL, &function);
  napi_set_named_property(env, exports, "pass", function);
  return exports;
}
