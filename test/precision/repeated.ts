// SPDX-License-Identifier: MIT
//
// Trials of many calls: batches, sweeps over the phase, baselines, totals.
import { meanPower, overBaseline } from '../../lib/precision/baseline.js';
import { combine } from '../../lib/precision/combine.js';
import { phaseSweep, sweepPhase } from '../../lib/precision/phase-sweep.js';
import { estimateRegion } from '../../lib/precision/region.js';
import { type Batch, batchesNeeded, batchMeans, repetitionPlan } from '../../lib/precision/repetition.js';
import type { EnergyEstimate, Region } from '../../lib/precision/types.js';
import { normal, type Random } from './random.js';
import type { Points } from './scenes.js';
import type { Trial } from './tally.js';
import { calibrationOf, PowerProfile, record, updateTimes, type VirtualCounter } from './virtual-counter.js';

/** Batches of back-to-back calls of `length` periods at about 60 W, between times of 30 W. */
export function repeated(
  counter: VirtualCounter,
  length: number,
  targetRatio: number,
  callSpread: number,
  random: Random,
): Trial {
  const calibration = calibrationOf(counter);
  const seconds = length * counter.periodSeconds;
  const plan = repetitionPlan(calibration, 60, seconds, targetRatio, 1000 * counter.periodSeconds);
  const points: [number, number][] = [[0, 30]];
  const regions: Region[] = [];
  let time = 6 * counter.periodSeconds;
  for (let batch = 0; batch < plan.batchCount; ++batch) {
    time += (3 + random()) * counter.periodSeconds;
    const start = time;
    points.push([start, 30]);
    for (let call = 0; call < plan.callsPerBatchCount; ++call) {
      const watts = 60 * (1 + callSpread * normal(random));
      points.push([time, watts], [time + seconds, watts]);
      time += seconds;
    }
    points.push([time, 30]);
    regions.push({ startNs: start * 1e9, endNs: time * 1e9 });
  }
  const end = time + 6 * counter.periodSeconds;
  const series = record(counter, new PowerProfile(points), updateTimes(counter, 0, end, random), random);
  const batches: Batch[] = regions.map((region) => ({
    estimate: estimateRegion(series, calibration, region),
    callCount: plan.callsPerBatchCount,
  }));
  return { estimate: batchMeans(batches), truthJoules: 60 * seconds };
}

/** What calls of a sweep are like beside their length. */
export interface SweepShape {
  /** Power of a setup of 0.4 periods before each call, with spinning of 1.5 periods or more on either side. */
  setupWatts?: number;
  /** How often a call is interrupted and takes up to five times as long, at the same power. */
  interruptedRatio?: number;
}

/** Single calls, each a spun-for update and a phase later: what the first so many of them tell. */
function sweepCalls(
  counter: VirtualCounter,
  length: number,
  count: number,
  random: Random,
  { setupWatts, interruptedRatio = 0 }: SweepShape = {},
): (firstCount: number) => Trial {
  const period = counter.periodSeconds;
  const spacing = setupWatts === undefined ? 3 : 6;
  const times = updateTimes(counter, 0, (2 * spacing * count + 20) * period, random);
  const calls: Region[] = [];
  const setups: Region[] = [];
  const points: [number, number][] = [[0, 55]];
  let free = 0;
  for (let tick = 2; tick + spacing + 1 < times.length && calls.length < count; tick += spacing) {
    if ((times[tick] as number) < free) continue;
    let before = times[tick] as number;
    if (setupWatts !== undefined) {
      const setup = before + random() * period;
      points.push(
        [setup, 55],
        [setup, setupWatts],
        [setup + 0.4 * period, setupWatts],
        [setup + 0.4 * period, 55],
      );
      setups.push({ startNs: setup * 1e9, endNs: (setup + 0.4 * period) * 1e9 });
      before = times[tick + 3] as number;
    }
    const start = before + 2 * counter.pollSeconds + sweepPhase(calls.length) * period;
    const longer = random() < interruptedRatio ? 1 + 4 * random() : 1;
    const end = start + longer * length * period;
    calls.push({ startNs: start * 1e9, endNs: end * 1e9 });
    points.push([start, 55], [start, 60], [end, 60], [end, 55]);
    free = end + 1.5 * period;
  }
  const series = record(counter, new PowerProfile(points), times, random);
  return (firstCount) => {
    const first = calls.slice(0, firstCount);
    const endNs = (first.at(-1)?.endNs ?? 0) + 2e9 * period;
    const known = series.filter(({ upperNs }) => upperNs <= endNs);
    const estimate = phaseSweep(known, calibrationOf(counter), first, setups);
    const seconds = first.reduce((sum, call) => sum + (call.endNs - call.startNs) / 1e9, 0);
    return { estimate, truthJoules: (60 * seconds) / first.length };
  };
}

export function swept(
  counter: VirtualCounter,
  length: number,
  count: number,
  random: Random,
  shape?: SweepShape,
): Trial {
  return sweepCalls(counter, length, count, random, shape)(count);
}

/** A sweep that is looked at after 50 calls, and then after twice as many, until it is narrow enough. */
export function sweptUntil(
  counter: VirtualCounter,
  length: number,
  targetRatio: number,
  random: Random,
): Trial {
  const most = 400;
  const first = sweepCalls(counter, length, most, random);
  for (let look = 50; ; look *= 2) {
    const trial = first(look);
    const { uncertaintyJoules, energyJoules } = trial.estimate;
    if (uncertaintyJoules <= targetRatio * energyJoules || look >= most) return trial;
  }
}

/** Batches with values of such a spread, of which more are run until their mean is known well enough. */
export function batchesUntil(spread: number, targetRatio: number, random: Random): Trial {
  const joules: number[] = [];
  for (let wanted = 10; joules.length < wanted; ) {
    joules.push(1 + spread * normal(random));
    if (joules.length >= wanted) wanted = Math.max(wanted, batchesNeeded(joules, targetRatio));
  }
  const batches = joules.map((energyJoules): Batch => ({ callCount: 1, estimate: exactly(energyJoules) }));
  return { estimate: batchMeans(batches), truthJoules: 1 };
}

function exactly(energyJoules: number): EnergyEstimate {
  return {
    energyJoules,
    uncertaintyJoules: 0,
    standardUncertaintyJoules: 0,
    lowerJoules: energyJoules,
    upperJoules: energyJoules,
    confidenceRatio: 0.95,
    method: 'inside-slope',
    components: [],
    resolved: true,
    flags: [],
  };
}

/** Idle, a region, idle again: energy above idle, the idle power measured in the same record. */
export function aboveIdle(
  counter: VirtualCounter,
  length: number,
  insideWatts: number,
  random: Random,
): Trial {
  const seconds = length * counter.periodSeconds;
  const idle = 50 * counter.periodSeconds;
  const points: Points = [
    [0, 20],
    [0, insideWatts],
    [seconds, insideWatts],
    [seconds, 20],
  ];
  const times = updateTimes(counter, -idle, seconds + idle, random);
  const series = record(counter, new PowerProfile(points), times, random);
  const region = { startNs: 0, endNs: seconds * 1e9 };
  const calibration = calibrationOf(counter);
  const baseline = meanPower(series, calibration, [
    { startNs: -idle * 1e9, endNs: 0 },
    { startNs: seconds * 1e9, endNs: (seconds + idle) * 1e9 },
  ]);
  if (baseline === undefined) throw new Error('no baseline');
  return {
    estimate: overBaseline(estimateRegion(series, calibration, region), region, baseline, 'active'),
    truthJoules: (insideWatts - 20) * seconds,
  };
}

/** A short region after an update, the power of spinning measured before and after it in the same record. */
export function alignedMeasured(counter: VirtualCounter, length: number, random: Random): Trial {
  const seconds = length * counter.periodSeconds;
  const spun = 30 * counter.periodSeconds;
  const times = updateTimes(counter, -spun, seconds + spun, random);
  const tick = times.findIndex((time) => time >= 0);
  const start = (times[tick] as number) + 2 * counter.pollSeconds + 2 * counter.readSeconds;
  const profile = new PowerProfile([
    [start, 55],
    [start, 60],
    [start + seconds, 60],
    [start + seconds, 55],
  ]);
  const series = record(counter, profile, times, random);
  const calibration = calibrationOf(counter);
  const spin = meanPower(series, calibration, [
    { startNs: -spun * 1e9, endNs: start * 1e9 },
    { startNs: (start + seconds) * 1e9, endNs: (seconds + spun) * 1e9 },
  ]);
  if (spin === undefined) throw new Error('no power of spinning');
  const region = { startNs: start * 1e9, endNs: (start + seconds) * 1e9 };
  return {
    estimate: estimateRegion(series, calibration, region, { aligned: spin }),
    truthJoules: profile.between(start, start + seconds),
  };
}

/** Package and memory of two sockets, read by one reader: the updates of a socket fall together. */
export function totalOfFour(counter: VirtualCounter, length: number, random: Random): Trial {
  const seconds = length * counter.periodSeconds;
  const margin = 6 * counter.periodSeconds;
  const region = { startNs: 0, endNs: seconds * 1e9 };
  let truthJoules = 0;
  const estimates = [0, 1].flatMap(() => {
    const times = updateTimes(counter, -margin, seconds + margin, random);
    return [
      [30, 60],
      [3, 8],
    ].map(([outside = 0, inside = 0]) => {
      const profile = new PowerProfile([
        [0, outside],
        [0, inside],
        [seconds, inside],
        [seconds, outside],
      ]);
      truthJoules += profile.between(0, seconds);
      return estimateRegion(record(counter, profile, times, random), calibrationOf(counter), region);
    });
  });
  return { estimate: combine(estimates), truthJoules };
}
