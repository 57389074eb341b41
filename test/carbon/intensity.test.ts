// SPDX-License-Identifier: MIT
import dns from 'node:dns';
import net from 'node:net';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { electricityMaps, emberGramsPerKwh, isoCountries, worldGramsPerKwh } from '../../lib/carbon/data.js';
import { resolveIntensity } from '../../lib/carbon/intensity.js';
import { resolveLocation } from '../../lib/carbon/location.js';
import { MicrojouleError } from '../../lib/core/errors.js';

// The whole file runs with the network cut, the loading of the data sets included.
const refuse = () => {
  throw new Error('the network was touched');
};
const spies = [
  vi.spyOn(net, 'connect'),
  vi.spyOn(net, 'createConnection'),
  vi.spyOn(net.Socket.prototype, 'connect'),
  vi.spyOn(dns, 'lookup'),
  vi.spyOn(dns.promises, 'lookup'),
  vi.spyOn(globalThis, 'fetch'),
];

beforeAll(() => {
  for (const spy of spies) spy.mockImplementation(refuse);
});

afterAll(() => {
  for (const spy of spies) {
    expect(spy).not.toHaveBeenCalled();
    spy.mockRestore();
  }
});

const at = (country: string, region?: string) => resolveIntensity(resolveLocation({ country, region }));
const fromMaps = (zone: string) => electricityMaps().zones[zone]?.carbonIntensity.value;

test('every time zone gives a positive finite intensity with full provenance', () => {
  for (const timeZone of [...Intl.supportedValuesOf('timeZone'), 'UTC']) {
    const intensity = resolveIntensity(resolveLocation({ timeZone }));
    expect(Number.isFinite(intensity.intensityGramsPerKwh), timeZone).toBe(true);
    expect(intensity.intensityGramsPerKwh).toBeGreaterThan(0);
    expect(intensity.detail).toMatch(/^[A-Z].*\.$/);
    expect(intensity.credit).toMatch(/ODbL|CC BY-SA 4\.0/);
    expect(intensity.kind).toBe(intensity.zone === 'WORLD' ? 'assumed' : 'estimated');
  }
});

test('every country answers from the first data set that has it', () => {
  for (const { alpha2, alpha3 } of isoCountries()) {
    const intensity = at(alpha2);
    const ember = emberGramsPerKwh(alpha3);
    if (fromMaps(alpha2) !== undefined) {
      expect(intensity).toMatchObject({ intensityGramsPerKwh: fromMaps(alpha2), zone: alpha2 });
    } else if (ember !== undefined) {
      expect(intensity).toMatchObject({ intensityGramsPerKwh: ember, zone: alpha3 });
    } else {
      expect(intensity).toMatchObject({ intensityGramsPerKwh: worldGramsPerKwh(), zone: 'WORLD' });
    }
  }
});

test('every zone answers with its own value', () => {
  for (const zone of Object.keys(electricityMaps().zones)) {
    const intensity = zone.includes('-') ? at(zone.slice(0, 2), zone) : at(zone);
    expect(intensity).toMatchObject({ intensityGramsPerKwh: fromMaps(zone), zone, kind: 'estimated' });
  }
});

test('Electricity Maps says its year, mix and licence', () => {
  const { year } = electricityMaps();
  expect(year).toBeGreaterThanOrEqual(2025);
  expect(at('Brazil')).toEqual({
    intensityGramsPerKwh: fromMaps('BR'),
    zone: 'BR',
    year,
    kind: 'estimated',
    source: `Electricity Maps ${year} via @tgwf/co2`,
    method: 'yearly average, life cycle, consumption mix',
    credit: 'Electricity Maps, ODbL',
    detail: `Electricity Maps answered for zone BR (Brazil), ${year}.`,
    lowerGramsPerKwh: expect.any(Number),
    upperGramsPerKwh: expect.any(Number),
    confidenceRatio: 0.95,
    uncertaintyMethod: 'typical difference of Electricity Maps and Ember for a country',
  });
});

test('a region counts where it has a zone, and the detail says where it has none', () => {
  expect(at('Brazil', 'RS')).toMatchObject({ zone: 'BR-S', intensityGramsPerKwh: fromMaps('BR-S') });
  expect(at('Brazil', 'RS').detail).not.toContain('no zone');
  expect(at('US', 'Ohio')).toMatchObject({ zone: 'US', intensityGramsPerKwh: fromMaps('US') });
  expect(at('US', 'Ohio').detail).toContain('no zone for the region Ohio');
});

test('a zone that the data does not have falls back to the country and says so', () => {
  const location = { ...resolveLocation({ country: 'BR' }), zone: 'BR-GONE' };
  expect(resolveIntensity(location)).toMatchObject({ zone: 'BR', intensityGramsPerKwh: fromMaps('BR') });
  expect(resolveIntensity(location).detail).toContain('no value for zone BR-GONE');
});

test.each([
  ['CL', 'CHL', undefined],
  ['RU', 'RUS', undefined],
  ['CL', 'CHL', 'Valparaíso'],
])('%s as a whole is only in Ember (%s)', (country, alpha3, region) => {
  const intensity = at(country, region);
  expect(intensity).toMatchObject({
    intensityGramsPerKwh: emberGramsPerKwh(alpha3),
    zone: alpha3,
    source: 'Ember via @tgwf/co2',
    method: 'yearly average, life cycle, production mix',
    credit: 'Ember, CC BY-SA 4.0',
  });
  expect(intensity).not.toHaveProperty('year');
  expect(intensity.detail).toMatch(/Electricity Maps has no value for .*the whole of .*, so Ember answered/);
  if (region !== undefined) expect(intensity.detail).toContain(region);
});

test('the world average is assumed, and says why', () => {
  expect(at('Monaco')).toMatchObject({ zone: 'WORLD', kind: 'assumed', source: 'Ember via @tgwf/co2' });
  expect(at('Monaco').detail).toMatch(/Neither Electricity Maps nor Ember has a value for Monaco \(MC\)/);
  const nowhere = resolveIntensity(resolveLocation({ timeZone: 'UTC' }));
  expect(nowhere).toMatchObject({ zone: 'WORLD', intensityGramsPerKwh: worldGramsPerKwh(), kind: 'assumed' });
  expect(nowhere.detail).toMatch(/No country is known/);
});

test('a zero of Ember is a missing value', () => {
  expect(emberGramsPerKwh('CAF')).toBeUndefined();
  expect(emberGramsPerKwh('constructor')).toBeUndefined();
});

test.each([123.068, 0, 1e-9])('the override %d wins over every data set', (intensityGramsPerKwh) => {
  for (const location of [resolveLocation({ country: 'BR' }), resolveLocation({ timeZone: 'UTC' })]) {
    const intensity = resolveIntensity(location, { intensityGramsPerKwh });
    expect(intensity).toMatchObject({
      intensityGramsPerKwh,
      kind: 'assumed',
      source: 'user',
      method: 'given',
    });
    expect(intensity).not.toHaveProperty('zone');
    expect(intensity).not.toHaveProperty('credit');
  }
});

test.each([
  -1,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  '98' as unknown as number,
])('the override %o is refused', (value) => {
  const location = resolveLocation({ country: 'BR' });
  expect(() => resolveIntensity(location, { intensityGramsPerKwh: value })).toThrowError(
    expect.objectContaining({ code: 'ERR_BAD_OPTION', message: expect.stringContaining(String(value)) }),
  );
  expect(() => resolveIntensity(location, { intensityGramsPerKwh: value })).toThrowError(MicrojouleError);
});
