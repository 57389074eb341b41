// SPDX-License-Identifier: MIT
//
// Embodied emissions and the Software Carbon Intensity, SCI = ((E x I) + M) per R: Green Software Foundation, SCI
// specification 1.1.0, the text of ISO/IEC 21031:2024.
import { MicrojouleError } from '../core/errors.js';
import { formatMass, formatShare, formatSignificant } from '../core/numbers.js';
import type { Embodied, Emissions, Score } from '../core/report-types.js';
import { GRAMS_PER_KG, SECONDS_PER_YEAR } from '../core/units.js';
import { interval } from './bounds.js';
import { weakerKind } from './kinds.js';

/** What only the user can know for a score. */
export interface ScoreOptions {
  /** What making the hardware emitted (TE), in kilograms of CO2 equivalent. With `lifespanYears`. */
  embodiedKg?: number | undefined;
  /** How long the hardware is expected to be in use (EL), in years of 365.25 days. With `embodiedKg`. */
  lifespanYears?: number | undefined;
  /** The share of the hardware that was reserved (RR/ToR), above 0 and at most 1. Default: 1, all of it. */
  reservedRatio?: number | undefined;
  /** How long it was reserved (TiR), in seconds. Default: the duration of the run. */
  reservedSeconds?: number | undefined;
  /** R, in the singular, e.g. `image`. */
  functionalUnit?: string | undefined;
  /** How many of them the run did. Default: 1. With `functionalUnit`. */
  unitCount?: number | undefined;
}

/** @throws MicrojouleError `ERR_BAD_OPTION` for terms that are no sensible numbers or miss their other half */
export function checkScoreOptions(options: ScoreOptions): void {
  const { embodiedKg, lifespanYears, reservedRatio, reservedSeconds, functionalUnit, unitCount } = options;
  requireNumber('embodiedKg', embodiedKg, 0, false);
  requireNumber('lifespanYears', lifespanYears, 0, true);
  requireNumber('reservedRatio', reservedRatio, 0, true, 1);
  requireNumber('reservedSeconds', reservedSeconds, 0, false);
  requireNumber('unitCount', unitCount, 0, true);
  requirePartner('embodiedKg', embodiedKg, 'lifespanYears', lifespanYears);
  requirePartner('lifespanYears', lifespanYears, 'embodiedKg', embodiedKg);
  requirePartner('reservedRatio', reservedRatio, 'embodiedKg', embodiedKg);
  requirePartner('reservedSeconds', reservedSeconds, 'embodiedKg', embodiedKg);
  requirePartner('unitCount', unitCount, 'functionalUnit', functionalUnit);
  if (functionalUnit === undefined || (typeof functionalUnit === 'string' && functionalUnit.trim() !== ''))
    return;
  throw new MicrojouleError('ERR_BAD_OPTION', 'functionalUnit must be some text.', {
    hint: 'Name one of what the run does, for example image, token or request.',
  });
}

/** The run's share of the hardware's embodied emissions, or nothing when the user gave no terms. */
export function embodiedShare(options: ScoreOptions, durationSeconds: number): Embodied | undefined {
  const { embodiedKg, lifespanYears, reservedRatio = 1 } = options;
  if (embodiedKg === undefined || lifespanYears === undefined) return undefined;
  const reservedSeconds = options.reservedSeconds ?? durationSeconds;
  const lifespanSeconds = lifespanYears * SECONDS_PER_YEAR;
  const totalEmbodiedGrams = embodiedKg * GRAMS_PER_KG;
  const time = options.reservedSeconds === undefined ? "the run's duration" : 'the time reserved';
  return {
    kind: 'assumed',
    source: 'user',
    method: 'TE x TiR/EL x RR/ToR',
    detail: `${formatMass(totalEmbodiedGrams)} to make, as given by the user, times ${time} over ${formatSignificant(lifespanYears, 3)} years, times ${formatShare(reservedRatio)} of the hardware.`,
    embodiedGrams: totalEmbodiedGrams * (reservedSeconds / lifespanSeconds) * reservedRatio,
    totalEmbodiedGrams,
    reservedSeconds,
    lifespanSeconds,
    reservedRatio,
  };
}

/** Emissions per functional unit, or nothing when the user named none. */
export function scoreOf(
  options: ScoreOptions,
  emissions: Emissions,
  embodied: Embodied | undefined,
  boundary = 'the whole machine',
): Score | undefined {
  const { functionalUnit, unitCount = 1 } = options;
  if (functionalUnit === undefined) return undefined;
  const embodiedGrams = embodied?.embodiedGrams ?? 0;
  const perUnit = (grams: number) => (grams + embodiedGrams) / unitCount;
  const { lowerGrams, upperGrams, confidenceRatio } = emissions;
  const bounds = interval(emissions.emissionsGrams, lowerGrams, upperGrams, confidenceRatio);
  return {
    kind: embodied === undefined ? emissions.kind : weakerKind(emissions.kind, embodied.kind),
    source: embodied === undefined ? emissions.source : `${emissions.source}, ${embodied.source}`,
    method: embodied === undefined ? '(E x I) per R' : '((E x I) + M) per R, ISO/IEC 21031',
    detail:
      embodied === undefined
        ? 'Not a Software Carbon Intensity: that needs embodied emissions too, whose terms were not given.'
        : `The software boundary is ${boundary} over the run; SCI asks for a location-based intensity, without certificates or offsets. The embodied part is taken as exact.`,
    name: embodied === undefined ? 'operational emissions' : 'SCI',
    functionalUnit: functionalUnit.trim(),
    unitCount,
    gramsPerUnit: perUnit(emissions.emissionsGrams),
    ...(bounds === undefined
      ? {}
      : {
          lowerGramsPerUnit: perUnit(bounds.lower),
          upperGramsPerUnit: perUnit(bounds.upper),
          confidenceRatio: bounds.confidenceRatio,
        }),
    atLeast: emissions.atLeast,
  };
}

function requireNumber(
  name: string,
  value: number | undefined,
  lowest: number,
  exclusive: boolean,
  highest = Number.POSITIVE_INFINITY,
): void {
  if (value === undefined) return;
  const high = exclusive ? value > lowest : value >= lowest;
  if (typeof value === 'number' && Number.isFinite(value) && high && value <= highest) return;
  const range = `${exclusive ? 'above' : 'of at least'} ${lowest}${Number.isFinite(highest) ? ` and at most ${highest}` : ''}`;
  throw new MicrojouleError('ERR_BAD_OPTION', `${name} must be a number ${range}, but is ${String(value)}.`, {
    hint: `Correct ${name}, or leave it out.`,
  });
}

function requirePartner(name: string, value: unknown, partner: string, other: unknown): void {
  if (value === undefined || other !== undefined) return;
  throw new MicrojouleError('ERR_BAD_OPTION', `${name} was given without ${partner}.`, {
    hint: `Give ${partner} as well, or leave ${name} out.`,
  });
}
