// SPDX-License-Identifier: MIT
//
// Groups of system-wide perf events, and what their errors mean.
// https://man7.org/linux/man-pages/man2/perf_event_open.2.html
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "clock.h"
#include "read_call_linux.h"
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

  // Adds an event, not yet open, whose readings go to `out[place]` of Read; its index.
  size_t Add(uint64_t config, size_t place);
  void Move(size_t event, size_t place);
  // Takes an event out of what Open opens.
  void Drop(size_t event) { events_[event].wanted = false; }
  bool IsEmpty() const;

  // (Re)opens what is wanted; events that fail keep their errors and the others go on. True when
  // any opened.
  bool Open(uint32_t type);
  void Close();

  // Reads all events by one system call. When the PMU went away, tries at most once a second to
  // open what is there now.
  void Read(const Clock& clock, RawReading* out) {
    // Here, since after a system call every return through a caller costs the processor a wrong
    // guess.
    const int error = ReadOnce(out);
    if (error != 0 || !is_whole_) Recover(clock, error, out);
  }

  // 0, or why the last Open or Read failed.
  int error(size_t event) const { return events_[event].error; }

 private:
  struct Event {
    uint64_t config = 0;
    size_t place = 0;
    int fd = -1;
    int error = 0;
    bool restarted = false;  // opened anew, and not yet read since
    bool wanted = true;
  };

  int ReadOnce(RawReading* out) {
    const ssize_t size = leader_fd_ < 0 ? -1 : ReadCall(leader_fd_, buffer_.data(), bytes());
    if (size != static_cast<ssize_t>(open_bytes()) || buffer_[0] != open_places_.size()) {
      return ReadFailure(size);
    }
    const uint64_t* count = buffer_.data() + 1;
    for (const size_t place : open_places_) out[place] = {*count++, 0, Status::kOk, false};
    return 0;
  }
  int ReadFailure(ssize_t size) const;
  void Recover(const Clock& clock, int error, RawReading* out);
  size_t bytes() const { return buffer_.size() * sizeof buffer_[0]; }
  size_t open_bytes() const { return (1 + open_places_.size()) * sizeof buffer_[0]; }
  bool Reopen();
  void ListOpen();
  void SetErrors(int error);

  const std::string type_path_;
  const uint32_t cpu_;
  std::vector<Event> events_;
  std::vector<uint64_t> buffer_;     // the number of open events, then their counts
  std::vector<size_t> open_places_;  // of the open events, in order
  int leader_fd_ = -1;
  bool is_whole_ = false;  // so that the ordinary pass need not look at each event
  uint64_t next_reopen_ns_ = 0;
};

}  // namespace microjoule
