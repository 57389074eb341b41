// SPDX-License-Identifier: MIT
//
// `microjoule/tinybench`: a bench of tinybench that measures energy beside time.
export type { AbsentEnergy, BenchmarkEnergy, EnergyOptions, KnownEnergy } from './harness/energy.js';
export { EnergyBench, type EnergyBenchOptions, energyColumns } from './harness/tinybench.js';
