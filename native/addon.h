// SPDX-License-Identifier: MIT
//
// What the files of the addon share. Only they know Node-API.
#pragma once

#include <napi.h>

#include "source.h"

namespace microjoule {

// The options that say where counters are looked for. Throws a Napi::TypeError.
Options ReadOptions(const Napi::Value& value);

// What JavaScript is told of a counter.
Napi::Object DescribeCounter(Napi::Env env, const Counter& counter, bool blocking);

// The words of a BigUint64Array over shared memory, at least `least`; throws a Napi::TypeError that
// begins with `bind: `. An ordinary ArrayBuffer can be transferred away, and a kept pointer with
// it.
struct SharedWords {
  uint64_t* data = nullptr;
  size_t length = 0;
};
SharedWords GetSharedWords(const Napi::Value& value, size_t least);

// A function of bare Node-API that is given `*data`, and keeps it alive.
template <typename T>
Napi::Value MakeBoundFunction(Napi::Env env, const char* name, napi_callback call,
                              const std::shared_ptr<T>& data) {
  auto held = std::make_unique<std::shared_ptr<T>>(data);
  napi_value function;
  NAPI_THROW_IF_FAILED(
      env, napi_create_function(env, name, NAPI_AUTO_LENGTH, call, data.get(), &function),
      env.Undefined());
  NAPI_THROW_IF_FAILED(
      env,
      napi_add_finalizer(
          env, function, held.get(),
          [](napi_env, void* it, void*) { delete static_cast<std::shared_ptr<T>*>(it); }, nullptr,
          nullptr),
      env.Undefined());
  held.release();  // the finalizer has it
  return Napi::Value(env, function);
}

// Adds the class NativeSampler.
void InitSampler(Napi::Env env, Napi::Object exports);

}  // namespace microjoule
