// SPDX-License-Identifier: MIT
import { MicrojouleError } from '../core/errors.js';
import type { Intensity, Location } from '../core/report-types.js';
import { electricityMaps, emberGramsPerKwh, worldGramsPerKwh, zoneGramsPerKwh } from './data.js';
import { CONFIDENCE_RATIO, spreadOfCountries, spreadOfMethods } from './spread.js';

export interface IntensityOptions {
  /** Overrides the data sets, in gCO2e/kWh. Finite and at least 0. */
  intensityGramsPerKwh?: number | undefined;
  /** How far the user's own value may be off, in gCO2e/kWh: half the width of its 95 % interval. */
  intensityUncertaintyGramsPerKwh?: number | undefined;
}

const EMBER = {
  source: 'Ember via @tgwf/co2',
  method: 'yearly average, life cycle, production mix',
  credit: 'Ember, CC BY-SA 4.0',
} as const;

// Read from Ember's own table; the package ships the values without their years.
const EMBER_YEAR =
  'The package does not say for which year it stands: it carries the newest of each country, 2022 to 2024.';

/**
 * Carbon intensity of the electricity at a place, in gCO2e/kWh: the user's override, else Electricity Maps for the
 * zone, Electricity Maps for the country, Ember for the country, Ember for the world, the first that has a value.
 * `detail` says which answered and which did not. The data sets' values have an interval, see `spread.ts`.
 * Synchronous and offline. Throws `ERR_BAD_OPTION` for an override that is not a finite number of at least 0, and for
 * an uncertainty that is none or has no override.
 */
export function resolveIntensity(location: Location, options: IntensityOptions = {}): Intensity {
  const { intensityGramsPerKwh, intensityUncertaintyGramsPerKwh: uncertainty } = options;
  if (intensityGramsPerKwh !== undefined) return given(intensityGramsPerKwh, uncertainty);
  if (uncertainty !== undefined) throw uncertaintyAlone();
  return fromElectricityMaps(location) ?? fromEmber(location) ?? fromWorld(location);
}

function uncertaintyAlone(): MicrojouleError {
  return new MicrojouleError(
    'ERR_BAD_OPTION',
    'An uncertainty of the carbon intensity was given without the intensity.',
    {
      hint: 'Give the intensity as well, or leave the uncertainty out: the data sets bring their own.',
    },
  );
}

function given(intensityGramsPerKwh: number, uncertainty: number | undefined): Intensity {
  if (uncertainty !== undefined && !(Number.isFinite(uncertainty) && uncertainty >= 0)) {
    throw new MicrojouleError(
      'ERR_BAD_OPTION',
      `The uncertainty of the carbon intensity must be a finite number of at least 0 g/kWh, but is ${String(uncertainty)}.`,
      { hint: 'Give half the width of the 95 % interval, in grams per kilowatt-hour.' },
    );
  }
  if (!Number.isFinite(intensityGramsPerKwh) || intensityGramsPerKwh < 0) {
    throw new MicrojouleError(
      'ERR_BAD_OPTION',
      `The carbon intensity must be a finite number of at least 0 g/kWh, but is ${String(intensityGramsPerKwh)}.`,
      {
        hint: 'Give grams of CO2 equivalent per kilowatt-hour, for example 123.068, or leave the option out.',
      },
    );
  }
  return {
    intensityGramsPerKwh,
    kind: 'assumed',
    source: 'user',
    method: 'given',
    detail: `The user gave ${intensityGramsPerKwh} g/kWh, so no data set was asked.`,
    ...(uncertainty === undefined
      ? {}
      : {
          lowerGramsPerKwh: Math.max(0, intensityGramsPerKwh - uncertainty),
          upperGramsPerKwh: intensityGramsPerKwh + uncertainty,
          confidenceRatio: CONFIDENCE_RATIO,
          uncertaintyMethod: 'given by the user',
        }),
  };
}

function fromElectricityMaps(location: Location): Intensity | undefined {
  const { zone, countryAlpha2, region } = location;
  const asked = [...new Set([zone, countryAlpha2].flatMap((id) => id ?? []))];
  if (asked.length === 0) return undefined;
  const { year, zones } = electricityMaps();
  for (const id of asked) {
    const intensityGramsPerKwh = zoneGramsPerKwh(id);
    if (intensityGramsPerKwh === undefined) continue;
    const sentences = [
      `Electricity Maps answered for zone ${id} (${zones[id]?.zone.zoneName ?? id}), ${year}.`,
    ];
    if (id !== zone && zone !== undefined) {
      sentences.push(`It has no value for zone ${zone}, so this is the whole country's.`);
    } else if (id === countryAlpha2 && region !== undefined) {
      sentences.push(`It has no zone for the region ${region}, so this is the whole country's value.`);
    }
    return {
      intensityGramsPerKwh,
      zone: id,
      year,
      kind: 'estimated',
      source: `Electricity Maps ${year} via @tgwf/co2`,
      method: 'yearly average, life cycle, consumption mix',
      credit: 'Electricity Maps, ODbL',
      ...spreadOfMethods(intensityGramsPerKwh, location),
      detail: sentences.join(' '),
    };
  }
  return undefined;
}

function fromEmber(location: Location): Intensity | undefined {
  const { countryAlpha3 } = location;
  const intensityGramsPerKwh = countryAlpha3 === undefined ? undefined : emberGramsPerKwh(countryAlpha3);
  if (countryAlpha3 === undefined || intensityGramsPerKwh === undefined) return undefined;
  return {
    intensityGramsPerKwh,
    zone: countryAlpha3,
    kind: 'estimated',
    ...EMBER,
    ...spreadOfMethods(intensityGramsPerKwh, location),
    detail: `Electricity Maps has no value for ${missing(location)}, so Ember answered for ${countryAlpha3}. ${EMBER_YEAR}`,
  };
}

function fromWorld(location: Location): Intensity {
  const { countryAlpha2, countryAlpha3 } = location;
  const known = countryAlpha2 !== undefined || countryAlpha3 !== undefined;
  const reason = known
    ? `Neither Electricity Maps nor Ember has a value for ${missing(location)}, so Ember's world average is used.`
    : "No country is known, so no zone or country was looked up and Ember's world average is used; pass --country.";
  const intensityGramsPerKwh = worldGramsPerKwh();
  return {
    intensityGramsPerKwh,
    zone: 'WORLD',
    kind: 'assumed',
    ...EMBER,
    ...spreadOfCountries(),
    detail: `${reason} The package does not say for which year it stands.`,
  };
}

/** Names the place for which Electricity Maps had nothing. Some countries have zones there but no total. */
function missing(location: Location): string {
  const { countryName, countryAlpha2, countryAlpha3, region } = location;
  const country = `${countryName ?? countryAlpha3} (${countryAlpha2 ?? countryAlpha3})`;
  const hasZones = Object.keys(electricityMaps().zones).some((id) => id.startsWith(`${countryAlpha2}-`));
  const whole = hasZones ? `the whole of ${country}, only for zones of it` : country;
  return region === undefined ? whole : `the region ${region} or for ${whole}`;
}
