// SPDX-License-Identifier: MIT
//
// The functions of the main module, which load the rest at their first call: importing the package stays cheap.
import { loadNow } from '../load.js';
import type {
  CompareEnergyOptions,
  EnergyComparison,
  Kernel,
  KernelEnergy,
  MeasureEnergyOptions,
} from './types.js';

/**
 * Measures the energy of one call of a function: warms up, watches the idle machine and an empty loop, and repeats the
 * call until the interval is as narrow as `targetRatio` or the budget is spent. Nothing else should run meanwhile: it is
 * the machine that is metered. A function that returns a promise is awaited.
 * @throws MicrojouleError `ERR_BAD_OPTION`; `ERR_NO_COUNTERS` with what to do about it, unless `allowEstimates`;
 *   what the function itself throws
 */
export async function measureEnergy<Input = unknown>(
  fn: Kernel<Input>,
  options: MeasureEnergyOptions<Input> = {},
): Promise<KernelEnergy> {
  return loadNow<typeof import('./measure-energy.js')>('kernel/measure-energy').measureEnergy(fn, options);
}

/**
 * Compares the energy of functions by running them in turn, in blocks whose order is drawn by chance and then mirrored
 * (ABBA), which cancels whatever drifts. The first is the reference; blocks of it against itself show whether the machine
 * was steady enough to say anything.
 * @throws MicrojouleError `ERR_BAD_OPTION`; `ERR_NO_COUNTERS` with what to do about it; what a function itself throws
 */
export async function compareEnergy(
  functions: Readonly<Record<string, () => unknown>>,
  options: CompareEnergyOptions = {},
): Promise<EnergyComparison> {
  return loadNow<typeof import('./compare-energy.js')>('kernel/compare-energy').compareEnergy(
    functions,
    options,
  );
}
