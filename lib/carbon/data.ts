// SPDX-License-Identifier: MIT
import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Co2Data, ElectricityMapsModule, ElectricityMapsYear, ElectricityMapsZone } from './co2-data.js';

// Everything here is synchronous: a report must be writable from a process 'exit' handler, where no promise
// settles any more. And nothing is loaded at import time: the tables take tens of milliseconds.
const require = createRequire(import.meta.url);

type Iso31661 = typeof import('iso-3166/1.js');
type Iso31662 = typeof import('iso-3166/2.js');
type CountriesAndTimezones = typeof import('countries-and-timezones');

/** A country of ISO 3166-1 under its English short name there. */
export interface IsoCountry {
  name: string;
  alpha2: string;
  alpha3: string;
}

/** A subdivision of ISO 3166-2. The name is the local one, e.g. `Bayern`. */
export interface Subdivision {
  /** With the country, e.g. `BR-RS`. */
  code: string;
  name: string;
  /** Code of the subdivision it is a part of, or of the country. */
  parent?: string;
}

/** Newest year of Electricity Maps that the installed package has. */
export interface ElectricityMaps {
  year: number;
  zones: Readonly<Record<string, ElectricityMapsZone>>;
}

function once<T>(load: () => T): () => T {
  let loaded: { value: T } | undefined;
  return () => {
    loaded ??= { value: load() };
    return loaded.value;
  };
}

/**
 * One table of `@tgwf/co2` by itself, from beside the module that exports them all: that one parses five years of
 * zones, 30 ms for one number. Undefined when the package is laid out in another way.
 */
function single<T>(
  entry: string,
  folder: string,
  pick: (names: string[]) => string | undefined,
): T | undefined {
  try {
    const path = join(dirname(require.resolve(entry)), folder);
    const name = pick(readdirSync(path));
    return name === undefined ? undefined : (require(join(path, name)) as T);
  } catch {
    return undefined;
  }
}

function newestYear(): ElectricityMaps | undefined {
  let year = '';
  const table = single<ElectricityMapsYear>('@tgwf/co2/data/electricity-maps', '.', (names) => {
    year =
      names
        .flatMap((name) => /^yearly_(\d{4})\.js$/.exec(name)?.[1] ?? [])
        .sort()
        .at(-1) ?? '';
    return year === '' ? undefined : `yearly_${year}.js`;
  });
  const data = table?.data;
  return data === undefined ? undefined : { year: Number(year), zones: data };
}

/** Electricity Maps through `@tgwf/co2`. Throws an Error when the package has no `yearlyNNNN` table. */
export const electricityMaps: () => ElectricityMaps = once(() => newestYear() ?? newestExported());

/** @internal The same through the package's public entry. */
export function newestExported(): ElectricityMaps {
  const tables = require('@tgwf/co2/data/electricity-maps') as ElectricityMapsModule;
  const years = Object.keys(tables).flatMap((name) => /^yearly(\d{4})$/.exec(name)?.[1] ?? []);
  const year = years.sort().at(-1);
  const newest = year === undefined ? undefined : tables[`yearly${year}`];
  if (newest === undefined) throw new Error('@tgwf/co2 has no yearly table of Electricity Maps.');
  return { year: Number(year), zones: newest.data };
}

/** @internal Ember through the package's public entry. */
export function exportedEmber(): Readonly<Record<string, number>> {
  return (require('@tgwf/co2/data') as Co2Data).averageIntensity.data;
}

function emberAlone(): Readonly<Record<string, number>> | undefined {
  const name = 'average-intensities.min.js';
  const module = single<Partial<Co2Data['averageIntensity']> & { default?: Co2Data['averageIntensity'] }>(
    '@tgwf/co2/data',
    'data',
    (names) => (names.includes(name) ? name : undefined),
  );
  return module?.data ?? module?.default?.data;
}

const ember = once(() => emberAlone() ?? exportedEmber());

function presentGramsPerKwh(value: unknown): number | undefined {
  // Both sets write what they do not know as 0 (Ember: CAF); no grid emits nothing over its life cycle.
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : undefined;
}

/** gCO2e/kWh of an Electricity Maps zone such as `BR-S`, or undefined. */
export function zoneGramsPerKwh(zone: string): number | undefined {
  const { zones } = electricityMaps();
  return Object.hasOwn(zones, zone) ? presentGramsPerKwh(zones[zone]?.carbonIntensity.value) : undefined;
}

/** gCO2e/kWh that Ember has for an ISO 3166-1 alpha-3 code, or undefined. */
export function emberGramsPerKwh(alpha3: string): number | undefined {
  return Object.hasOwn(ember(), alpha3) ? presentGramsPerKwh(ember()[alpha3]) : undefined;
}

/** gCO2e/kWh of every country that Ember has, in ascending order. */
export function emberCountriesGramsPerKwh(): number[] {
  const values = isoCountries().flatMap(({ alpha3 }) => emberGramsPerKwh(alpha3) ?? []);
  return values.sort((one, other) => one - other);
}

/** gCO2e/kWh of Ember's world average. Throws an Error when the package has none. */
export function worldGramsPerKwh(): number {
  const value = emberGramsPerKwh('WORLD');
  if (value === undefined) throw new Error('@tgwf/co2 has no world average.');
  return value;
}

/** All countries of ISO 3166-1, and Kosovo. */
export const isoCountries: () => readonly IsoCountry[] = once(() => [
  ...(require('iso-3166/1.js') as Iso31661).iso31661.map(({ name, alpha2, alpha3 }) => ({
    name,
    alpha2,
    alpha3,
  })),
  // Not in ISO 3166-1, but both data sets have it, under user-assigned codes: XK is Electricity Maps' and
  // the European Union's, XKX the World Bank's and Ember's.
  { name: 'Kosovo', alpha2: 'XK', alpha3: 'XKX' },
]);

/** ISO 3166-2 subdivisions of a country given by alpha-2; empty where there are none. */
export function subdivisionsOf(alpha2: string): Subdivision[] {
  const { iso31662 } = require('iso-3166/2.js') as Iso31662;
  return iso31662.filter((entry) => entry.code.startsWith(`${alpha2}-`));
}

function timezones(): CountriesAndTimezones {
  return require('countries-and-timezones') as CountriesAndTimezones;
}

/**
 * Names that say what clocks show and not where. tzdata links some of them to a city since 2024, which makes nobody who
 * uses them live there. `EST5EDT` and its like are left: they are of the United States alone.
 */
const NOWHERE = /^(?:(?:Etc\/)?(?:UTC|UCT|GMT|Universal|Zulu)|CET|EET|MET|WET|EST|MST|HST)$/;

/** Alpha-2 codes of the countries that keep an IANA time zone, the main one first; empty for those of no place. */
export function countriesOfTimeZone(timeZone: string): string[] {
  if (NOWHERE.test(timeZone)) return [];
  return timezones()
    .getCountriesForTimezone(timeZone)
    .map((country) => country.id);
}

/** Everyday English country names by alpha-2, e.g. `Ivory Coast`. */
export function everydayCountryNames(): [alpha2: string, name: string][] {
  return Object.values(timezones().getAllCountries()).map((country) => [country.id, country.name]);
}
