// SPDX-License-Identifier: MIT
//
// What a reader of a kernel's energy must know beside the figure.
import { formatSignificant } from '../core/numbers.js';
import type { Warning } from '../core/vocabulary.js';
import type { EnergyEstimate } from '../precision/types.js';
import type { KernelEnergy } from './types.js';

/** Time drift beyond this is worth a word. */
const NOTED_DRIFT_RATIO = 0.05;
/** Over the budget by half of it is worth one, too. */
export const OVERRUN_RATIO = 1.5;
const NOTED_GARBAGE_RATIO = 0.02;
/** Fewer repetitions drift by chance. */
const FEWEST_DRIFTING = 6;

/** An estimate of so many calls as one of a single call. */
export function perCall(estimate: EnergyEstimate, callCount: number): EnergyEstimate {
  return {
    ...estimate,
    energyJoules: estimate.energyJoules / callCount,
    uncertaintyJoules: estimate.uncertaintyJoules / callCount,
    standardUncertaintyJoules: estimate.standardUncertaintyJoules / callCount,
    lowerJoules: estimate.lowerJoules / callCount,
    upperJoules: estimate.upperJoules / callCount,
    components: estimate.components.map((one) => ({
      ...one,
      standardUncertaintyJoules: one.standardUncertaintyJoules / callCount,
    })),
  };
}

/** From the mean of the first third to that of the last. */
export function timeDrift(callSeconds: readonly number[]): number | undefined {
  if (callSeconds.length < FEWEST_DRIFTING) return undefined;
  const third = Math.floor(callSeconds.length / 3);
  const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);
  const first = total(callSeconds.slice(0, third));
  return first > 0 ? total(callSeconds.slice(-third)) / first - 1 : 0;
}

const percent = (ratio: number): string => `${(100 * ratio).toPrecision(2)} %`;

export function warningsOf(
  result: Omit<KernelEnergy, 'warnings' | 'summary'>,
  {
    targetRatio,
    budgetSeconds,
    tookSeconds,
    baselineSeconds,
    isLong,
    isWaiting,
  }: {
    targetRatio: number;
    budgetSeconds: number;
    tookSeconds: number;
    /** The least budget for baselines, where they are missing for its sake. */
    baselineSeconds: number | undefined;
    isLong: boolean;
    isWaiting: boolean;
  },
): Warning[] {
  const { total, active, marginal, warmUp, garbageCollection, timeDriftRatio = 0, missing } = result;
  const reachedRatio = total.uncertaintyJoules / total.energyJoules;
  const more = `Raise budgetSeconds (now ${budgetSeconds}).`;
  const all: (Warning | false)[] = [
    isLong && {
      code: 'over-budget',
      message: `one call takes ${result.callSeconds.toPrecision(3)} s, more than half the budget: it was measured ${result.callCount} times, without warm-up`,
      hint: more,
    },
    !isLong &&
      tookSeconds > OVERRUN_RATIO * budgetSeconds && {
        code: 'over-budget',
        message: `the measurement took ${tookSeconds.toPrecision(2)} s, longer than the budget of ${budgetSeconds} s: the counters update too rarely for less, or the machine was busy`,
        hint: more,
      },
    baselineSeconds !== undefined && {
      code: 'no-baseline',
      message: `the counters update too rarely to watch the idle machine within the budget of ${budgetSeconds} s: what a call adds to it is not known`,
      hint: `Pass a budgetSeconds of at least ${formatSignificant(baselineSeconds, 2)}.`,
    },
    !total.resolved && {
      code: 'not-resolved',
      message: 'the counters could not tell the energy of a call from nothing: only bounds are given',
      hint: more,
    },
    !isLong &&
      total.resolved &&
      reachedRatio > targetRatio && {
        code: 'target-missed',
        message: `the interval is ±${percent(reachedRatio)}, wider than the ±${percent(targetRatio)} asked for`,
        hint: `${more} Stop other programs, or ask for less.`,
      },
    active !== undefined &&
      !active.resolved && {
        code: 'active-below-noise',
        message: active.flags.includes('below-idle')
          ? 'the machine drew less during the calls than while it idled beside them: another program ran then, and what the call adds to the idle machine is not known'
          : 'what the call adds to the idle machine is below the noise: its upper bound is given',
        hint: `Stop other programs. ${more}`,
      },
    marginal !== undefined &&
      !marginal.resolved && {
        code: 'below-noise',
        message: 'what the call adds to an empty loop is below the noise: its upper bound is given',
        hint: 'Do more work in a call, or raise budgetSeconds.',
      },
    isWaiting && {
      code: 'mostly-waiting',
      message: 'the function mostly waits: what it adds to a loop that spins has no meaning, and is left out',
      hint: 'See `active`, what it adds to the idle machine.',
    },
    !isLong &&
      warmUp !== undefined &&
      !warmUp.isStable && {
        code: 'not-warm',
        message: `the time of a call had not settled after ${warmUp.durationSeconds.toPrecision(2)} s of warm-up`,
        hint: more,
      },
    result.lostBatchCount > 0 && {
      code: 'lost-batches',
      message: `${result.lostBatchCount} of ${result.lostBatchCount + result.batchCount} repetitions were left out: the thread that reads the counters was kept waiting, or the call was`,
      hint: 'Stop other programs.',
    },
    Math.abs(timeDriftRatio) > NOTED_DRIFT_RATIO && {
      code: 'time-drifts',
      message: `a call got ${percent(Math.abs(timeDriftRatio))} ${timeDriftRatio > 0 ? 'slower' : 'faster'} while it was measured: it was still being optimised, or the machine changed its pace`,
      hint: more,
    },
    garbageCollection !== undefined &&
      garbageCollection.timeRatio > NOTED_GARBAGE_RATIO && {
        code: 'garbage-collection',
        message: `${percent(garbageCollection.timeRatio)} of the measured time was garbage collection: its energy is in the total`,
      },
    missing.length > 0 && {
      code: 'at-least',
      message: `${missing.join(', ')} could not be read: the total is at least this much`,
      hint: 'Run microjoule doctor.',
    },
    total.flags.includes('energy-filter') && {
      code: 'energy-filter',
      message: 'the processor may add noise to its energy counts: intervals are wider for it',
    },
    total.flags.includes('power-varies') && {
      code: 'power-varies',
      message:
        'the power varied within the repetitions: the interval holds unless it swings faster than the counter updates',
    },
  ];
  return all.filter((warning) => warning !== false);
}
