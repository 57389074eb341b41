// SPDX-License-Identifier: MIT
//
// Repetition: back-to-back calls in batches of which each is one region.
import { blockBootstrap, correlationLength } from '../precision/bootstrap.js';
import { component } from '../precision/interval.js';
import { type Batch, batchesNeeded, batchMeans, repetitionPlan } from '../precision/repetition.js';
import type { EnergyEstimate } from '../precision/types.js';
import type { CounterEnergy } from '../region/types.js';
import { type Runner, secondsOf, type TimedRegion, timed } from './run.js';
import type { Session } from './session.js';
import type { StopSignal } from './types.js';

/** Batches are up to so much longer than planned, by chance: no rhythm of the machine keeps in step with them. */
const LENGTH_SPREAD = 0.2;
/** Before a batch the same calls run for so long, so that the power does not step where it begins. */
const LEAD_PERIODS = 1;
const MOST_BATCHES = 1000;
/** With fewer, Student's t eats what leaving others out gains. */
const FEWEST_TOLD = 5;
/** Below this many, correlation cannot be told. */
const FEWEST_CORRELATED = 16;

/** One batch as it ran. */
export interface RunBatch extends Batch {
  region: TimedRegion;
  counters: CounterEnergy[];
}

export interface BatchOptions {
  targetRatio: number;
  /** Time of `performance.now()` by which to be done. */
  deadlineMs: number;
  random: () => number;
  signal: StopSignal | undefined;
  /** Measures for so long at least, however narrow the interval. */
  leastSeconds?: number;
}

/** Runs one batch and waits until it can be told. */
export async function runBatch(session: Session, runner: Runner, callCount: number): Promise<RunBatch> {
  const { recorder, calibration } = session;
  // A single call that is long needs no lead, and would double the time.
  if (callCount > 1) {
    const leadNs = LEAD_PERIODS * calibration.periodNs;
    const fromNs = recorder.nowNs();
    let count = 1;
    while (recorder.nowNs() - fromNs < leadNs) {
      const pending = runner.run(count);
      if (pending !== undefined) await pending;
      count = Math.min(2 * count, callCount);
    }
  }
  const region = await timed(runner, callCount, recorder);
  await session.settle(region.endNs);
  const { total, counters } = session.estimate(region);
  return { region, callCount, estimate: total, counters };
}

/**
 * Runs batches until the interval of their mean is as narrow as wanted, or the time is over: one at least.
 * @param callSeconds as known so far
 */
export async function runBatches(
  session: Session,
  runner: Runner,
  callSeconds: number,
  options: BatchOptions,
): Promise<RunBatch[]> {
  const { calibration } = session;
  const { deadlineMs, targetRatio, random, signal, leastSeconds = 0 } = options;
  const left = (): number => (deadlineMs - performance.now()) / 1000;
  const trialCount = Math.ceil((5 * calibration.periodNs) / 1e9 / callSeconds);
  const trial = await runBatch(session, runner, trialCount);
  const trialSeconds = secondsOf(trial.region);
  const plan = repetitionPlan(
    calibration,
    Math.max(trial.estimate.energyJoules / trialSeconds, 1e-3),
    Math.max(trialSeconds / trialCount, 1e-10),
    targetRatio,
    Math.max(left(), 1e-3),
  );
  // A call that is as long as a batch was measured by the trial already.
  const batches = plan.callsPerBatchCount <= trialCount ? [trial] : [];
  let wanted = Math.max(plan.batchCount, Math.ceil(leastSeconds / plan.batchSeconds));
  while (batches.length < Math.min(wanted, MOST_BATCHES)) {
    signal?.throwIfAborted();
    const next = plan.batchSeconds * (1 + LENGTH_SPREAD / 2);
    if (batches.length > 0 && left() < next) break;
    const longer = 1 + LENGTH_SPREAD * random();
    const callCount = plan.callsPerBatchCount === 1 ? 1 : Math.ceil(plan.callsPerBatchCount * longer);
    batches.push(await runBatch(session, runner, callCount));
    if (batches.length >= wanted) {
      const each = told(batches).map(({ estimate, callCount }) => estimate.energyJoules / callCount);
      wanted = Math.max(wanted, batchesNeeded(each, targetRatio) + batches.length - each.length);
    }
  }
  return batches;
}

/** Batches of which only bounds are known say nothing of the mean, and are left out, if enough others do. */
export function told<One extends Batch>(batches: readonly One[]): readonly One[] {
  const good = batches.filter(({ estimate }) => estimate.method !== 'bound');
  return good.length >= Math.max(FEWEST_TOLD, batches.length / 2) ? good : batches;
}

/** The mean of batches for one call. Where neighbours resemble each other, by the block bootstrap. */
export function meanOfBatches(batches: readonly Batch[], random: () => number): EnergyEstimate {
  const plain = batchMeans(batches);
  const each = batches.map(({ estimate, callCount }) => estimate.energyJoules / callCount);
  if (each.length < FEWEST_CORRELATED || correlationLength(each) <= 1) return plain;
  const { interval, standardDeviation, blockCount } = blockBootstrap(each, { random });
  const half = (interval[1] - interval[0]) / 2;
  if (half <= plain.uncertaintyJoules) return plain;
  return {
    ...plain,
    uncertaintyJoules: half,
    standardUncertaintyJoules: standardDeviation,
    lowerJoules: Math.max(0, plain.energyJoules - half),
    upperJoules: plain.energyJoules + half,
    components: [component('repeatability', standardDeviation, blockCount - 1)],
    resolved: plain.resolved && plain.energyJoules >= half,
    flags: [...plain.flags, 'correlated'],
  };
}

/** Each counter's own mean for one call. */
export function countersOfBatches(batches: readonly RunBatch[], random: () => number): CounterEnergy[] {
  const [first] = batches;
  return (first?.counters ?? []).map((counter, index) => {
    const own = batches.flatMap(({ counters, callCount }) => {
      const estimate = counters[index]?.energy;
      return estimate === undefined ? [] : [{ estimate, callCount }];
    });
    const { energy: _, ...rest } = counter;
    return own.length === batches.length ? { ...rest, energy: meanOfBatches(own, random) } : rest;
  });
}
