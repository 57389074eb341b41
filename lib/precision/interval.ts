// SPDX-License-Identifier: MIT
//
// Components of uncertainty into an interval.
import { effectiveDegrees, NORMAL_95, student95 } from './distributions.js';
import type { Bounds } from './surroundings.js';
import type { ComponentName, EnergyEstimate, Flag, Method, UncertaintyComponent } from './types.js';

export function component(
  name: ComponentName,
  standardUncertaintyJoules: number,
  degreesOfFreedomCount = Number.POSITIVE_INFINITY,
  isShared = false,
): UncertaintyComponent {
  return { name, standardUncertaintyJoules, degreesOfFreedomCount, isShared };
}

export function rootSumSquare(components: readonly UncertaintyComponent[]): number {
  let variance = 0;
  for (const { standardUncertaintyJoules } of components) variance += standardUncertaintyJoules ** 2;
  return Math.sqrt(variance);
}

/**
 * Excess kurtosis of what is the sum of two uniform errors: their tails are cut, so that 95 % lie nearer to the middle
 * than of a normal distribution.
 */
const KURTOSIS: Partial<Record<ComponentName, number>> = { quantisation: -0.6, 'edge-timing': -0.6 };
/** Cornish and Fisher: what one unit of excess kurtosis adds to the 97.5 % point, (z^3 - 3 z) / 24. */
const KURTOSIS_TO_FACTOR = (NORMAL_95 ** 3 - 3 * NORMAL_95) / 24;

/** Half-width of the 95 % interval: root sum of squares, Student's t of the effective degrees of freedom. */
export function halfWidth95(components: readonly UncertaintyComponent[]): number {
  const size = rootSumSquare(components);
  if (!(size > 0)) return 0;
  let kurtosis = 0;
  for (const { name, standardUncertaintyJoules } of components) {
    kurtosis += (KURTOSIS[name] ?? 0) * (standardUncertaintyJoules / size) ** 4;
  }
  return size * (student95(effectiveDegrees(components)) + kurtosis * KURTOSIS_TO_FACTOR);
}

export interface Candidate {
  energyJoules: number;
  method: Method;
  components: UncertaintyComponent[];
  /** Added to the half-width as it is: an error of known size and unknown presence. */
  extraJoules: number;
  flags: Flag[];
}

export function candidateHalfWidth({ components, extraJoules }: Candidate): number {
  return halfWidth95(components) + extraJoules;
}

/** A candidate within its hard bounds. Resolved where it is larger than its own uncertainty. */
export function conclude(candidate: Candidate, bounds: Bounds, flags: readonly Flag[]): EnergyEstimate {
  const half = candidateHalfWidth(candidate);
  const within = (joules: number): number =>
    Math.min(bounds.upperJoules, Math.max(bounds.lowerJoules, joules));
  const value = within(candidate.energyJoules);
  // The interval is laid about the estimate before the bounds moved it, and then cut to them.
  const lowerJoules = Math.min(value, within(candidate.energyJoules - half));
  const upperJoules = Math.max(value, within(candidate.energyJoules + half));
  // Nothing uses no energy at all: where the noise leaves none, the middle of what is possible stands for it.
  const energyJoules = value > 0 ? value : (lowerJoules + upperJoules) / 2;
  return {
    energyJoules,
    uncertaintyJoules: Math.max(upperJoules - energyJoules, energyJoules - lowerJoules),
    standardUncertaintyJoules: rootSumSquare(candidate.components) + candidate.extraJoules / 2,
    lowerJoules,
    upperJoules,
    confidenceRatio: 0.95,
    method: candidate.method,
    components: candidate.components,
    resolved: value > 0 && value >= half,
    flags: [...new Set([...flags, ...candidate.flags])],
  };
}
