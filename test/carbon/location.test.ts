// SPDX-License-Identifier: MIT
import { createRequire } from 'node:module';
import { expect, test, vi } from 'vitest';
import { electricityMaps, isoCountries, subdivisionsOf } from '../../lib/carbon/data.js';
import { type LocationOptions, resolveLocation } from '../../lib/carbon/location.js';
import { ZONES_BY_SUBDIVISION } from '../../lib/carbon/zones-by-subdivision.js';
import { MicrojouleError } from '../../lib/core/errors.js';

const require = createRequire(import.meta.url);
const loaded = Object.keys(require.cache);
const subZones = () => Object.keys(electricityMaps().zones).filter((id) => id.includes('-'));

function failure(options: LocationOptions): MicrojouleError {
  try {
    resolveLocation(options);
  } catch (error) {
    if (error instanceof MicrojouleError) return error;
    throw error;
  }
  throw new Error(`resolved: ${JSON.stringify(options)}`);
}

test('importing loads no data', () => {
  expect(loaded.filter((path) => /@tgwf|iso-3166|countries-and-timezones|levenshtein/.test(path))).toEqual(
    [],
  );
});

test('every code and name of ISO 3166-1 comes back as the same country', () => {
  expect(isoCountries().length).toBeGreaterThan(240);
  for (const { alpha2, alpha3, name } of isoCountries()) {
    const bare = name.normalize('NFD').replace(/\p{M}/gu, '').toUpperCase();
    for (const country of [alpha2, alpha3, name, alpha2.toLowerCase(), alpha3.toLowerCase(), bare]) {
      const location = resolveLocation({ country });
      expect(location, country).toMatchObject({ countryAlpha2: alpha2, countryAlpha3: alpha3 });
      expect(location).toMatchObject({ kind: 'assumed', source: 'user', method: 'given' });
      // The name in a report is itself accepted.
      expect(resolveLocation({ country: location.countryName ?? '' }).countryAlpha2).toBe(alpha2);
    }
  }
});

test.each([
  ['USA', 'US'],
  ['U.S.A.', 'US'],
  ['uk', 'GB'],
  ['South Korea', 'KR'],
  ['Republic of Korea', 'KR'],
  ['Russia', 'RU'],
  ['Vietnam', 'VN'],
  ['Taiwan', 'TW'],
  ['Hong Kong', 'HK'],
  ['Ivory Coast', 'CI'],
  ["Cote d'Ivoire", 'CI'],
  ['Turkey', 'TR'],
  ['The Netherlands', 'NL'],
  ['Czech Republic', 'CZ'],
  ['St. Lucia', 'LC'],
  ['XKX', 'XK'],
  ['  brazil ', 'BR'],
])('%s is %s', (country, alpha2) => {
  expect(resolveLocation({ country }).countryAlpha2).toBe(alpha2);
});

test('an unknown country names the nearest and the accepted forms', () => {
  const error = failure({ country: 'Brasil' });
  expect(error.code).toBe('ERR_UNKNOWN_COUNTRY');
  expect(error.message).toContain('"Brasil"');
  expect(error.hint).toMatch(/^Nearest: Brazil \(BR, BRA\)/);
  expect(error.hint).toMatch(/alpha-2.*alpha-3.*English name/);
  for (const country of ['', ' ', 'Atlantis', 'constructor', '__proto__', 'WORLD', 'x'.repeat(1e5)]) {
    expect(failure({ country }).code).toBe('ERR_UNKNOWN_COUNTRY');
  }
  // At most three countries, each once, although countries have several names.
  const near =
    /Nearest: (.*?)\. Give/.exec(failure({ country: 'Saint Marten' }).hint ?? '')?.[1]?.split('; ') ?? [];
  expect(near.length).toBeGreaterThan(0);
  expect(near.length).toBeLessThanOrEqual(3);
  expect(new Set(near).size).toBe(near.length);
});

test('what is not text is refused', () => {
  for (const options of [{ country: 5 }, { country: 'BR', region: null }, { timeZone: {} }]) {
    expect(failure(options as unknown as LocationOptions).code).toBe('ERR_BAD_OPTION');
  }
});

test('every zone without a region is the zone of its country', () => {
  for (const zone of Object.keys(electricityMaps().zones).filter((id) => !id.includes('-'))) {
    expect(resolveLocation({ country: zone }).zone).toBe(zone);
  }
});

test('every zone of a country resolves to itself by id, by id without the country and by name', () => {
  for (const zone of subZones()) {
    const country = zone.slice(0, 2);
    const { zoneName, displayName } = electricityMaps().zones[zone]?.zone ?? { zoneName: '' };
    for (const region of [zone, zone.toLowerCase(), zone.slice(3), zoneName, displayName ?? zoneName]) {
      expect(resolveLocation({ country, region }), region).toMatchObject({
        zone,
        region,
        countryAlpha2: country,
      });
    }
  }
});

test('every ISO 3166-2 code is a region of its country, on a zone of that country or on the country', () => {
  for (const { alpha2 } of isoCountries()) {
    const whole = resolveLocation({ country: alpha2 }).zone;
    for (const { code } of subdivisionsOf(alpha2)) {
      const location = resolveLocation({ country: alpha2, region: code });
      expect(location.region).toBe(code);
      expect(location.zone === whole || location.zone?.startsWith(`${alpha2}-`), code).toBe(true);
      if (location.zone === whole) expect(location.detail).toMatch(/no zone .* country's value is used/);
    }
  }
});

test.each([
  ['Canada', 'quebec', 'CA-QC'],
  ['CA', 'qc', 'CA-QC'],
  ['CAN', 'Québec', 'CA-QC'],
  ['AU', 'Tasmania', 'AU-TAS'],
  ['AU', 'ACT', 'AU-NSW'],
  ['US', 'California', 'US-CAL-CISO'],
  ['US', 'California ISO', 'US-CAL-CISO'],
  ['US', 'US-TX', 'US-TEX-ERCO'],
  ['US', 'Alaska', 'US-AK'],
  ['US', 'Ohio', 'US'],
  ['BR', 'rio grande do sul', 'BR-S'],
  ['BR', 'SÃO PAULO', 'BR-CS'],
  ['BR', 'MA', 'BR-N'],
  ['BR', 'Ceara', 'BR-NE'],
  ['BR', 'Roraima', 'BR'],
  ['JP', 'JP-13', 'JP-TK'],
  ['FR', 'Corse', 'FR-COR'],
  ['FR', 'FR-2A', 'FR-COR'],
  ['IT', 'Palermo', 'IT-SIC'],
  ['IT', 'IT-SO', 'IT-SO'],
  ['IT', 'Sondrio', 'IT'],
  ['IT', 'Novara', 'IT'],
  ['CL', 'CL-SEN', 'CL-SEN'],
  ['CL', 'Valparaíso', undefined],
])('%s, %s is in zone %s', (country, region, zone) => {
  const location = resolveLocation({ country, region });
  expect(location.region).toBe(region);
  expect(location.zone).toBe(zone);
});

test('a zone id that is also the code of another place says how it was read', () => {
  expect(resolveLocation({ country: 'IT', region: 'SO' }).detail).toMatch(/South Italy.*Sondrio/);
});

test('judgements name subdivisions and zones that exist, of one country, with a reason', () => {
  for (const [code, { zone, reason }] of ZONES_BY_SUBDIVISION) {
    expect(subdivisionsOf(code.slice(0, 2)).map((subdivision) => subdivision.code)).toContain(code);
    expect(electricityMaps().zones).toHaveProperty([zone]);
    expect(zone.slice(0, 2)).toBe(code.slice(0, 2));
    expect(resolveLocation({ country: code.slice(0, 2), region: code }).detail).toContain(reason);
  }
});

test('an unknown region names the nearest of that country', () => {
  const error = failure({ country: 'US', region: 'Californa' });
  expect(error.code).toBe('ERR_UNKNOWN_REGION');
  expect(error.message).toContain('"Californa"');
  expect(error.hint).toMatch(/^Nearest: California \(US-CA\)/);
  for (const [country, region] of [
    ['BR', 'California'],
    ['US', ''],
    ['US', 'constructor'],
    ['XK', 'Pristina'],
  ]) {
    expect(failure({ country, region }).code).toBe('ERR_UNKNOWN_REGION');
  }
});

test('a region without a country is looked for in the country of the time zone only', () => {
  const location = resolveLocation({ region: 'Rio Grande do Sul', timeZone: 'America/Sao_Paulo' });
  expect(location).toMatchObject({ countryAlpha2: 'BR', zone: 'BR-S', kind: 'estimated' });
  for (const timeZone of ['Europe/Berlin', 'UTC']) {
    const error = failure({ region: 'Rio Grande do Sul', timeZone });
    expect(error.code).toBe('ERR_UNKNOWN_REGION');
    expect(error.hint).toMatch(/Give the country/);
  }
});

test('every time zone gives a known country or says that there is none', () => {
  const alpha2s = new Set(isoCountries().map((country) => country.alpha2));
  for (const timeZone of Intl.supportedValuesOf('timeZone')) {
    const location = resolveLocation({ timeZone });
    expect(location).toMatchObject({ source: 'time zone', method: `main country of ${timeZone}` });
    expect(location.detail).toContain(timeZone);
    if (location.kind === 'absent') expect(location.countryAlpha2).toBeUndefined();
    else expect(alpha2s).toContain(location.countryAlpha2);
  }
});

test('the main country of a shared time zone is taken, and the others are named', () => {
  const berlin = resolveLocation({ timeZone: 'Europe/Berlin' });
  expect(berlin).toMatchObject({ countryName: 'Germany', kind: 'estimated', zone: 'DE' });
  expect(berlin.detail).toMatch(/Denmark, Norway, Sweden.* share that zone/);
  expect(resolveLocation({ timeZone: 'Europe/Stockholm' }).countryAlpha2).toBe('SE');
});

const ABBREVIATIONS = ['CET', 'EET', 'MET', 'WET', 'EST', 'MST', 'HST'];

test.each([
  'UTC',
  'Etc/GMT+3',
  'Nowhere/At_All',
  '',
  ...ABBREVIATIONS,
])('time zone %j has no country', (timeZone) => {
  const location = resolveLocation({ timeZone });
  expect(location.kind).toBe('absent');
  expect(Object.keys(location).sort()).toEqual(['detail', 'kind', 'method', 'source']);
  expect(location.detail).toMatch(/world average.*--country/);
});

test('the time zone of the system is the default', () => {
  vi.stubEnv('TZ', 'America/Sao_Paulo');
  expect(resolveLocation().countryAlpha2).toBe('BR');
  vi.stubEnv('TZ', 'No Such Zone');
  expect(resolveLocation()).toMatchObject({ kind: 'absent', source: 'time zone' });
  vi.unstubAllEnvs();
});
