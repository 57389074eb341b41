// SPDX-License-Identifier: MIT
//
// The sampler's side of Node-API.
#include <algorithm>

#include "addon.h"
#include "registry.h"

namespace microjoule {
namespace {

// What a drain needs. Empty once the sampler is closed.
struct Binding {
  std::unique_ptr<SampleReader> reader;
  SharedWords words;
};

napi_value DrainBound(napi_env env, napi_callback_info info) {
  void* data = nullptr;
  if (napi_get_cb_info(env, info, nullptr, nullptr, nullptr, &data) != napi_ok) return nullptr;
  const auto* const binding = static_cast<const Binding*>(data);
  if (binding->reader == nullptr) {
    napi_throw_error(env, nullptr, "the sampler is closed");
    return nullptr;
  }
  const size_t count = binding->reader->Drain(binding->words.data, binding->words.length);
  napi_value out = nullptr;
  napi_create_uint32(env, static_cast<uint32_t>(count), &out);
  return out;
}

Napi::Value Number(Napi::Env env, uint64_t value) {
  return Napi::Number::New(env, static_cast<double>(value));
}

// What an earlier process knew of counters, by their names. Throws a Napi::TypeError.
Calibrations ReadKnown(const Napi::Value& value) {
  Calibrations out;
  if (value.IsUndefined()) return out;
  if (!value.IsArray()) throw Napi::TypeError::New(value.Env(), "known: array expected");
  const Napi::Array list = value.As<Napi::Array>();
  for (uint32_t i = 0; i < list.Length(); ++i) {
    const Napi::Object object = list.Get(i).ToObject();
    const auto number = [&object](const char* key) {
      const double found = object.Get(key).ToNumber().DoubleValue();
      if (!(found >= 0 && found < 1e18)) {
        throw Napi::TypeError::New(object.Env(),
                                   std::string("known: ") + key + ": amount expected");
      }
      return found;
    };
    Calibration known;
    known.updates = static_cast<uint32_t>(std::min(number("updateCount"), 1e6));
    known.period_ns = number("periodNs");
    known.period_uncertainty_ns = number("periodUncertaintyNs");
    known.jitter_ns = number("jitterNs");
    known.held_up_ratio = number("heldUpRatio");
    known.bracket_ns = number("bracketNs");
    const Napi::Value quantum = object.Get("quantumTicks");
    if (quantum.IsBigInt()) {
      bool lossless = false;
      known.quantum_ticks = quantum.As<Napi::BigInt>().Uint64Value(&lossless);
    }
    if (known.period_ns > 0) out[object.Get("id").ToString()] = known;
  }
  return out;
}

// One environment's hold on a sampler.
class SamplerHandle final : public Napi::ObjectWrap<SamplerHandle> {
 public:
  static Napi::Function Define(Napi::Env env) {
    return DefineClass(env, "NativeSampler",
                       {InstanceMethod<&SamplerHandle::Start>("start"),
                        InstanceMethod<&SamplerHandle::Stop>("stop"),
                        InstanceMethod<&SamplerHandle::Calibrate>("calibrate"),
                        InstanceMethod<&SamplerHandle::Counters>("counters"),
                        InstanceMethod<&SamplerHandle::Threads>("threads"),
                        InstanceMethod<&SamplerHandle::Bind>("bind"),
                        InstanceMethod<&SamplerHandle::Close>("close")});
  }

  explicit SamplerHandle(const Napi::CallbackInfo& info) : Napi::ObjectWrap<SamplerHandle>(info) {
    const Options options = ReadOptions(info[0]);
    const Napi::Object object = info[0].As<Napi::Object>();
    const Napi::Value rate = object.Get("rateHz");
    if (!rate.IsUndefined()) {
      demand_.rate_hz = rate.IsNumber() ? rate.As<Napi::Number>().DoubleValue() : 0;
      if (!(demand_.rate_hz >= kLowestRateHz && demand_.rate_hz <= kHighestRateHz)) {
        throw Napi::RangeError::New(info.Env(), "rateHz: number from 1 to 10000 expected");
      }
    }
    const Napi::Value track = object.Get("track");
    if (!track.IsUndefined()) {
      if (!track.IsBoolean()) throw Napi::TypeError::New(info.Env(), "track: boolean expected");
      demand_.track = track.As<Napi::Boolean>().Value();
    }
    const Calibrations known = ReadKnown(object.Get("known"));
    try {
      sampler_ = AcquireSampler(options, known);
    } catch (const std::exception& error) {
      throw Napi::Error::New(info.Env(), error.what());
    }
  }

  ~SamplerHandle() override { Release(); }

 private:
  Sampler& Opened(const Napi::CallbackInfo& info) const {
    if (sampler_ == nullptr) throw Napi::Error::New(info.Env(), "the sampler is closed");
    return *sampler_;
  }

  void Start(const Napi::CallbackInfo& info) {
    try {
      Opened(info).Start(this, demand_);
    } catch (const std::system_error& error) {
      throw Napi::Error::New(info.Env(),
                             std::string("no thread could be started to sample counters (") +
                                 error.what() + "): raise the limit of threads (ulimit -u)");
    }
  }

  void Stop(const Napi::CallbackInfo& info) { Opened(info).Stop(this); }

  void Calibrate(const Napi::CallbackInfo& info) { Opened(info).Calibrate(); }

  // Every counter that is sampled, in the order of the numbers in records.
  Napi::Value Counters(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    Napi::Array list = Napi::Array::New(env);
    const auto& workers = Opened(info).workers();
    for (size_t thread = 0; thread < workers.size(); ++thread) {
      const PackageSampler& sampler = workers[thread]->sampler();
      const std::vector<PackageSampler::Report> reports = sampler.Describe();
      auto report = reports.begin();
      for (const OpenedSource& source : sampler.sources()) {
        for (const Counter& counter : source.source->counters()) {
          Napi::Object out = DescribeCounter(env, counter, false);
          out.Set("source", source.name);
          out.Set("thread", static_cast<double>(thread));
          AddReport(env, *report++, &out);
          list.Set(list.Length(), out);
        }
      }
    }
    return list;
  }

  static void AddReport(Napi::Env env, const PackageSampler::Report& report, Napi::Object* out) {
    out->Set("status", StatusName(report.status));
    if (!report.detail.empty()) out->Set("detail", report.detail);
    out->Set("mode", ModeName(report.mode));
    const Calibration& found = report.calibration;
    Napi::Object calibration = Napi::Object::New(env);
    calibration.Set("updateCount", static_cast<double>(found.updates));
    if (found.period_ns > 0) {
      calibration.Set("periodNs", found.period_ns);
      calibration.Set("periodUncertaintyNs", found.period_uncertainty_ns);
      calibration.Set("jitterNs", found.jitter_ns);
      calibration.Set("heldUpRatio", found.held_up_ratio);
    }
    if (found.bracket_ns > 0) calibration.Set("bracketNs", found.bracket_ns);
    if (found.quantum_ticks != 0) {
      calibration.Set("quantumTicks", Napi::BigInt::New(env, found.quantum_ticks));
    }
    if (report.read_cost_ns > 0) {
      calibration.Set("readMedianNs", report.read_cost_ns);
      calibration.Set("readP99Ns", report.read_cost_p99_ns);
    }
    out->Set("calibration", calibration);
    const CounterWatch::Totals& totals = report.totals;
    out->Set("seenCount", Number(env, totals.updates));
    out->Set("missedCount", Number(env, totals.missed));
    out->Set("unsureCount", Number(env, totals.unsure));
    out->Set("gapCount", Number(env, totals.gaps));
    out->Set("breakCount", Number(env, totals.breaks));
    out->Set("failedReadCount", Number(env, totals.failed_reads));
    out->Set("lostLockCount", Number(env, totals.lost_locks));
  }

  Napi::Value Threads(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    Napi::Array list = Napi::Array::New(env);
    for (const auto& worker : Opened(info).workers()) {
      const Sampler::Worker::State state = worker->state();
      const PackageSampler& sampler = worker->sampler();
      Napi::Object out = Napi::Object::New(env);
      out.Set("package", static_cast<double>(worker->package()));
      out.Set("running", state.running);
      out.Set("detail", state.detail);
      out.Set("cpuNs", Number(env, state.cpu_ns));
      out.Set("readCount", Number(env, sampler.stats().polls));
      out.Set("sleepCount", Number(env, sampler.stats().sleeps));
      out.Set("oversleptCount", Number(env, sampler.stats().overslept));
      out.Set("recordCount", Number(env, sampler.ring().published()));
      list.Set(list.Length(), out);
    }
    return list;
  }

  // Gives the function that drains into the buffer, from now on.
  Napi::Value Bind(const Napi::CallbackInfo& info) {
    Opened(info);
    const SharedWords words = GetSharedWords(info[0], kSampleHeaderWords + SampleRecord::kWords);
    auto binding = std::make_shared<Binding>();
    binding->reader = std::make_unique<SampleReader>(sampler_);
    binding->words = words;
    const Napi::Value drain = MakeBoundFunction(info.Env(), "drain", DrainBound, binding);
    // The function before this one ends with it: one buffer is kept alive, not all that ever were.
    if (binding_ != nullptr) *binding_ = {};
    binding_ = binding;
    bound_ = Napi::Persistent(info[0].As<Napi::Object>());
    return drain;
  }

  void Close(const Napi::CallbackInfo&) {
    Release();
    bound_.Reset();
  }

  void Release() {
    if (binding_ != nullptr) *binding_ = {};
    binding_.reset();
    if (sampler_ != nullptr) sampler_->Stop(this);
    sampler_.reset();
  }

  std::shared_ptr<Sampler> sampler_;
  Sampler::Demand demand_;
  Napi::ObjectReference bound_;
  std::shared_ptr<Binding> binding_;
};

}  // namespace

void InitSampler(Napi::Env env, Napi::Object exports) {
  exports.Set("NativeSampler", SamplerHandle::Define(env));
  exports.Set("sampleHeaderWords", static_cast<double>(kSampleHeaderWords));
  exports.Set("sampleRecordWords", static_cast<double>(SampleRecord::kWords));
}

}  // namespace microjoule
