// SPDX-License-Identifier: MIT
#include "sampler.h"

#include <algorithm>
#include <set>

#include "quiet_thread.h"

namespace microjoule {
namespace {

constexpr double kNsPerSecond = 1e9;
// 2 MiB: 13 seconds of five counters that update every millisecond.
constexpr size_t kRingRecords = size_t{1} << 16;

bool IsOf(const Counter& counter, uint32_t package) {
  return counter.outcome.status == Status::kOk && counter.device == package;
}

// Leaves of the sources what is this package's and can be read.
void KeepPackage(uint32_t package, std::vector<OpenedSource>* sources) {
  for (OpenedSource& opened : *sources) {
    std::vector<bool> wanted;
    for (const Counter& counter : opened.source->counters()) {
      wanted.push_back(IsOf(counter, package));
    }
    if (std::find(wanted.begin(), wanted.end(), false) != wanted.end()) {
      opened.source->Keep(wanted);
    }
  }
  sources->erase(
      std::remove_if(sources->begin(), sources->end(),
                     [](const OpenedSource& opened) { return opened.source->counters().empty(); }),
      sources->end());
}

}  // namespace

Sampler::Sampler(const Options& options, const Clock& clock, const Calibrations& known) {
  std::vector<OpenedSource> opened = OpenFastSources(options);
  std::set<uint32_t> packages;
  for (const OpenedSource& source : opened) {
    for (const Counter& counter : source.source->counters()) {
      if (counter.outcome.status == Status::kOk) packages.insert(counter.device);
    }
  }
  for (const uint32_t package : packages) {
    if (opened.empty()) opened = OpenFastSources(options);
    KeepPackage(package, &opened);
    if (!opened.empty()) {
      workers_.push_back(std::make_unique<Worker>(package, CpusOfPackage(options.sysfs, package),
                                                  std::move(opened),
                                                  static_cast<uint32_t>(counter_count_), clock));
      workers_.back()->sampler_.Remember(known);
      counter_count_ += workers_.back()->sampler().counter_count();
    }
    opened.clear();
  }
}

Sampler::~Sampler() { StopAll(); }

void Sampler::Start(const void* who, const Demand& demand) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const bool first = demands_.empty();
  demands_[who] = demand;
  Apply();
  if (!first) return;
  try {
    for (const auto& worker : workers_) worker->Begin();
  } catch (...) {
    demands_.clear();
    StopAll();
    throw;
  }
}

void Sampler::Stop(const void* who) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (demands_.erase(who) == 0) return;
  if (demands_.empty()) {
    StopAll();
  } else {
    Apply();
  }
}

void Sampler::Calibrate() {
  for (const auto& worker : workers_) worker->Send(Worker::kCalibrate);
}

Calibrations Sampler::calibrations() const {
  Calibrations out;
  for (const auto& worker : workers_) worker->sampler().Collect(&out);
  return out;
}

void Sampler::Apply() {
  Demand most{kLowestRateHz, false};
  for (const auto& [who, demand] : demands_) {
    most.rate_hz = std::max(most.rate_hz, demand.rate_hz);
    most.track |= demand.track;
  }
  const double rate_hz = std::min(most.rate_hz, kHighestRateHz);
  for (const auto& worker : workers_) {
    worker->interval_ns_ = static_cast<uint64_t>(kNsPerSecond / rate_hz);
    worker->track_ = most.track;
    worker->Send(Worker::kDemand);
  }
}

// All are told before any is waited for.
void Sampler::StopAll() {
  for (const auto& worker : workers_) worker->Send(Worker::kStop);
  for (const auto& worker : workers_) worker->End();
}

Sampler::Worker::Worker(uint32_t package, std::vector<uint32_t> cpus,
                        std::vector<OpenedSource> sources, uint32_t first_counter,
                        const Clock& clock)
    : package_(package),
      cpus_(std::move(cpus)),
      first_counter_(first_counter),
      sampler_(std::move(sources), first_counter, clock, kRingRecords),
      sleeper_(MakeSleeper()) {}

void Sampler::Worker::Send(Order order) {
  orders_.fetch_or(order);
  sleeper_->Interrupt();
}

void Sampler::Worker::Begin() {
  const std::lock_guard<std::mutex> lock(mutex_);
  orders_.fetch_and(~static_cast<uint32_t>(kStop));
  thread_ = StartQuietThread([this] { Run(); });
  running_ = true;
}

void Sampler::Worker::End() {
  // Not under the mutex, which the thread takes when it ends: whoever asks for its state leaves it
  // alone from then on.
  if (thread_.joinable()) thread_.join();
}

[[gnu::hot]] void Sampler::Worker::Run() {
  std::string detail = SettleSamplerThread(package_, cpus_);
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    detail_ = std::move(detail);
  }
  sampler_.Resume();
  for (;;) {
    // A look costs less than an exchange, and is in the same order with what Send and the sleeper
    // write, so that no order is overlooked.
    const uint32_t orders = orders_.load() == 0 ? 0 : orders_.exchange(0);
    if ((orders & kStop) != 0) break;
    if ((orders & kDemand) != 0) sampler_.SetDemand({interval_ns_, track_});
    if ((orders & kCalibrate) != 0) sampler_.Calibrate();
    const uint64_t next_ns = sampler_.Poll();
    if (next_ns != 0) sleeper_->SleepUntil(next_ns);
  }
  const std::lock_guard<std::mutex> lock(mutex_);
  ended_cpu_ns_ += ThreadCpuNs(nullptr);
  running_ = false;
}

Sampler::Worker::State Sampler::Worker::state() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return {running_, ended_cpu_ns_ + (running_ ? ThreadCpuNs(&thread_) : 0), detail_};
}

SampleReader::SampleReader(std::shared_ptr<Sampler> sampler) : sampler_(std::move(sampler)) {
  for (const auto& worker : sampler_->workers()) {
    cursors_.push_back(worker->sampler().ring().published());
  }
  overrun_.resize(sampler_->counter_count());
}

size_t SampleReader::Drain(uint64_t* out, size_t words) {
  size_t room = (words - kSampleHeaderWords) / SampleRecord::kWords;
  uint64_t* record = out + kSampleHeaderWords;
  uint64_t horizon_ns = UINT64_MAX;
  size_t given = 0;
  for (size_t i = 0; i < cursors_.size(); ++i) {
    const Sampler::Worker& worker = *sampler_->workers()[i];
    const PackageSampler& sampler = worker.sampler();
    // Before the records: what they tell may go further, never less far.
    horizon_ns = std::min(horizon_ns, sampler.horizon_ns());
    const SampleRing::Taken taken = sampler.ring().Take(&cursors_[i], record, room);
    lost_ += taken.lost;
    for (size_t k = 0; taken.lost != 0 && k < sampler.counter_count(); ++k) {
      if (overrun_[worker.first_counter() + k]) continue;
      overrun_[worker.first_counter() + k] = true;
      ++overrun_count_;
    }
    for (size_t k = 0; overrun_count_ != 0 && k < taken.records; ++k) {
      uint64_t& first = record[k * SampleRecord::kWords];
      const auto counter = static_cast<size_t>(first & 0xffff);
      if (!overrun_[counter]) continue;
      first |= static_cast<uint64_t>(SampleRecord::kOverrun) << 16;
      overrun_[counter] = false;
      --overrun_count_;
    }
    given += taken.records;
    room -= taken.records;
    record += taken.records * SampleRecord::kWords;
  }
  // Where there was no room left, some that are older may be waiting.
  if (room != 0 && horizon_ns != UINT64_MAX) horizon_ns_ = std::max(horizon_ns_, horizon_ns);
  given_ += given;
  out[0] = given;
  out[1] = lost_;
  out[2] = horizon_ns_;
  out[3] = given_;
  return given;
}

}  // namespace microjoule
