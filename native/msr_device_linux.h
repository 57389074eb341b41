// SPDX-License-Identifier: MIT
//
// Model-specific registers through the msr driver, or through msr-safe (github.com/LLNL/msr-safe),
// which needs no more than a group's right and reads many registers by one system call.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "cpu_identity.h"
#include "source.h"

namespace microjoule {

// "0x611".
std::string RegisterName(uint32_t number);

// The registers of one CPU. Errors are errno values, or kShort.
class MsrDevice {
 public:
  static constexpr int kShort = -1;  // fewer than 8 bytes came

  MsrDevice(std::string dev, uint32_t cpu) : dev_(std::move(dev)), cpu_(cpu) {}
  ~MsrDevice();
  MsrDevice(const MsrDevice&) = delete;
  MsrDevice& operator=(const MsrDevice&) = delete;

  // Opens msr_safe where it lets this register be read, else msr, and reads it; 0 or an error.
  int Open(uint32_t number, uint64_t* value);

  // 0 or an error. Allocates nothing.
  int Read(uint32_t number, uint64_t* value) const;

  // What an error of Open or Read means. Allocates nothing.
  static Status StatusOf(int error);
  // The same in a sentence that says what to do.
  std::string Sentence(int error, uint32_t number) const;

  uint32_t cpu() const { return cpu_; }
  const std::string& path() const { return path_; }

 private:
  int OpenNode(const char* node);

  std::string dev_;
  uint32_t cpu_;
  std::string path_;
  bool is_safe_ = false;
  int fd_ = -1;
};

// Why the unit register, of which Open gave an error, cannot be read on this processor.
Outcome ExplainUnit(const CpuIdentity& cpu, const MsrDevice& device, int error, uint32_t number);

// A list of registers that is read in one pass: by one call of msr-safe's batch device where that
// works, else one by one.
class MsrReader {
 public:
  struct Entry {
    // Null for what could not be opened: then neither value nor error ever changes.
    std::shared_ptr<const MsrDevice> device;
    uint32_t number = 0;
    uint64_t value = 0;
    int error = 0;
  };

  MsrReader();
  ~MsrReader();
  MsrReader(MsrReader&&) noexcept;
  MsrReader& operator=(MsrReader&&) noexcept;

  void Add(std::shared_ptr<const MsrDevice> device, uint32_t number);

  // Reads through the batch device under `dev` from now on, if that reads all that was added.
  void UseBatch(const std::string& dev);

  // Forgets the others, and closes the devices that none of the rest uses.
  void Keep(const std::vector<bool>& wanted);

  // Allocates nothing.
  void Read();

  const std::vector<Entry>& entries() const { return entries_; }
  // Why the last reading of one failed; empty when it did not.
  std::string Explain(size_t i) const;

 private:
  class Batch;

  std::vector<Entry> entries_;
  std::unique_ptr<Batch> batch_;
};

}  // namespace microjoule
