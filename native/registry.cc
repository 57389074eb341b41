// SPDX-License-Identifier: MIT
#include "registry.h"

#include <map>
#include <mutex>

namespace microjoule {
namespace {

struct Registry {
  std::mutex mutex;
  std::map<std::string, std::weak_ptr<Meter>> meters;
};

Registry& TheRegistry() {
  // Leaked on purpose: environments may still close meters while exit() destroys statics.
  static auto* const registry = new Registry;
  return *registry;
}

std::string Key(const Options& options) {
  std::string key;
  const auto add = [&key](const std::string& part) { key.append(part).push_back('\0'); };
  add(options.sysfs);
  add(options.dev);
  add(options.nvml_library);
  for (const std::string& source : options.sources) add(source);
  return key;
}

}  // namespace

std::shared_ptr<Meter> AcquireMeter(const Options& options) {
  Registry& registry = TheRegistry();
  const std::lock_guard<std::mutex> lock(registry.mutex);
  std::weak_ptr<Meter>& known = registry.meters[Key(options)];
  std::shared_ptr<Meter> meter = known.lock();
  if (meter == nullptr) {
    meter = std::make_shared<Meter>(OpenSources(options), SystemClock(), true);
    known = meter;
  }
  for (auto it = registry.meters.begin(); it != registry.meters.end();) {
    it = it->second.expired() ? registry.meters.erase(it) : std::next(it);
  }
  return meter;
}

}  // namespace microjoule
