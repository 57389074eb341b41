// SPDX-License-Identifier: MIT
//
// The energy of a region from the record of one counter, by the best estimator that its length allows.
import { MicrojouleError } from '../core/errors.js';
import { insideSlope, interpolation, type Scene, tickAligned } from './estimators.js';
import { type Candidate, candidateHalfWidth, component, conclude } from './interval.js';
import { filterVariance } from './noise.js';
import { steadiness } from './steadiness.js';
import { type Bounds, hardBounds, hasGap, hasReset, surround, wellTimed } from './surroundings.js';
import type {
  CounterCalibration,
  CounterUpdate,
  EnergyEstimate,
  Flag,
  Method,
  PowerEstimate,
  Region,
} from './types.js';

/** More than any CPU package draws; the same limit tells resets natively. */
const PLAUSIBLE_WATTS = 1000;
const FEW_UPDATES = 10;
/** An interval that is centred on a biased value must be so much narrower. */
const BIASED_HANDICAP = 2;
/** A filter's noise beyond this many sigma is not expected. */
const FILTER_SIGMAS = 4;

export interface RegionOptions {
  /**
   * The region began right after an update, and the caller spun from its end to the next one; this is the power of
   * spinning, measured by {@link meanPower}.
   */
  aligned?: PowerEstimate;
  /** No power above this is believed. Default 1000 W, for a CPU package. */
  plausibleWatts?: number;
  /** Use this estimator where it can be used, and bounds where not. Default: the one with the narrowest interval. */
  method?: 'inside-slope' | 'tick-aligned' | 'interpolation' | 'bound';
}

export function checkRegion({ startNs, endNs }: Region): void {
  if (Number.isFinite(startNs) && Number.isFinite(endNs) && endNs >= startNs) return;
  throw new MicrojouleError(
    'ERR_BAD_OPTION',
    `a region must end after it starts, not from ${startNs} to ${endNs} ns`,
    {
      hint: 'give startNs and endNs of the same clock',
    },
  );
}

/**
 * The energy of a region by the estimator with the narrowest interval. Updates that the reader saw late are used where
 * that helps: which of them to believe is judged by how they were read, not by what they say.
 */
export function estimateRegion(
  series: readonly CounterUpdate[],
  calibration: CounterCalibration,
  region: Region,
  options: RegionOptions = {},
): EnergyEstimate {
  checkRegion(region);
  const whole = estimateFrom(series, calibration, region, options);
  const timed = wellTimed(series);
  if (timed === series) return whole;
  const better = estimateFrom(timed, calibration, region, options);
  if (better.method === 'bound' || better.uncertaintyJoules >= whole.uncertaintyJoules) return whole;
  return {
    ...better,
    flags: [...new Set([...whole.flags.filter((flag) => flag === 'gap'), ...better.flags])],
  };
}

function estimateFrom(
  series: readonly CounterUpdate[],
  calibration: CounterCalibration,
  region: Region,
  options: RegionOptions,
): EnergyEstimate {
  const plausibleWatts = options.plausibleWatts ?? PLAUSIBLE_WATTS;
  const place = surround(series, region);
  const filterVarianceJoules = filterVariance(series, region, calibration);
  const isBroken = hasReset(series, place.before, place.after);
  const bounds = hardBounds(series, region, place, calibration.quantumJoules, plausibleWatts);
  const filterJoules = FILTER_SIGMAS * Math.sqrt(2 * filterVarianceJoules);
  bounds.lowerJoules = Math.max(0, bounds.lowerJoules - filterJoules);
  bounds.upperJoules += filterJoules;

  const flags: Flag[] = [];
  if (series.length === 0) flags.push('no-updates');
  if (place.before < 0) flags.push('starts-before-record');
  if (place.after >= series.length) flags.push('ends-after-record');
  if (hasGap(series, place.before, place.after)) flags.push('gap');
  if (isBroken) flags.push('reset');
  if (calibration.isFiltered) flags.push('energy-filter');

  const scene: Scene = {
    series,
    region,
    place,
    calibration,
    filterVarianceJoules,
    steady: isBroken ? undefined : steadiness(series, region, place, calibration, filterVarianceJoules),
  };
  const best = isBroken ? undefined : choose(scene, options);
  if (best === undefined) {
    const inside = place.last - place.first + 1;
    return boundsOnly(scene, bounds, inside < 2 ? [...flags, 'too-short'] : flags);
  }
  if (best.energyJoules > plausibleWatts * place.lengthSeconds) flags.push('implausible');
  const half = candidateHalfWidth(best);
  if (best.energyJoules + half <= bounds.lowerJoules || best.energyJoules - half >= bounds.upperJoules) {
    // What the counter counted refutes what was assumed of the power.
    return boundsOnly(scene, bounds, [...flags, 'power-varies']);
  }
  if (best.method !== 'tick-aligned' && place.last - place.first + 1 < FEW_UPDATES) flags.push('few-updates');
  return conclude(best, bounds, flags);
}

function choose(scene: Scene, { aligned, method }: RegionOptions): Candidate | undefined {
  const allowed = (name: Method): boolean => method === undefined || method === name;
  const candidates = [
    allowed('inside-slope') ? insideSlope(scene) : undefined,
    aligned !== undefined && allowed('tick-aligned') ? tickAligned(scene, aligned) : undefined,
  ].filter((candidate) => candidate !== undefined);
  let best: Candidate | undefined;
  for (const candidate of candidates) {
    if (best === undefined || candidateHalfWidth(candidate) < candidateHalfWidth(best)) best = candidate;
  }
  // Where the region is aligned, interpolation has nothing to add; the steps of a filtered count mislead it.
  if (!allowed('interpolation') || (aligned !== undefined && method === undefined)) return best;
  if (scene.calibration.isFiltered && method === undefined) return best;
  const across = interpolation(scene);
  if (best === undefined || across === undefined) return best ?? across;
  // It is biased where the power is known to step, and then used only where the slope is much worse.
  const handicap = across.extraJoules > 0 ? BIASED_HANDICAP : 1;
  return candidateHalfWidth(across) * handicap < candidateHalfWidth(best) ? across : best;
}

/** A guess within the bounds, at the mean power around the region; the interval is the bounds themselves. */
function boundsOnly({ series, place, region }: Scene, bounds: Bounds, flags: Flag[]): EnergyEstimate {
  const { lowerJoules, upperJoules } = bounds;
  const [from, to] = [Math.max(0, place.before - 1), Math.min(series.length - 1, place.after + 1)];
  const [begin, end] = [series[from], series[to]];
  const width = upperJoules - lowerJoules;
  let guess = lowerJoules + width / 2;
  if (begin !== undefined && end !== undefined && end.joules > begin.joules && end.lowerNs > begin.upperNs) {
    const ratio = (region.endNs - region.startNs) / (end.lowerNs - begin.upperNs);
    guess = Math.min(upperJoules, (end.joules - begin.joules) * ratio);
  }
  // A guess at the very edge of its range would read as 0.
  const energyJoules = Math.max(guess, lowerJoules + width * 1e-6);
  return {
    energyJoules,
    uncertaintyJoules: Math.max(upperJoules - energyJoules, energyJoules - lowerJoules),
    standardUncertaintyJoules: width / Math.sqrt(12),
    lowerJoules,
    upperJoules,
    confidenceRatio: 0.95,
    method: 'bound',
    components: [component('bound', width / Math.sqrt(12), Number.POSITIVE_INFINITY, true)],
    resolved: false,
    flags,
  };
}
