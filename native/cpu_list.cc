// SPDX-License-Identifier: MIT
#include "cpu_list.h"

#include <algorithm>

namespace microjoule {
namespace {

bool TakeCpu(std::string_view* text, uint32_t* out) {
  uint32_t value = 0;
  size_t used = 0;
  for (; used < text->size() && (*text)[used] >= '0' && (*text)[used] <= '9'; ++used) {
    value = value * 10 + static_cast<uint32_t>((*text)[used] - '0');
    if (value >= kMaxCpus) return false;
  }
  text->remove_prefix(used);
  *out = value;
  return used != 0;
}

bool TakeCharacter(std::string_view* text, char wanted) {
  if (text->empty() || text->front() != wanted) return false;
  text->remove_prefix(1);
  return true;
}

bool TakeList(std::string_view text, std::vector<uint32_t>* out) {
  do {
    uint32_t first = 0;
    if (!TakeCpu(&text, &first)) return false;
    uint32_t last = first;
    if (TakeCharacter(&text, '-') && !TakeCpu(&text, &last)) return false;
    // Repeats count too, so that no short text makes long work.
    if (last < first || out->size() + (last - first) >= kMaxCpus) return false;
    for (uint32_t cpu = first; cpu <= last; ++cpu) out->push_back(cpu);
  } while (TakeCharacter(&text, ','));
  return text.empty();
}

}  // namespace

bool ParseCpuList(std::string_view text, std::vector<uint32_t>* out) {
  out->clear();
  const size_t end = text.find_last_not_of(std::string_view(" \t\r\n\0", 5));
  if (end == std::string_view::npos) return true;
  if (!TakeList(text.substr(0, end + 1), out)) {
    out->clear();
    return false;
  }
  std::sort(out->begin(), out->end());
  out->erase(std::unique(out->begin(), out->end()), out->end());
  return true;
}

}  // namespace microjoule
