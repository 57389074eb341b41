// SPDX-License-Identifier: MIT
import { MicrojouleError } from '../core/errors.js';
import { nearest } from '../core/nearest.js';
import type { Cloud, Location } from '../core/report-types.js';
import { regionsOf, zoneOfCloudRegion } from './cloud-regions.js';
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

/** What the cloud tells of the place. */
type CloudPlace = Pick<Cloud, 'provider' | 'region' | 'kind' | 'source'>;

/**
 * Where the electricity was used: the country the user gave, else that of the cloud region, else the main country of the
 * time zone, else none.
 * Synchronous and offline. Throws `ERR_UNKNOWN_COUNTRY`, `ERR_UNKNOWN_REGION` (also for a region without a
 * country that has it) and `ERR_BAD_OPTION` (not text).
 */
export function resolveLocation(options: LocationOptions = {}, cloud?: CloudPlace): Location {
  const { country: countryText, region: regionText, timeZone } = options;
  if (regionText !== undefined) requireText('region', regionText);
  if (timeZone !== undefined) requireText('timeZone', timeZone);
  if (countryText === undefined) {
    // A region by itself is one of the time zone's country.
    const ofCloud = regionText === undefined ? fromCloud(cloud) : undefined;
    const ofTimeZone = () => fromTimeZone(timeZone ?? systemTimeZone(), regionText);
    return ofCloud ?? withUnknownRegion(ofTimeZone(), cloud);
  }

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

function fromCloud(cloud: CloudPlace | undefined): Location | undefined {
  const { provider, region } = cloud ?? {};
  if (cloud === undefined || provider === undefined || region === undefined) return undefined;
  const zone = zoneOfCloudRegion(provider, region);
  const country = zone === undefined ? undefined : countryByAlpha2(zone.slice(0, 2));
  if (zone === undefined || country === undefined) return undefined;
  return {
    countryName: country.name,
    countryAlpha2: country.alpha2,
    countryAlpha3: country.alpha3,
    zone,
    kind: cloud.kind,
    source: 'cloud region',
    method: `place of ${provider} ${region}`,
    detail: `No country was given; ${provider}'s region ${region}, known from ${cloud.source}, is in ${country.name}, grid zone ${zone}.`,
  };
}

/** Says so when a cloud region was no help, with those that the user may have meant. */
function withUnknownRegion(location: Location, cloud: CloudPlace | undefined): Location {
  const { provider, region } = cloud ?? {};
  if (provider === undefined || region === undefined) return location;
  const near = nearest(region, regionsOf(provider).keys(), 3);
  const meant = near.length === 0 ? '' : ` Nearest: ${near.join(', ')}.`;
  return {
    ...location,
    detail: `microjoule does not know where ${provider}'s region ${region} is.${meant} ${location.detail}`,
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
