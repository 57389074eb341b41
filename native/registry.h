// SPDX-License-Identifier: MIT
#pragma once

#include <memory>

#include "meter.h"
#include "sampler.h"

namespace microjoule {

// The meter for these options: the one already open in this process, if any environment has it.
// It closes with its last holder. One that is outdated is left to those who have it.
std::shared_ptr<Meter> AcquireMeter(const Options& options);

// The sampler for these options, likewise. Opened again, it knows what it knew of its counters.
// `told` is what others knew.
std::shared_ptr<Sampler> AcquireSampler(const Options& options, const Calibrations& told = {});

}  // namespace microjoule
