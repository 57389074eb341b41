// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { codecarbonRecord } from '../../lib/format/codecarbon-csv.js';
import { formatHtml } from '../../lib/format/html/index.js';
import { formatMarkdown } from '../../lib/format/markdown.js';
import { formatText } from '../../lib/format/text.js';
import { buildReport } from '../../lib/report/build.js';
import { checkFacilityOptions } from '../../lib/report/facility.js';
import { mergeReports } from '../../lib/report/merge.js';
import { germanContext, schemaErrors, serverMeasurement } from './fixtures.js';

const plain = buildReport(serverMeasurement, germanContext);
const facility = { pue: 1.25, wue: 1.8 };
const housed = buildReport(serverMeasurement, { ...germanContext, runId: 'housed', facility });

describe('a facility', () => {
  it('multiplies the emissions, and leaves the energies those of the machine', () => {
    expect(housed.energy).toEqual(plain.energy);
    expect(housed.emissions.emissionsGrams).toBeCloseTo(1.25 * plain.emissions.emissionsGrams, 12);
    expect(housed.emissions.kind).toBe('assumed');
    expect(housed.repetitions?.emissionsGrams.mean).toBeCloseTo(
      1.25 * (plain.repetitions?.emissionsGrams.mean ?? 0),
      12,
    );
    expect(housed.facility).toMatchObject({ pueRatio: 1.25, wueLitresPerKwh: 1.8 });
    expect(housed.facility?.waterLitres).toBeCloseTo(1.8 * plain.energy.energyKwh, 15);
    expect(schemaErrors(JSON.parse(JSON.stringify(housed)))).toEqual([]);
  });

  it('is shown wherever the report is', () => {
    for (const text of [formatText(housed), formatMarkdown(housed), formatHtml(housed)]) {
      expect(text.replace(/\s+/g, ' ')).toContain(
        'PUE 1.250, 0.0006506 kWh with it; WUE 1.800 L/kWh, 0.0009369 L of water',
      );
    }
    expect(formatText(plain)).not.toContain('PUE');
  });

  it("is in the energies of CodeCarbon's columns, and not in the powers", () => {
    const [with_, without] = [codecarbonRecord(housed), codecarbonRecord(plain)];
    for (const column of [
      'cpu_energy',
      'gpu_energy',
      'ram_energy',
      'energy_consumed',
      'emissions',
    ] as const) {
      expect(Number(with_[column]) / Number(without[column]), column).toBeCloseTo(1.25, 12);
    }
    for (const column of ['cpu_power', 'gpu_power', 'ram_power', 'duration'] as const) {
      expect(with_[column]).toBe(without[column]);
    }
    expect(with_).toMatchObject({ pue: '1.25', wue: '1.8' });
    expect(Number(with_.water_consumed)).toBeCloseTo(1.8 * plain.energy.energyKwh, 15);
    expect(without).toMatchObject({ pue: '1', wue: '', water_consumed: '' });
  });

  it('is brought together by energy, and the intensity stays that of the grid', () => {
    const merged = mergeReports([plain, housed], { generatedAtMs: 0, version: '0.1.0' });
    expect(merged.facility?.pueRatio).toBeCloseTo(1.125, 12);
    expect(merged.facility).not.toHaveProperty('waterLitres');
    expect(merged.warnings.map(({ code }) => code)).toContain('water-incomplete');
    expect(merged.intensity.intensityGramsPerKwh).toBeCloseTo(330.5, 9);
    expect(schemaErrors(JSON.parse(JSON.stringify(merged)))).toEqual([]);
  });

  it.each([
    { pue: 0.9 },
    { pue: Number.NaN },
    { wue: -1 },
    { pue: '1.2' as unknown as number },
  ])('refuses %j', (options) => {
    expect(() => checkFacilityOptions(options)).toThrow(
      expect.objectContaining({ code: 'ERR_BAD_OPTION', hint: expect.any(String) }),
    );
  });
});
