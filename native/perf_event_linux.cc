// SPDX-License-Identifier: MIT
#include "perf_event_linux.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "text_file_linux.h"

namespace microjoule {
namespace {

constexpr uint64_t kReopenNs = 1000000000u;

// A reason of our own beside errno.
constexpr int kVanished = -1;
constexpr int kShort = -2;

// Any CPU, all processes: RAPL's events know no less (EINVAL for anything else). -1 and errno, as
// the system call.
int OpenEvent(uint32_t type, uint64_t config, uint32_t cpu, int leader_fd) {
  perf_event_attr attributes;
  memset(&attributes, 0, sizeof attributes);
  attributes.type = type;
  attributes.size = sizeof attributes;
  attributes.config = config;
  attributes.read_format = PERF_FORMAT_GROUP;
  return static_cast<int>(syscall(SYS_perf_event_open, &attributes, -1, static_cast<int>(cpu),
                                  leader_fd, PERF_FLAG_FD_CLOEXEC));
}

}  // namespace

bool ReadPmuType(const std::string& path, uint32_t* out) {
  std::string text;
  if (ReadTextFile(path, &text) != 0) return false;
  text = FirstLine(std::move(text));
  const char* const end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, *out);
  return result.ec == std::errc() && result.ptr == end;
}

Status PerfStatusOf(int error) {
  switch (error) {
    case 0:
      return Status::kOk;
    case EACCES:
    case EPERM:
      return Status::kNoPermission;
    case ENOENT:
    case EINVAL:
    case EOPNOTSUPP:
      return Status::kNotSupported;
    case ENODEV:
    case kVanished:
      return Status::kNotFound;
    case ENOSYS:  // by a container's filter of system calls
      return Status::kNoPermission;
    default:
      return Status::kFailed;
  }
}

std::string PerfSentence(const std::string& origin, int error) {
  constexpr const char* kParanoid =
      "kernel.perf_event_paranoid is above 0 and this process lacks CAP_PERFMON; run it with that "
      "capability, or set sysctl kernel.perf_event_paranoid=0";
  constexpr const char* kSeccomp =
      "a container's seccomp profile may forbid perf_event_open: allow it there";
  switch (error) {
    case EACCES:
      return origin + " may not be opened: " + kParanoid;
    case EPERM:
      return origin + " may not be opened: " + kParanoid + "; or " + kSeccomp;
    case ENOSYS:
      return origin + " cannot be opened, as the system call is missing: " + kSeccomp;
    case ENOENT:
    case EINVAL:
    case EOPNOTSUPP:
      return origin + " is listed but the kernel does not count it (" + strerror(error) +
             "): this processor lacks it, as AMD's do most of what kernels before 5.17 list; or "
             "sysfs is another machine's";
    case ENODEV:
      return origin +
             " cannot be opened: the CPU went offline, or the driver was unloaded; open "
             "the meter again";
    case EBUSY:
      return origin + " is taken: another user holds the counters alone; end that one";
    case EMFILE:
    case ENFILE:
      return origin + " cannot be opened, as too many files are open: raise the limit (ulimit -n)";
    case kVanished:
      return origin +
             " vanished while it was read: load its driver again (modprobe rapl), and it "
             "is read on";
    case kShort:
      return origin +
             " answered another number of counts than it was asked for: report the "
             "kernel's version";
    default:
      return origin + " cannot be read: " + strerror(error) + "; see the kernel's log (dmesg)";
  }
}

size_t PerfGroup::Add(uint64_t config, size_t place) {
  events_.emplace_back();
  events_.back().config = config;
  events_.back().place = place;
  buffer_.resize(events_.size() + 1);
  return events_.size() - 1;
}

void PerfGroup::Move(size_t event, size_t place) {
  events_[event].place = place;
  ListOpen();
}

bool PerfGroup::IsEmpty() const {
  return std::none_of(events_.begin(), events_.end(),
                      [](const Event& event) { return event.wanted; });
}

bool PerfGroup::Open(uint32_t type) {
  Close();
  for (Event& event : events_) {
    if (!event.wanted) continue;
    event.fd = OpenEvent(type, event.config, cpu_, leader_fd_);
    event.error = event.fd < 0 ? errno : 0;
    if (leader_fd_ < 0) leader_fd_ = event.fd;
  }
  ListOpen();
  is_whole_ = false;
  return leader_fd_ >= 0;
}

void PerfGroup::ListOpen() {
  open_places_.clear();
  for (const Event& event : events_) {
    if (event.fd >= 0) open_places_.push_back(event.place);
  }
}

void PerfGroup::Close() {
  for (Event& event : events_) {
    if (event.fd >= 0) close(event.fd);
    event.fd = -1;
  }
  leader_fd_ = -1;
  open_places_.clear();
}

// 0, an errno or one of ours.
int PerfGroup::ReadFailure(ssize_t size) const {
  if (leader_fd_ < 0) return kVanished;
  if (size < 0) return errno == ENODEV ? kVanished : errno;
  // End of file: the event is in error for good, as its PMU is gone.
  return size == 0 ? kVanished : kShort;
}

// What the kernel has under that name now, if anything.
bool PerfGroup::Reopen() {
  uint32_t type = 0;
  if (!ReadPmuType(type_path_, &type) || !Open(type)) return false;
  for (Event& event : events_) event.restarted = event.fd >= 0;
  return true;
}

// For the events that were, or should be, open.
void PerfGroup::SetErrors(int error) {
  for (Event& event : events_) {
    if (event.fd >= 0 || leader_fd_ < 0) event.error = error;
  }
}

void PerfGroup::Recover(const Clock& clock, int error, RawReading* out) {
  if (error == kVanished) {
    const uint64_t now_ns = clock.MonotonicNs();
    if (now_ns >= next_reopen_ns_) {
      next_reopen_ns_ = now_ns + kReopenNs;
      if (Reopen()) error = ReadOnce(out);
    }
  }
  SetErrors(error);
  is_whole_ = true;
  for (Event& event : events_) {
    if (!event.wanted) continue;
    RawReading& raw = out[event.place];
    raw.status = PerfStatusOf(event.error);
    raw.restarted = event.error == 0 && std::exchange(event.restarted, false);
    if (event.error != 0) is_whole_ = false;
  }
}

}  // namespace microjoule
