// SPDX-License-Identifier: MIT
#include "emi_device.h"

#include "check.h"
#include "fake_emi.h"

namespace microjoule {
namespace {

constexpr uint64_t kSecondNs = 1000000000u;

// One opened device with two channels.
struct Bench {
  std::map<std::string, FakeMeter> meters;
  FakeEmi system{&meters};
  EmiDevice device{&system, "m"};

  Bench() { meters["m"] = MeterOf({{"RAPL_Package0_PKG"}, {"RAPL_Package0_DRAM"}}); }
  FakeMeter& meter() { return meters["m"]; }
  RawReading Read(uint64_t now_ns, size_t channel = 0) {
    device.Read(now_ns);
    return device.Get(channel);
  }
  void Advance(uint64_t picowatt_hours, uint64_t time_100ns) {
    for (EmiSample& sample : meter().samples) {
      sample.picowatt_hours += picowatt_hours;
      sample.time_100ns += time_100ns;
    }
  }
};

void TestReads() {
  Bench bench;
  CHECK(bench.device.Open().status == Status::kOk);
  const RawReading first = bench.Read(50 * kSecondNs);
  CHECK(first.status == Status::kOk && first.ticks == 1000000 && !first.restarted);
  CHECK(first.time_ns == 50 * kSecondNs);
  bench.Advance(77, 10000000);
  const RawReading second = bench.Read(51 * kSecondNs + 12345, 1);
  // The device's own second, however late it was read.
  CHECK(second.time_ns == 51 * kSecondNs && second.ticks == 2000077 && !second.restarted);
  // One call a read, and the handle was never given up.
  CHECK(bench.meter().measured == 2 && bench.meter().opened == 1 && bench.meter().held == 1);
}

void TestSameTimeIsTheSameSample() {
  Bench bench;
  bench.device.Open();
  const RawReading first = bench.Read(1);
  bench.meter().samples[0].picowatt_hours += 5;
  const RawReading second = bench.Read(2);
  CHECK(second.ticks == first.ticks && second.time_ns == first.time_ns && !second.restarted);
  bench.meter().samples[0].time_100ns += 1;
  CHECK(bench.Read(3).ticks == first.ticks + 5);
}

void TestFallIsARestart() {
  for (const bool by_time : {false, true}) {
    Bench bench;
    bench.device.Open();
    bench.Read(1);
    bench.Advance(100, 100);
    bench.Read(2);
    EmiSample& sample = bench.meter().samples[0];
    if (by_time) {
      sample = {sample.picowatt_hours + 1, 3};
    } else {
      sample = {7, sample.time_100ns + 1};
    }
    const RawReading fallen = bench.Read(kSecondNs);
    CHECK(fallen.status == Status::kOk && fallen.restarted && fallen.time_ns == kSecondNs);
    CHECK(fallen.ticks == sample.picowatt_hours);
    bench.Advance(1, 1);
    CHECK(!bench.Read(2 * kSecondNs).restarted);
  }
}

void TestFailures() {
  Bench bench;
  bench.device.Open();
  bench.Read(1);
  // ERROR_GEN_FAILURE: the handle stays, and the count goes on.
  bench.meter().errors[EmiRequest::kMeasurement] = 31;
  CHECK(bench.Read(2).status == Status::kFailed);
  CHECK(bench.device.Explain(0).find("error 31") != std::string::npos);
  bench.meter().errors.clear();
  bench.Advance(9, 9);
  const RawReading back = bench.Read(3);
  CHECK(back.status == Status::kOk && !back.restarted && bench.meter().opened == 1);
  CHECK(bench.device.Explain(0).empty());
  // Rights are looked at when it is opened: what was read until now is not denied to this user.
  bench.meter().errors[EmiRequest::kMeasurement] = kEmiAccessDenied;
  CHECK(bench.Read(4).status == Status::kFailed);
  CHECK(bench.device.Explain(0).find("until now") != std::string::npos);

  Bench denied;
  denied.device.Open();
  denied.meter().errors[EmiRequest::kMeasurement] = kEmiAccessDenied;
  CHECK(denied.Read(1).status == Status::kNoPermission);
}

// ERROR_BAD_COMMAND and ERROR_ACCESS_DENIED are also what the handle of a removed device answers.
void TestLastingFailureIsOpenedAnew() {
  for (const uint32_t error : {22u, kEmiAccessDenied, 31u}) {
    Bench bench;
    bench.device.Open();
    bench.Read(1);
    bench.meter().stale_error = error;
    bench.meter().stale_handles = 1;
    CHECK(bench.Read(2).status == Status::kFailed && bench.meter().held == 1);
    CHECK(bench.Read(kSecondNs).status == Status::kFailed && bench.meter().opened == 1);
    bench.Advance(5, 5);
    const RawReading back = bench.Read(kSecondNs + 2);
    CHECK(back.status == Status::kOk && back.restarted && bench.meter().opened == 2);
    CHECK(bench.meter().held == 1 && bench.device.Explain(0).empty());
    bench.Advance(5, 5);
    CHECK(!bench.Read(kSecondNs + 3).restarted);
  }
}

// A device that only did not answer for long goes on by its own handle, and so does its count.
void TestLastingFailureThatPasses() {
  Bench bench;
  bench.device.Open();
  bench.Read(1);
  bench.meter().errors[EmiRequest::kMeasurement] = 31;
  for (uint64_t now_ns = kSecondNs; now_ns < 5 * kSecondNs; now_ns += kSecondNs / 4) {
    CHECK(bench.Read(now_ns).status == Status::kFailed);
  }
  // Asked by a new handle once a second at most, and none of these kept.
  CHECK(bench.meter().opened == 4 && bench.meter().held == 1);
  bench.meter().errors.clear();
  bench.Advance(9, 9);
  const RawReading back = bench.Read(6 * kSecondNs);
  CHECK(back.status == Status::kOk && !back.restarted);
}

void TestShortAnswers() {
  Bench bench;
  bench.device.Open();
  for (const size_t bytes : {size_t{0}, size_t{15}, size_t{16}, size_t{31}, size_t{32}}) {
    bench.meter().most_bytes[EmiRequest::kMeasurement] = bytes;
    bench.Advance(1, 1);
    bench.device.Read(bytes);
    for (size_t i = 0; i < 2; ++i) {
      const bool whole = bytes >= 16 * (i + 1);
      CHECK((bench.device.Get(i).status == Status::kOk) == whole);
      CHECK(bench.device.Explain(i).empty() == whole);
    }
  }
}

void TestGoesAndComesBack() {
  Bench bench;
  bench.device.Open();
  bench.Read(1);
  bench.meter().errors[EmiRequest::kMeasurement] = 1617;
  bench.meter().open_error = kEmiFileNotFound;
  CHECK(bench.Read(2).status == Status::kNotFound);
  CHECK(bench.meter().held == 0);
  CHECK(bench.Read(3).status == Status::kNotFound);
  CHECK(bench.device.Explain(1).find("every second") != std::string::npos);
  bench.meter().errors.clear();
  bench.meter().open_error = kEmiOk;
  // Not looked for at every read.
  CHECK(bench.Read(4).status == Status::kNotFound && bench.meter().opened == 1);
  bench.Advance(50, 50);
  const RawReading back = bench.Read(2 * kSecondNs);
  CHECK(back.status == Status::kOk && back.restarted && bench.meter().opened == 2);
  bench.Advance(1, 1);
  CHECK(!bench.Read(3 * kSecondNs).restarted && bench.meter().opened == 2);
}

// Its first answer is short: the channels that it lacks begin anew all the same.
void TestComesBackShort() {
  Bench bench;
  bench.device.Open();
  bench.Read(1);
  bench.meter().stale_error = 1617;
  bench.meter().stale_handles = 1;
  bench.meter().most_bytes[EmiRequest::kMeasurement] = kEmiSampleBytes;
  bench.Advance(5, 5);
  CHECK(bench.Read(2).restarted && bench.device.Get(1).status == Status::kFailed);
  bench.meter().most_bytes.clear();
  bench.Advance(5, 5);
  CHECK(bench.Read(3, 1).restarted && !bench.device.Get(0).restarted);
}

// Where one channel begins anew, the others' times go on.
void TestAnchorsApart() {
  Bench bench;
  bench.device.Open();
  bench.Read(kSecondNs);
  bench.Advance(100, 10000000);
  bench.meter().samples[0].picowatt_hours = 7;
  // Read late: the restarted channel's time begins there, and not the other's.
  const RawReading fallen = bench.Read(2 * kSecondNs + 500);
  CHECK(fallen.restarted && fallen.time_ns == 2 * kSecondNs + 500);
  CHECK(bench.device.Get(1).time_ns == 2 * kSecondNs && !bench.device.Get(1).restarted);
  bench.Advance(100, 10000000);
  CHECK(bench.Read(3 * kSecondNs, 1).time_ns == 3 * kSecondNs);
}

void TestComesBackChanged() {
  Bench bench;
  bench.device.Open();
  bench.Read(1);
  bench.meter().errors[EmiRequest::kMeasurement] = 1167;
  bench.Read(2);
  bench.meter() = MeterOf({{"RAPL_Package0_DRAM"}, {"RAPL_Package0_PKG"}});
  CHECK(bench.Read(2 * kSecondNs).status == Status::kFailed);
  CHECK(bench.device.Explain(0).find("other channels") != std::string::npos);
  CHECK(bench.meter().held == 0);
  // The latest attempt tells.
  bench.meter().open_error = kEmiAccessDenied;
  CHECK(bench.Read(4 * kSecondNs).status == Status::kNoPermission);
  CHECK(bench.device.Explain(0).find("error 5") != std::string::npos);
}

void TestOpenRefuses() {
  const auto refused = [](auto&& change) {
    Bench bench;
    change(&bench.meter());
    const Outcome outcome = bench.device.Open();
    CHECK(outcome.status != Status::kOk && outcome.detail.find("m: ") == 0);
    CHECK(bench.meter().held == 0 && bench.device.metadata().channels.empty());
    return outcome.status;
  };
  CHECK(refused([](FakeMeter* m) { m->open_error = 5; }) == Status::kNoPermission);
  for (const EmiRequest request :
       {EmiRequest::kVersion, EmiRequest::kMetadataSize, EmiRequest::kMetadata}) {
    CHECK(refused([=](FakeMeter* m) { m->errors[request] = 5; }) == Status::kNoPermission);
    CHECK(refused([=](FakeMeter* m) { m->errors[request] = 50; }) == Status::kNotSupported);
    refused([=](FakeMeter* m) { m->most_bytes[request] = 1; });
  }
  refused([](FakeMeter* m) { m->version = 3; });
  refused([](FakeMeter* m) { m->announced = UINT32_MAX - 1; });
  refused([](FakeMeter* m) { m->announced = 67; });
  refused([](FakeMeter* m) { m->metadata[66] = 3; });
}

}  // namespace
}  // namespace microjoule

int main() {
  using namespace microjoule;
  TestReads();
  TestSameTimeIsTheSameSample();
  TestFallIsARestart();
  TestFailures();
  TestLastingFailureIsOpenedAnew();
  TestLastingFailureThatPasses();
  TestShortAnswers();
  TestGoesAndComesBack();
  TestComesBackShort();
  TestAnchorsApart();
  TestComesBackChanged();
  TestOpenRefuses();
}
