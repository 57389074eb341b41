// SPDX-License-Identifier: MIT
#include "sampler.h"

#include <dirent.h>
#include <sched.h>

#include <chrono>
#include <set>
#include <stdexcept>

#include "check.h"
#include "registry.h"
#include "temp_tree.h"

using namespace microjoule;

namespace {

using Milliseconds = std::chrono::duration<double, std::milli>;

Milliseconds Since(std::chrono::steady_clock::time_point start) {
  return std::chrono::steady_clock::now() - start;
}

void Wait(int milliseconds) {
  std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
}

// Names of the threads of this process that sample.
std::multiset<std::string> SamplingThreads() {
  std::multiset<std::string> names;
  DIR* const tasks = opendir("/proc/self/task");
  while (const dirent* const entry = readdir(tasks)) {
    std::ifstream file(std::string("/proc/self/task/") + entry->d_name + "/comm");
    std::string name;
    if (std::getline(file, name) && name.rfind("microjoule-", 0) == 0) names.insert(name);
  }
  closedir(tasks);
  return names;
}

// Waits for what comes about sooner or later: how soon is the machine's affair.
template <typename Condition>
void Expect(Condition condition) {
  for (int i = 0; i < 10000 && !condition(); ++i) Wait(2);
  CHECK(condition());
}

// A joined thread may still show for a moment.
void ExpectNoThreads() {
  Expect([] { return SamplingThreads().empty(); });
}

void WriteZone(TempTree* tree, int package) {
  const std::string zone = "class/powercap/intel-rapl:" + std::to_string(package) + "/";
  tree->Write(zone + "name", "package-" + std::to_string(package) + "\n");
  tree->Write(zone + "energy_uj", std::to_string(1000000 * (package + 1)) + "\n");
  tree->Write(zone + "max_energy_range_uj", "262143328850\n");
}

Options OptionsOf(const TempTree& tree) {
  Options options;
  options.sysfs = options.dev = tree.root();
  options.nvml_library = "/nonexistent";
  return options;
}

void TestThreads(TempTree* tree) {
  const auto sampler = AcquireSampler(OptionsOf(*tree));
  CHECK(AcquireSampler(OptionsOf(*tree)) == sampler);
  CHECK(sampler->workers().size() == 2 && sampler->counter_count() == 2);
  CHECK(sampler->workers()[1]->package() == 1 && sampler->workers()[1]->first_counter() == 1);
  CHECK(SamplingThreads().empty());

  // One thread a package, however many want it.
  cpu_set_t before, after;
  CHECK(sched_getaffinity(0, sizeof before, &before) == 0);
  const int one = 0, other = 0;
  sampler->Start(&one, {1, false});
  sampler->Start(&other, {1, false});
  sampler->Start(&other, {1, false});
  const std::multiset<std::string> both{"microjoule-0", "microjoule-1"};
  Expect([&both] { return SamplingThreads() == both; });
  Expect([&sampler] { return sampler->workers()[0]->sampler().stats().polls > 0; });
  // The caller stays where it was.
  CHECK(sched_getaffinity(0, sizeof after, &after) == 0 && CPU_EQUAL(&before, &after));
  // The tree names no CPU of package 1.
  CHECK(sampler->workers()[0]->state().detail.empty());
  Expect([&sampler] {
    return sampler->workers()[1]->state().detail.find("package 1 has is not known") !=
           std::string::npos;
  });
  CHECK(sampler->workers()[0]->state().running);
  // Once a second, and once for every change of demand.
  CHECK(sampler->workers()[0]->sampler().stats().polls < 20);

  // The fastest that anyone wants is what all get.
  sampler->Start(&other, {1000, false});
  const auto& polls = sampler->workers()[0]->sampler().stats().polls;
  const auto from = std::chrono::steady_clock::now();
  const uint64_t slow = polls;
  Expect([&polls, slow] { return polls > slow + 100; });
  const uint64_t fast = polls;
  CHECK(static_cast<double>(fast - slow) < Since(from).count() + 10);

  // What changes is recorded, and told to each reader.
  SampleReader reader(sampler), second(sampler);
  uint64_t words[kSampleHeaderWords + 16 * SampleRecord::kWords];
  const size_t size = sizeof words / sizeof *words;
  CHECK(reader.Drain(words, size) == 0);
  tree->Write("class/powercap/intel-rapl:1/energy_uj", "2500000\n");
  size_t count = 0;
  for (int i = 0; i < 10000 && count == 0; ++i, Wait(2)) count = reader.Drain(words, size);
  CHECK(count == 1 && words[0] == 1 && words[1] == 0 && words[3] == 1);
  CHECK((words[4] & 0xffff) == 1 && words[5] < words[6]);
  const uint64_t upper_ns = words[6];
  CHECK(second.Drain(words, size) == 1 && words[6] == upper_ns);
  for (int i = 0; i < 10000 && words[2] <= upper_ns; ++i, Wait(2)) reader.Drain(words, size);
  CHECK(words[2] > upper_ns && words[2] <= SystemClock().MonotonicNs());

  // The last one to stop ends the threads, though their next read is a second away.
  sampler->Start(&other, {1, false});
  Wait(20);
  sampler->Stop(&one);
  Wait(20);
  CHECK(SamplingThreads().size() == 2);
  sampler->Stop(&other);
  sampler->Stop(&other);
  ExpectNoThreads();
  CHECK(!sampler->workers()[0]->state().running && sampler->workers()[0]->state().cpu_ns > 0);

  // And again, with all that it knew.
  sampler->Start(&one, {10000, true});
  sampler->Calibrate();
  Expect([&both] { return SamplingThreads() == both; });
  sampler->Stop(&one);
  ExpectNoThreads();
}

// The best of many: the machine's own delays are not the sampler's.
void TestStopsAtOnce(const TempTree& tree) {
  Milliseconds best(1000);
  for (int i = 0; i < 20; ++i) {
    Sampler sampler(OptionsOf(tree), SystemClock());
    sampler.Start(&sampler, {1, false});
    Wait(5);
    const auto start = std::chrono::steady_clock::now();
    sampler.Stop(&sampler);
    best = std::min<Milliseconds>(best, Since(start));
  }
  CHECK(best < Milliseconds(5));
}

// Many start, read and stop at once; what is left over is nothing.
void TestTorture(const TempTree& tree) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 6; ++t) {
    threads.emplace_back([&tree, t] {
      for (int i = 0; i < 30; ++i) {
        const auto sampler = AcquireSampler(OptionsOf(tree));
        SampleReader reader(sampler);
        uint64_t words[kSampleHeaderWords + 4 * SampleRecord::kWords];
        sampler->Start(&reader, {1000.0 * (t + 1), t % 2 == 0});
        for (int k = 0; k < 5; ++k) {
          reader.Drain(words, sizeof words / sizeof *words);
          for (const auto& worker : sampler->workers()) {
            CHECK(worker->sampler().Describe().size() == 1);
            worker->state();
          }
          std::this_thread::yield();
        }
        if (i % 3 == 0) sampler->Calibrate();
        sampler->Stop(&reader);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  ExpectNoThreads();
}

// Its state may be asked for while others start and stop it.
void TestStateOfOthers(const TempTree& tree) {
  Sampler sampler(OptionsOf(tree), SystemClock());
  std::atomic<bool> done{false};
  std::thread asking([&] {
    uint64_t cpu_ns = 0;
    while (!done) {
      const uint64_t now_ns = sampler.workers()[0]->state().cpu_ns;
      CHECK(now_ns >= cpu_ns);
      cpu_ns = now_ns;
    }
  });
  for (int i = 0; i < 100; ++i) {
    sampler.Start(&tree, {1, false});
    std::this_thread::yield();
    sampler.Stop(&tree);
  }
  done = true;
  asking.join();
}

void TestNothing() {
  const TempTree tree;
  const auto sampler = AcquireSampler(OptionsOf(tree));
  CHECK(sampler->workers().empty() && sampler->counter_count() == 0);
  sampler->Start(&tree, {});
  SampleReader reader(sampler);
  uint64_t words[8] = {1, 1, 1, 1};
  CHECK(reader.Drain(words, 8) == 0 && words[0] == 0 && words[2] == 0);
  sampler->Stop(&tree);
}

}  // namespace

int main() {
  TempTree tree;
  WriteZone(&tree, 0);
  WriteZone(&tree, 1);
  tree.Write("devices/system/cpu/online", "0-" + std::to_string(CPU_SETSIZE - 1) + "\n");
  // All CPUs there are may be package 0's.
  for (int cpu = 0; cpu < 64; ++cpu) {
    tree.Write("devices/system/cpu/cpu" + std::to_string(cpu) + "/topology/physical_package_id",
               "0\n");
  }
  TestThreads(&tree);
  TestStopsAtOnce(tree);
  TestTorture(tree);
  TestStateOfOthers(tree);
  TestNothing();
}
