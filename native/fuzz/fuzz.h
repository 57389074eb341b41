// SPDX-License-Identifier: MIT
//
// What the harnesses share. Each takes any bytes, hands them to parsers and checks what must hold
// of the results, against a plainer way to say the same where there is one.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <vector>

// Ends the run at the first thing that does not hold; libFuzzer then keeps the input.
#define REQUIRE(condition)                                                                \
  do {                                                                                    \
    if (!(condition)) {                                                                   \
      std::fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                       \
    }                                                                                     \
  } while (0)

namespace microjoule {

inline std::string_view Text(const uint8_t* data, size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

// The text, cut at each line end.
inline std::vector<std::string_view> Lines(std::string_view text) {
  std::vector<std::string_view> lines;
  for (;;) {
    const size_t end = text.find('\n');
    lines.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return lines;
    text.remove_prefix(end + 1);
  }
}

// A number made of the bytes themselves: the i-th eight of them, 0 beyond the end.
inline uint64_t Word(std::string_view text, size_t i) {
  uint64_t word = 0;
  if (text.size() > i * sizeof word) {
    text.remove_prefix(i * sizeof word);
    std::memcpy(&word, text.data(), text.size() < sizeof word ? text.size() : sizeof word);
  }
  return word;
}

}  // namespace microjoule
