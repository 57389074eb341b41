// SPDX-License-Identifier: MIT
#include "registry.h"

#include <map>
#include <mutex>

namespace microjoule {
namespace {

// One for each set of options, so that opening some hardware waits for no other.
template <typename T>
struct Place {
  std::mutex mutex;
  std::weak_ptr<T> known;
};

// A place that nobody else holds is not about to be filled.
template <typename T>
bool IsLeft(const std::shared_ptr<Place<T>>& place) {
  const std::unique_lock<std::mutex> lock(place->mutex, std::try_to_lock);
  return lock.owns_lock() && place.use_count() == 1 && place->known.expired();
}

template <typename T>
struct Registry {
  std::mutex mutex;
  std::map<std::string, std::shared_ptr<Place<T>>> places;
};

template <typename T>
Registry<T>& TheRegistry() {
  // Leaked on purpose: environments may still close meters while exit() destroys statics.
  static auto* const registry = new Registry<T>;
  return *registry;
}

// What samplers that are closed knew of their counters.
struct Memory {
  std::mutex mutex;
  std::map<std::string, Calibrations> known;
};

Memory& TheMemory() {
  // Leaked, likewise.
  static auto* const memory = new Memory;
  return *memory;
}

std::string Key(const Options& options) {
  std::string key;
  const auto add = [&key](const std::string& part) { key.append(part).push_back('\0'); };
  add(options.sysfs);
  add(options.dev);
  add(options.nvml_library);
  add(options.wake_gpus ? "wake" : "");
  for (const std::string& source : options.sources) add(source);
  return key;
}

template <typename T, typename Make>
std::shared_ptr<T> Acquire(const Options& options, Make make) {
  Registry<T>& registry = TheRegistry<T>();
  std::shared_ptr<Place<T>> place;
  {
    const std::lock_guard<std::mutex> lock(registry.mutex);
    auto& places = registry.places;
    for (auto it = places.begin(); it != places.end();) {
      it = IsLeft(it->second) ? places.erase(it) : std::next(it);
    }
    std::shared_ptr<Place<T>>& there = places[Key(options)];
    if (there == nullptr) there = std::make_shared<Place<T>>();
    place = there;
  }
  const std::lock_guard<std::mutex> lock(place->mutex);
  std::shared_ptr<T> found = place->known.lock();
  if (found == nullptr || found->Outdated()) {
    found = make();
    place->known = found;
  }
  return found;
}

}  // namespace

std::shared_ptr<Meter> AcquireMeter(const Options& options) {
  return Acquire<Meter>(options, [&options] {
    return std::make_shared<Meter>(OpenSources(options), SystemClock(), true);
  });
}

std::shared_ptr<Sampler> AcquireSampler(const Options& options, const Calibrations& told) {
  return Acquire<Sampler>(options, [&options, &told] {
    const std::string key = Key(options);
    Memory& memory = TheMemory();
    Calibrations known;
    {
      const std::lock_guard<std::mutex> lock(memory.mutex);
      known = memory.known[key];
    }
    known.insert(told.begin(), told.end());  // what is known here stays
    const auto remember = [key](Sampler* sampler) {
      const std::unique_ptr<Sampler> ended(sampler);
      Memory& memory = TheMemory();
      const std::lock_guard<std::mutex> lock(memory.mutex);
      for (const auto& [id, found] : sampler->calibrations()) memory.known[key][id] = found;
    };
    return std::shared_ptr<Sampler>(new Sampler(options, SystemClock(), known), remember);
  });
}

}  // namespace microjoule
