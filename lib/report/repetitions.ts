// SPDX-License-Identifier: MIT

import type { Measurement, Repetitions, Spread } from '../core/report-types.js';
import { joulesToKwh } from '../core/units.js';

/**
 * Mean and sample standard deviation (n - 1) of the single runs, with emissions in grams at
 * `intensityGramsPerKwh`. One run has no spread: then there is nothing to return.
 */
export function summariseRuns(
  runs: NonNullable<Measurement['runs']>,
  intensityGramsPerKwh: number,
): Repetitions | undefined {
  if (runs.length < 2) return undefined;
  const withEmissions = runs.map(({ durationSeconds, energyJoules }) => ({
    durationSeconds,
    energyJoules,
    emissionsGrams: joulesToKwh(energyJoules) * intensityGramsPerKwh,
  }));
  return {
    count: runs.length,
    durationSeconds: spreadOf(withEmissions.map((run) => run.durationSeconds)),
    energyJoules: spreadOf(withEmissions.map((run) => run.energyJoules)),
    emissionsGrams: spreadOf(withEmissions.map((run) => run.emissionsGrams)),
    runs: withEmissions,
  };
}

function spreadOf(values: readonly number[]): Spread {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  // Two passes: the one-pass formula loses everything when the spread is small beside the mean.
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, standardDeviation: Math.sqrt(squares / (values.length - 1)) };
}
