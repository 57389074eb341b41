// SPDX-License-Identifier: MIT
//
// Register devices for tests: this program's own open, pread and ioctl answer for the nodes of a
// fixture tree, and pass all else on to the kernel. Included once per program.
#pragma once

#undef _FORTIFY_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>
#include <map>
#include <new>
#include <string>

#include "check.h"
#include "fake_source.h"
#include "temp_tree.h"

namespace microjoule {

// One node: what each register reads, and which errno others, or all, answer with.
struct FakeNode {
  std::map<uint32_t, uint64_t> values;
  std::map<uint32_t, int> errors;
  int other = EIO;  // of registers that are not there
  int offline = 0;  // of all
};

// All nodes, and what was asked of them.
struct FakeMsr {
  std::map<std::pair<dev_t, ino_t>, FakeNode> nodes;
  std::map<std::string, int> open_errors;
  std::map<uint16_t, FakeNode*> batch;  // the CPUs that the batch device answers for
  int batch_error = 0;
  size_t preads = 0;
  size_t ioctls = 0;
  size_t allocations = 0;

  static FakeMsr& The() {
    static FakeMsr one;
    return one;
  }

  FakeNode& Add(const TempTree& tree, uint32_t cpu, const char* name = "msr") {
    const std::string path = "cpu/" + std::to_string(cpu) + "/" + name;
    tree.Write(path, "");
    struct stat info;
    CHECK(stat(tree.Path(path).c_str(), &info) == 0);
    FakeNode& node = nodes[{info.st_dev, info.st_ino}];
    node = FakeNode();
    return node;
  }

  // 0 or an errno.
  static int Read(const FakeNode& node, uint32_t number, uint64_t* value) {
    if (node.offline != 0) return node.offline;
    const auto error = node.errors.find(number);
    if (error != node.errors.end()) return error->second;
    const auto found = node.values.find(number);
    if (found == node.values.end()) return node.other;
    *value = found->second;
    return 0;
  }
};

// As msr_safe.h of LLNL/msr-safe has it.
struct FakeBatchOp {
  uint16_t cpu;
  uint16_t isrdmsr;
  int32_t err;
  uint32_t msr;
  uint64_t msrdata;
  uint64_t wmask;
};
struct FakeBatchArray {
  uint32_t numops;
  uint32_t version;
  FakeBatchOp* ops;
};

}  // namespace microjoule

extern "C" int open(const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = va_arg(rest, mode_t);
  va_end(rest);
  const auto& errors = microjoule::FakeMsr::The().open_errors;
  const auto found = errors.find(path);
  if (found != errors.end()) {
    errno = found->second;
    return -1;
  }
  return static_cast<int>(syscall(SYS_openat, AT_FDCWD, path, flags, mode));
}

extern "C" ssize_t pread(int fd, void* buffer, size_t size, off_t offset) {
  using microjoule::FakeMsr;
  FakeMsr& fake = FakeMsr::The();
  struct stat info;
  const bool known = fstat(fd, &info) == 0;
  const auto node = known ? fake.nodes.find({info.st_dev, info.st_ino}) : fake.nodes.end();
  if (node == fake.nodes.end()) return syscall(SYS_pread64, fd, buffer, size, offset);
  ++fake.preads;
  CHECK(size == 8);
  uint64_t value = 0;
  const int error = FakeMsr::Read(node->second, static_cast<uint32_t>(offset), &value);
  if (error != 0) {
    errno = error;
    return -1;
  }
  memcpy(buffer, &value, sizeof value);
  return sizeof value;
}

// The first bad operation fails them all, after errors are marked: msr_batch.c and msr-smp.c.
extern "C" int ioctl(int fd, unsigned long request, ...) noexcept {
  using microjoule::FakeMsr;
  va_list rest;
  va_start(rest, request);
  void* const argument = va_arg(rest, void*);
  va_end(rest);
  // _IOWR('c', 0xA2, 16 bytes)
  if (request != 0xC01063A2) return static_cast<int>(syscall(SYS_ioctl, fd, request, argument));
  FakeMsr& fake = FakeMsr::The();
  ++fake.ioctls;
  int failed = fake.batch_error;
  const auto* const array = static_cast<microjoule::FakeBatchArray*>(argument);
  for (uint32_t i = 0; i < array->numops; ++i) {
    microjoule::FakeBatchOp& op = array->ops[i];
    CHECK(op.isrdmsr == 1);
    const auto node = fake.batch.find(op.cpu);
    op.err = node == fake.batch.end() ? -ENXIO : -FakeMsr::Read(*node->second, op.msr, &op.msrdata);
    if (op.err != 0) failed = -op.err;
  }
  if (failed == 0) return 0;
  errno = failed;
  return -1;
}

void* operator new(size_t size) {
  ++microjoule::FakeMsr::The().allocations;
  void* const memory = std::malloc(size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }

namespace microjoule {

// A machine: the sysfs and dev trees under one folder.
struct FakeMachine {
  TempTree tree;

  explicit FakeMachine(const std::string& modalias, const std::string& online) {
    FakeMsr::The() = FakeMsr();
    tree.Write("devices/system/cpu/modalias", modalias + "\n");
    tree.Write("devices/system/cpu/online", online + "\n");
    tree.Folder("cpu");
  }
  void Cpu(uint32_t cpu, int package, int die, int core) const {
    const std::string base = "devices/system/cpu/cpu" + std::to_string(cpu) + "/topology/";
    tree.Write(base + "physical_package_id", std::to_string(package) + "\n");
    tree.Write(base + "die_id", std::to_string(die) + "\n");
    tree.Write(base + "core_id", std::to_string(core) + "\n");
  }
  // A node that answers with these registers.
  FakeNode& Node(uint32_t cpu, std::map<uint32_t, uint64_t> values, const char* name = "msr") {
    FakeNode& node = FakeMsr::The().Add(tree, cpu, name);
    node.values = std::move(values);
    return node;
  }
  // The same by msr-safe, with its batch device.
  FakeNode& SafeNode(uint32_t cpu, std::map<uint32_t, uint64_t> values) {
    FakeNode& node = Node(cpu, std::move(values), "msr_safe");
    tree.Write("cpu/msr_batch", "");
    FakeMsr::The().batch[static_cast<uint16_t>(cpu)] = &node;
    return node;
  }
};

// A source that was opened on such a machine, and read once.
struct Opened {
  FakeClock clock;
  std::unique_ptr<Source> source;
  Outcome outcome;
  std::vector<RawReading> raw;

  Opened(std::unique_ptr<Source> made, const FakeMachine& machine) : source(std::move(made)) {
    Options options;
    options.sysfs = machine.tree.root();
    options.dev = machine.tree.root();
    outcome = source->Probe(options);
    Read();
  }
  void Read() {
    raw.resize(source->counters().size());
    source->Read({clock, clock.now_ns}, raw.data());
  }
  std::string Ids() const {
    std::string ids;
    for (const Counter& counter : source->counters()) {
      ids += (ids.empty() ? "" : " ") + counter.id.substr(4);
    }
    return ids;
  }
  size_t Find(const std::string& id) const {
    for (size_t i = 0; i < source->counters().size(); ++i) {
      if (source->counters()[i].id == "msr:" + id) return i;
    }
    CHECK(!"such a counter");
    return 0;
  }
  const Counter& At(const std::string& id) const { return source->counters()[Find(id)]; }
  const RawReading& Raw(const std::string& id) const { return raw[Find(id)]; }
  bool Says(const std::string& id, const std::string& words) const {
    return source->Explain(Find(id)).find(words) != std::string::npos;
  }
};

inline bool Has(const Outcome& outcome, Status status, const std::string& words) {
  return outcome.status == status && outcome.detail.find(words) != std::string::npos;
}

}  // namespace microjoule
