// SPDX-License-Identifier: MIT
//
// Node-API on one side, the core on the other. With addon_sampler.cc the only file that knows both.
#include "addon.h"

#include "child_usage.h"
#include "registry.h"

namespace microjoule {
namespace {

std::string Text(const Napi::Object& options, const char* key, const std::string& fallback) {
  const Napi::Value value = options.Get(key);
  if (value.IsUndefined()) return fallback;
  if (!value.IsString())
    throw Napi::TypeError::New(options.Env(), std::string(key) + ": string expected");
  return value.As<Napi::String>().Utf8Value();
}

}  // namespace

Options ReadOptions(const Napi::Value& value) {
  Options options;
  if (!value.IsObject()) throw Napi::TypeError::New(value.Env(), "open: options object expected");
  const Napi::Object object = value.As<Napi::Object>();
  options.sysfs = Text(object, "sysfs", options.sysfs);
  options.dev = Text(object, "dev", options.dev);
  options.nvml_library = Text(object, "nvmlLibrary", "");
  options.wake_gpus = object.Get("wakeGpus").ToBoolean();
  const Napi::Value sources = object.Get("sources");
  if (sources.IsArray()) {
    const Napi::Array names = sources.As<Napi::Array>();
    for (uint32_t i = 0; i < names.Length(); ++i) {
      options.sources.push_back(names.Get(i).ToString().Utf8Value());
    }
  }
  return options;
}

Napi::Object DescribeCounter(Napi::Env env, const Counter& counter, bool blocking) {
  Napi::Object out = Napi::Object::New(env);
  out.Set("id", counter.id);
  out.Set("domain", DomainName(counter.domain));
  out.Set("device", counter.device);
  if (counter.die >= 0) out.Set("die", counter.die);
  out.Set("origin", counter.origin);
  if (!counter.device_name.empty()) out.Set("deviceName", counter.device_name);
  if (!counter.pci_address.empty()) out.Set("pciAddress", counter.pci_address);
  out.Set("kind", counter.kind == CounterKind::kEnergy ? "energy" : "power");
  out.Set("scaleNumerator", Napi::BigInt::New(env, counter.scale.numerator));
  out.Set("scaleDenominator", Napi::BigInt::New(env, counter.scale.denominator));
  out.Set("modulusTicks", Napi::BigInt::New(env, counter.modulus_ticks));
  out.Set("clock", counter.clock == CounterClock::kReader ? "reader" : "device");
  out.Set("blocking", blocking);
  if (counter.update_period_ns != 0) {
    out.Set("updatePeriodNs", static_cast<double>(counter.update_period_ns));
  }
  if (counter.unknown_content) out.Set("unknownContent", true);
  out.Set("fromOpen", counter.from_open);
  if (!counter.method.empty()) out.Set("method", counter.method);
  out.Set("status", StatusName(counter.outcome.status));
  out.Set("detail", counter.outcome.detail);
  return out;
}

SharedWords GetSharedWords(const Napi::Value& value, size_t least) {
  const Napi::Env env = value.Env();
  if (!value.IsTypedArray()) throw Napi::TypeError::New(env, "bind: BigUint64Array expected");
  napi_typedarray_type type;
  size_t length = 0;
  void* data = nullptr;
  napi_value buffer;
  size_t offset = 0;
  if (napi_get_typedarray_info(env, value, &type, &length, &data, &buffer, &offset) != napi_ok ||
      type != napi_biguint64_array || length < least) {
    throw Napi::TypeError::New(
        env, "bind: BigUint64Array of at least " + std::to_string(least) + " elements expected");
  }
  if (Napi::Value(env, buffer).IsArrayBuffer()) {
    throw Napi::TypeError::New(env, "bind: array over a SharedArrayBuffer expected");
  }
  return {static_cast<uint64_t*>(data), length};
}

namespace {

// What a reading needs. Empty once the meter is closed.
struct Binding {
  std::shared_ptr<Meter> meter;
  uint64_t* words = nullptr;
};

// Bare Node-API: node-addon-api's wrapper and the look-up of the wrapped object cost more than a
// reading may.
napi_value ReadBound(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value slow_first_value;
  void* data = nullptr;
  if (napi_get_cb_info(env, info, &count, &slow_first_value, nullptr, &data) != napi_ok) {
    return nullptr;
  }
  const auto* const binding = static_cast<const Binding*>(data);
  if (binding->meter == nullptr) {
    napi_throw_error(env, nullptr, "the meter is closed");
    return nullptr;
  }
  // `true`: slow sources first, as a region should start.
  bool slow_first = false;
  if (count > 0) napi_get_value_bool(env, slow_first_value, &slow_first);
  binding->meter->Read(binding->words,
                       slow_first ? Meter::Order::kSlowFirst : Meter::Order::kFastFirst);
  return nullptr;
}

// One environment's hold on a meter, and the buffer it reads into.
class MeterHandle final : public Napi::ObjectWrap<MeterHandle> {
 public:
  static Napi::Function Define(Napi::Env env) {
    return DefineClass(env, "NativeMeter",
                       {InstanceMethod<&MeterHandle::Sources>("sources"),
                        InstanceMethod<&MeterHandle::Bind>("bind"),
                        InstanceMethod<&MeterHandle::Explain>("explain"),
                        InstanceMethod<&MeterHandle::Timing>("timing"),
                        InstanceMethod<&MeterHandle::Devices>("devices"),
                        InstanceMethod<&MeterHandle::Close>("close"),
                        InstanceAccessor<&MeterHandle::Words>("words")});
  }

  explicit MeterHandle(const Napi::CallbackInfo& info) : Napi::ObjectWrap<MeterHandle>(info) {
    const Options options = ReadOptions(info[0]);
    try {
      meter_ = AcquireMeter(options);
    } catch (const std::exception& error) {
      // Out of memory, say: no C++ exception may pass through Node.
      throw Napi::Error::New(info.Env(), error.what());
    }
  }

  ~MeterHandle() override { *binding_ = {}; }

 private:
  Meter& Opened(const Napi::CallbackInfo& info) const {
    if (meter_ == nullptr) throw Napi::Error::New(info.Env(), "the meter is closed");
    return *meter_;
  }

  Napi::Value Words(const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), static_cast<double>(Opened(info).words()));
  }

  Napi::Value Sources(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    Napi::Array list = Napi::Array::New(env);
    for (const OpenedSource& source : Opened(info).sources()) {
      Napi::Array counters = Napi::Array::New(env);
      for (const Counter& counter : source.source->counters()) {
        counters.Set(counters.Length(), DescribeCounter(env, counter, source.source->blocking()));
      }
      Napi::Object out = Napi::Object::New(env);
      out.Set("source", source.name);
      out.Set("status", StatusName(source.outcome.status));
      out.Set("detail", source.outcome.detail);
      out.Set("counters", counters);
      list.Set(list.Length(), out);
    }
    return list;
  }

  // Gives the function that reads into the buffer.
  Napi::Value Bind(const Napi::CallbackInfo& info) {
    const SharedWords words = GetSharedWords(info[0], Opened(info).words());
    bound_ = Napi::Persistent(info[0].As<Napi::Object>());
    *binding_ = {meter_, words.data};
    return MakeBoundFunction(info.Env(), "read", ReadBound, binding_);
  }

  Napi::Value Explain(const Napi::CallbackInfo& info) {
    const size_t index = info[0].ToNumber().Uint32Value();
    return Napi::String::New(info.Env(), Opened(info).Explain(index));
  }

  // What is known of a counter by now; what is not known is absent.
  Napi::Value Timing(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    const CounterTiming timing = Opened(info).Timing(info[0].ToNumber().Uint32Value());
    Napi::Object out = Napi::Object::New(env);
    const auto set = [&](const char* key, uint64_t value) {
      if (value != 0) out.Set(key, static_cast<double>(value));
    };
    set("updatePeriodNs", timing.update_period_ns);
    set("lagNs", timing.lag_ns);
    set("readCostNs", timing.read_cost_ns);
    if (!timing.method.empty()) out.Set("method", timing.method);
    if (timing.is_longest_period) out.Set("isLongestPeriod", true);
    if (timing.resumed_ns != 0) {
      out.Set("resumedTicks", Napi::BigInt::New(env, timing.resumed_ticks));
      out.Set("resumedNs", Napi::BigInt::New(env, timing.resumed_ns));
    }
    set("jumpBreakCount", timing.jump_breaks);
    return out;
  }

  Napi::Value Devices(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    Napi::Array list = Napi::Array::New(env);
    for (const DeviceState& device : Opened(info).Devices()) {
      Napi::Object out = Napi::Object::New(env);
      const auto text = [&](const char* key, const std::string& value) {
        if (!value.empty()) out.Set(key, value);
      };
      const auto number = [&](const char* key, double value) {
        if (value > 0) out.Set(key, value);
      };
      out.Set("device", device.device);
      text("name", device.name);
      text("uuid", device.uuid);
      text("pciAddress", device.pci_address);
      text("driverVersion", device.driver_version);
      number("powerLimitWatts", device.power_limit_watts);
      constexpr double kBytesPerGib = 1073741824;
      number("memoryTotalGib", static_cast<double>(device.memory_total_bytes) / kBytesPerGib);
      number("memoryUsedGib", static_cast<double>(device.memory_used_bytes) / kBytesPerGib);
      number("instanceCount", device.instances);
      out.Set("watchedSeconds", device.watched_seconds);
      out.Set("busySeconds", device.busy_seconds);
      list.Set(list.Length(), out);
    }
    return list;
  }

  void Close(const Napi::CallbackInfo&) {
    *binding_ = {};
    meter_.reset();
    bound_.Reset();
  }

  std::shared_ptr<Meter> meter_;
  Napi::ObjectReference bound_;
  std::shared_ptr<Binding> binding_ = std::make_shared<Binding>();
};

Napi::Value ReadChildren(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  ChildUsage usage;
  if (!ReadChildUsage(&usage)) return env.Undefined();
  Napi::Object out = Napi::Object::New(env);
  out.Set("userCpuSeconds", static_cast<double>(usage.user_us) / 1e6);
  out.Set("systemCpuSeconds", static_cast<double>(usage.system_us) / 1e6);
  return out;
}

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  Napi::Array statuses = Napi::Array::New(env);
  for (uint32_t i = 0; i < kStatusCount; ++i) {
    statuses.Set(i, StatusName(static_cast<Status>(i)));
  }
  Napi::Array names = Napi::Array::New(env);
  for (const SourceEntry& entry : SourceTable()) names.Set(names.Length(), entry.name);
  exports.Set("NativeMeter", MeterHandle::Define(env));
  InitSampler(env, exports);
  exports.Set("childUsage", Napi::Function::New(env, ReadChildren, "childUsage"));
  exports.Set("statuses", statuses);
  exports.Set("sourceNames", names);
  exports.Set("headerWords", static_cast<double>(kHeaderWords));
  exports.Set("counterWords", static_cast<double>(kCounterWords));
  return exports;
}

}  // namespace
}  // namespace microjoule

static Napi::Object Init(Napi::Env env, Napi::Object exports) {
  return microjoule::Init(env, exports);
}

NODE_API_MODULE(microjoule, Init)
