// SPDX-License-Identifier: MIT
//
// `microjoule/mitata`: mitata's `run()`, which measures energy beside time.
export type { AbsentEnergy, BenchmarkEnergy, EnergyOptions, KnownEnergy } from './harness/energy.js';
export { type EnergyResult, type EnergyRun, type EnergyRunOptions, run } from './harness/mitata.js';
