// SPDX-License-Identifier: MIT
#include "powercap_file_linux.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "powercap_words_linux.h"
#include "powercap_zone.h"

namespace microjoule {
namespace {

constexpr uint64_t kVanishCheckNs = 1000000;  // at most one fstat a millisecond
constexpr uint64_t kReopenNs = 1000000000;    // at most one search a second
constexpr size_t kLineBytes = 64;             // the longest name; 20 digits and padding

bool IsLost(int error) {
  return error == ENODEV || error == kZoneVanished || error == kZoneReplaced;
}

// Whether it still holds. Allocates nothing.
bool Holds(const KnownLine& known) {
  const std::string_view line = std::string_view(known.line).substr(0, kLineBytes);
  const int fd = open(known.path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return line.empty();
  char buffer[kLineBytes];
  const ssize_t size = pread(fd, buffer, sizeof buffer, 0);
  close(fd);
  const std::string_view text(buffer, size > 0 ? static_cast<size_t>(size) : 0);
  if (text.substr(0, line.size()) != line) return false;
  return text.size() == line.size() || static_cast<unsigned char>(text[line.size()]) <= ' ';
}

}  // namespace

ZoneFile::~ZoneFile() { Close(); }

void ZoneFile::Close() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
}

int ZoneFile::Open() {
  fd_ = open(path_.c_str(), O_RDONLY | O_CLOEXEC);
  return fd_ < 0 ? errno : 0;
}

int ZoneFile::Recover(const Pass& pass, int error, uint64_t* microjoules) {
  if (fd_ >= 0) {
    if (!IsLost(error)) return error;
    Close();
    lost_ = error;
  }
  if (pass.monotonic_ns < next_reopen_ns_) return lost_;
  next_reopen_ns_ = pass.monotonic_ns + kReopenNs;
  const int trouble = Reopen();
  // That it is still away is no news.
  if (trouble != ENOENT) lost_ = trouble;
  if (trouble != 0) return lost_;
  char text[kTextBytes];
  const ssize_t size = pread(fd_, text, sizeof text, 0);
  return size < 0 ? errno : Judge(pass, text, size, microjoules);
}

// A driver that comes back may number its zones anew.
int ZoneFile::Reopen() {
  const int error = Open();
  if (error != 0) return error;
  if (!std::all_of(known_.begin(), known_.end(), Holds)) {
    Close();
    return kZoneReplaced;
  }
  last_uj_ = UINT64_MAX;
  restarted_ = true;
  return 0;
}

int ZoneFile::Judge(const Pass& pass, const char* text, ssize_t size, uint64_t* microjoules) {
  if (size == 0) return kZoneIsEmpty;
  if (!ParseCount({text, static_cast<size_t>(size)}, microjoules)) return kZoneHasNoNumber;
  // A removed attribute of sysfs answers ENODEV; a removed plain file would look frozen.
  if (*microjoules == last_uj_ && pass.monotonic_ns >= next_vanish_check_ns_) {
    struct stat info;
    if (fstat(fd_, &info) == 0 && info.st_nlink == 0) return kZoneVanished;
    next_vanish_check_ns_ = pass.monotonic_ns + kVanishCheckNs;
  }
  last_uj_ = *microjoules;
  return 0;
}

bool ZoneFile::TakeRestarted() { return std::exchange(restarted_, false); }

}  // namespace microjoule
