// SPDX-License-Identifier: MIT
//
// How far a yearly average may be from the truth. Neither data set states it, but there are two of them, made by
// different methods; and where no country is known, the countries themselves tell how far a grid may be from the
// world's average. Neither says how an hour differs from its year.
import type { Intensity, Location } from '../core/report-types.js';
import { emberCountriesGramsPerKwh, emberGramsPerKwh, zoneGramsPerKwh } from './data.js';

/** Coverage of every interval given here. */
export const CONFIDENCE_RATIO = 0.95;
/** Two-sided 95 % point of the normal distribution. */
const NORMAL_95 = 1.96;

/**
 * Standard uncertainty of one data set, as a logarithm of its ratio to the truth: 68 % of the countries that both sets
 * have differ by less than 24 % between them, and a difference of two equally good values strays root 2 times as far as
 * each. From @tgwf/co2 0.19.0, 195 countries; `spread.test.ts` works it out again.
 */
export const TYPICAL_LOG_UNCERTAINTY = 0.17;

type Bounds = Pick<
  Intensity,
  'lowerGramsPerKwh' | 'upperGramsPerKwh' | 'confidenceRatio' | 'uncertaintyMethod'
>;

/**
 * The interval of a value of one data set: by what the two sets differ for its country, or by what they typically
 * differ, whichever is more: that they agree once proves neither.
 */
export function spreadOfMethods(intensityGramsPerKwh: number, location: Location): Bounds {
  const { countryAlpha2, countryAlpha3 } = location;
  const maps = countryAlpha2 === undefined ? undefined : zoneGramsPerKwh(countryAlpha2);
  const ember = countryAlpha3 === undefined ? undefined : emberGramsPerKwh(countryAlpha3);
  const own = maps === undefined || ember === undefined ? 0 : Math.abs(Math.log(maps / ember)) / Math.SQRT2;
  const factor = Math.exp(NORMAL_95 * Math.max(own, TYPICAL_LOG_UNCERTAINTY));
  return {
    lowerGramsPerKwh: intensityGramsPerKwh / factor,
    upperGramsPerKwh: intensityGramsPerKwh * factor,
    confidenceRatio: CONFIDENCE_RATIO,
    uncertaintyMethod:
      own > TYPICAL_LOG_UNCERTAINTY
        ? 'difference of Electricity Maps and Ember for this country'
        : 'typical difference of Electricity Maps and Ember for a country',
  };
}

/** The interval that holds 95 % of the countries' values. */
export function spreadOfCountries(): Bounds {
  const values = emberCountriesGramsPerKwh();
  const tail = (1 - CONFIDENCE_RATIO) / 2;
  const at = (ratio: number) => values[Math.round(ratio * (values.length - 1))];
  const lowerGramsPerKwh = at(tail);
  const upperGramsPerKwh = at(1 - tail);
  if (lowerGramsPerKwh === undefined || upperGramsPerKwh === undefined) return {};
  return {
    lowerGramsPerKwh,
    upperGramsPerKwh,
    confidenceRatio: CONFIDENCE_RATIO,
    uncertaintyMethod: 'range of 95 % of the countries, since no country is known or none has data',
  };
}
