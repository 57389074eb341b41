// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import type { Component, Measurement, Run } from '../../lib/core/report-types.js';
import type { Kind } from '../../lib/core/vocabulary.js';
import { codecarbonRecord } from '../../lib/format/codecarbon-csv.js';
import { formatJson } from '../../lib/format/json.js';
import { formatMarkdown } from '../../lib/format/markdown.js';
import { formatText } from '../../lib/format/text.js';
import { buildReport } from '../../lib/report/build.js';
import { weakerKind } from '../../lib/report/kinds.js';
import {
  germanContext,
  goldenContext,
  goldenMeasurement,
  goldenReport,
  noGpu,
  schemaErrors,
  seededRandom,
  serverMeasurement,
} from './fixtures.js';
import { resultValues, withoutPadding } from './markdown-results.js';

function component(over: Partial<Component>): Component {
  return { kind: 'measured', source: 's', method: 'm', detail: 'd', atLeast: false, counters: [], ...over };
}

function measurementOf(components: Partial<Measurement['components']>): Measurement {
  return { ...goldenMeasurement, components: { ...goldenMeasurement.components, ...components } };
}

describe('the total', () => {
  it('is as weak as the weakest kind that contributes', () => {
    expect(goldenReport().energy.kind).toBe('assumed');
    expect(buildReport(serverMeasurement, germanContext).energy.kind).toBe('measured');
    const mixed = buildReport(
      measurementOf({
        cpu: component({ energyJoules: 81 }),
        ram: component({ kind: 'estimated', energyJoules: 19 }),
        gpu: component({ kind: 'assumed', energyJoules: 0 }),
      }),
      goldenContext,
    );
    expect(mixed.energy).toMatchObject({
      kind: 'estimated',
      method: 'sum of CPU and RAM: 81 % measured, 19 % estimated',
      measuredJoules: 81,
      estimatedJoules: 19,
      assumedJoules: 0,
      energyJoules: 100,
      atLeast: false,
      absent: [],
    });
  });

  it('is at least what it is when something there was not read', () => {
    const { energy, emissions } = goldenReport();
    expect(energy.atLeast).toBe(true);
    expect(emissions.atLeast).toBe(true);
    expect(energy.absent).toEqual([
      expect.stringMatching(/^GPU: present, not measured\. NVIDIA GeForce MX450/),
    ]);
    expect(buildReport(serverMeasurement, germanContext).energy.absent).toEqual([
      'RAM: dram-1 is not measured. energy_uj may only be read by root.',
    ]);
    const bare = measurementOf({ gpu: component({ energyJoules: 1, atLeast: true, detail: 'One of two.' }) });
    expect(buildReport(bare, goldenContext).energy.absent).toEqual([
      'GPU: a part is not measured. One of two.',
    ]);
  });

  it('is whole when there is no GPU', () => {
    const { energy } = buildReport(measurementOf({ gpu: noGpu }), goldenContext);
    expect(energy.atLeast).toBe(false);
    expect(energy.absent).toEqual([]);
  });

  it('takes an impossible energy for none', () => {
    for (const energyJoules of [Number.NaN, -1, Number.POSITIVE_INFINITY, undefined]) {
      const broken = { ...component({}), ...(energyJoules === undefined ? {} : { energyJoules }) };
      const report = buildReport(measurementOf({ cpu: broken }), goldenContext);
      expect(report.components.cpu).toMatchObject({ kind: 'absent', atLeast: true });
      expect(report.components.cpu).not.toHaveProperty('energyJoules');
      expect(schemaErrors(report)).toEqual([]);
    }
  });

  it('is refused when no component has energy, rather than written as 0', () => {
    const none = component({ kind: 'absent', atLeast: true, detail: 'Nobody knows.' });
    const impossible = component({ energyJoules: Number.NaN });
    for (const cpu of [none, impossible]) {
      expect(() => buildReport(measurementOf({ cpu, gpu: none, ram: none }), goldenContext)).toThrow(
        expect.objectContaining({
          code: 'ERR_NO_ENERGY',
          message: expect.stringContaining('RAM: Nobody knows.'),
          hint: expect.any(String),
        }),
      );
    }
  });

  it('may be a measured 0', () => {
    const idle = component({ energyJoules: 0 });
    const report = buildReport(measurementOf({ cpu: idle, gpu: noGpu, ram: idle }), goldenContext);
    expect(report.energy).toMatchObject({ kind: 'measured', energyJoules: 0, method: 'sum of CPU and RAM' });
    expect(schemaErrors(JSON.parse(formatJson(report)))).toEqual([]);
    expect(formatText(report)).toContain('measured, idle included: all of it by counters.');
  });
});

describe('a region of no length', () => {
  const { cpu } = serverMeasurement.components;
  const components = { ...serverMeasurement.components, cpu: { ...cpu, powerWatts: 0 } };
  const report = buildReport({ ...serverMeasurement, components, durationSeconds: 0 }, germanContext);

  it('has energy and emissions but no mean of them', () => {
    expect(report.energy.energyJoules).toBe(1873.75);
    expect(report.emissionsKg).toBeGreaterThan(0);
    for (const part of [report.energy, ...Object.values(report.components)]) {
      expect(part).not.toHaveProperty('powerWatts');
    }
    expect(report.emissions).not.toHaveProperty('emissionsKgPerSecond');
    expect(report.emissions).not.toHaveProperty('emissionsKgPerYear');
  });

  it('is written without zeros in any format', () => {
    expect(schemaErrors(JSON.parse(formatJson(report)))).toEqual([]);
    const markdown = formatMarkdown(report);
    for (const name of ['Emission rate (kg CO2eq/s)', 'Emissions in a year (kg CO2eq)', 'CPU power (W)']) {
      expect(resultValues(markdown).get(name)).toBe('unknown');
    }
    expect(withoutPadding(markdown)).toContain('| Total energy | at least 1.874 kJ | measured |');
    const text = formatText(report);
    expect(text).toMatch(/energy \(0\.0005205 kWh\), measured/);
    expect(text).not.toMatch(/CO2eq rate|in a year/);
    expect(codecarbonRecord(report)).toMatchObject({ duration: '0', emissions_rate: '', cpu_power: '' });
  });

  it.each<[string, (json: Record<string, Record<string, unknown>>) => void]>([
    ['a power', ({ energy }) => Object.assign(energy ?? {}, { powerWatts: 0 })],
    ['a rate', ({ emissions }) => Object.assign(emissions ?? {}, { emissionsKgPerSecond: 0 })],
    ['a component power', ({ components }) => Object.assign(components?.cpu ?? {}, { powerWatts: 0 })],
  ])('has no room in the schema for %s', (_, mutate) => {
    const json = JSON.parse(formatJson(report));
    mutate(json);
    expect(schemaErrors(json)).not.toEqual([]);
  });
});

describe('the weaker kind', () => {
  it('is the one further from measured', () => {
    const kinds = ['measured', 'estimated', 'assumed', 'absent'] as const;
    for (const [one, weaker] of kinds.entries()) {
      for (const [other, kind] of kinds.entries()) {
        expect(weakerKind(weaker, kind)).toBe(kinds[Math.max(one, other)]);
      }
    }
  });
});

describe('emissions', () => {
  it('are kWh times grams per kWh, as weak as both', () => {
    const { emissions, emissionsKg, energy } = buildReport(serverMeasurement, germanContext);
    expect(emissions.kind).toBe('estimated');
    expect(emissionsKg).toBe(emissions.emissionsKg);
    expect(emissions.emissionsGrams).toBeCloseTo((1873.75 / 3.6e6) * 330.5, 12);
    expect(emissions.emissionsKgPerSecond).toBeCloseTo(emissionsKg / 6.0301, 15);
    expect(emissions.emissionsKgPerYear).toBeCloseTo((emissionsKg / 6.0301) * 365.25 * 86_400, 9);
    expect(energy.source).toBe('powercap, nvml');
  });
});

describe('repetitions', () => {
  it('have a sample standard deviation', () => {
    const { repetitions } = buildReport(serverMeasurement, germanContext);
    expect(repetitions?.count).toBe(3);
    expect(repetitions?.energyJoules.mean).toBeCloseTo(624.583333, 6);
    // ((600 - m)^2 + (650.75 - m)^2 + (623 - m)^2) / 2 = 645.8958...
    expect(repetitions?.energyJoules.standardDeviation).toBeCloseTo(25.412, 3);
    expect(repetitions?.runs[0]?.emissionsGrams).toBeCloseTo((600 / 3.6e6) * 330.5, 12);
  });

  it('need two runs, and two equal runs do not deviate', () => {
    const runs: Run[] = [{ durationSeconds: 1, energyJoules: 0.1, kind: 'measured', atLeast: false }];
    expect(buildReport({ ...serverMeasurement, runs }, germanContext)).not.toHaveProperty('repetitions');
    const twice = buildReport({ ...serverMeasurement, runs: [...runs, ...runs] }, germanContext);
    expect(twice.repetitions?.energyJoules).toEqual({ mean: 0.1, standardDeviation: 0 });
  });

  it('are as good as the worst run, and their emissions no better than the intensity', () => {
    const run = (over: Partial<Run>): Run => {
      return { durationSeconds: 1, energyJoules: 1, kind: 'measured', atLeast: false, ...over };
    };
    const of = (...runs: Run[]) => buildReport({ ...serverMeasurement, runs }, germanContext).repetitions;
    expect(of(run({}), run({}))).toMatchObject({
      kind: 'measured',
      atLeast: false,
      emissionsGrams: { kind: 'estimated' },
    });
    const mixed = of(run({ kind: 'assumed' }), run({ atLeast: true }), run({ kind: 'estimated' }));
    expect(mixed).toMatchObject({ kind: 'assumed', atLeast: true, emissionsGrams: { kind: 'assumed' } });
    expect(mixed?.runs).toMatchObject([
      { kind: 'assumed', atLeast: false },
      { kind: 'measured', atLeast: true },
      { kind: 'estimated', atLeast: false },
    ]);
    expect(of(run({}), run({ energyJoules: 0, kind: 'absent' }))).toBeUndefined();
  });

  it('read without "at least" when nothing is missing', () => {
    const runs = (serverMeasurement.runs ?? []).map(
      (run): Run => ({ ...run, kind: 'estimated', atLeast: false }),
    );
    const report = buildReport({ ...serverMeasurement, runs }, germanContext);
    expect(withoutPadding(formatMarkdown(report))).toContain('| Energy | 624.6 ± 25.4 J (estimated) |');
    expect(formatText(report)).toMatch(/^ +624\.6 ± 25\.4 J {2}energy, estimated$/m);
  });
});

describe('references', () => {
  it('credit what was used and nothing else', () => {
    const ids = (report: ReturnType<typeof goldenReport>) => report.references.map(({ id }) => id);
    const works = [
      'strubell-2019',
      'hao-2019',
      'patterson-2021',
      'lacoste-2019',
      'lottick-2019',
      'schmidt-2021',
    ];
    expect(ids(goldenReport())).toEqual(works);
    expect(ids(buildReport(serverMeasurement, germanContext))).toEqual([
      ...works,
      'carbon-intensity',
      'intel-sdm',
      'linux-powercap',
      'nvml',
    ]);
  });
});

describe('any measurement', () => {
  const random = seededRandom(20_221_225);
  const pick = <T>(choices: readonly [T, ...T[]]): T =>
    choices[Math.floor(random() * choices.length)] ?? choices[0];
  const KINDS = ['measured', 'estimated', 'assumed', 'absent'] as const;
  const randomComponent = (): Component => {
    const kind = pick<Kind>(KINDS);
    const atLeast = random() < 0.3;
    const energyJoules = pick([0, 10 ** (random() * 16 - 6)]);
    return component({ kind, atLeast, ...(kind === 'absent' ? {} : { energyJoules }) });
  };
  const numbersIn = (value: unknown): number[] => {
    if (typeof value === 'number') return [value];
    return typeof value === 'object' && value !== null ? Object.values(value).flatMap(numbersIn) : [];
  };

  it('adds up, holds only numbers of zero or more and fits the schema', () => {
    for (let round = 0; round < 500; round += 1) {
      const runs = Array.from({ length: Math.floor(random() * 4) }, () => ({
        durationSeconds: random() * 10,
        energyJoules: random() * 1e4,
        kind: pick<Kind>(KINDS),
        atLeast: random() < 0.3,
      }));
      const measurement: Measurement = {
        ...serverMeasurement,
        durationSeconds: pick([0, ...Array.from({ length: 9 }, () => 10 ** (random() * 10 - 5))]),
        components: { cpu: randomComponent(), gpu: randomComponent(), ram: randomComponent() },
        runs,
      };
      const intensity = { ...germanContext.intensity, intensityGramsPerKwh: random() * 1000 };
      if (Object.values(measurement.components).every((part) => part.kind === 'absent')) {
        expect(() => buildReport(measurement, { ...germanContext, intensity })).toThrow(
          'no component has energy',
        );
        continue;
      }
      const report = buildReport(measurement, { ...germanContext, intensity });
      const { energy, components } = report;
      const parts = [components.cpu, components.gpu, components.ram];
      const sum = parts.reduce((joules, part) => joules + (part.energyJoules ?? 0), 0);
      expect(energy.energyJoules).toBe(sum);
      const shares = energy.measuredJoules + energy.estimatedJoules + energy.assumedJoules;
      expect(Math.abs(shares - sum)).toBeLessThanOrEqual(1e-12 * sum);
      for (const part of [energy, ...parts]) {
        const joules = (part.energyKwh ?? 0) * 3.6e6;
        expect(Math.abs(joules - (part.energyJoules ?? 0))).toBeLessThanOrEqual(1e-12 * joules);
      }
      expect(energy.atLeast).toBe(parts.some((part) => part.atLeast));
      expect(energy.absent.length > 0).toBe(energy.atLeast);
      expect(numbersIn(report).every((number) => Number.isFinite(number) && number >= 0)).toBe(true);
      expect(schemaErrors(JSON.parse(formatJson(report)))).toEqual([]);
      for (const text of [formatMarkdown(report), formatText(report)]) {
        expect(text).not.toMatch(/\bNaN\b|\bnan\b|undefined|Infinity|\[object/);
      }
    }
  });
});
