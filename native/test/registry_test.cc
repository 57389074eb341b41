// SPDX-License-Identifier: MIT
#include "registry.h"

#include <thread>

#include "check.h"

int main() {
  using namespace microjoule;
  Options options;
  options.sysfs = "/nonexistent";
  options.nvml_library = "/nonexistent/libnvidia-ml.so.1";

  // The same options are the same meter while anyone holds it; other options are another.
  auto first = AcquireMeter(options);
  CHECK(first == AcquireMeter(options));
  Options other = options;
  other.sources = {"nvml"};
  CHECK(first != AcquireMeter(other));
  CHECK(AcquireMeter(other)->sources().size() == 1);
  const std::weak_ptr<Meter> gone = first;
  first.reset();
  CHECK(gone.expired());
  CHECK(AcquireMeter(options) != nullptr);

  // Many threads open, read and close at once.
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&options] {
      for (int i = 0; i < 200; ++i) {
        const auto meter = AcquireMeter(options);
        std::vector<uint64_t> words(meter->words());
        meter->Read(words.data());
        CHECK(words[0] <= words[1]);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}
