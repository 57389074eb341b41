// SPDX-License-Identifier: MIT
import { formatSixDecimals } from '../core/numbers.js';
import type { Emissions, Facility, Intensity, TotalEnergy, UncertaintyPart } from '../core/report-types.js';
import { GRAMS_PER_KG, joulesToKwh, SECONDS_PER_YEAR } from '../core/units.js';
import { energyInterval, interval, productInterval, scaleInterval } from './bounds.js';
import { weakerKind } from './kinds.js';

/** The mean rate of `amount`; over a duration of 0 there is none. */
export function perSecond(amount: number, durationSeconds: number): number | undefined {
  return durationSeconds > 0 ? amount / durationSeconds : undefined;
}

/** Operational emissions: energy times intensity, with their interval as far as those have one. */
export function totalEmissions(
  energy: TotalEnergy,
  intensity: Intensity,
  durationSeconds: number,
  facility?: Facility,
): Emissions {
  const pueRatio = facility?.pueRatio ?? 1;
  const emissionsGrams = energy.energyKwh * pueRatio * intensity.intensityGramsPerKwh;
  const emissionsKg = emissionsGrams / GRAMS_PER_KG;
  const emissionsKgPerSecond = perSecond(emissionsKg, durationSeconds);
  return {
    kind: [energy.kind, intensity.kind, ...(pueRatio === 1 ? [] : (['assumed'] as const))].reduce(weakerKind),
    source: `total energy, ${intensity.source}`,
    method: pueRatio === 1 ? 'kWh times grams per kWh' : 'kWh times PUE times grams per kWh',
    detail: `${formatSixDecimals(energy.energyKwh)} kWh${pueRatio === 1 ? '' : ` times a PUE of ${pueRatio}`} at ${intensity.intensityGramsPerKwh} g/kWh; energy ${energy.kind}, intensity ${intensity.kind}.`,
    emissionsKg,
    emissionsGrams,
    ...(emissionsKgPerSecond === undefined
      ? {}
      : { emissionsKgPerSecond, emissionsKgPerYear: emissionsKgPerSecond * SECONDS_PER_YEAR }),
    atLeast: energy.atLeast,
    ...emissionsBounds(energy, intensity, pueRatio),
  };
}

function emissionsBounds(energy: TotalEnergy, intensity: Intensity, pueRatio: number): Partial<Emissions> {
  const { energyJoules, energyKwh } = energy;
  const { intensityGramsPerKwh, lowerGramsPerKwh, upperGramsPerKwh, confidenceRatio } = intensity;
  const joules = energyInterval(energyJoules, energy);
  const ofEnergy = joules === undefined ? undefined : scaleInterval(joules, joulesToKwh(1) * pueRatio);
  const ofIntensity = interval(intensityGramsPerKwh, lowerGramsPerKwh, upperGramsPerKwh, confidenceRatio);
  const both = ofEnergy && ofIntensity && productInterval(ofEnergy, ofIntensity);
  if (both !== undefined) return boundsOf(both, ['energy', 'intensity']);
  // Two that cannot be brought together: the intensity's is by far the wider.
  if (ofIntensity !== undefined)
    return boundsOf(scaleInterval(ofIntensity, energyKwh * pueRatio), ['intensity']);
  if (ofEnergy !== undefined) return boundsOf(scaleInterval(ofEnergy, intensityGramsPerKwh), ['energy']);
  return {};
}

function boundsOf(
  { lower, upper, confidenceRatio }: { lower: number; upper: number; confidenceRatio: number },
  uncertaintyOf: UncertaintyPart[],
): Partial<Emissions> {
  return { lowerGrams: lower, upperGrams: upper, confidenceRatio, uncertaintyOf };
}
