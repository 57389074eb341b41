// SPDX-License-Identifier: MIT
//
// How often to repeat, and what the repetitions say together.
import { MicrojouleError } from '../core/errors.js';
import { NANOSECONDS_PER_SECOND } from '../core/units.js';
import { NORMAL_95, student95 } from './distributions.js';
import { component, halfWidth95, rootSumSquare } from './interval.js';
import { mean, standardDeviation, sum } from './samples.js';
import type { CounterCalibration, EnergyEstimate, Flag } from './types.js';

/** Fewer periods than this may leave less than two updates inside. */
const SHORTEST_PERIODS = 3;
/** A batch is much longer than the reads that frame it. */
const SHORTEST_READS = 50;
const BATCHES = 10;
/** With fewer, Student's t eats what longer batches gain. */
const FEWEST_BATCHES = 5;
/** Between two batches the next update is waited for, half a period on average, and the last one is read. */
const PAUSE_PERIODS = 1.5;
/** Standard deviation of an update's time in units of the cost of a read, when reads follow one another. */
const TIMING_READS = Math.sqrt(1 / 12 + 1 / 18);

export interface RepetitionPlan {
  callsPerBatchCount: number;
  batchCount: number;
  batchSeconds: number;
  totalSeconds: number;
  /** Half-width of the 95 % interval to expect if every call used the same energy, relative to the energy. */
  expectedRatio: number;
  /** What made the batch as long as it is. */
  limit: 'period' | 'quantum' | 'timing' | 'read-cost' | 'one-call' | 'budget';
  /** Whether the target can be met within the budget. */
  isFeasible: boolean;
}

/** Expected half-width at 95 %, relative, of `count` batches of `seconds` each. */
function expected(calibration: CounterCalibration, watts: number, seconds: number, count: number): number {
  const quantum = calibration.quantumJoules / Math.sqrt(6) / watts;
  const timing = (Math.SQRT2 * TIMING_READS * calibration.readCostNs) / NANOSECONDS_PER_SECOND;
  return (Math.hypot(quantum, timing) / seconds / Math.sqrt(count)) * student95(count - 1);
}

/**
 * Batches of back-to-back calls, each one region of at least three periods, long enough that the error of counting is
 * within the target. D = max(3 T, 50 reads, q / (sqrt 6 P e), t / (sqrt 6 e)), e the target for one batch at one sigma.
 */
export function repetitionPlan(
  calibration: CounterCalibration,
  powerWatts: number,
  secondsPerCall: number,
  targetRatio: number,
  budgetSeconds: number,
): RepetitionPlan {
  for (const [name, value] of Object.entries({ powerWatts, secondsPerCall, targetRatio, budgetSeconds })) {
    if (value > 0 && Number.isFinite(value)) continue;
    throw new MicrojouleError('ERR_BAD_OPTION', `${name} must be a positive number, not ${value}`);
  }
  const periodSeconds = calibration.periodNs / NANOSECONDS_PER_SECOND;
  const readSeconds = calibration.readCostNs / NANOSECONDS_PER_SECOND;
  const perBatch = (targetRatio / NORMAL_95) * Math.sqrt(BATCHES);
  const needs: [RepetitionPlan['limit'], number][] = [
    ['period', SHORTEST_PERIODS * periodSeconds],
    ['read-cost', SHORTEST_READS * readSeconds],
    ['quantum', calibration.quantumJoules / (Math.sqrt(6) * powerWatts * perBatch)],
    ['timing', (Math.SQRT2 * TIMING_READS * readSeconds) / perBatch],
    ['one-call', secondsPerCall],
  ];
  let [limit, wanted] = needs.reduce((longest, need) => (need[1] > longest[1] ? need : longest));
  const pause = PAUSE_PERIODS * periodSeconds;
  let batchCount = Math.min(BATCHES, Math.floor(budgetSeconds / (wanted + pause)));
  if (batchCount < FEWEST_BATCHES) {
    batchCount = FEWEST_BATCHES;
    const affordable = budgetSeconds / batchCount - pause;
    // Never below what can be resolved at all, even over budget.
    wanted = Math.max(Math.min(wanted, affordable), SHORTEST_PERIODS * periodSeconds, secondsPerCall);
    limit = 'budget';
  }
  const callsPerBatchCount = Math.max(1, Math.ceil(wanted / secondsPerCall - 1e-9));
  const batchSeconds = callsPerBatchCount * secondsPerCall;
  const totalSeconds = batchCount * (batchSeconds + pause);
  const expectedRatio = expected(calibration, powerWatts, batchSeconds, batchCount);
  return {
    callsPerBatchCount,
    batchCount,
    batchSeconds,
    totalSeconds,
    expectedRatio,
    limit,
    isFeasible: expectedRatio <= targetRatio && totalSeconds <= budgetSeconds * 1.001,
  };
}

/** How many batches in all bring the 95 % half-width within the target, judging by those that were run. */
export function batchesNeeded(joulesPerCall: readonly number[], targetRatio: number): number {
  const count = joulesPerCall.length;
  const centre = mean(joulesPerCall);
  if (count < 2 || !(centre > 0) || !(targetRatio > 0)) return Math.max(2, count);
  const wanted = (student95(count - 1) * standardDeviation(joulesPerCall)) / (targetRatio * centre);
  return Math.max(2, Math.ceil(wanted ** 2));
}

export interface Batch {
  estimate: EnergyEstimate;
  callCount: number;
}

/**
 * Energy per call over batches of calls: all energy over all calls, with the spread of the batches as its uncertainty
 * (Student's t). The spread holds what counting and the calls themselves add. A power of spinning that all batches were
 * corrected with is wrong in all of them alike and comes on top. A single batch keeps its own uncertainty.
 */
export function batchMeans(batches: readonly Batch[]): EnergyEstimate {
  const calls = sum(batches.map(({ callCount }) => callCount));
  if (batches.length === 0 || !(calls > 0)) {
    throw new MicrojouleError('ERR_BAD_OPTION', 'a mean needs at least one batch of at least one call');
  }
  const energyJoules = sum(batches.map(({ estimate }) => estimate.energyJoules)) / calls;
  const flags = new Set<Flag>(batches.flatMap(({ estimate }) => estimate.flags));
  if (batches.length < FEWEST_BATCHES) flags.add('few-repetitions');
  const bounded = batches.some(({ estimate }) => estimate.method === 'bound');
  const common = sum(
    batches.map(({ estimate }) =>
      rootSumSquare(estimate.components.filter(({ name }) => name === 'spin-power')),
    ),
  );
  const squares = sum(
    batches.map(({ estimate, callCount }) => (estimate.energyJoules - energyJoules * callCount) ** 2),
  );
  const count = batches.length;
  const own = Math.sqrt(sum(batches.map(({ estimate }) => estimate.standardUncertaintyJoules ** 2)));
  const spread = count > 1 ? Math.sqrt((squares / (count - 1)) * count) : own;
  const components = [
    component('repeatability', spread / calls, count > 1 ? count - 1 : Number.POSITIVE_INFINITY),
    ...(common > 0 && count > 1 ? [component('spin-power', common / calls)] : []),
  ];
  const widest = sum(batches.map(({ estimate }) => estimate.uncertaintyJoules)) / calls;
  const half = bounded || count === 1 ? widest : halfWidth95(components);
  return {
    energyJoules,
    uncertaintyJoules: half,
    standardUncertaintyJoules: bounded ? own / calls : rootSumSquare(components),
    lowerJoules: Math.max(0, energyJoules - half),
    upperJoules: energyJoules + half,
    confidenceRatio: 0.95,
    method: 'repetition',
    components,
    resolved: !bounded && energyJoules > 0 && energyJoules >= half,
    flags: [...flags],
  };
}
