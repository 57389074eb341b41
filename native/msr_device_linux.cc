// SPDX-License-Identifier: MIT
#include "msr_device_linux.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>

#include "text_file_linux.h"

namespace microjoule {
namespace {

// msr_safe.h of msr-safe 1.x.
struct BatchOperation {
  uint16_t cpu;
  uint16_t is_read;
  int32_t error;
  uint32_t number;
  uint64_t value;
  uint64_t write_mask;
};
static_assert(sizeof(BatchOperation) == 32, "the layout of msr-safe");

struct BatchArray {
  uint32_t count;
  uint32_t version;  // not looked at in 1.x
  BatchOperation* operations;
};

constexpr unsigned long kBatchRequest = _IOWR('c', 0xA2, BatchArray);

// Later versions of msr-safe have longer operations: read as ours they would be nonsense. Before
// 1.7 there was no version to read.
bool HasOurBatchLayout(const std::string& dev) {
  std::string version;
  const int error = ReadTextFile(dev + "/cpu/msr_safe_version", &version);
  return error == ENOENT || (error == 0 && version.compare(0, 2, "1.") == 0);
}

}  // namespace

std::string RegisterName(uint32_t number) {
  char text[16];
  std::snprintf(text, sizeof text, "0x%X", number);
  return text;
}

MsrDevice::~MsrDevice() {
  if (fd_ >= 0) close(fd_);
}

int MsrDevice::OpenNode(const char* node) {
  if (fd_ >= 0) close(fd_);
  path_ = dev_ + "/cpu/" + std::to_string(cpu_) + "/" + node;
  fd_ = open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  return fd_ < 0 ? errno : 0;
}

int MsrDevice::Open(uint32_t number, uint64_t* value) {
  is_safe_ = true;
  int safe_error = OpenNode("msr_safe");
  if (safe_error == 0) safe_error = Read(number, value);
  if (safe_error == 0 || (fd_ >= 0 && safe_error != EACCES)) return safe_error;
  const bool was_open = fd_ >= 0;
  is_safe_ = false;
  int error = OpenNode("msr");
  if (error == 0) return Read(number, value);
  // Of two that may not be read, msr-safe's is the one that a right can be given to.
  if (safe_error != ENOENT) {
    is_safe_ = true;
    const int again = OpenNode("msr_safe");
    error = was_open && again == 0 ? safe_error : again;
  }
  return error;
}

int MsrDevice::Read(uint32_t number, uint64_t* value) const {
  uint64_t read = 0;
  const ssize_t size = pread(fd_, &read, sizeof read, static_cast<off_t>(number));
  if (size < 0) return errno;
  if (size != sizeof read) return kShort;
  *value = read;
  return 0;
}

Status MsrDevice::StatusOf(int error) {
  switch (error) {
    case 0:
      return Status::kOk;
    case EACCES:
    case EPERM:
      return Status::kNoPermission;
    case ENOENT:
      return Status::kNotFound;
    default:
      return Status::kFailed;
  }
}

std::string MsrDevice::Sentence(int error, uint32_t number) const {
  const std::string place = path_ + ":" + RegisterName(number);
  const std::string cpu = "CPU " + std::to_string(cpu_);
  switch (error) {
    case 0:
      return "";
    case EACCES:
    case EPERM:
      if (is_safe_ && fd_ >= 0) {
        return place + " may not be read: have the administrator put the register on msr-safe's " +
               "list, " + dev_ + "/cpu/msr_allowlist, with a write mask of 0";
      }
      if (is_safe_) {
        return path_ + " may not be opened: have a udev rule give it to a group of yours";
      }
      return path_ +
             " may not be opened: it is root's, needs CAP_SYS_RAWIO besides, and kernel lockdown "
             "(Secure Boot) may forbid it to all; perf and powercap count the same, so let "
             "yourself read one of those, or have the msr-safe driver loaded and its devices given "
             "to a group of yours";
    case ENOENT:
      return path_ +
             " does not exist: load the driver with modprobe msr; in a container pass the host's "
             "devices in and give their place with dev; a virtual machine seldom has these "
             "registers";
    case ENXIO:
      return path_ + " is gone: " + cpu +
             " went offline, or the driver was unloaded; bring it back, or open the meter again";
    case EIO:
      return place + " cannot be read (EIO): " + cpu +
             " refuses this register; open the meter again, and if it stays so use powercap";
    case ELOOP:
      return path_ + " is a link, not a device: give the place of the real one with dev";
    case kShort:
      return place + " gives fewer than 8 bytes: it is no device of the msr driver; look at it";
    default:
      return place + " cannot be read: " + strerror(error) + "; look at dmesg, or use powercap";
  }
}

Outcome ExplainUnit(const CpuIdentity& cpu, const MsrDevice& device, int error, uint32_t number) {
  if (error == EIO && cpu.is_virtual) {
    return {Status::kVirtualised, device.path() + ": the hypervisor refuses the unit register " +
                                      RegisterName(number) + "; measure on the host"};
  }
  if (cpu.vendor != CpuVendor::kIntel && !cpu.has_amd_rapl) {
    return {Status::kNotSupported,
            "this processor's CPUID lists no energy registers (Zen and later have them, older "
            "kernels and hypervisors may hide it), and " +
                device.Sentence(error, number)};
  }
  if (error == EIO) {
    return {Status::kNotSupported, device.path() + ": the processor refuses the unit register " +
                                       RegisterName(number) +
                                       ", so it has no energy registers (Sandy Bridge and later "
                                       "have them)"};
  }
  return {MsrDevice::StatusOf(error), device.Sentence(error, number)};
}

class MsrReader::Batch {
 public:
  ~Batch() {
    if (fd_ >= 0) close(fd_);
  }

  bool Open(const std::string& dev) {
    if (!HasOurBatchLayout(dev)) return false;
    fd_ = open((dev + "/cpu/msr_batch").c_str(), O_RDONLY | O_CLOEXEC);
    return fd_ >= 0;
  }

  void List(const std::vector<Entry>& entries) {
    operations_.clear();
    for (const Entry& entry : entries) {
      if (entry.device == nullptr) continue;
      operations_.push_back({static_cast<uint16_t>(entry.device->cpu()), 1, 0, entry.number, 0, 0});
    }
  }

  bool empty() const { return operations_.empty(); }

  // False when it could not read all of them. Which one was to blame, single reads tell better.
  bool Read(std::vector<Entry>* entries) {
    BatchArray array = {static_cast<uint32_t>(operations_.size()), 0, operations_.data()};
    if (ioctl(fd_, kBatchRequest, &array) != 0) return false;
    for (const BatchOperation& operation : operations_) {
      if (operation.error != 0) return false;
    }
    size_t next = 0;
    for (Entry& entry : *entries) {
      if (entry.device == nullptr) continue;
      entry.value = operations_[next++].value;
      entry.error = 0;
    }
    return true;
  }

 private:
  int fd_ = -1;
  std::vector<BatchOperation> operations_;
};

MsrReader::MsrReader() = default;
MsrReader::~MsrReader() = default;
MsrReader::MsrReader(MsrReader&&) noexcept = default;
MsrReader& MsrReader::operator=(MsrReader&&) noexcept = default;

void MsrReader::Add(std::shared_ptr<const MsrDevice> device, uint32_t number) {
  Entry entry;
  entry.device = std::move(device);
  entry.number = number;
  entries_.push_back(std::move(entry));
}

void MsrReader::UseBatch(const std::string& dev) {
  batch_ = std::make_unique<Batch>();
  batch_->List(entries_);
  if (batch_->empty() || !batch_->Open(dev) || !batch_->Read(&entries_)) batch_.reset();
}

void MsrReader::Keep(const std::vector<bool>& wanted) {
  KeepWanted(wanted, &entries_);
  if (batch_ == nullptr) return;
  batch_->List(entries_);
  if (batch_->empty()) batch_.reset();
}

void MsrReader::Read() {
  if (batch_ != nullptr) {
    if (batch_->Read(&entries_)) return;
    batch_.reset();
  }
  for (Entry& entry : entries_) {
    if (entry.device != nullptr) entry.error = entry.device->Read(entry.number, &entry.value);
  }
}

std::string MsrReader::Explain(size_t i) const {
  const Entry& entry = entries_[i];
  return entry.device == nullptr ? "" : entry.device->Sentence(entry.error, entry.number);
}

}  // namespace microjoule
