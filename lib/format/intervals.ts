// SPDX-License-Identifier: MIT
//
// Intervals as every format words them. Empty text where there is none.
import { formatBounds, formatSignificant, formatSixDecimals } from '../core/numbers.js';
import type { Emissions, EnergyBounds, Facility, Intensity, Score } from '../core/report-types.js';

/** `± 4.1 J` */
export function energyBounds(energyJoules: number, { lowerJoules, upperJoules }: EnergyBounds): string {
  if (lowerJoules === undefined || upperJoules === undefined) return '';
  return formatBounds(energyJoules, lowerJoules, upperJoules, 'energy');
}

/** `0.74 to 1.50 g` */
export function emissionsBounds({ emissionsGrams, lowerGrams, upperGrams }: Emissions): string {
  if (lowerGrams === undefined || upperGrams === undefined) return '';
  return formatBounds(emissionsGrams, lowerGrams, upperGrams, 'mass');
}

/** `240 to 470 g/kWh` */
export function intensityBounds(intensity: Intensity): string {
  const { intensityGramsPerKwh, lowerGramsPerKwh, upperGramsPerKwh } = intensity;
  if (lowerGramsPerKwh === undefined || upperGramsPerKwh === undefined) return '';
  return formatBounds(intensityGramsPerKwh, lowerGramsPerKwh, upperGramsPerKwh, 'intensity');
}

/** `0.74 to 1.50 mg` */
export function scoreBounds({ gramsPerUnit, lowerGramsPerUnit, upperGramsPerUnit }: Score): string {
  if (lowerGramsPerUnit === undefined || upperGramsPerUnit === undefined) return '';
  return formatBounds(gramsPerUnit, lowerGramsPerUnit, upperGramsPerUnit, 'mass');
}

/** `95 % interval` */
export function intervalName(confidenceRatio: number | undefined): string {
  return confidenceRatio === undefined ? '' : `${formatSignificant(confidenceRatio * 100, 2)} % interval`;
}

/** What the emissions' interval takes into account, as a sentence. */
export function uncertaintyScope({ uncertaintyOf = [] }: Emissions): string {
  if (uncertaintyOf.length === 2) return 'of energy and intensity';
  return uncertaintyOf[0] === 'energy'
    ? 'of the energy alone; the intensity is taken as exact'
    : 'of the intensity alone; that of the energy is not known';
}

/** `PUE 1.2, 0.005 kWh with it; WUE 1.8 L/kWh, 0.008 L of water` */
export function facilityText({ pueRatio, facilityKwh, wueLitresPerKwh, waterLitres }: Facility): string {
  const energy = `PUE ${formatSignificant(pueRatio)}, ${formatSixDecimals(facilityKwh)} kWh with it`;
  if (wueLitresPerKwh === undefined || waterLitres === undefined) return energy;
  return `${energy}; WUE ${formatSignificant(wueLitresPerKwh)} L/kWh, ${formatSixDecimals(waterLitres)} L of water`;
}

/** `SCI per image` */
export function scoreName({ name, functionalUnit }: Score): string {
  return `${name} per ${functionalUnit}`;
}
