// SPDX-License-Identifier: MIT

import type {
  Facility,
  Intensity,
  Measurement,
  PresentKind,
  Repetitions,
  Run,
  Spread,
} from '../core/report-types.js';
import { joulesToKwh } from '../core/units.js';
import { weakerKind } from './kinds.js';

type RunWithEnergy = Run & { kind: PresentKind };

/**
 * Mean and sample standard deviation (n - 1) of the single runs, with emissions in grams at `intensity`, all as
 * good as the worst run. One run has no spread, and neither have runs of which one has no energy: then there is
 * nothing to return.
 */
export function summariseRuns(
  runs: NonNullable<Measurement['runs']>,
  source: string,
  intensity: Intensity,
  facility?: Facility,
): Repetitions | undefined {
  if (runs.length < 2 || !runs.every(hasEnergy)) return undefined;
  const withEmissions = runs.map(({ durationSeconds, energyJoules, kind, atLeast }) => ({
    durationSeconds,
    energyJoules,
    emissionsGrams: joulesToKwh(energyJoules) * (facility?.pueRatio ?? 1) * intensity.intensityGramsPerKwh,
    kind,
    atLeast,
  }));
  const kind = withEmissions.map((run) => run.kind).reduce(weakerKind);
  return {
    count: runs.length,
    kind,
    source,
    atLeast: withEmissions.some((run) => run.atLeast),
    durationSeconds: spreadOf(withEmissions.map((run) => run.durationSeconds)),
    energyJoules: spreadOf(withEmissions.map((run) => run.energyJoules)),
    emissionsGrams: {
      ...spreadOf(withEmissions.map((run) => run.emissionsGrams)),
      kind: [
        intensity.kind,
        ...(facility === undefined || facility.pueRatio === 1 ? [] : (['assumed'] as const)),
      ].reduce(weakerKind, kind),
    },
    runs: withEmissions,
  };
}

function hasEnergy(run: Run): run is RunWithEnergy {
  return run.kind !== 'absent';
}

function spreadOf(values: readonly number[]): Spread {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  // Two passes: the one-pass formula loses everything when the spread is small beside the mean.
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, standardDeviation: Math.sqrt(squares / (values.length - 1)) };
}
