// SPDX-License-Identifier: MIT
#include <cstdlib>
#include <thread>

#include "check.h"
#include "clock.h"
#include "source.h"
#include "temp_tree.h"

namespace microjoule {

std::unique_ptr<Source> MakeNvml();

namespace {

std::string Library() {
  const char* const path = std::getenv("FAKE_NVML_LIBRARY");
  CHECK(path != nullptr);
  return path;
}

Outcome Probe(Source* source, const std::string& library) {
  Options options;
  options.nvml_library = library;
  return source->Probe(options);
}

void Script(const TempTree& tree, const std::string& text) {
  tree.Write("script", text);
  setenv("FAKE_NVML_SCRIPT", tree.Path("script").c_str(), 1);
}

void TestGpus() {
  const TempTree tree;
  Script(tree,
         "gpu 0 200 65 NVIDIA A\n"
         "gpu 3 0 2 NVIDIA GeForce MX450\n"
         "gpu 0 50 3 NVIDIA C\n"
         "fail 2 3 15\n");
  const auto source = MakeNvml();
  CHECK(Probe(source.get(), Library()).status == Status::kOk);
  CHECK(source->blocking());
  const std::vector<Counter>& counters = source->counters();
  CHECK(counters.size() == 3);
  CHECK(counters[0].device_name == "NVIDIA A" && counters[0].pci_address == "0000:41:00.0");
  CHECK(counters[0].origin == "GPU-fake-0" && counters[0].scale.denominator == 1000);
  CHECK(counters[1].outcome.status == Status::kNotSupported);
  CHECK(source->Explain(1).find("keeps no energy count") != std::string::npos);

  std::vector<RawReading> first(3), second(3);
  source->Read({SystemClock(), SystemClock().MonotonicNs()}, first.data());
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  source->Read({SystemClock(), SystemClock().MonotonicNs()}, second.data());
  CHECK(first[0].status == Status::kOk && second[0].ticks > first[0].ticks);
  const double watts = static_cast<double>(second[0].ticks - first[0].ticks) * 1e6 /
                       static_cast<double>(second[0].time_ns - first[0].time_ns);
  CHECK(watts > 150 && watts < 250);
  CHECK(first[1].status == Status::kNotSupported);
  // One GPU is lost; the others go on.
  source->Read({SystemClock(), SystemClock().MonotonicNs()}, second.data());
  CHECK(second[2].status == Status::kFailed);
  CHECK(source->Explain(2).find("restart") != std::string::npos);
  CHECK(second[0].status == Status::kOk);
}

void TestInitFailures() {
  const TempTree tree;
  const struct {
    int code;
    Status status;
  } cases[] = {{9, Status::kNotFound},
               {18, Status::kFailed},
               {4, Status::kNoPermission},
               {999, Status::kFailed}};
  for (const auto& [code, status] : cases) {
    Script(tree, "init " + std::to_string(code) + "\n");
    {
      // A failed init is not shut down, so the fake keeps its script: start from a fresh load.
      const auto source = MakeNvml();
      const Outcome outcome = Probe(source.get(), Library());
      CHECK(outcome.status == status && !outcome.detail.empty());
      CHECK(source->counters().empty());
    }
  }
}

void TestNotNvml() {
  const TempTree tree;
  tree.Write("text.so", "this is no library");
  {
    const auto source = MakeNvml();
    const Outcome outcome = Probe(source.get(), tree.Path("text.so"));
    CHECK(outcome.status == Status::kFailed);
    CHECK(outcome.detail.find("nvmlLibrary") != std::string::npos);
  }
  {
    const auto source = MakeNvml();
    CHECK(Probe(source.get(), tree.Path("absent.so")).status == Status::kNotFound);
  }
  {
    const auto source = MakeNvml();  // a library, but another one
    const Outcome outcome = Probe(source.get(), "libm.so.6");
    CHECK(outcome.status == Status::kFailed);
    CHECK(outcome.detail.find("is not NVML") != std::string::npos);
  }
  {
    Script(tree, "init 0\n");
    const auto source = MakeNvml();
    CHECK(Probe(source.get(), Library()).status == Status::kNotFound);  // no GPU
  }
}

}  // namespace
}  // namespace microjoule

int main() {
  microjoule::TestGpus();
  microjoule::TestInitFailures();
  microjoule::TestNotNvml();
}
