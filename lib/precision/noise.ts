// SPDX-License-Identifier: MIT
//
// How far one update is wrong, in joules, apart from what the power did.
import { median } from './samples.js';
import { surround, type Tick, tickAt } from './surroundings.js';
import type { CounterCalibration, CounterUpdate, Region } from './types.js';

/** The largest of so many neighbours' differences tell the filter's noise well enough. */
const MOST_INTERVALS = 200;
const FEWEST_DIFFERENCES = 8;
/** The median of |x| of a normal distribution, in sigma. */
const MEDIAN_TO_SIGMA = 0.6744897501960817;

/** A count is cut to whole quanta: uniform over one quantum. */
export function quantisationVariance({ quantumJoules }: CounterCalibration): number {
  return quantumJoules ** 2 / 12;
}

/** A wrong time of an update is a wrong energy at that time, in proportion to the power around it. */
export function tickVariance(
  tick: Tick,
  powerWatts: number,
  calibration: CounterCalibration,
  filterVarianceJoules: number,
): number {
  return quantisationVariance(calibration) + (powerWatts * tick.timingSeconds) ** 2 + filterVarianceJoules;
}

/**
 * Variance that an energy filter adds to one count. Noise on the count itself shows as second differences of the count
 * over time, of variance 6 times its own; steps of the power touch few of them, so their median is taken. Where the
 * record is too short to tell, half the energy of an update is assumed. 0 without a filter.
 */
export function filterVariance(
  series: readonly CounterUpdate[],
  region: Region,
  calibration: CounterCalibration,
): number {
  if (!calibration.isFiltered) return 0;
  const { before, after } = surround(series, region);
  const spare = Math.max(0, Math.floor((MOST_INTERVALS - (after - before)) / 2));
  const from = Math.max(0, before - spare);
  const to = Math.min(series.length - 1, Math.max(after + spare, from + MOST_INTERVALS));
  const powers: number[] = [];
  for (let i = from + 1; i <= to; ++i) {
    const [old, now] = [
      tickAt(series, i - 1, region.startNs, calibration),
      tickAt(series, i, region.startNs, calibration),
    ];
    if (old === undefined || now === undefined || now.joules < old.joules) continue;
    if (now.seconds > old.seconds) powers.push((now.joules - old.joules) / (now.seconds - old.seconds));
  }
  const periodSeconds = calibration.periodNs / 1e9;
  const differences = powers
    .slice(1)
    .map((power, i) => Math.abs(power - (powers[i] ?? power)) * periodSeconds);
  if (differences.length >= FEWEST_DIFFERENCES) {
    return ((median(differences) ?? 0) / MEDIAN_TO_SIGMA) ** 2 / 6;
  }
  const typicalWatts = median(powers) ?? 0;
  return (typicalWatts * periodSeconds * 0.5) ** 2;
}
