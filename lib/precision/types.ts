// SPDX-License-Identifier: MIT
//
// What the estimators take and give. Everything is data: no clocks, no files, no randomness of their own.

/**
 * One update of a hardware counter as a sampler saw it. The counter moved after `lowerNs`, the start of the last read
 * that still gave the old value, and before `upperNs`, the end of the first read that gave the new one. Times are
 * nanoseconds since an origin that the whole series shares; so are the joules.
 */
export interface CounterUpdate {
  readonly lowerNs: number;
  readonly upperNs: number;
  /** Where the counter stands from this update on. */
  readonly joules: number;
  /** Updates that happened since the record before this one and were not seen. Absent: none. */
  readonly missedCount?: number;
  /** Something was lost since the record before this one, and nobody knows how much. */
  readonly gap?: boolean;
}

/** What is known of a counter, measured on this machine. */
export interface CounterCalibration {
  /** Mean time between two updates. */
  readonly periodNs: number;
  /** Standard deviation of one update's own time about its place in the period. */
  readonly jitterNs: number;
  /** The step in which the counter counts. */
  readonly quantumJoules: number;
  /** How long one read takes; the value it gives was taken at some time during it. */
  readonly readCostNs: number;
  /** Whether the processor may be adding noise to its energy counts (Intel's energy filter). */
  readonly isFiltered: boolean;
}

/** A stretch of time whose energy is asked for. Regions nest and overlap freely. */
export interface Region {
  readonly startNs: number;
  readonly endNs: number;
}

/** A mean power with its standard uncertainty (one sigma). */
export interface PowerEstimate {
  readonly powerWatts: number;
  readonly standardUncertaintyWatts: number;
  /** Infinity where the uncertainty was not estimated from a few repetitions. */
  readonly degreesOfFreedomCount: number;
  /** How far the power over one second strays from that mean; over t seconds, this by the root of t. Default 0. */
  readonly wanderWatts?: number;
}

export type Method =
  /** Slope between the first and the last update inside, times the length. Assumes steady power inside. */
  | 'inside-slope'
  /** Difference of the updates around the region less the time outside it at the measured power of waiting. */
  | 'tick-aligned'
  /** Linear interpolation between the updates around each edge. Biased by power steps at the edges. */
  | 'interpolation'
  /** Hard bounds from the surrounding updates. No figure, only a range. */
  | 'bound'
  /** Mean over repetitions. */
  | 'repetition'
  /** Regression over repetitions at different phases of the counter. */
  | 'phase-sweep'
  /** A sum or difference of other estimates. */
  | 'combined'
  /** A model of the machine, nothing measured. */
  | 'model';

export type Flag =
  /** The counter gave no update at all. */
  | 'no-updates'
  /** Too short for its counter: fewer than two updates inside and no alignment. */
  | 'too-short'
  /** Fewer than ten updates inside. */
  | 'few-updates'
  | 'starts-before-record'
  | 'ends-after-record'
  /** Updates were missed in or next to the region. */
  | 'gap'
  /** The counter fell in or next to the region: the energy of that interval is lost. */
  | 'reset'
  /** The energy filter may be on. Short regions are uncertain by its noise, whose size can only be guessed. */
  | 'energy-filter'
  /** The power varied by more than the counter's own noise. */
  | 'power-varies'
  /** Nothing around the region tells whether the power was steady. */
  | 'steadiness-unknown'
  /** More energy than is plausible. */
  | 'implausible'
  /** The repetitions do not spread over the counter's period. */
  | 'phases-not-spread'
  /** Fewer repetitions than an interval needs. */
  | 'few-repetitions'
  /** Neighbouring repetitions resemble each other: the interval is the block bootstrap's. */
  | 'correlated'
  /** The region used less than the idle machine beside it: the baseline does not hold. */
  | 'below-idle'
  /** A model's figure: its bounds are what the model can give at all. */
  | 'estimated';

export type ComponentName =
  | 'quantisation'
  | 'edge-timing'
  | 'extrapolation'
  | 'edge-power'
  | 'spin-power'
  | 'energy-filter'
  | 'repeatability'
  | 'baseline'
  | 'bound'
  | 'model';

/** One cause of uncertainty. */
export interface UncertaintyComponent {
  readonly name: ComponentName;
  /** One sigma. */
  readonly standardUncertaintyJoules: number;
  readonly degreesOfFreedomCount: number;
  /** Whether other counters err in the same way over the same region, so that the errors add up in a total. */
  readonly isShared: boolean;
}

/** The energy of something, and how far it is known. All fields are finite; energies are never negative. */
export interface EnergyEstimate {
  /** The best value. Where `resolved` is false it is only a guess within the bounds. */
  readonly energyJoules: number;
  /** Half-width of the interval at `confidenceRatio`, the wider side if the two differ. */
  readonly uncertaintyJoules: number;
  /** One sigma, for further propagation. */
  readonly standardUncertaintyJoules: number;
  readonly lowerJoules: number;
  readonly upperJoules: number;
  /** How often the truth lies between lower and upper, at least. */
  readonly confidenceRatio: 0.95;
  readonly method: Method;
  readonly components: readonly UncertaintyComponent[];
  /** Whether the value may be printed as one: it is known, and larger than its own uncertainty. */
  readonly resolved: boolean;
  readonly flags: readonly Flag[];
}
