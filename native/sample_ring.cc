// SPDX-License-Identifier: MIT
#include "sample_ring.h"

#include <algorithm>

namespace microjoule {

SampleRing::SampleRing(size_t capacity)
    : mask_(capacity - 1), words_(new std::atomic<uint64_t>[capacity * SampleRecord::kWords]()) {}

[[gnu::hot]] void SampleRing::Push(const SampleRecord& record) {
  const uint64_t index = published_.load(std::memory_order_relaxed);
  // A reader that sees any of the words below sees this, too, and knows that its record is gone.
  claimed_.store(index + 1, std::memory_order_relaxed);
  std::atomic<uint64_t>* const slot = Slot(index);
  slot[0].store(record.FirstWord(), std::memory_order_release);
  slot[1].store(record.lower_ns, std::memory_order_release);
  slot[2].store(record.upper_ns, std::memory_order_release);
  slot[3].store(record.ticks, std::memory_order_release);
  published_.store(index + 1, std::memory_order_release);
}

SampleRing::Taken SampleRing::Take(uint64_t* cursor, uint64_t* out, size_t most) const {
  const uint64_t capacity = mask_ + 1;
  Taken taken;
  const uint64_t end = published();
  uint64_t begin = *cursor;
  if (end - begin > capacity) {
    // What the writer will overwrite next would most likely be lost while it is copied.
    const uint64_t first = end - capacity + capacity / 8;
    taken.lost = first - begin;
    begin = first;
  }
  const uint64_t count = std::min<uint64_t>(end - begin, most);
  for (uint64_t i = 0; i < count; ++i) {
    const std::atomic<uint64_t>* const slot = Slot(begin + i);
    for (size_t word = 0; word < SampleRecord::kWords; ++word) {
      out[i * SampleRecord::kWords + word] = slot[word].load(std::memory_order_acquire);
    }
  }
  // Whatever the writer has begun to overwrite meanwhile is not what it was.
  const uint64_t claimed = claimed_.load(std::memory_order_relaxed);
  const uint64_t oldest = claimed > capacity ? claimed - capacity : 0;
  const uint64_t gone = oldest > begin ? std::min(oldest - begin, count) : 0;
  if (gone != 0) {
    taken.lost += gone;
    std::copy(out + gone * SampleRecord::kWords, out + count * SampleRecord::kWords, out);
  }
  taken.records = count - gone;
  *cursor = begin + count;
  return taken;
}

}  // namespace microjoule
