// SPDX-License-Identifier: MIT
import { MicrojouleError } from '../core/errors.js';
import type { Location } from '../core/report-types.js';
import { type Country, countryByAlpha2, findCountry } from './countries.js';
import { countriesOfTimeZone, electricityMaps } from './data.js';
import { requireText } from './place-key.js';
import { findRegion, type Region, unknownRegion } from './regions.js';
import { systemTimeZone } from './time-zone.js';

export interface LocationOptions {
  /** ISO 3166-1 alpha-2 or alpha-3 code, or English name. */
  country?: string | undefined;
  /** Electricity Maps zone or ISO 3166-2 subdivision of the country, by code or name. */
  region?: string | undefined;
  /** IANA name. The system's own unless given. */
  timeZone?: string | undefined;
}

/**
 * Where the electricity was used: the country the user gave, else the main country of the time zone, else none.
 * Synchronous and offline. Throws `ERR_UNKNOWN_COUNTRY`, `ERR_UNKNOWN_REGION` (also for a region without a
 * country that has it) and `ERR_BAD_OPTION` (not text).
 */
export function resolveLocation(options: LocationOptions = {}): Location {
  const { country: countryText, region: regionText, timeZone } = options;
  if (regionText !== undefined) requireText('region', regionText);
  if (timeZone !== undefined) requireText('timeZone', timeZone);
  if (countryText === undefined) return fromTimeZone(timeZone ?? systemTimeZone(), regionText);

  requireText('country', countryText);
  const country = findCountry(countryText);
  const region = regionText === undefined ? undefined : findRegion(country, regionText);
  if (regionText !== undefined && region === undefined) throw unknownRegion(country, regionText);
  const sentences = [`The user gave ${country.name}.`, ...(region === undefined ? [] : [region.note])];
  return {
    ...place(country, regionText, region),
    kind: 'assumed',
    source: 'user',
    method: 'given',
    detail: sentences.join(' '),
  };
}

function fromTimeZone(timeZone: string | undefined, regionText: string | undefined): Location {
  const [country, ...others] = (timeZone === undefined ? [] : countriesOfTimeZone(timeZone)).flatMap(
    (alpha2) => countryByAlpha2(alpha2) ?? [],
  );
  if (timeZone === undefined || country === undefined) {
    const problem =
      timeZone === undefined
        ? 'the system names no time zone'
        : `the time zone ${timeZone} belongs to no country`;
    if (regionText !== undefined) throw regionWithoutCountry(regionText, problem);
    return {
      kind: 'absent',
      source: 'time zone',
      method: timeZone === undefined ? 'main country of the time zone' : `main country of ${timeZone}`,
      detail:
        `No country was given and ${problem}, as on many servers and in containers, so the world average is used unless ` +
        'an intensity is given; pass --country to name one.',
    };
  }
  const region = regionText === undefined ? undefined : findRegion(country, regionText);
  if (regionText !== undefined && region === undefined) {
    throw regionWithoutCountry(
      regionText,
      `${country.name}, the main country of ${timeZone}, has no such region`,
    );
  }
  const sentences = [
    `No country was given; the main country of the time zone ${timeZone} is ${country.name}.`,
  ];
  if (others.length > 0) {
    const names = new Intl.ListFormat('en').format(others.map((other) => other.name));
    sentences.push(
      `${names} ${others.length === 1 ? 'shares' : 'share'} that zone: pass --country to be sure.`,
    );
  }
  if (region !== undefined) sentences.push(region.note);
  return {
    ...place(country, regionText, region),
    kind: 'estimated',
    source: 'time zone',
    method: `main country of ${timeZone}`,
    detail: sentences.join(' '),
  };
}

function place(country: Country, regionText: string | undefined, region: Region | undefined) {
  const zone =
    region?.zone ?? (Object.hasOwn(electricityMaps().zones, country.alpha2) ? country.alpha2 : undefined);
  return {
    countryName: country.name,
    countryAlpha2: country.alpha2,
    countryAlpha3: country.alpha3,
    ...(regionText === undefined ? {} : { region: regionText.trim() }),
    ...(zone === undefined ? {} : { zone }),
  };
}

function regionWithoutCountry(regionText: string, problem: string): MicrojouleError {
  const message = `Region ${JSON.stringify(regionText)} was given without a country, and ${problem}.`;
  return new MicrojouleError('ERR_UNKNOWN_REGION', message, {
    hint: 'Give the country as well, for example --country CA --region QC.',
  });
}
