// SPDX-License-Identifier: MIT
#include "sample_ring.h"

#include <thread>
#include <vector>

#include "check.h"

using namespace microjoule;

namespace {

constexpr uint64_t kFactor = 0x9e3779b97f4a7c15;

// A record of which each word tells the others.
SampleRecord Numbered(uint64_t n) {
  SampleRecord record;
  record.counter = static_cast<uint32_t>(n & 0xffff);
  record.missed = static_cast<uint32_t>(n >> 16);
  record.lower_ns = n;
  record.upper_ns = n * kFactor;
  record.ticks = ~n;
  return record;
}

uint64_t NumberOf(const uint64_t* words) {
  const uint64_t n = words[1];
  CHECK(words[0] == Numbered(n).FirstWord());
  CHECK(words[2] == n * kFactor && words[3] == ~n);
  return n;
}

void TestOneAfterTheOther() {
  SampleRing ring(16);
  uint64_t cursor = 0;
  uint64_t words[32 * SampleRecord::kWords];
  CHECK(ring.Take(&cursor, words, 32).records == 0);
  uint64_t written = 0;
  for (; written < 10; ++written) ring.Push(Numbered(written));
  SampleRing::Taken taken = ring.Take(&cursor, words, 4);
  CHECK(taken.records == 4 && taken.lost == 0);
  CHECK(NumberOf(words) == 0 && NumberOf(words + 12) == 3);
  taken = ring.Take(&cursor, words, 32);
  CHECK(taken.records == 6 && NumberOf(words) == 4);
  // Behind by more than the ring holds: the oldest are lost, and counted.
  for (; written < 110; ++written) ring.Push(Numbered(written));
  taken = ring.Take(&cursor, words, 32);
  CHECK(taken.records + taken.lost == 100 && taken.records >= 12);
  CHECK(NumberOf(words) == 10 + taken.lost && cursor == 110);
  CHECK(ring.published() == 110);
  // Another reader is none the worse for it.
  uint64_t other = 100;
  CHECK(ring.Take(&other, words, 32).records == 10);

  SampleRecord flagged;
  flagged.counter = 3;
  flagged.flags = SampleRecord::kMissed | SampleRecord::kBreak;
  flagged.missed = 5;
  CHECK(flagged.FirstWord() == (uint64_t{5} << 32 | 5 << 16 | 3));
}

// One writes as fast as it can, readers of several paces read: whatever they get is whole, in order
// and, with what was lost, all.
void TestTorture() {
  constexpr uint64_t kRecords = 2000000;
  SampleRing ring(256);
  std::atomic<bool> done{false};
  std::vector<std::thread> readers;
  std::atomic<uint64_t> total_read{0};
  for (int reader = 0; reader < 4; ++reader) {
    readers.emplace_back([&, reader] {
      uint64_t cursor = 0;
      uint64_t seen = 0;
      const size_t most = reader == 0 ? 7 : 300;
      std::vector<uint64_t> words(most * SampleRecord::kWords);
      for (;;) {
        const bool last = done;
        const SampleRing::Taken taken = ring.Take(&cursor, words.data(), most);
        seen += taken.lost;
        for (size_t i = 0; i < taken.records; ++i) {
          CHECK(NumberOf(words.data() + i * SampleRecord::kWords) == seen);
          ++seen;
        }
        CHECK(seen == cursor);
        total_read += taken.records;
        if (last && taken.records == 0 && taken.lost == 0) break;
        if (reader == 2) std::this_thread::yield();
        if (reader == 3) std::this_thread::sleep_for(std::chrono::microseconds(50));
      }
      CHECK(seen == kRecords);
    });
  }
  for (uint64_t n = 0; n < kRecords; ++n) {
    ring.Push(Numbered(n));
    if (n % 1000 == 0) std::this_thread::yield();
  }
  done = true;
  for (std::thread& reader : readers) reader.join();
  CHECK(total_read > 0);
}

}  // namespace

int main() {
  TestOneAfterTheOther();
  TestTorture();
}
