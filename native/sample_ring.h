// SPDX-License-Identifier: MIT
//
// A ring of records that one thread writes and any number of others read, each with a cursor of its
// own. Nobody waits for anybody: a reader that falls behind learns how many records it lost.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace microjoule {

// One update of one counter, in 64-bit words.
struct SampleRecord {
  static constexpr size_t kWords = 4;
  // In bits 16 to 31 of the first word.
  enum Flag : uint32_t {
    // Updates before this one were not seen, or did not move the count; how many is in the high
    // half, by the period.
    kMissed = 1,
    // The counter could not be read for a while before, or the sampler was stopped.
    kGap = 2,
    // The count does not go on from the last record's: the energy between them is not known.
    kBreak = 4,
    // This reader lost records of this counter before this one.
    kOverrun = 8,
    // How many were missed is not known yet: one more may have come just before the read, or the
    // period is not known. What was left out is told with the next record that is sure.
    kUnsure = 16,
    // It will never be known: the thread was away for too long, or the counter did not keep to its
    // period. The number is the likeliest, and later ones do not make up for it.
    kUncounted = 32,
  };

  uint32_t counter = 0;
  uint32_t flags = 0;
  uint32_t missed = 0;
  uint64_t lower_ns = 0;  // when the last read began that saw the old count, or later
  uint64_t upper_ns = 0;  // when the first read ended that saw the new one, or earlier
  uint64_t ticks = 0;     // extended to 64 bits

  uint64_t FirstWord() const {
    return static_cast<uint64_t>(missed) << 32 | static_cast<uint64_t>(flags & 0xffff) << 16 |
           (counter & 0xffff);
  }
};

class SampleRing {
 public:
  // `capacity` is a power of 2.
  explicit SampleRing(size_t capacity);

  // By the one thread that writes. Never waits, allocates nothing.
  void Push(const SampleRecord& record);

  // How many records were ever written.
  uint64_t published() const { return published_.load(std::memory_order_acquire); }

  struct Taken {
    size_t records = 0;
    // Overwritten before they could be read; they came before those taken.
    uint64_t lost = 0;
  };
  // Copies at most `most` records from the cursor on, and moves it. Never a torn one.
  Taken Take(uint64_t* cursor, uint64_t* out, size_t most) const;

 private:
  std::atomic<uint64_t>* Slot(uint64_t record) const {
    return words_.get() + (record & mask_) * SampleRecord::kWords;
  }

  const uint64_t mask_;
  const std::unique_ptr<std::atomic<uint64_t>[]> words_;
  // Of the writer: records that are being or have been written, and those that have.
  alignas(64) std::atomic<uint64_t> claimed_{0};
  std::atomic<uint64_t> published_{0};
};

}  // namespace microjoule
