// SPDX-License-Identifier: MIT
import type { CounterTest, Resolution } from './diagnosis.js';

/** Reading before and after a region errs by the place of two edges in the period: sd T / sqrt(6). */
const EDGES = Math.sqrt(6);
export const ERRORS = { onePercent: 0.01, fivePercent: 0.05 } as const;

/** What is known of a counter that sets how short a region may be. */
export interface Granularity {
  periodSeconds: number;
  quantumJoules?: number;
  watts?: number;
}

/**
 * The shortest region that plain reading before and after resolves to a relative error (one sigma): L = T / (sqrt(6)
 * eps) for an update period T, and not below q / (sqrt(6) P eps) for a quantum q at a power P.
 */
export function shortestRegion(
  { periodSeconds, quantumJoules, watts }: Granularity,
  errorRatio: number,
): { regionSeconds: number; bound: 'update-period' | 'quantum' } {
  const byPeriod = periodSeconds / (EDGES * errorRatio);
  const byQuantum =
    quantumJoules === undefined || watts === undefined || !(watts > 0)
      ? 0
      : quantumJoules / (EDGES * watts * errorRatio);
  return byQuantum > byPeriod
    ? { regionSeconds: byQuantum, bound: 'quantum' }
    : { regionSeconds: byPeriod, bound: 'update-period' };
}

/** A counter whose period was not seen has at least the time it stood still; where it moved but once, that is it. */
export function granularityOf(counter: CounterTest): Granularity {
  const { updatePeriodSeconds, stillSeconds, quantumJoules, idleWatts, busyWatts } = counter;
  // The lower power is the harder case.
  const watts = idleWatts ?? busyWatts;
  return {
    periodSeconds: updatePeriodSeconds ?? stillSeconds,
    ...(quantumJoules === undefined ? {} : { quantumJoules }),
    ...(watts === undefined ? {} : { watts }),
  };
}

/** For the total: its worst counter sets the region. Empty where no counter of the total moved. */
export function resolutionOf(counters: readonly CounterTest[]): Resolution[] {
  const counted = counters.filter((counter) => counter.inTotal && counter.moved);
  return Object.values(ERRORS).flatMap((errorRatio) => {
    const found = counted.map((counter): Resolution => {
      const { regionSeconds, bound } = shortestRegion(granularityOf(counter), errorRatio);
      const byReading = bound === 'update-period' && counter.movedAtEveryRead === true;
      return { errorRatio, regionSeconds, counter: counter.id, bound: byReading ? 'reading' : bound };
    });
    const worst = found.toSorted((a, b) => b.regionSeconds - a.regionSeconds)[0];
    return worst === undefined ? [] : [worst];
  });
}
