// SPDX-License-Identifier: MIT
//
// powercap's energy_uj, /dev/cpu/N/msr and the batches of msr-safe.
#include <errno.h>
#include <string.h>

#include "preload.h"

namespace virtual_machine {
namespace {

constexpr uint64_t kUpTo32Bits = 0xffffffff;

// One operation and the list of them, as msr-safe's ioctl takes them:
// https://github.com/LLNL/msr-safe (msr_safe.h).
struct BatchOperation {
  uint16_t cpu;
  uint16_t is_read;
  int32_t error;
  uint32_t address;
  uint64_t value;
  uint64_t write_mask;
};
struct Batch {
  uint32_t count;
  uint32_t version;
  BatchOperation* operations;
};
static_assert(sizeof(BatchOperation) == 32 && sizeof(Batch) == 16);

const Register* FindRegister(int cpu, uint32_t address) {
  for (int i = 0; i < machine->register_count; ++i) {
    const Register& entry = machine->registers[i];
    if (entry.address == address && entry.cpus.Has(cpu)) return &entry;
  }
  return nullptr;
}

// 0 or an errno.
int ReadRegister(int cpu, uint32_t address, int64_t opened_ns, uint64_t* value) {
  const Register* const entry = FindRegister(cpu, address);
  if (entry == nullptr) {
    *value = machine->other_registers;
    return machine->has_other_registers ? 0 : EIO;
  }
  int64_t now_ns = Now();
  if (entry->faults.count != 0) {
    const int error = FailureOf(entry->faults, now_ns, opened_ns);
    if (error != 0) return error;
    now_ns = Now();
  }
  *value = entry->value;
  if (entry->meter != nullptr) {
    *value = CountAt(*entry->meter, entry->faults, now_ns);
    if (entry->meter->bits == 32) *value &= kUpTo32Bits;
  }
  return 0;
}

}  // namespace

int64_t ReadZone(const Descriptor& file, void* buffer, size_t size, off_t offset) {
  const Zone& zone = *file.zone;
  int64_t now_ns = Now();
  if (zone.faults.count != 0) {
    const int error = FailureOf(zone.faults, now_ns, file.opened_ns);
    if (error != 0) return -error;
    now_ns = Now();
  }
  const uint64_t raw = CountAt(*zone.meter, zone.faults, now_ns) & kUpTo32Bits;
  // As drivers/powercap/intel_rapl_common.c prints it.
  uint64_t rest = static_cast<uint64_t>(static_cast<unsigned __int128>(raw) *
                                        static_cast<uint64_t>(zone.unit_nj) / 1000);
  char text[4096];
  size_t length = 24;
  char* at = text + length;
  *--at = '\n';
  do {
    *--at = static_cast<char>('0' + rest % 10);
    rest /= 10;
  } while (rest != 0);
  length = static_cast<size_t>(text + length - at);
  if (zone.padded) {
    memmove(text, at, length);
    memset(text + length, 0, sizeof text - length);
    at = text;
    length = sizeof text;
  }
  if (offset < 0) return -EINVAL;
  if (static_cast<size_t>(offset) >= length) return 0;
  const size_t left = length - static_cast<size_t>(offset);
  const size_t taken = size < left ? size : left;
  memcpy(buffer, at + offset, taken);
  return static_cast<int64_t>(taken);
}

int64_t ReadMsr(const Descriptor& file, void* buffer, size_t size, off_t address) {
  if (size % sizeof(uint64_t) != 0) return -EINVAL;
  // As arch/x86/kernel/msr.c: the same register again and again.
  size_t done = 0;
  for (; done < size; done += sizeof(uint64_t)) {
    if (file.allow_listed && FindRegister(file.cpu, static_cast<uint32_t>(address)) == nullptr)
      return -EACCES;
    uint64_t value = 0;
    const int error =
        ReadRegister(file.cpu, static_cast<uint32_t>(address), file.opened_ns, &value);
    if (error != 0) return done != 0 ? static_cast<int64_t>(done) : -error;
    memcpy(static_cast<char*>(buffer) + done, &value, sizeof value);
  }
  return static_cast<int64_t>(done);
}

int64_t ReadBatch(const Descriptor& file, void* argument) {
  const Batch& batch = *static_cast<Batch*>(argument);
  if (batch.count == 0) return -EINVAL;
  int failed = 0;
  for (uint32_t i = 0; i < batch.count; ++i) {
    BatchOperation& operation = batch.operations[i];
    operation.error = 0;
    if (!machine->online.Has(operation.cpu)) {
      operation.error = failed = -ENXIO;
    } else if (FindRegister(operation.cpu, operation.address) == nullptr) {
      operation.error = failed = -EACCES;
    } else {
      operation.write_mask = 0;
      if (operation.is_read == 0) operation.error = failed = -EROFS;
    }
  }
  // One operation that is not allowed, and none is done.
  if (failed != 0) return failed;
  for (uint32_t i = 0; i < batch.count; ++i) {
    BatchOperation& operation = batch.operations[i];
    const int error =
        ReadRegister(operation.cpu, operation.address, file.opened_ns, &operation.value);
    operation.error = -error;
    if (error != 0 && failed == 0) failed = -error;
  }
  return failed;
}

}  // namespace virtual_machine
