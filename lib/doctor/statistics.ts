// SPDX-License-Identifier: MIT
//
// What a counter's updates say of it: period, jitter, quantum, power. Functions of recorded samples alone.
import { NANOSECONDS_PER_SECOND } from '../core/units.js';
import type { Track, Update } from './track.js';

/** Makes the median absolute deviation that of a normal distribution: 1 / Phi^-1(3/4). */
const MAD_TO_SD = 1.4826;
/** An update whose time is known worse than this part of the period says nothing of the period. */
const SHARP_RATIO = 0.1;
/** Intervals farther than this from the median are missed updates, or reads that came late. */
const MISSED_RATIO = 0.5;
const FEWEST_INTERVALS = 3;

export function median(values: readonly number[]): number | undefined {
  return quantile(values, 0.5);
}

/** Linear between the two nearest; undefined for no values. */
export function quantile(values: readonly number[], ratio: number): number | undefined {
  if (values.length === 0) return undefined;
  const sorted = Float64Array.from(values).sort();
  const position = (sorted.length - 1) * ratio;
  const low = Math.floor(position);
  const below = sorted[low] ?? 0;
  return below + ((sorted[low + 1] ?? below) - below) * (position - low);
}

export function robustSd(values: readonly number[]): number | undefined {
  const middle = median(values);
  if (middle === undefined) return undefined;
  const spread = median(values.map((value) => Math.abs(value - middle)));
  return spread === undefined ? undefined : spread * MAD_TO_SD;
}

export interface Period {
  periodSeconds: number;
  jitterSeconds?: number;
  /** Half of the updates were seen within this of the look before. */
  resolutionSeconds: number;
  intervalCount: number;
}

const width = ({ earliestNs, latestNs }: Update): number => latestNs - earliestNs;
const timeOf = ({ earliestNs, latestNs, ownNs }: Update): number => ownNs ?? (earliestNs + latestNs) / 2;
/** How badly its time is known. */
const blur = (update: Update): number => (update.ownNs === undefined ? width(update) : 0);

interface Interval {
  lengthNs: number;
  /** The worse of what is known of its two ends. */
  blurNs: number;
}

function intervals(updates: readonly Update[]): Interval[] {
  return updates.slice(1).map((update, index) => {
    const before = updates[index] ?? update;
    return {
      lengthNs: timeOf(update) - timeOf(before),
      blurNs: Math.max(blur(update), blur(before)),
    };
  });
}

/**
 * The median time between two updates, and its spread. Where the reader was held up, the updates it missed and the one
 * it saw late are left out. Undefined for fewer than two updates.
 */
export function updatePeriod(track: Track): Period | undefined {
  const all = intervals(track.updates);
  const rough = median(all.map(({ lengthNs }) => lengthNs));
  const lookNs = median(track.updates.map(width));
  if (rough === undefined || lookNs === undefined) return undefined;
  const sharp = all.filter((interval) => interval.blurNs <= SHARP_RATIO * rough);
  const enough = sharp.length >= Math.max(FEWEST_INTERVALS, all.length / 4);
  const lengths = (enough ? sharp : all).map(({ lengthNs }) => lengthNs);
  const centre = median(lengths) ?? rough;
  const near = lengths.filter((length) => Math.abs(length - centre) <= MISSED_RATIO * centre);
  // Between coarse reads the median can only be a multiple of them; the mean is not bound to that.
  const mean = near.reduce((sum, length) => sum + length, 0) / near.length;
  const periodNs = enough || near.length === 0 ? centre : mean;
  const jitterNs = lengths.length >= FEWEST_INTERVALS ? robustSd(near) : undefined;
  return {
    periodSeconds: periodNs / NANOSECONDS_PER_SECOND,
    ...(jitterNs === undefined ? {} : { jitterSeconds: jitterNs / NANOSECONDS_PER_SECOND }),
    resolutionSeconds: lookNs / NANOSECONDS_PER_SECOND,
    intervalCount: lengths.length,
  };
}

/**
 * Of the tight track where it resolves the updates, else of the one that watched the whole test: a slow counter is
 * seen there.
 */
export function bestPeriod(tight: Track | undefined, watched: Track | undefined): Period | undefined {
  const fine = tight === undefined ? undefined : updatePeriod(tight);
  const coarse = watched === undefined ? undefined : updatePeriod(watched);
  if (fine === undefined) return resolved(coarse);
  if (fine.intervalCount >= FEWEST_INTERVALS * 2) return fine;
  return resolved(coarse) ?? fine;
}

/** A counter that had moved at nearly every look was looked at too seldom. */
function resolved(period: Period | undefined): Period | undefined {
  return period === undefined || isUnresolved(period) ? undefined : period;
}

function gcd(a: bigint, b: bigint): bigint {
  let [x, y] = [a, b];
  while (y !== 0n) [x, y] = [y, x % y];
  return x;
}

/** The greatest common divisor of all steps, in ticks; undefined without one. */
export function quantumTicks(tracks: readonly (Track | undefined)[]): bigint | undefined {
  let common = 0n;
  for (const track of tracks) {
    let before = track?.firstTicks ?? 0n;
    for (const { ticks } of track?.updates ?? []) {
      common = gcd(common, ticks > before ? ticks - before : before - ticks);
      before = ticks;
      if (common === 1n) return common;
    }
  }
  return common === 0n ? undefined : common;
}

/** The longest time without an update, the ends of the track included. */
export function stillSeconds(track: Track): number {
  let longestNs = 0;
  let sinceNs = track.firstNs ?? 0;
  for (const { earliestNs, latestNs } of track.updates) {
    longestNs = Math.max(longestNs, earliestNs - sinceNs);
    sinceNs = latestNs;
  }
  return Math.max(longestNs, track.lastNs - sinceNs) / NANOSECONDS_PER_SECOND;
}

/** It moved, and then not for a time in which it should have moved ten times and more. */
const FROZEN_UPDATES = 10;
const FROZEN_SECONDS = 0.5;

/** Whether a counter stood still for long after it had moved often. */
export function isFrozen(watched: Track): boolean {
  const usual = median(intervals(watched.updates).map(({ lengthNs }) => lengthNs));
  const still = stillSeconds(watched);
  return (
    usual !== undefined &&
    watched.updates.length > FEWEST_INTERVALS &&
    still >= FROZEN_SECONDS &&
    still * NANOSECONDS_PER_SECOND > FROZEN_UPDATES * usual
  );
}

/** Whether a counter had moved at nearly every read, so that it may move more often than it can be read. */
export function isUnresolved(period: Period): boolean {
  return period.periodSeconds <= 2 * period.resolutionSeconds;
}

/**
 * Mean power between the first and the last update inside a time, so that no part of an update's period is counted
 * without its energy. A count is that of the time when it was read: of the updates that fell between two looks it is the
 * last, so their middle would be too early, and most so where a look came late. Undefined for fewer than two updates there.
 */
export function meanWatts(
  track: Track,
  fromNs: number,
  toNs: number,
  joules: (ticks: bigint) => number,
): number | undefined {
  const inside = track.updates.filter((update) => update.earliestNs >= fromNs && update.latestNs <= toNs);
  const [first, last] = [inside[0], inside.at(-1)];
  if (first === undefined || last === undefined || last === first) return undefined;
  const countedNs = ({ latestNs, ownNs }: Update): number => ownNs ?? latestNs;
  const seconds = (countedNs(last) - countedNs(first)) / NANOSECONDS_PER_SECOND;
  return seconds > 0 ? joules(last.ticks - first.ticks) / seconds : undefined;
}
