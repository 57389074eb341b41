// SPDX-License-Identifier: MIT
//
// The power of waiting, and what a region used above it.
import { NANOSECONDS_PER_SECOND } from '../core/units.js';
import { chiSquareLimit, ONE_SIDED, student95 } from './distributions.js';
import { component, halfWidth95, rootSumSquare } from './interval.js';
import { filterVariance, tickVariance } from './noise.js';
import { mean, standardDeviation, sum } from './samples.js';
import { hasReset, surround, type Tick, tickAt, wellTimed } from './surroundings.js';
import type { CounterCalibration, CounterUpdate, EnergyEstimate, PowerEstimate, Region } from './types.js';

interface Stretch {
  seconds: number;
  joules: number;
  /** Variance of the joules from the counter's noise. */
  noise: number;
  ticks: Tick[];
}

/**
 * Mean power over stretches in which the machine did one and the same thing: idling, or spinning before and after a
 * region. Between the first and the last update of each, so that no energy is inferred. The uncertainty holds the
 * counter's noise, the wander of the power within, and what the stretches differ by. Undefined without two updates in
 * one of them.
 */
export function meanPower(
  series: readonly CounterUpdate[],
  calibration: CounterCalibration,
  windows: readonly Region[],
): PowerEstimate | undefined {
  // The ends of a stretch stand for all of it: they must be well known.
  const timed = wellTimed(series);
  const stretches = windows.flatMap((window) => stretch(timed, calibration, window) ?? []);
  const seconds = sum(stretches.map((one) => one.seconds));
  if (!(seconds > 0)) return undefined;
  const powerWatts = sum(stretches.map(({ joules }) => joules)) / seconds;
  let squares = 0;
  let noises = 0;
  let gathered = 0;
  let degrees = 0;
  for (const { ticks, joules, seconds: own, noise } of stretches) {
    const count = ticks.length - 1;
    for (let i = 1; i <= count; ++i) {
      const [old, now] = [ticks[i - 1], ticks[i]];
      if (old === undefined || now === undefined) continue;
      squares += (now.joules - old.joules - (joules / own) * (now.seconds - old.seconds)) ** 2;
    }
    noises += noise * (count - 1 / count);
    gathered += (own * (count - 1)) / count;
    degrees += count - 1;
  }
  // Scatter that the counter's noise shows in 1 % of cases by itself is no wander: over a long
  // region even a little of it would count for much.
  const limit = degrees > 0 ? (noises * chiSquareLimit(degrees, ONE_SIDED.onePercent)) / degrees : 0;
  const wander = degrees > 0 && squares > limit ? (squares - noises) / gathered : 0;
  const noise = sum(stretches.map((one) => one.noise)) / seconds ** 2;
  const within = noise + wander / seconds;
  // Stretches that differ by more than that tell of a drift.
  const powers = stretches.map((one) => one.joules / one.seconds);
  const between = standardDeviation(powers) ** 2 / powers.length;
  const drifts = powers.length > 1 && between > 4 * within;
  return {
    powerWatts,
    standardUncertaintyWatts: Math.sqrt(drifts ? between : within),
    degreesOfFreedomCount: drifts ? powers.length - 1 : Math.max(1, degrees),
    wanderWatts: Math.sqrt(wander),
  };
}

function stretch(
  series: readonly CounterUpdate[],
  calibration: CounterCalibration,
  window: Region,
): Stretch | undefined {
  const { first, last } = surround(series, window);
  if (last <= first || hasReset(series, first, last)) return undefined;
  const ticks: Tick[] = [];
  for (let i = first; i <= last; ++i) {
    const tick = tickAt(series, i, window.startNs, calibration);
    if (tick !== undefined) ticks.push(tick);
  }
  const [begin, end] = [ticks[0], ticks.at(-1)];
  if (begin === undefined || end === undefined || !(end.seconds > begin.seconds)) return undefined;
  const seconds = end.seconds - begin.seconds;
  const joules = end.joules - begin.joules;
  const filter = filterVariance(series, window, calibration);
  const noises = ticks.map((tick) => tickVariance(tick, joules / seconds, calibration, filter));
  return { seconds, joules, noise: 2 * mean(noises), ticks };
}

/**
 * What a region used above a baseline: `active` above the idle machine, which cannot be less than nothing, or
 * `marginal` above another activity such as a spinning thread, which can. Var = Var(total) + L^2 Var(P) + wander^2 L.
 * Not resolved where it is less than its uncertainty at 95 %. A region below the idle machine by more than that refutes
 * the baseline, not that work takes energy: `active` is then at most its uncertainty, and flagged.
 */
export function overBaseline(
  total: EnergyEstimate,
  region: Region,
  baseline: PowerEstimate,
  kind: 'active' | 'marginal',
): EnergyEstimate {
  const seconds = (region.endNs - region.startNs) / NANOSECONDS_PER_SECOND;
  const size = Math.hypot(
    baseline.standardUncertaintyWatts * seconds,
    (baseline.wanderWatts ?? 0) * Math.sqrt(seconds),
  );
  const own = component('baseline', size, baseline.degreesOfFreedomCount);
  const components = [...total.components, own];
  const extra = Math.max(0, total.uncertaintyJoules - halfWidth95(total.components));
  const half =
    total.method === 'bound'
      ? total.uncertaintyJoules + size * student95(baseline.degreesOfFreedomCount)
      : halfWidth95(components) + extra;
  const difference = total.energyJoules - baseline.powerWatts * seconds;
  const isFloored = kind === 'active';
  const isBelowIdle = isFloored && difference + half <= 0;
  const lowerJoules = isFloored ? Math.max(0, difference - half) : difference - half;
  const upperJoules = isBelowIdle ? half : difference + half;
  // Nothing uses no energy at all: the middle of what is possible stands for it.
  const energyJoules = isFloored && difference <= 0 ? (lowerJoules + upperJoules) / 2 : difference;
  return {
    energyJoules,
    uncertaintyJoules: Math.max(energyJoules - lowerJoules, upperJoules - energyJoules),
    standardUncertaintyJoules: rootSumSquare(components) + extra / 2,
    lowerJoules,
    upperJoules,
    confidenceRatio: 0.95,
    method: 'combined',
    components,
    resolved: total.resolved && (isFloored ? difference : Math.abs(difference)) >= half,
    flags: isBelowIdle ? [...total.flags, 'below-idle'] : total.flags,
  };
}
