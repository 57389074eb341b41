// SPDX-License-Identifier: MIT
//
// Where a region lies among the updates of its counter, and what is certain about it whatever the power did.
import { NANOSECONDS_PER_SECOND } from '../core/units.js';
import { median } from './samples.js';
import type { CounterCalibration, CounterUpdate, Region } from './types.js';

const WIDEST_MEDIANS = 5;

/** One update, with its time in seconds since the start of the region: near zero, doubles are finest. */
export interface Tick {
  seconds: number;
  /** Standard deviation of that time. */
  timingSeconds: number;
  joules: number;
}

export interface Surroundings {
  /** Last update that surely happened before the region began; -1 without one. */
  before: number;
  /** First and last update that surely happened inside; last < first without one. */
  first: number;
  last: number;
  /** First update that surely happened after the region ended; the series' length without one. */
  after: number;
  lengthSeconds: number;
}

/** Index of the first update that passes; the test turns from false to true once along the series. */
function firstIndex(series: readonly CounterUpdate[], passes: (update: CounterUpdate) => boolean): number {
  let low = 0;
  let high = series.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const update = series[middle];
    if (update !== undefined && passes(update)) high = middle;
    else low = middle + 1;
  }
  return low;
}

export function surround(series: readonly CounterUpdate[], { startNs, endNs }: Region): Surroundings {
  return {
    before: firstIndex(series, ({ upperNs }) => upperNs > startNs) - 1,
    first: firstIndex(series, ({ lowerNs }) => lowerNs >= startNs),
    last: firstIndex(series, ({ upperNs }) => upperNs > endNs) - 1,
    after: firstIndex(series, ({ lowerNs }) => lowerNs >= endNs),
    lengthSeconds: (endNs - startNs) / NANOSECONDS_PER_SECOND,
  };
}

/**
 * The middle of an update's bracket and the standard deviation about it. A read takes its value at an unknown time
 * during it, so a bracket [start of a read, end of the next] of width w holds two such times, w - c apart on average,
 * c being the cost of a read; the update lies anywhere between them:
 * variance = (w - c)^2 / 12 + c^2 / 18.
 */
export function tickAt(
  series: readonly CounterUpdate[],
  index: number,
  originNs: number,
  { readCostNs }: CounterCalibration,
): Tick | undefined {
  const update = series[index];
  if (update === undefined) return undefined;
  const widthNs = Math.max(0, update.upperNs - update.lowerNs);
  // Two reads fit into every bracket.
  const costNs = Math.min(Math.max(0, readCostNs), widthNs / 2);
  const varianceNs2 = (widthNs - costNs) ** 2 / 12 + costNs ** 2 / 18;
  return {
    seconds: ((update.lowerNs + update.upperNs) / 2 - originNs) / NANOSECONDS_PER_SECOND,
    timingSeconds: Math.sqrt(varianceNs2) / NANOSECONDS_PER_SECOND,
    joules: update.joules,
  };
}

/** Whether the counter fell between any two neighbours from one record to another. */
export function hasReset(series: readonly CounterUpdate[], from: number, to: number): boolean {
  for (let i = Math.max(0, from) + 1; i <= to && i < series.length; ++i) {
    if ((series[i]?.joules ?? 0) < (series[i - 1]?.joules ?? 0)) return true;
  }
  return false;
}

export function hasGap(series: readonly CounterUpdate[], from: number, to: number): boolean {
  for (let i = Math.max(0, from) + 1; i <= to && i < series.length; ++i) {
    const update = series[i];
    if (update?.gap === true || (update?.missedCount ?? 0) > 0) return true;
  }
  return false;
}

/**
 * Without the updates whose time is known much worse than that of most, as the reader was held up. What was counted stays:
 * the next update holds it. The very series where there are none.
 */
export function wellTimed(series: readonly CounterUpdate[]): readonly CounterUpdate[] {
  const widths = series.map(({ lowerNs, upperNs }) => upperNs - lowerNs);
  const most = WIDEST_MEDIANS * (median(widths) ?? 0);
  // A fall must stay seen.
  const stays = (i: number): boolean =>
    (widths[i] ?? 0) <= most || (series[i]?.joules ?? 0) < (series[i - 1]?.joules ?? 0);
  return widths.every((_, i) => stays(i)) ? series : series.filter((_, i) => stays(i));
}

/** Clocks count in this. */
const SHORTEST_SECONDS = 1e-9;

export interface Bounds {
  lowerJoules: number;
  upperJoules: number;
}

/**
 * What the energy of a region can be at most and at least: it holds what was counted between the updates inside, and
 * it is held by what was counted between those around it. A count is cut to whole quanta, so a difference of two is
 * wrong by less than one. Where nothing surrounds the region, and across a reset, only plausibility bounds it.
 */
export function hardBounds(
  series: readonly CounterUpdate[],
  region: Region,
  { before, first, last, after, lengthSeconds }: Surroundings,
  quantumJoules: number,
  plausibleWatts: number,
): Bounds {
  const rise = (from: number, to: number): { joules: number; resetSeconds: number } => {
    let joules = 0;
    let resetSeconds = 0;
    for (let i = from + 1; i <= to; ++i) {
      const [old, now] = [series[i - 1], series[i]];
      if (old === undefined || now === undefined) continue;
      if (now.joules >= old.joules) joules += now.joules - old.joules;
      else resetSeconds += (now.upperNs - old.lowerNs) / NANOSECONDS_PER_SECOND;
    }
    return { joules, resetSeconds };
  };
  // A region that ended when it began took some time nonetheless.
  const plausible = plausibleWatts * Math.max(lengthSeconds, SHORTEST_SECONDS);
  const resets = hasReset(series, before, after) ? 2 : 1;
  const inside = last > first ? rise(first, last).joules : 0;
  const lowerJoules = Math.max(0, inside - resets * quantumJoules);
  if (series.length === 0) return { lowerJoules, upperJoules: plausible };

  const left = Math.max(0, before);
  const right = Math.min(series.length - 1, after);
  const outside = rise(left, right);
  const leftOpenNs = before < 0 ? Math.max(0, (series[0]?.upperNs ?? 0) - region.startNs) : 0;
  const rightOpenNs =
    after >= series.length ? Math.max(0, region.endNs - (series[series.length - 1]?.lowerNs ?? 0)) : 0;
  const openSeconds = outside.resetSeconds + (leftOpenNs + rightOpenNs) / NANOSECONDS_PER_SECOND;
  const upperJoules = outside.joules + resets * quantumJoules + openSeconds * plausibleWatts;
  return { lowerJoules, upperJoules: Math.max(lowerJoules, Math.min(upperJoules, plausible)) };
}
