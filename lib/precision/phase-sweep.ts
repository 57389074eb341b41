// SPDX-License-Identifier: MIT
//
// Many single calls of something much shorter than an update, each at another phase of the counter.
//
// Every interval between two updates holds P0 x (time outside the calls) + P1 x (time of calls). Least squares over all
// intervals gives both, whatever the alignment; a call uses P1 x its mean time, so that one which was interrupted, and took
// and used more, does no harm. Neighbouring intervals share the error of the
// update between them, so that the plain error of a regression is wrong; blocks of whole calls are left out in turn.
import { MicrojouleError } from '../core/errors.js';
import { component, halfWidth95 } from './interval.js';
import { hasGap, surround, tickAt, wellTimed } from './surroundings.js';
import type { CounterCalibration, CounterUpdate, EnergyEstimate, Flag, Region } from './types.js';

const MOST_BLOCKS = 50;
const FEWEST_BLOCKS = 8;
/** Golden section: the phases of any number of calls are spread about evenly. */
const GOLDEN = 0.6180339887498949;
/** A call took some time, however coarse the clock. */
const SHORTEST_SECONDS = 1e-9;
/** Mean resultant length of phases above which they stand together. */
const CLUSTERED = 0.5;

/** How far after an update call number `index` should start, as a part of the period. */
export function sweepPhase(index: number): number {
  return (index * GOLDEN) % 1;
}

export interface SweepEstimate extends EnergyEstimate {
  /** Mean power between the calls. */
  outsideWatts: number;
  callCount: number;
  intervalCount: number;
}

/** Sums of least squares with two unknowns: seconds outside and seconds of calls, against joules. */
interface Sums {
  ss: number;
  sc: number;
  cc: number;
  sj: number;
  cj: number;
}

const empty = (): Sums => ({ ss: 0, sc: 0, cc: 0, sj: 0, cj: 0 });

function addTo(sums: Sums, seconds: number, calls: number, joules: number): void {
  sums.ss += seconds * seconds;
  sums.sc += seconds * calls;
  sums.cc += calls * calls;
  sums.sj += seconds * joules;
  sums.cj += calls * joules;
}

const less = (a: Sums, b: Sums): Sums => ({
  ss: a.ss - b.ss,
  sc: a.sc - b.sc,
  cc: a.cc - b.cc,
  sj: a.sj - b.sj,
  cj: a.cj - b.cj,
});

function solve({ ss, sc, cc, sj, cj }: Sums): { watts: number; joules: number } | undefined {
  const determinant = ss * cc - sc * sc;
  // Without intervals that differ in their part of calls the two cannot be told apart.
  if (!(determinant > 1e-9 * ss * cc)) return undefined;
  return { watts: (sj * cc - cj * sc) / determinant, joules: (cj * ss - sj * sc) / determinant };
}

/**
 * Halfway between the end of a call and the start of the next: blocks are cut where nothing happens, so that the update
 * at the cut, whose error both blocks hold, weighs the same in both.
 */
function middleBetween(calls: readonly Region[], index: number): number {
  return ((calls[index]?.endNs ?? 0) + (calls[index + 1]?.startNs ?? 0)) / 2;
}

/**
 * Energy of one call.
 * @param calls in order and without overlap
 * @param excluded stretches of other work, in order: intervals that hold some of it are left out
 */
export function phaseSweep(
  updates: readonly CounterUpdate[],
  calibration: CounterCalibration,
  calls: readonly Region[],
  excluded: readonly Region[] = [],
): SweepEstimate {
  const [opening, closing] = [calls[0], calls.at(-1)];
  if (opening === undefined || closing === undefined) {
    throw new MicrojouleError('ERR_BAD_OPTION', 'a sweep needs calls');
  }
  const originNs = opening.startNs;
  // Errors of time would take energy from the calls: a regression on what is uncertain leans towards nothing.
  const series = wellTimed(updates);
  const from = Math.max(0, surround(series, opening).before);
  const to = Math.min(series.length - 1, surround(series, closing).after);
  const blockCount = Math.min(MOST_BLOCKS, calls.length);
  const blocks = Array.from({ length: blockCount }, empty);
  const all = empty();
  const meanSeconds = Math.max(
    calls.reduce((sum, { startNs, endNs }) => sum + (endNs - startNs), 0) / calls.length / 1e9,
    SHORTEST_SECONDS,
  );
  const phases = { cos: 0, sin: 0, count: 0 };
  let intervalCount = 0;
  let next = 0;
  let nearest = 0;
  let other = 0;
  for (let i = from + 1; i <= to; ++i) {
    const [old, now] = [
      tickAt(series, i - 1, originNs, calibration),
      tickAt(series, i, originNs, calibration),
    ];
    if (old === undefined || now === undefined || now.joules < old.joules) continue;
    const interval = now.seconds - old.seconds;
    if (!(interval > 0)) continue;
    while (other < excluded.length && (excluded[other]?.endNs ?? 0) <= (series[i - 1]?.lowerNs ?? 0))
      other += 1;
    if (other < excluded.length && (excluded[other]?.startNs ?? 0) < (series[i]?.upperNs ?? 0)) continue;
    const middle = originNs + ((old.seconds + now.seconds) / 2) * 1e9;
    let covered = 0;
    while (next < calls.length && ((calls[next]?.endNs ?? 0) - originNs) / 1e9 <= old.seconds) next += 1;
    while (nearest + 1 < calls.length && middleBetween(calls, nearest) <= middle) nearest += 1;
    const block = Math.min(blockCount - 1, Math.floor((nearest * blockCount) / calls.length));
    for (let j = next; j < calls.length; ++j) {
      const call = calls[j] ?? opening;
      const [start, end] = [(call.startNs - originNs) / 1e9, (call.endNs - originNs) / 1e9];
      if (start >= now.seconds) break;
      if (start >= old.seconds) {
        const angle = (2 * Math.PI * (start - old.seconds)) / interval;
        phases.cos += Math.cos(angle);
        phases.sin += Math.sin(angle);
        phases.count += 1;
      }
      const overlap = Math.min(end, now.seconds) - Math.max(start, old.seconds);
      if (!(overlap > 0)) continue;
      covered += overlap;
    }
    const outside = Math.max(0, interval - covered);
    addTo(all, outside, covered / meanSeconds, now.joules - old.joules);
    addTo(blocks[block] ?? all, outside, covered / meanSeconds, now.joules - old.joules);
    intervalCount += 1;
  }
  const flags: Flag[] = [];
  if (calibration.isFiltered) flags.push('energy-filter');
  if (hasGap(series, from, to)) flags.push('gap');
  if (Math.hypot(phases.cos, phases.sin) > CLUSTERED * phases.count) flags.push('phases-not-spread');
  if (calls.length < FEWEST_BLOCKS) flags.push('few-repetitions');

  const found = solve(all);
  const left = blocks.flatMap((block) => solve(less(all, block)) ?? []);
  const usable = found !== undefined && left.length === blockCount && blockCount >= FEWEST_BLOCKS;
  const value = found?.joules ?? 0;
  const centre = left.reduce((total, { joules }) => total + joules, 0) / Math.max(1, left.length);
  const squares = left.reduce((total, { joules }) => total + (joules - centre) ** 2, 0);
  const size = Math.sqrt((squares * (left.length - 1)) / Math.max(1, left.length));
  const components = usable ? [component('repeatability', size, left.length - 1)] : [];
  // Nothing is known of a sweep that cannot be solved but that a call took no more than all there was.
  const rise = Math.max(0, (series[to]?.joules ?? 0) - (series[from]?.joules ?? 0));
  const most = (rise + calibration.quantumJoules) / calls.length;
  const half = usable ? halfWidth95(components) : most;
  const lowerJoules = usable ? Math.max(0, value - half) : 0;
  // Where the fit says less than nothing, a call took no more than the fit can be wrong by, or the counter's step hides.
  const upperJoules =
    value > 0
      ? Math.max(value, usable ? value + half : most)
      : Math.max(half, calibration.quantumJoules / calls.length);
  const energyJoules = value > 0 ? value : upperJoules / 2;
  return {
    energyJoules,
    uncertaintyJoules: Math.max(upperJoules - energyJoules, energyJoules - lowerJoules),
    standardUncertaintyJoules: usable ? size : most / Math.sqrt(12),
    lowerJoules,
    upperJoules,
    confidenceRatio: 0.95,
    method: 'phase-sweep',
    components,
    resolved: usable && value > 0 && value >= half,
    flags,
    outsideWatts: Math.max(0, found?.watts ?? 0),
    callCount: calls.length,
    intervalCount,
  };
}
