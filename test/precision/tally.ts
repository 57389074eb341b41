// SPDX-License-Identifier: MIT
import type { EnergyEstimate, Flag } from '../../lib/precision/types.js';

/** One simulated measurement and what it should have found. */
export interface Trial {
  estimate: EnergyEstimate;
  truthJoules: number;
  /** What reading the counter before and after would have given. */
  naiveJoules?: number;
}

/** Flags that tell a reader that the model of a steady, whole, unfiltered record does not hold. */
const WARNINGS: readonly Flag[] = [
  'power-varies',
  'gap',
  'reset',
  'energy-filter',
  'steadiness-unknown',
  'starts-before-record',
  'ends-after-record',
  'phases-not-spread',
  'below-idle',
];

export interface Summary {
  trialCount: number;
  /** Of the trials that gave a value, relative to the truth; undefined where none did. */
  biasRatio: number | undefined;
  rmsRatio: number | undefined;
  naiveBiasRatio: number | undefined;
  naiveRmsRatio: number | undefined;
  coverage: number;
  /** Of the trials that gave a value. */
  resolvedCoverage: number | undefined;
  coveredOrFlagged: number;
  /** Half the mean width of the stated intervals, relative to the truth. */
  halfWidthRatio: number;
  /** Mean width of the stated intervals in units of the shortest that holds 95 % of the errors. */
  widthOverShortest: number | undefined;
  resolvedRatio: number;
  flaggedRatio: number;
  methods: string[];
}

const mean = (values: readonly number[]): number =>
  values.reduce((total, value) => total + value, 0) / values.length;
const maybe = (values: readonly number[], of: (values: readonly number[]) => number): number | undefined =>
  values.length === 0 ? undefined : of(values);
const rms = (values: readonly number[]): number => Math.sqrt(mean(values.map((value) => value ** 2)));

/** Length of the shortest interval that holds 95 % of the values. */
function shortest95(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const held = Math.ceil(0.95 * sorted.length);
  let shortest = Number.POSITIVE_INFINITY;
  for (let i = 0; i + held <= sorted.length; ++i) {
    shortest = Math.min(shortest, (sorted[i + held - 1] as number) - (sorted[i] as number));
  }
  return shortest;
}

export function summarise(trials: readonly Trial[]): Summary {
  const covers = ({ estimate, truthJoules }: Trial): boolean =>
    estimate.lowerJoules <= truthJoules && truthJoules <= estimate.upperJoules;
  const flagged = ({ estimate }: Trial): boolean => estimate.flags.some((flag) => WARNINGS.includes(flag));
  const resolved = trials.filter(({ estimate }) => estimate.resolved);
  const errors = resolved.map(({ estimate, truthJoules }) => estimate.energyJoules / truthJoules - 1);
  const naive = trials.flatMap(({ naiveJoules, truthJoules }) =>
    naiveJoules === undefined ? [] : [naiveJoules / truthJoules - 1],
  );
  const share = (test: (trial: Trial) => boolean, of: readonly Trial[] = trials): number =>
    of.filter(test).length / of.length;
  const widths = resolved.map(
    ({ estimate, truthJoules }) => (estimate.upperJoules - estimate.lowerJoules) / truthJoules,
  );
  const counts = new Map<string, number>();
  for (const { estimate } of trials) counts.set(estimate.method, (counts.get(estimate.method) ?? 0) + 1);
  return {
    trialCount: trials.length,
    biasRatio: maybe(errors, mean),
    rmsRatio: maybe(errors, rms),
    naiveBiasRatio: maybe(naive, mean),
    naiveRmsRatio: maybe(naive, rms),
    coverage: share(covers),
    resolvedCoverage: resolved.length === 0 ? undefined : share(covers, resolved),
    coveredOrFlagged: share((trial) => covers(trial) || flagged(trial)),
    halfWidthRatio: mean(
      trials.map(
        ({ estimate, truthJoules }) => (estimate.upperJoules - estimate.lowerJoules) / 2 / truthJoules,
      ),
    ),
    widthOverShortest: errors.length < 100 ? undefined : mean(widths) / shortest95(errors),
    resolvedRatio: resolved.length / trials.length,
    flaggedRatio: share(flagged),
    methods: [...counts].sort((a, b) => b[1] - a[1]).map(([name]) => name),
  };
}
