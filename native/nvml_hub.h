// SPDX-License-Identifier: MIT
//
// All GPUs of one NVML library, polled by one thread of their own: no call of NVML's is made by
// whoever reads, which may take milliseconds, or hang.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "nvml_gpu.h"
#include "nvml_pci.h"
#include "sampler_thread.h"

namespace microjoule {

// One counter of one GPU, in the order of the GPUs.
struct NvmlEntry {
  size_t slot;
  size_t channel;
  bool is_power_check;  // the power of a GPU whose total counts
  Counter counter;
};

class NvmlHub {
 public:
  // The one already open for these options in this process, or a new one. Waits until NVML is
  // initialised and each GPU's next update was seen, but for two seconds at most: then the GPUs of
  // the PCI bus are listed as they are known, and are read once NVML answers.
  static std::shared_ptr<NvmlHub> Acquire(const Options& options);
  ~NvmlHub();
  NvmlHub(const NvmlHub&) = delete;
  NvmlHub& operator=(const NvmlHub&) = delete;

  Outcome outcome() const;
  const std::vector<NvmlEntry>& entries() const;
  // From now on the power of GPUs is read, too, whose total counts.
  void WantPowerCheck();

  // From any thread; none of these waits for NVML.
  void Copy(const std::vector<size_t>& entries, std::vector<NvmlState>* out) const;
  NvmlState State(size_t entry) const;
  std::string Detail(size_t entry) const;
  std::vector<DeviceState> Devices() const;
  bool Outdated() const;

 private:
  class Worker;

  explicit NvmlHub(const Options& options);

  std::shared_ptr<Worker> worker_;
  std::thread thread_;
};

}  // namespace microjoule
