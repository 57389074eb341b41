// SPDX-License-Identifier: MIT
#include "update_predictor.h"

#include <cmath>

#include "check.h"

using microjoule::UpdatePredictor;

namespace {

constexpr double kPeriodNs = 1e6;

UpdatePredictor Locked(double last_ns = 0) {
  UpdatePredictor predictor;
  CHECK(!predictor.locked());
  predictor.Lock(kPeriodNs, 20e3, last_ns, true);
  return predictor;
}

bool Near(double a, double b, double most = 1) { return std::abs(a - b) <= most; }

// What a read of a microsecond tells of an update.
void Watch(UpdatePredictor* predictor, double at_ns) {
  predictor->Update(at_ns - 500, at_ns + 500);
}

void TestWindow() {
  const UpdatePredictor predictor = Locked();
  CHECK(predictor.locked() && predictor.Pays());
  CHECK(Near(predictor.WindowStartNs(), 940e3));
  CHECK(predictor.WakeNs() < 940e3 && predictor.WakeNs() > 800e3);
  CHECK(Near(predictor.WindowEndNs(), 1100e3));
  UpdatePredictor wild;
  wild.Lock(kPeriodNs, 200e3, 0, true);
  CHECK(!wild.Pays());
}

void TestLoop() {
  // A tenth of an error moves the phase, and a fortieth of that the period.
  UpdatePredictor predictor = Locked();
  Watch(&predictor, 1e6 + 10e3);
  CHECK(Near(predictor.next_ns(), 2e6 + 1000 + 25, 2));
  CHECK(Near(predictor.period_ns(), 1e6 + 25));
  // It follows a period that is 0.2 % longer.
  predictor = Locked();
  for (int i = 1; i < 300; ++i) Watch(&predictor, 1.002e6 * i);
  CHECK(Near(predictor.period_ns(), 1.002e6, 20));
  CHECK(Near(predictor.next_ns(), 1.002e6 * 300, 200));
  // A lock on one update alone finds the phase of the others.
  predictor.Lock(kPeriodNs, 20e3, 40e3, false);
  for (int i = 1; i < 40; ++i) Watch(&predictor, 1e6 * i);
  CHECK(Near(predictor.next_ns(), 40e6, 1000));
}

void TestPassedWindows() {
  UpdatePredictor predictor = Locked();
  predictor.NoUpdate(1.05e6);
  CHECK(Near(predictor.next_ns(), 1e6));
  predictor.NoUpdate(1.101e6);
  CHECK(Near(predictor.next_ns(), 2e6));
  Watch(&predictor, 2e6);
  Watch(&predictor, 3e6);
  // Two at once, and two that passed while nobody looked.
  predictor.NoUpdate(5.2e6);
  CHECK(predictor.locked());
  Watch(&predictor, 6e6);
  Watch(&predictor, 9e6);
  CHECK(Near(predictor.next_ns(), 10e6, 10));
  // Three misses in a row, and it is lost.
  for (int i = 0; i < 3; ++i) {
    CHECK(predictor.locked());
    predictor.NoUpdate(predictor.WindowEndNs() + 1);
  }
  CHECK(!predictor.locked());
}

void TestLate() {
  // A thread that woke up late: seen, but not when; it wakes earlier from then on.
  UpdatePredictor predictor = Locked();
  const double lead_ns = predictor.WindowStartNs() - predictor.WakeNs();
  predictor.Update(2e3, 1.001e6);
  CHECK(Near(predictor.next_ns(), 2e6));
  CHECK(predictor.WindowStartNs() - predictor.WakeNs() > lead_ns);
  // Very late: the next ones came, too.
  predictor.Update(1.02e6, 4.5e6);
  CHECK(Near(predictor.next_ns(), 5e6));
  // The update came after its window.
  predictor.NoUpdate(5.101e6);
  predictor.Update(5.1e6, 5.8e6);
  CHECK(Near(predictor.next_ns(), 6e6));
  Watch(&predictor, 6e6);
}

void TestTooMany() {
  UpdatePredictor predictor = Locked();
  int storm = 0;
  for (; storm < 100 && predictor.locked(); ++storm) Watch(&predictor, 10e3 + 20e3 * storm);
  CHECK(storm < 30);
}

}  // namespace

int main() {
  TestWindow();
  TestLoop();
  TestPassedWindows();
  TestLate();
  TestTooMany();
}
