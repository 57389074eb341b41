// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import type { Measurement } from '../../lib/core/report-types.js';
import { buildReport } from '../../lib/report/build.js';
import { mergeReports } from '../../lib/report/merge.js';
import { germanContext, goldenReport, schemaErrors, serverMeasurement, showcaseReport } from './fixtures.js';
import { originsOf } from './origins.js';

const attributed: Measurement = {
  ...serverMeasurement,
  attribution: {
    kind: 'estimated',
    source: '/proc',
    method: 'CPU time',
    detail: 'd',
    cpuShareRatio: 0.5,
    ramShareRatio: 0.1,
    cpuSeconds: 3,
    machineCpuSeconds: 6,
    residentGib: 1,
    machineJoules: 100,
    restJoules: 40,
  },
};

const server = buildReport(serverMeasurement, germanContext);
const merged = mergeReports([goldenReport(), server, { ...showcaseReport(), runId: 'run-3' }], {
  generatedAtMs: Date.UTC(2026, 1, 1),
  version: '0.1.0',
});

describe('every number of a report says how it came about', () => {
  it.each([
    ['the classic run', goldenReport(), 20],
    ['repetitions of a command', server, 50],
    ['a run with everything', showcaseReport(), 1000],
    ['a process', buildReport(attributed, { ...germanContext, facility: { pue: 1.2, wue: 0.2 } }), 50],
    ['several runs', merged, 50],
  ])('%s', (_, report, least) => {
    const { numbers, unanswered } = originsOf(report);
    expect(unanswered).toEqual([]);
    expect(numbers.length).toBeGreaterThan(least);
    expect(schemaErrors(report)).toEqual([]);
  });

  it('and one that does not is found', () => {
    const { source: _, ...energy } = goldenReport().energy;
    expect(originsOf({ ...goldenReport(), energy }).unanswered).toContain('energy.energyJoules');
    expect(originsOf({ ...goldenReport(), emissionsKg: 1 }).unanswered).toEqual(['emissionsKg']);
  });
});
