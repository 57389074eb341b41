// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import {
  formatBounds,
  formatDecimals,
  formatDuration,
  formatEnergy,
  formatMass,
  formatPower,
  formatShare,
  formatSignificant,
  formatSixDecimals,
  formatSpread,
  formatTimestamp,
  withAtLeast,
} from '../../lib/core/numbers.js';
import { seededRandom } from '../report/fixtures.js';

describe('durations', () => {
  it.each([
    [0, '0 s'],
    [1.5e-6, '1.500 µs'],
    [0.0123456, '12.35 ms'],
    [0.99999, '1.000 s'],
    [1.2041, '1.204 s'],
    [59.99, '59.99 s'],
    [59.9996, '1 min 00.00 s'],
    [119.999, '2 min 00.00 s'],
    [1192.956553, '19 min 52.96 s'],
    [3599.999, '1 h 00 min 00 s'],
    [7384.2, '2 h 03 min 04 s'],
    [86_399.9, '1 d 00 h 00 min'],
    [183_840, '2 d 03 h 04 min'],
  ])('%d s reads %s', (seconds, text) => expect(formatDuration(seconds)).toBe(text));
});

describe('ladders', () => {
  it.each([
    [0, '0 J'],
    [3e-8, '0.03000 µJ'],
    [1.5e-6, '1.500 µJ'],
    [0.00123, '1.230 mJ'],
    [0.99999, '1.000 J'],
    [999.96, '1.000 kJ'],
    [16_701.39, '16.70 kJ'],
    [30_904_498, '30.90 MJ'],
    [1.234567e11, '123457 MJ'],
  ])('%d J reads %s', (joules, text) => expect(formatEnergy(joules)).toBe(text));

  it('knows powers and masses', () => {
    expect(formatPower(11.90580368)).toBe('11.91 W');
    expect(formatPower(1500)).toBe('1.500 kW');
    expect(formatMass(1.0564874)).toBe('1.056 g');
    expect(formatMass(284e6)).toBe('284.0 t');
  });

  it('puts a deviation in the unit of its mean', () => {
    expect(formatSpread(2.01, 0.01738, 'duration')).toBe('2.010 ± 0.017 s');
    expect(formatSpread(0.05734, 0.002333, 'mass')).toBe('57.34 ± 2.33 mg');
    expect(formatSpread(1000, 1e-6, 'energy')).toBe('1.000 ± 1.0e-9 kJ');
    expect(formatSpread(0, 0, 'energy')).toBe('0 ± 0 J');
    expect(formatSpread(5, Number.NaN, 'energy')).toBe('unknown');
  });
});

describe('plain numbers', () => {
  it.each([
    [0, '0'],
    [8.856042e-7, '8.86e-7'],
    [27.948, '27.9'],
    [99.96, '100'],
    [999.6, '1000'],
    [1234.4, '1234'],
    [0.00012345, '0.000123'],
  ])('%d has three significant digits in %s', (value, text) =>
    expect(formatSignificant(value, 3)).toBe(text));

  it.each([
    [0, '0'],
    [0.00463927, '0.004639'],
    [0.001, '0.001000'],
    [0.00099999, '0.001000'],
    [0.000885, '0.0008850'],
    [2.7777e-7, '2.778e-7'],
    [12.3, '12.300000'],
  ])('%d kWh reads %s', (value, text) => expect(formatSixDecimals(value)).toBe(text));

  it('trims decimals', () => {
    expect(formatDecimals(14, 6)).toBe('14');
    expect(formatDecimals(11.9058036804, 6)).toBe('11.905804');
    expect(formatDecimals(475, 6)).toBe('475');
  });

  it('never rounds a share to all or nothing', () => {
    expect([0, 0.004, 0.5, 0.998, 1].map(formatShare)).toEqual([
      '0 %',
      'under 1 %',
      '50 %',
      'over 99 %',
      '100 %',
    ]);
  });

  it('says unknown instead of NaN', () => {
    for (const format of [formatSignificant, formatSixDecimals, formatEnergy, formatDuration, formatShare]) {
      expect(format(Number.NaN)).toBe('unknown');
      expect(format(Number.POSITIVE_INFINITY)).toBe('unknown');
    }
    expect(formatDecimals(Number.NaN, 3)).toBe('unknown');
  });

  it('says at least, and when', () => {
    expect(withAtLeast('1 J', true)).toBe('at least 1 J');
    expect(withAtLeast('1 J', false)).toBe('1 J');
    expect(formatTimestamp('2022-12-25T12:00:01.234Z')).toBe('2022-12-25 12:00:01 UTC');
  });
});

it('keeps every non-zero value readable as itself within rounding', () => {
  const random = seededRandom(7);
  const scales: Record<string, number> = { µJ: 1e-6, mJ: 1e-3, J: 1, kJ: 1e3, MJ: 1e6 };
  for (let round = 0; round < 2000; round += 1) {
    const joules = 10 ** (random() * 20 - 9);
    const [digits = '', unit = ''] = formatEnergy(joules).split(' ');
    const back = Number(digits) * (scales[unit] ?? Number.NaN);
    expect(Math.abs(back - joules) / joules).toBeLessThan(6e-4);
    expect(Number(formatSixDecimals(joules))).toBeGreaterThan(0);
    expect(formatDuration(joules)).not.toMatch(/(?<![\d.])60(\.0+)? (s|min)|NaN/);
  }
});

describe('formatBounds', () => {
  it.each<[number, number, number, Parameters<typeof formatBounds>[3], string]>([
    [612.25, 608.15, 616.35, 'energy', '± 4.1 J'],
    [1873.75, 1823.75, 1923.75, 'energy', '± 0.050 kJ'],
    [1.056, 0.744, 1.4966, 'mass', '0.74 to 1.50 g'],
    [1.056, 1.0554, 1.0566, 'mass', '± 0.00060 g'],
    [472.94, 24.86, 892.67, 'intensity', '25 to 890 g/kWh'],
    [100, 0, 220, 'intensity', '0 to 220 g/kWh'],
    [5, 5, 5, 'energy', '± 0 J'],
    [0.002, 0, 0.009, 'mass', '0 to 9.0 mg'],
    [1, 1 - 1e-9, 1 + 1e-9, 'energy', '± 1.0e-9 J'],
    [1, Number.NaN, 2, 'energy', 'unknown'],
  ])('of %s: %s to %s of %s is %s', (value, lower, upper, quantity, text) => {
    expect(formatBounds(value, lower, upper, quantity)).toBe(text);
  });
});
