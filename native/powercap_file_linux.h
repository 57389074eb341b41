// SPDX-License-Identifier: MIT
//
// The energy_uj of one powercap zone, through a kept descriptor that survives its driver.
#pragma once

#include <errno.h>
#include <sys/types.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "clock.h"
#include "powercap_zone.h"
#include "read_call_linux.h"

namespace microjoule {

// The first line of a file as it was at first, empty where it could not be read. By such lines a
// zone is known again.
struct KnownLine {
  std::string path;
  std::string line;
};

class ZoneFile {
 public:
  ZoneFile(std::string path, std::vector<KnownLine> known)
      : path_(std::move(path)), known_(std::move(known)) {}
  ~ZoneFile();
  ZoneFile(const ZoneFile&) = delete;
  ZoneFile& operator=(const ZoneFile&) = delete;

  // 0 or an errno.
  int Open();

  // Reads the count, in microjoules. 0, an errno or a reason of powercap_words_linux.h. A zone that
  // was unregistered is looked for again, at most once a second. Allocates nothing.
  int Read(const Pass& pass, uint64_t* microjoules) {
    // Here, since after a system call every return through a caller costs the processor a wrong
    // guess.
    char text[kTextBytes];
    const ssize_t size = fd_ < 0 ? -1 : ReadCallAtStart(fd_, text, sizeof text);
    if (size > 0 && ParseCount({text, static_cast<size_t>(size)}, microjoules) &&
        (*microjoules != last_uj_ || pass.monotonic_ns < next_vanish_check_ns_)) {
      last_uj_ = *microjoules;
      return 0;
    }
    return Recover(pass, size < 0 ? errno : Judge(pass, text, size, microjoules), microjoules);
  }

  // True once after a good reading that does not go on from the last one: the zone was found again.
  bool TakeRestarted();

 private:
  static constexpr size_t kTextBytes = 64;  // 20 digits and padding

  // What a reading of `size` bytes says: 0 or what is wrong with it.
  int Judge(const Pass& pass, const char* text, ssize_t size, uint64_t* microjoules);
  int Recover(const Pass& pass, int error, uint64_t* microjoules);
  int Reopen();
  void Close();

  const std::string path_;
  const std::vector<KnownLine> known_;
  int fd_ = -1;
  int lost_ = 0;  // why the descriptor was given up
  uint64_t last_uj_ = UINT64_MAX;
  uint64_t next_vanish_check_ns_ = 0;
  uint64_t next_reopen_ns_ = 0;
  bool restarted_ = false;
};

}  // namespace microjoule
