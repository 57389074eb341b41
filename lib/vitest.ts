// SPDX-License-Identifier: MIT
//
// `microjoule/vitest`: a benchmark provider for vitest that measures energy beside time. vitest takes what a provider's
// module exports by default.
import { energyProvider } from './harness/vitest.js';

export type { AbsentEnergy, BenchmarkEnergy, EnergyOptions, KnownEnergy } from './harness/energy.js';
export type { BenchmarkGroup, BenchmarkResult, EnergyProvider } from './harness/vitest.js';
export { energyProvider } from './harness/vitest.js';
export default energyProvider();
