// SPDX-License-Identifier: MIT
//
// When values are updated and what power adds up to, on polls that a test makes.
#include "nvml_power.h"

#include <cmath>
#include <functional>

#include "check.h"
#include "nvml_update.h"

namespace microjoule {
namespace {

constexpr uint64_t kMs = 1000000;

// A sensor of 100 ms that is polled every 12 to 14 ms, for 41 periods; the relative error of the
// integral over what it covers, in its own time.
double ErrorOf(const std::function<double(double)>& watts_at,
               const std::function<double(double, double)>& joules_between) {
  PowerIntegrator integrator;
  UpdateTimer timer;
  uint64_t last = 0, from_ns = 0, from_uj = 0;
  uint64_t now_ns = 5 * kMs;
  for (int poll = 0; now_ns < 4200 * kMs; ++poll) {
    const uint64_t updated_ns = now_ns / (100 * kMs) * 100 * kMs;
    const auto milliwatts =
        static_cast<uint64_t>(std::llround(watts_at(static_cast<double>(updated_ns) / 1e9) * 1e3));
    const uint64_t update_ns =
        timer.Observe(now_ns - kMs / 2, now_ns + kMs / 2, poll > 0 && milliwatts != last);
    const uint64_t period_ns = timer.period_ns();
    integrator.Observe(milliwatts, now_ns, update_ns,
                       period_ns != 0 ? period_ns : kNvmlAssumedPeriodNs);
    last = milliwatts;
    if (from_ns == 0 && integrator.time_ns() >= 100 * kMs) {
      from_ns = integrator.time_ns();
      from_uj = integrator.microjoules();
    }
    now_ns += (12 + static_cast<uint64_t>(poll) % 3) * kMs;
  }
  const double truth = joules_between(static_cast<double>(from_ns) / 1e9,
                                      static_cast<double>(integrator.time_ns()) / 1e9);
  return static_cast<double>(integrator.microjoules() - from_uj) / 1e6 / truth - 1;
}

void TestIntegral() {
  const double constant =
      ErrorOf([](double) { return 150.0; }, [](double a, double b) { return 150 * (b - a); });
  CHECK(std::abs(constant) < 1e-6);
  // A ramp, and a swing of two seconds: the trapezoid is nearly exact.
  const double ramp =
      ErrorOf([](double t) { return 50 + 60 * t; },
              [](double a, double b) { return 50 * (b - a) + 30 * (b * b - a * a); });
  CHECK(std::abs(ramp) < 0.005);
  const double swing =
      ErrorOf([](double t) { return 200 + 100 * std::sin(M_PI * t); },
              [](double a, double b) {
                return 200 * (b - a) + 100 / M_PI * (std::cos(M_PI * a) - std::cos(M_PI * b));
              });
  CHECK(std::abs(swing) < 0.01);
  // Long constant, then a step: the old value holds until the update before the new one.
  const double step =
      ErrorOf([](double t) { return t < 2.05 ? 50.0 : 300.0; },
              [](double a, double b) { return 50 * (2.05 - a) + 300 * (b - 2.05); });
  CHECK(std::abs(step) < 0.01);
}

void TestTimer() {
  UpdateTimer timer;
  CHECK(timer.Observe(0, 2 * kMs, false) == 0);
  CHECK(timer.period_ns() == 0);
  // 20 ms, polled every 3 ms; every fifth update leaves the value as it was.
  uint64_t last = 0;
  for (uint64_t now_ns = 3 * kMs; now_ns < 2000 * kMs; now_ns += 3 * kMs) {
    uint64_t value = now_ns / (20 * kMs);
    if (value % 5 == 0 && value > 0) --value;
    const uint64_t at_ns = timer.Observe(now_ns, now_ns, value != last);
    if (at_ns != 0) CHECK((at_ns + 2 * kMs) % (20 * kMs) < 5 * kMs);
    last = value;
  }
  CHECK(std::abs(static_cast<double>(timer.period_ns()) - 20e6) < 1e6);
  // What moves at every poll was updated just before it.
  UpdateTimer fast;
  uint64_t at_ns = 0;
  for (uint64_t i = 1; i < 10; ++i) at_ns = fast.Observe(i * 50 * kMs, i * 50 * kMs, i > 1);
  CHECK(at_ns == 450 * kMs);
  timer.ObserveLag(30);
  timer.ObserveLag(10);
  timer.ObserveLag(20);
  CHECK(timer.lag_ns() == 20);
  timer.Interrupt();
  CHECK(timer.Observe(3000 * kMs, 3000 * kMs, true) == 0);  // since when is not known
}

void TestGap() {
  PowerIntegrator integrator;
  integrator.Observe(1000, 0 + kMs, 0, 100 * kMs);
  integrator.Observe(1000, 500 * kMs, 0, 100 * kMs);
  const uint64_t before = integrator.microjoules();
  CHECK(before > 200000 && before < 500000);
  integrator.Interrupt();
  integrator.Observe(9000, 60000 * kMs, 0, 100 * kMs);
  CHECK(integrator.microjoules() == before && integrator.time_ns() == 60000 * kMs);
  integrator.Observe(9000, 61000 * kMs, 0, 100 * kMs);
  CHECK(integrator.microjoules() == before + 9000000 * 9 / 10);
  // Hours at the highest power do not overflow.
  integrator.Observe(3000000, 61100 * kMs, 61100 * kMs, 100 * kMs);
  integrator.Observe(3000000, uint64_t{100} * 3600 * 1000 * kMs, 0, 100 * kMs);
  CHECK(integrator.microjoules() > uint64_t{1000000000} * 1000000);
}

}  // namespace
}  // namespace microjoule

int main() {
  microjoule::TestIntegral();
  microjoule::TestTimer();
  microjoule::TestGap();
}
