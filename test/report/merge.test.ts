// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import type { Component, Measurement, Report } from '../../lib/core/report-types.js';
import { formatMarkdown } from '../../lib/format/markdown.js';
import { formatText } from '../../lib/format/text.js';
import { buildReport } from '../../lib/report/build.js';
import { mergeReports } from '../../lib/report/merge.js';
import {
  germanContext,
  goldenContext,
  goldenReport,
  noGpu,
  schemaErrors,
  seededRandom,
  serverMeasurement,
} from './fixtures.js';

const context = { generatedAtMs: Date.UTC(2026, 1, 1), version: '0.1.0' };
const server = buildReport(serverMeasurement, germanContext);

/** A run of its own machine, place and kinds. */
function anyReport(random: () => number, index: number): Report {
  const durationSeconds = 1 + 1000 * random();
  const kinds = ['measured', 'estimated', 'assumed'] as const;
  const component = (): Component => {
    const energyJoules = 1e5 * random();
    if (random() < 0.25) return { ...noGpu, atLeast: random() < 0.5 };
    return {
      kind: kinds[Math.floor(random() * 3)] ?? 'measured',
      source: `source ${Math.floor(random() * 3)}`,
      method: 'counter difference',
      detail: `Made up ${Math.floor(random() * 4)}.`,
      energyJoules,
      ...(random() < 0.8
        ? { lowerJoules: energyJoules * 0.9, upperJoules: energyJoules * 1.2, confidenceRatio: 0.95 }
        : {}),
      atLeast: random() < 0.2,
      counters: [],
    };
  };
  const place = random() < 0.5 ? germanContext : goldenContext;
  const startedAtMs = Date.UTC(2026, 0, 1) + Math.floor(1e8 * random());
  const { runs: _, command: __, ...rest } = serverMeasurement;
  const measurement: Measurement = {
    ...rest,
    durationSeconds,
    startedAtMs,
    endedAtMs: startedAtMs + durationSeconds * 1000,
    components: {
      cpu: { ...component(), kind: 'measured', energyJoules: 1e4 * (random() + 0.1), atLeast: false },
      gpu: component(),
      ram: component(),
    },
  };
  const intensity = {
    ...place.intensity,
    ...(random() < 0.8
      ? {
          lowerGramsPerKwh: place.intensity.intensityGramsPerKwh * 0.7,
          upperGramsPerKwh: place.intensity.intensityGramsPerKwh * 1.4,
          confidenceRatio: 0.95,
          uncertaintyMethod: 'made up',
        }
      : {}),
  };
  const score = { functionalUnit: 'image', unitCount: 1 + Math.floor(100 * random()) };
  return buildReport(measurement, { ...place, intensity, score, runId: `run-${index}` });
}

/** Numbers to nine digits, so that the order of additions does not show. */
function rounded(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_, entry) => (typeof entry === 'number' ? Number(entry.toPrecision(9)) : entry)),
  );
}

describe('merging reports', () => {
  it('is associative', () => {
    const random = seededRandom(21);
    for (let trial = 0; trial < 100; trial++) {
      const [a, b, c] = [1, 2, 3].map((index) => anyReport(random, index)) as [Report, Report, Report];
      const left = mergeReports([mergeReports([a, b], context), c], context);
      const right = mergeReports([a, mergeReports([b, c], context)], context);
      expect(rounded(left)).toEqual(rounded(right));
      expect(rounded(mergeReports([a, b, c], context))).toEqual(rounded(left));
    }
  });

  it('adds up, fits the schema, and holds no NaN and nothing negative', () => {
    const random = seededRandom(22);
    for (let trial = 0; trial < 50; trial++) {
      const all = Array.from({ length: 4 }, (_, index) => anyReport(random, index)) as [Report, ...Report[]];
      const merged = mergeReports(all, context);
      const total = (pick: (report: Report) => number) => all.reduce((sum, report) => sum + pick(report), 0);
      expect(merged.energy.energyJoules).toBeCloseTo(
        total((report) => report.energy.energyJoules),
        3,
      );
      expect(merged.emissions.emissionsGrams).toBeCloseTo(
        total((report) => report.emissions.emissionsGrams),
        9,
      );
      expect(merged.duration.durationSeconds).toBeCloseTo(
        total((report) => report.duration.durationSeconds),
        6,
      );
      expect(merged.emissionsKg).toBe(merged.emissions.emissionsKg);
      // A ratio of sums, never an average of ratios.
      expect(merged.intensity.intensityGramsPerKwh).toBeCloseTo(
        merged.emissions.emissionsGrams / merged.energy.energyKwh,
        6,
      );
      expect(merged.energy.powerWatts).toBeCloseTo(
        merged.energy.energyJoules / merged.duration.durationSeconds,
        9,
      );
      expect(merged.score?.gramsPerUnit).toBeCloseTo(
        merged.emissions.emissionsGrams / total((report) => report.score?.unitCount ?? 0),
        12,
      );
      const { energyJoules, measuredJoules, estimatedJoules, assumedJoules } = merged.energy;
      expect(measuredJoules + estimatedJoules + assumedJoules).toBeCloseTo(energyJoules, 6);
      expect(JSON.stringify(merged)).not.toContain('null');
      expect(schemaErrors(JSON.parse(JSON.stringify(merged)))).toEqual([]);
    }
  });

  it('takes "at least" and the weakest kind along', () => {
    const merged = mergeReports([server, goldenReport()], context);
    expect(merged.energy).toMatchObject({ atLeast: true, kind: 'assumed' });
    expect(merged.components.cpu).toMatchObject({ kind: 'assumed', source: 'powercap, user' });
    expect(merged.components.gpu).toMatchObject({ kind: 'measured', atLeast: true, energyJoules: 1200 });
  });

  it('says that places differ instead of choosing one', () => {
    const merged = mergeReports([server, goldenReport()], context);
    expect(merged.location).toMatchObject({ kind: 'absent', method: 'differs from run to run' });
    expect(merged.location).not.toHaveProperty('countryName');
    expect(merged.merged?.map((run) => run.place)).toEqual(['Brazil, rio grande do sul', 'Germany']);
    const text = formatText(merged).replace(/\s+/g, ' ');
    expect(text).toContain('machine time of 2 runs');
    expect(text).toContain('run-2 (server, Germany): 6.030 s, at least 1.874 kJ');
    expect(formatMarkdown(merged)).toMatch(/\| run-2 +\| server +\| 6\.030 s +\| at least 1\.874 kJ/);
  });

  it('keeps what all runs share', () => {
    const merged = mergeReports([server, { ...server, runId: 'run-3' }], context);
    expect(merged.intensity).toEqual(server.intensity);
    expect(merged.location).toEqual(server.location);
    expect(rounded(merged.machine)).toEqual(rounded(server.machine));
    expect(merged.components.cpu.counters.map(({ id }) => id)).toEqual([
      'run-2: package-0',
      'run-2: package-1',
      'run-3: package-0',
      'run-3: package-1',
    ]);
  });

  it('leaves a single report as it is and refuses a run that comes twice', () => {
    expect(mergeReports([server], context)).toBe(server);
    expect(() => mergeReports([server, server], context)).toThrow(
      expect.objectContaining({ code: 'ERR_BAD_OPTION', message: expect.stringContaining('run-2') }),
    );
  });

  it('leaves out, with a warning, what not every run has', () => {
    const terms = { embodiedKg: 100, lifespanYears: 4, functionalUnit: 'image' };
    const scored = buildReport(serverMeasurement, { ...germanContext, runId: 'run-3', score: terms });
    const merged = mergeReports([server, scored], context);
    expect(merged).not.toHaveProperty('score');
    expect(merged).not.toHaveProperty('embodied');
    expect(merged.warnings.map(({ code }) => code)).toEqual(
      expect.arrayContaining(['score-incomplete', 'embodied-incomplete']),
    );
    const both = mergeReports([scored, { ...scored, runId: 'run-4' }], context);
    expect(both.embodied?.embodiedGrams).toBeCloseTo(2 * (scored.embodied?.embodiedGrams ?? 0), 12);
    expect(both.score?.gramsPerUnit).toBeCloseTo(scored.score?.gramsPerUnit ?? 0, 12);
    expect(schemaErrors(JSON.parse(JSON.stringify(both)))).toEqual([]);
  });
});
