// SPDX-License-Identifier: MIT
#include "text_file_linux.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

namespace microjoule {

int ReadTextFile(const std::string& path, std::string* out) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return errno;
  char buffer[4096];
  const ssize_t size = pread(fd, buffer, sizeof buffer, 0);
  const int error = size < 0 ? errno : 0;
  close(fd);
  if (error == 0) out->assign(buffer, static_cast<size_t>(size));
  return error;
}

std::string FirstLine(std::string text) {
  text.resize(std::min(text.find_first_of(std::string("\n\0", 2)), text.size()));
  while (!text.empty() && (text.back() == ' ' || text.back() == '\r' || text.back() == '\t')) {
    text.pop_back();
  }
  return text;
}

}  // namespace microjoule
