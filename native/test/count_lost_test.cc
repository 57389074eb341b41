// SPDX-License-Identifier: MIT
//
// Counts of devices that are lost, and come back.
#include "check.h"
#include "count.h"

namespace microjoule {
namespace {

// A slow source's last good count is not lost with the device, though nobody read it in between.
void TestLastGood() {
  Counter counter;
  counter.domain = Domain::kGpu;
  counter.scale = {1, 1000000};
  Count count(counter);
  RawReading raw;
  raw.status = Status::kOk;
  raw.ticks = 5000000;
  raw.time_ns = 1;
  count.Add(raw, {1000000000, 1000000000});
  raw = {};
  raw.ticks = 9000000;
  raw.time_ns = 3;
  raw.was_good = true;
  count.Add(raw, {3000000000, 3000000000});
  CHECK(count.status() == Status::kFailed && count.breaks() == 0);
  CHECK(count.ticks() == 9000000);
  raw.was_good = false;
  raw.ticks = 1;
  count.Add(raw, {4000000000, 4000000000});
  CHECK(count.ticks() == 9000000);
  // It comes back, and did not count meanwhile.
  raw.status = Status::kOk;
  raw.ticks = 9500000;
  raw.interrupted = true;
  count.Add(raw, {5000000000, 5000000000});
  CHECK(count.breaks() == 1 && count.ticks() == 9000000);
  CHECK(count.ExplainBreak(counter).find("could not be read for a while") != std::string::npos);
}

// It is good at once, and goes on from there, when it is read again within a moment.
void TestGoodAgain() {
  Counter counter;
  counter.domain = Domain::kGpu;
  counter.scale = {1, 1000000};
  Count count(counter);
  RawReading raw;
  uint64_t ns = 1000000000;
  const auto add = [&](Status status, uint64_t ticks) {
    raw.status = status;
    raw.ticks = ticks;
    raw.time_ns = ns;
    raw.was_good = status != Status::kOk;
    count.Add(raw, {ns, ns});
    ns += 10000000;
  };
  add(Status::kOk, 5000000);
  add(Status::kNotFound, 5100000);
  add(Status::kNotFound, 5100000);
  CHECK(count.status() == Status::kNotFound);
  add(Status::kOk, 5400000);
  CHECK(count.status() == Status::kOk && count.breaks() == 0 && count.ticks() == 5400000);
}

}  // namespace
}  // namespace microjoule

int main() {
  microjoule::TestLastGood();
  microjoule::TestGoodAgain();
}
