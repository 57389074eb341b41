// SPDX-License-Identifier: MIT
//
// Groups of system-wide perf events, and what their errors mean.
// https://man7.org/linux/man-pages/man2/perf_event_open.2.html
#pragma once

#include <sys/types.h>
#include <unistd.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "clock.h"
#include "source.h"

namespace microjoule {

// The number that perf_event_open takes, from a PMU's file `type`. False when it has none.
bool ReadPmuType(const std::string& path, uint32_t* out);

// What an errno of perf_event_open or of a group means; and one that PerfGroup made up.
Status PerfStatusOf(int error);
std::string PerfSentence(const std::string& origin, int error);

// Events of one PMU on one CPU that one read() serves. They count from when they were opened.
class PerfGroup {
 public:
  // `type_path` is the file with the PMU's number.
  PerfGroup(std::string type_path, uint32_t cpu) : type_path_(std::move(type_path)), cpu_(cpu) {}
  ~PerfGroup() { Close(); }
  PerfGroup(const PerfGroup&) = delete;
  PerfGroup& operator=(const PerfGroup&) = delete;

  // Adds an event, not yet open; its index.
  size_t Add(uint64_t config);
  // Takes an event out of what Open opens.
  void Drop(size_t event) { events_[event].wanted = false; }
  bool IsEmpty() const;

  // (Re)opens what is wanted; events that fail keep their errors and the others go on. True when
  // any opened.
  bool Open(uint32_t type);
  void Close();

  // Reads all events by one system call. When the PMU went away, tries at most once a second to
  // open what is there now.
  void Read(const Clock& clock) {
    // Here, since after a system call every return through a caller costs the processor a wrong
    // guess.
    const int error = ReadOnce();
    if (error != 0 || failed_) Recover(clock, error);
  }

  // 0, or why the last Open or Read failed.
  int error(size_t event) const { return events_[event].error; }
  uint64_t ticks(size_t event) const { return events_[event].ticks; }
  // True once after the event had to be opened anew.
  bool TakeRestarted(size_t event) { return std::exchange(events_[event].restarted, false); }

 private:
  struct Event {
    uint64_t ticks = 0;
    int fd = -1;
    int error = 0;
    bool restarted = false;
    bool wanted = true;
    uint64_t config = 0;
  };

  int ReadOnce() {
    const ssize_t size = leader_fd_ < 0 ? -1 : read(leader_fd_, buffer_.data(), bytes());
    if (size != static_cast<ssize_t>(open_bytes_) || buffer_[0] != open_bytes_ / 8 - 1) {
      return ReadFailure(size);
    }
    const uint64_t* count = buffer_.data() + 1;
    for (Event& event : events_) {
      if (event.fd >= 0) event.ticks = *count++;
    }
    return 0;
  }
  int ReadFailure(ssize_t size) const;
  void Recover(const Clock& clock, int error);
  size_t bytes() const { return buffer_.size() * sizeof buffer_[0]; }
  bool Reopen();
  void SetErrors(int error);

  const std::string type_path_;
  const uint32_t cpu_;
  std::vector<Event> events_;
  std::vector<uint64_t> buffer_;  // the number of open events, then their counts
  size_t open_bytes_ = 0;         // what a whole reading has
  int leader_fd_ = -1;
  bool failed_ = false;  // so that the ordinary pass need not clear errors
  uint64_t next_reopen_ns_ = 0;
};

}  // namespace microjoule
