// SPDX-License-Identifier: MIT
//
// Single trials: a counter, a power, a region of it, and its estimate.
import { estimateRegion, type RegionOptions } from '../../lib/precision/region.js';
import type { CounterUpdate, PowerEstimate } from '../../lib/precision/types.js';
import { normal, type Random } from './random.js';
import type { Trial } from './tally.js';
import { calibrationOf, PowerProfile, record, updateTimes, type VirtualCounter } from './virtual-counter.js';

/** Periods that are recorded before and after a region. */
const MARGIN = 6;

export type Points = (readonly [seconds: number, watts: number])[];

/** The power in a region of a length, with what surrounds it, from `from` to `to`; the region is [0, length]. */
export type Shape = (length: number, from: number, to: number, random: Random) => Points;

export const step =
  (outside: number, inside: number): Shape =>
  (length) => [
    [0, outside],
    [0, inside],
    [length, inside],
    [length, outside],
  ];

export interface Passive {
  counter: VirtualCounter;
  /** In periods. */
  length: number;
  shape: Shape;
  options?: RegionOptions;
  /** Changes to the record before it is used. */
  spoil?: (series: CounterUpdate[], random: Random) => CounterUpdate[];
}

/** A region that begins at a random time of the counter's period. */
export function passive({ counter, length, shape, options, spoil }: Passive, random: Random): Trial {
  const seconds = length * counter.periodSeconds;
  const margin = MARGIN * counter.periodSeconds;
  const [from, to] = [-margin, seconds + margin];
  const profile = new PowerProfile(shape(seconds, from, to, random));
  const times = updateTimes(counter, from, to, random);
  let series = record(counter, profile, times, random);
  if (spoil !== undefined) series = spoil(series, random);
  const region = { startNs: 0, endNs: seconds * 1e9 };
  const at = (time: number): number => series.findLast(({ upperNs }) => upperNs <= time * 1e9)?.joules ?? 0;
  return {
    estimate: estimateRegion(series, calibrationOf(counter), region, options),
    truthJoules: profile.between(0, seconds),
    naiveJoules: at(seconds) - at(0),
  };
}

export interface Aligned {
  counter: VirtualCounter;
  length: number;
  spinWatts: number;
  insideWatts: number;
  /** Standard uncertainty of the measured power of spinning. */
  spinRatio: number;
  options?: RegionOptions;
}

/** Spins to an update, runs, spins to the next one. */
export function aligned(setting: Aligned, random: Random): Trial {
  const { counter, length, spinWatts, insideWatts, spinRatio } = setting;
  const seconds = length * counter.periodSeconds;
  const margin = MARGIN * counter.periodSeconds;
  const times = updateTimes(counter, -margin, seconds + 2 * margin, random);
  const tick = times.findIndex((time) => time >= 0);
  const pollSeconds = counter.pollSeconds + counter.readSeconds;
  // The region begins once the reader has seen the update.
  const start = (times[tick] as number) + pollSeconds * (1 + random());
  const profile = new PowerProfile([
    [start, spinWatts],
    [start, insideWatts],
    [start + seconds, insideWatts],
    [start + seconds, spinWatts],
  ]);
  const series = record(counter, profile, times, random);
  // Seen at the end of the read that saw it.
  const startNs = Math.max(start * 1e9, series[tick]?.upperNs ?? 0);
  const shifted = startNs / 1e9 - start;
  const spin: PowerEstimate = {
    powerWatts: spinWatts * (1 + spinRatio * normal(random)),
    standardUncertaintyWatts: spinWatts * spinRatio,
    degreesOfFreedomCount: Number.POSITIVE_INFINITY,
  };
  const region = { startNs, endNs: (start + seconds) * 1e9 };
  return {
    estimate: estimateRegion(series, calibrationOf(counter), region, { aligned: spin, ...setting.options }),
    truthJoules: profile.between(start + shifted, start + seconds),
  };
}
