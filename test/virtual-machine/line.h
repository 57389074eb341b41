// SPDX-License-Identifier: MIT
//
// One line of a description, read word by word.
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machine.h"

namespace virtual_machine {

inline constexpr int64_t kMicro = 1000000;
inline constexpr int64_t kNano = 1000000000;

// The words of one line, taken off the front. A word that does not fit is kept as the complaint.
class Line {
 public:
  Line(char* text, Machine* machine) : rest_(text), machine_(machine) {}

  char* Word() {
    rest_ += strspn(rest_, " \t\r");
    if (*rest_ == '\0' || *rest_ == '#') return Wrong("the end of the line");
    char* const word = rest_;
    rest_ += strcspn(rest_, " \t\r");
    if (*rest_ != '\0') *rest_++ = '\0';
    return word;
  }
  bool More() {
    rest_ += strspn(rest_, " \t\r");
    return *rest_ != '\0' && *rest_ != '#';
  }
  // Takes the next word if it is this one.
  bool Takes(const char* word) {
    if (!More()) return false;
    const size_t size = strlen(word);
    if (strncmp(rest_, word, size) != 0 || strchr(" \t\r", rest_[size]) == nullptr) return false;
    rest_ += size;
    return true;
  }
  bool Is(const char* word) {
    if (Takes(word)) return true;
    Wrong(Word());
    return false;
  }

  void NameInto(Name* name) {
    const char* const word = Word();
    if (strlen(word) >= kNameSize) Wrong(word);
    snprintf(name->text, kNameSize, "%s", word);
  }
  uint64_t Number() {
    const char* const word = Word();
    char* end = nullptr;
    const uint64_t value = strtoull(word, &end, 0);
    if (end == word || *end != '\0') Wrong(word);
    return value;
  }
  int Cpu() {
    const uint64_t cpu = Number();
    if (cpu >= kMaxCpus) Wrong("a CPU number too high");
    return static_cast<int>(cpu % kMaxCpus);
  }
  // "0-3,8"
  CpuSet Cpus() {
    CpuSet set;
    const char* const word = Word();
    const char* at = word;
    do {
      char* end = nullptr;
      const uint64_t first = strtoull(at, &end, 10);
      uint64_t last = first;
      if (end == at) Wrong(word);
      if (*end == '-') last = strtoull(end + 1, &end, 10);
      if (last >= kMaxCpus || first > last) Wrong(word);
      for (uint64_t cpu = first; cpu <= last && cpu < kMaxCpus; ++cpu)
        set.Add(static_cast<int>(cpu));
      at = end + 1;
      if (*end == '\0') return set;
      if (*end != ',') Wrong(word);
    } while (ok());
    return set;
  }
  int64_t Time() {
    static constexpr Suffix kSuffixes[] = {{"ns", 1}, {"us", 1000}, {"ms", kMicro}, {"s", kNano}};
    return Quantity(kSuffixes, 4);
  }
  int64_t PowerUw() {
    static constexpr Suffix kSuffixes[] = {{"uW", 1}, {"mW", 1000}, {"W", kMicro}};
    return Quantity(kSuffixes, 3);
  }
  int64_t EnergyNj() {
    static constexpr Suffix kSuffixes[] = {{"nJ", 1}, {"uJ", 1000}, {"mJ", kMicro}, {"J", kNano}};
    return Quantity(kSuffixes, 4);
  }
  Meter* MeterNamed() { return MeterCalled(Word()); }
  Meter* MeterCalled(const char* name) {
    for (int i = 0; i < machine_->meter_count; ++i) {
      if (machine_->meters[i].name.Is(name)) return &machine_->meters[i];
    }
    Wrong(name);
    return &machine_->meters[0];
  }
  // A place in one of the machine's arrays.
  template <typename T, size_t size>
  T* Next(T (&array)[size], int* count) {
    if (*count < static_cast<int>(size)) return &array[(*count)++];
    Wrong("one line too many of its kind");
    return &array[0];
  }

  char* Wrong(const char* what) {
    static char nothing[] = "";
    if (wrong_[0] == '\0') snprintf(wrong_, sizeof wrong_, "%s", what);
    return nothing;
  }
  bool ok() const { return wrong_[0] == '\0'; }
  const char* wrong() const { return wrong_; }

 private:
  struct Suffix {
    const char* text;
    int64_t factor;
  };

  // A decimal with its unit, exact: "0.5ms".
  int64_t Quantity(const Suffix* suffixes, int count) {
    const char* const word = Word();
    const char* at = word;
    Femtojoules digits = 0;
    int64_t divisor = 1;
    bool fraction = false;
    for (; (*at >= '0' && *at <= '9') || *at == '.'; ++at) {
      if (*at == '.') {
        fraction = true;
        continue;
      }
      digits = digits * 10 + (*at - '0');
      if (fraction) divisor *= 10;
      if (digits > INT64_MAX) break;
    }
    for (int i = 0; i < count && at != word; ++i) {
      if (strcmp(at, suffixes[i].text) != 0) continue;
      const Femtojoules value = digits * suffixes[i].factor;
      if (value % divisor == 0 && value / divisor <= INT64_MAX)
        return static_cast<int64_t>(value / divisor);
    }
    Wrong(word);
    return 1;
  }

  char* rest_;
  Machine* machine_;
  char wrong_[96] = "";
};

void ParseFault(Line* line, Machine* machine);

// Gives a fault to what it is about. False when there is no such thing, or too many faults of it.
bool PlaceFault(Machine* machine, Fault* fault);

}  // namespace virtual_machine
