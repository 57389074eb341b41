// SPDX-License-Identifier: MIT
//
// Runs into means with their intervals.
import { meanOfBatches, told } from '../kernel/batches.js';
import { overBaseline } from '../precision/baseline.js';
import { effectiveDegrees, student95 } from '../precision/distributions.js';
import { mean, median, standardDeviation, sum } from '../precision/samples.js';
import type { EnergyEstimate, PowerEstimate } from '../precision/types.js';
import type { BenchSummary } from './types.js';

/** One run as it was measured, the shell's own time and energy taken off. */
export interface Sample {
  round: number;
  seconds: number;
  estimate: EnergyEstimate;
  /** Counters that did not tell it, although it was long enough for them, or they told others: it is not whole. */
  lacking?: readonly string[];
}

/** Something that is subtracted from all runs alike, and as wrong in all of them. */
export interface Common {
  joules: number;
  standardUncertaintyJoules: number;
  /** Of the time that is subtracted. */
  standardUncertaintySeconds: number;
  degreesOfFreedomCount: number;
}

/** A standard uncertainty, in whatever unit the whole has. */
interface Part {
  size: number;
  degreesOfFreedomCount: number;
}

/** Half a 95 % interval of what all of these make uncertain, independently (Welch). */
function half95(parts: readonly Part[]): number {
  const shares = parts.map(({ size, degreesOfFreedomCount }) => ({
    standardUncertaintyJoules: size,
    degreesOfFreedomCount,
  }));
  return student95(effectiveDegrees(shares)) * Math.hypot(...parts.map(({ size }) => size));
}

const scatterOf = (values: readonly number[]): Part => ({
  size: standardDeviation(values) / Math.sqrt(values.length),
  degreesOfFreedomCount: values.length - 1,
});

/** An estimate less a known energy. */
export function less(estimate: EnergyEstimate, joules: number): EnergyEstimate {
  return {
    ...estimate,
    energyJoules: estimate.energyJoules - joules,
    lowerJoules: estimate.lowerJoules - joules,
    upperJoules: estimate.upperJoules - joules,
  };
}

/** Nothing where nothing was taken off. */
function partsOf(shell: Common | undefined, size: (common: Common) => number): Part[] {
  if (shell === undefined) return [];
  return [{ size: size(shell), degreesOfFreedomCount: shell.degreesOfFreedomCount }];
}

function rangeOf(
  values: readonly number[],
): Pick<BenchSummary, 'standardDeviation' | 'median' | 'min' | 'max'> {
  return {
    ...(values.length > 1 ? { standardDeviation: standardDeviation(values) } : {}),
    median: median(values) ?? 0,
    // Not spread: there may be more than a call takes arguments.
    min: values.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY),
    max: values.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY),
  };
}

/** Times: they are known exactly, so that only their scatter is uncertain (Student's t), and what was taken off all. */
export function timesOf(seconds: readonly number[], shell?: Common): BenchSummary {
  const centre = mean(seconds);
  const half =
    seconds.length > 1
      ? half95([scatterOf(seconds), ...partsOf(shell, (common) => common.standardUncertaintySeconds)])
      : undefined;
  return {
    mean: centre,
    ...(half === undefined ? {} : { lower: Math.max(0, centre - half), upper: centre + half }),
    ...rangeOf(seconds),
    isResolved: centre > (half ?? 0),
  };
}

const asBatch = (estimate: EnergyEstimate): { estimate: EnergyEstimate; callCount: number } => ({
  estimate,
  callCount: 1,
});

/** The mean of the runs that were told, with what is common to all of them. */
function meanOf(
  estimates: readonly EnergyEstimate[],
  commons: readonly Pick<Common, 'standardUncertaintyJoules' | 'degreesOfFreedomCount'>[],
  random: () => number,
): EnergyEstimate {
  let all = meanOfBatches(estimates.map(asBatch), random);
  for (const { standardUncertaintyJoules, degreesOfFreedomCount } of commons) {
    if (!(standardUncertaintyJoules > 0)) continue;
    const power = {
      powerWatts: 0,
      standardUncertaintyWatts: standardUncertaintyJoules,
      degreesOfFreedomCount,
    };
    // Over one second, so that watts are joules.
    all = overBaseline(all, { startNs: 0, endNs: 1e9 }, power, 'active');
  }
  return all;
}

/** A model has no scatter that would tell how wrong it is: its own bounds are the interval. */
function modelMean(estimates: readonly EnergyEstimate[]): BenchSummary {
  const of = (field: 'energyJoules' | 'lowerJoules' | 'upperJoules'): number[] =>
    estimates.map((estimate) => estimate[field]);
  return {
    mean: Math.max(0, mean(of('energyJoules'))),
    lower: Math.max(0, mean(of('lowerJoules'))),
    upper: Math.max(0, mean(of('upperJoules'))),
    ...rangeOf(of('energyJoules')),
    isResolved: false,
  };
}

/** With fewer whole runs, the others are better than nothing. */
const FEWEST_WHOLE = 2;

/** Runs that lack a counter say nothing of the mean of the others. Which do is no matter of how they ran. */
function used(samples: readonly Sample[]): readonly Sample[] {
  const whole = samples.filter(({ lacking = [] }) => lacking.length === 0);
  const candidates = whole.length >= FEWEST_WHOLE ? whole : samples;
  return told(candidates.map((sample) => ({ ...asBatch(sample.estimate), sample }))).map(
    ({ sample }) => sample,
  );
}

export interface Energies {
  energy: BenchSummary;
  aboveIdle?: BenchSummary;
  power: BenchSummary;
  /** Of each sample, in their order: what it tells, if it does. */
  isTold: boolean[];
  /** The samples that the means are of. */
  used: readonly Sample[];
}

/** What is above idling is told by each run's own time: energy that is more since the run was longer cancels. */
export function energiesOf(
  samples: readonly Sample[],
  {
    shell,
    idle,
    random,
  }: { shell: Common | undefined; idle: PowerEstimate | undefined; random: () => number },
): Energies {
  const good = used(samples);
  const kept = new Set(good);
  const isTold = samples.map((sample) => kept.has(sample) && sample.estimate.method !== 'bound');
  const estimates = good.map(({ estimate }) => estimate);
  const joules = estimates.map(({ energyJoules }) => energyJoules);
  const seconds = good.map((sample) => sample.seconds);
  const meanSeconds = mean(seconds);
  const isModel = estimates.some(({ method }) => method === 'model');
  const energy: BenchSummary = isModel
    ? modelMean(estimates)
    : {
        ...boundsOf(meanOf(estimates, shell === undefined ? [] : [shell], random), joules),
        ...rangeOf(joules),
      };
  const watts = good.map(({ estimate, seconds: own }) => (own > 0 ? estimate.energyJoules / own : 0));
  const powerMean = meanSeconds > 0 ? energy.mean / meanSeconds : 0;
  const half = powerHalf(good, powerMean, energy, isModel ? undefined : shell, isModel || good.length < 2);
  const power: BenchSummary = {
    mean: powerMean,
    lower: Math.max(0, powerMean - half.below),
    upper: powerMean + half.above,
    ...rangeOf(watts),
    isResolved: energy.isResolved,
  };
  if (idle === undefined || isModel) return { energy, power, isTold, used: good };
  const above = good.map(({ estimate, seconds: own }) => less(estimate, idle.powerWatts * own));
  const baseline = {
    standardUncertaintyJoules: Math.hypot(
      idle.standardUncertaintyWatts * meanSeconds,
      (idle.wanderWatts ?? 0) * Math.sqrt(meanSeconds / good.length),
    ),
    degreesOfFreedomCount: idle.degreesOfFreedomCount,
  };
  const aboveJoules = above.map(({ energyJoules }) => energyJoules);
  const active = boundsOf(
    meanOf(above, [baseline, ...(shell === undefined ? [] : [shell])], random),
    aboveJoules,
  );
  const aboveIdle = {
    ...active,
    ...rangeOf(aboveJoules),
    isResolved: active.isResolved && energy.isResolved,
  };
  return { energy, aboveIdle, power, isTold, used: good };
}

function boundsOf(
  estimate: EnergyEstimate,
  each: readonly number[],
): Pick<BenchSummary, 'mean' | 'lower' | 'upper' | 'isResolved'> {
  const { energyJoules, lowerJoules, upperJoules, uncertaintyJoules, resolved } = estimate;
  // Less than the shell alone, or than idling, is nothing within the noise, which is as large as that at least.
  if (energyJoules <= 0) {
    const upper = Math.max(upperJoules, uncertaintyJoules, Math.abs(mean(each)));
    return { mean: 0, lower: 0, upper, isResolved: false };
  }
  return { mean: energyJoules, lower: Math.max(0, lowerJoules), upper: upperJoules, isResolved: resolved };
}

/** A mean of quotients by its residuals: runs that are longer and use more say nothing of the power. */
function powerHalf(
  samples: readonly Sample[],
  watts: number,
  energy: BenchSummary,
  shell: Common | undefined,
  isBounded: boolean,
): { below: number; above: number } {
  const { mean: joules, lower = joules, upper = joules } = energy;
  const meanSeconds = mean(samples.map(({ seconds }) => seconds));
  if (!(meanSeconds > 0)) return { below: 0, above: 0 };
  const ofTime = partsOf(shell, (common) => watts * common.standardUncertaintySeconds);
  if (isBounded || samples.some(({ estimate }) => estimate.method === 'bound')) {
    const more = half95(ofTime);
    return {
      below: Math.hypot(joules - lower, more) / meanSeconds,
      above: Math.hypot(upper - joules, more) / meanSeconds,
    };
  }
  const rest = samples.map(({ estimate, seconds }) => estimate.energyJoules - watts * seconds);
  const ofEnergy = partsOf(shell, (common) => common.standardUncertaintyJoules);
  // Where power and time go against each other, the quotient scatters more than the energy.
  const half = half95([scatterOf(rest), ...ofEnergy, ...ofTime]) / meanSeconds;
  return { below: half, above: half };
}

/** Beyond this many robust standard deviations, and this share of the median, a run stands out. */
const OUTLIER_SIGMAS = 5;
const OUTLIER_RATIO = 0.05;
const FEWEST_FOR_OUTLIERS = 5;
/** The median absolute deviation of a normal distribution is 1 / 1.4826 of its standard deviation. */
const MAD_TO_SIGMA = 1.4826;

/** The places of values that are far from most. */
export function outliersOf(values: readonly number[]): number[] {
  if (values.length < FEWEST_FOR_OUTLIERS) return [];
  const centre = median(values) ?? 0;
  const sigma = MAD_TO_SIGMA * (median(values.map((value) => Math.abs(value - centre))) ?? 0);
  const most = Math.max(OUTLIER_SIGMAS * sigma, OUTLIER_RATIO * Math.abs(centre));
  return values.flatMap((value, i) => (Math.abs(value - centre) > most ? [i] : []));
}

/** Undefined unless every value is known. */
export function meanIfKnown(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === values.length && known.length > 0 ? sum(known) / known.length : undefined;
}
