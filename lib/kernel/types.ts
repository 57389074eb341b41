// SPDX-License-Identifier: MIT
import type { Provenance, Warning } from '../core/vocabulary.js';
import type { MeterOptions } from '../meter/options.js';
import type { PairComparison } from '../precision/compare.js';
import type { EnergyEstimate, PowerEstimate } from '../precision/types.js';
import type { RegionMeter } from '../region/region-meter.js';
import type { CounterEnergy } from '../region/types.js';

/** What is measured. May be async: then each call is awaited before the next. */
export type Kernel<Input = unknown> = (input: Input) => unknown;

/** What is used of an `AbortSignal`; so that its users need no types but the language's. */
export interface StopSignal {
  throwIfAborted(): void;
}

export interface MeasureEnergyOptions<Input = unknown> extends MeterOptions {
  /** For messages. Default: the function's own name. */
  name?: string;
  /** Half-width of the 95 % interval to reach, relative to the energy. Default 0.01. */
  targetRatio?: number;
  /**
   * What everything may take: warm-up, baselines, repetitions. One call is always finished. Default 3 s. Baselines take at
   * most half of it: where the counters update too rarely for that, `active` and `marginal` are left out.
   */
  budgetSeconds?: number;
  /**
   * Called before each call and not measured; what it returns (or resolves to) is the call's argument. With it calls are
   * not repeated back to back: short ones are spread over the phases of the counter instead.
   */
  setup?: () => Input | Promise<Input>;
  /** A meter of one's own, which stays open. Default: one is opened and closed. */
  meter?: RegionMeter;
  /** Where no counter can be read: a model's estimate instead of an error. Every figure says so. Default false. */
  allowEstimates?: boolean;
  /** Stops after the call that runs; what `reason` says is thrown. */
  signal?: StopSignal;
  /** Uniform numbers in [0, 1), for what is drawn by chance. Default `Math.random`. */
  random?: () => number;
}

/** The power of waiting, and how long it was watched. */
export interface BaselinePower extends PowerEstimate {
  durationSeconds: number;
}

/** Energies are joules for one call. */
export interface KernelEnergy {
  name: string;
  /** How the energies came to be. */
  provenance: Provenance;
  /** The machine's, while one call ran. */
  total: EnergyEstimate;
  /** Above the idle machine; absent where idling could not be measured. */
  active?: EnergyEstimate;
  /**
   * Above the same thread calling an empty function: what the work itself adds. Below 0 where it takes less than that.
   * Absent for a function that mostly waits.
   */
  marginal?: EnergyEstimate;
  /** Of each counter, for one call. */
  counters: CounterEnergy[];
  /** What belongs into the total and could not be read, counters and devices: it is "at least" this much. */
  missing: string[];
  /** Mean time of one call. */
  callSeconds: number;
  /** Calls that were measured. */
  callCount: number;
  /** Back-to-back repetitions of which each was one region; in a phase sweep, the calls. */
  batchCount: number;
  /**
   * Repetitions beside those that were left out: the counters' updates within them were not seen, or, in a phase sweep,
   * they took more than three times the median while the process was put aside, which less than a tenth of them did.
   */
  lostBatchCount: number;
  idle?: BaselinePower;
  /** Of the thread calling an empty function. */
  emptyLoop?: BaselinePower;
  /** Absent in an estimate. */
  warmUp?: { callCount: number; durationSeconds: number; isStable: boolean };
  /** The collector's part of the time that was measured. Its energy is in the total. Absent in an estimate. */
  garbageCollection?: { count: number; durationSeconds: number; timeRatio: number };
  /**
   * By how much a call got slower (or, below 0, faster) from the first third of the repetitions to the last. Absent for
   * fewer than six.
   */
  timeDriftRatio?: number;
  warnings: Warning[];
  /** The result in words. */
  summary: string;
}

export interface CompareEnergyOptions
  extends Pick<MeasureEnergyOptions, 'meter' | 'signal' | 'random' | keyof MeterOptions> {
  /**
   * What everything may take: warm-up and blocks. Refused where the functions take so long that their fewest blocks would
   * need half as much again. Default 10 s.
   */
  budgetSeconds?: number;
  /** ABBA or BAAB blocks, at least 8. Default: as many as the budget allows, from 8 to 40. */
  blockCount?: number;
}

/** One of those compared. */
export interface Contestant {
  name: string;
  callSeconds: number;
  /** The machine's for one call: the mean over all its runs that were told. */
  energy: EnergyEstimate;
  callsPerRunCount: number;
}

export interface EnergyComparison {
  contestants: Contestant[];
  /** Each of the others against the first, `a` being the other. */
  comparisons: (PairComparison & { name: string; reference: string })[];
  provenance: Provenance;
  /** What belongs into the total and could not be read: the energies are at least so much. */
  missing: string[];
  warnings: Warning[];
  /** The verdicts, one a line. */
  summary: string;
}
