// SPDX-License-Identifier: MIT
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { formatMarkdown } from '../../lib/format/markdown.js';
import { GOLDEN_SECONDS, goldenReport, RAM_WATTS } from './fixtures.js';
import { resultValues } from './markdown-results.js';

const GOLDEN = new URL('./golden.md', import.meta.url);
const markdown = formatMarkdown(goldenReport());
// MICROJOULE_UPDATE_GOLDEN=1 writes the file anew, for a diff to be read by a person.
if (process.env.MICROJOULE_UPDATE_GOLDEN === '1') writeFileSync(GOLDEN, markdown);

describe('the classic report, put right', () => {
  const values = resultValues(markdown);

  it('equals golden.md byte for byte', () => {
    expect(markdown).toBe(readFileSync(GOLDEN, 'utf8'));
  });

  it.each([
    ['Duration (s)', '1192.956553'],
    ['Emissions (kg CO2eq)', 'at least 0.001056 (assumed)'],
    ['Emission rate (kg CO2eq/s)', 'at least 8.86e-7 (assumed)'],
    ['CPU power (W)', '14.0 (assumed)'],
    ['GPU power (W)', 'present, not measured'],
    ['RAM power (W)', '11.91 (assumed)'],
    ['CPU energy (kWh)', '0.004639 (assumed)'],
    ['GPU energy (kWh)', 'present, not measured'],
    ['RAM energy (kWh)', '0.003945 (assumed)'],
    ['Total energy (kWh)', 'at least 0.008585 (assumed)'],
    ['Country', 'Brazil'],
    ['ISO', 'BRA'],
    ['Region', 'rio grande do sul'],
    ['Cloud provider', 'none'],
    ['Cloud region', 'none'],
    ['OS', 'Windows-10-10.0.19041-SP0'],
    ['Runtime', 'node v20.19.0'],
    ['Hardware threads', '8'],
    ['CPU model', '11th Gen Intel(R) Core(TM) i7-1165G7 @ 2.80GHz'],
    ['GPU count', '1'],
    ['GPU model', '1 x NVIDIA GeForce MX450'],
    ['RAM (GiB)', '31.74881'],
    ['Tracking mode', 'machine'],
    ['On cloud', 'no'],
    ['Carbon intensity (g CO2eq/kWh)', '123.068 (assumed)'],
    ['Emissions in a year (kg CO2eq)', 'at least 27.9 (assumed)'],
    ['Kinds of energy', '100 % assumed'],
    ['Kind of emissions', 'assumed'],
  ])('%s is %s', (name, value) => expect(values.get(name)).toBe(value));

  it('has 28 fields and no other', () => expect(values.size).toBe(28));

  it('computes what can be worked out by hand', () => {
    const { components, energy, emissions } = goldenReport();
    const cpuKwh = (14 * GOLDEN_SECONDS) / 3.6e6;
    const ramKwh = (RAM_WATTS * GOLDEN_SECONDS) / 3.6e6;
    expect(RAM_WATTS).toBeCloseTo(11.90580368, 8);
    expect(components.cpu.energyKwh).toBeCloseTo(cpuKwh, 12);
    expect(components.ram.energyKwh).toBeCloseTo(ramKwh, 12);
    expect(energy.energyKwh).toBeCloseTo(cpuKwh + ramKwh, 12);
    // 0.0085845829 kWh x 123.068 g/kWh = 1.056487 g, which rounds to 0.001056 kg.
    expect(emissions.emissionsGrams).toBeCloseTo(1.056487, 6);
    expect(Math.abs(emissions.emissionsKg / 0.001056 - 1)).toBeLessThan(0.001);
    expect(emissions.emissionsKgPerSecond).toBeCloseTo(8.856e-7, 10);
    expect(emissions.emissionsKgPerYear).toBeCloseTo(27.948, 3);
  });
});
