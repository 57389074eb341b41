// SPDX-License-Identifier: MIT
//
// `microjoule/bench-node`: a suite of bench-node that measures energy beside time.

export { EnergySuite, type EnergySuiteOptions, energyReport } from './harness/bench-node.js';
export type { AbsentEnergy, BenchmarkEnergy, EnergyOptions, KnownEnergy } from './harness/energy.js';
