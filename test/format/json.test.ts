// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import type { Report } from '../../lib/core/report-types.js';
import { FORMATTERS } from '../../lib/format/index.js';
import { formatJson } from '../../lib/format/json.js';
import { buildReport } from '../../lib/report/build.js';
import {
  germanContext,
  goldenContext,
  goldenMeasurement,
  goldenReport,
  schemaErrors,
  serverMeasurement,
} from '../report/fixtures.js';

const golden = () => JSON.parse(formatJson(goldenReport()));

describe('formatJson', () => {
  it('is what .json stands for', () => expect(FORMATTERS.get('.json')).toBe(formatJson));

  it.each<[string, Report]>([
    ['absent components', goldenReport()],
    ['counters, repetitions, a command and warnings', buildReport(serverMeasurement, germanContext)],
    [
      'a signal and unknown times',
      buildReport({ ...goldenMeasurement, command: { argv: ['x'], signal: 'SIGKILL' } }, goldenContext),
    ],
    [
      'a model with results',
      buildReport(goldenMeasurement, { ...goldenContext, model: { results: { loss: -0.5, note: 'x' } } }),
    ],
  ])('fits the schema and loses nothing: %s', (_, report) => {
    const text = formatJson(report);
    expect(text.endsWith('}\n')).toBe(true);
    expect(JSON.parse(text)).toEqual(report);
    expect(schemaErrors(JSON.parse(text))).toEqual([]);
  });

  it('refuses numbers that JSON cannot hold', () => {
    const report = goldenReport();
    report.energy.powerWatts = Number.NaN;
    expect(() => formatJson(report)).toThrow(
      expect.objectContaining({ code: 'ERR_OUTPUT', hint: expect.stringContaining('your own code') }),
    );
  });
});

describe('the schema', () => {
  // biome-ignore lint/suspicious/noExplicitAny: mutations go where no type allows
  it.each<[string, (report: any) => void]>([
    ['energy on an absent component', (report) => (report.components.gpu.energyJoules = 0)],
    ['kWh on an absent component', (report) => (report.components.gpu.energyKwh = 0)],
    ['power on an absent component', (report) => (report.components.gpu.powerWatts = 0)],
    ['no energy on a present component', (report) => delete report.components.cpu.energyJoules],
    ['a NaN that JSON made null', (report) => (report.energy.energyJoules = null)],
    ['NaN itself', (report) => (report.energy.energyJoules = Number.NaN)],
    ['negative emissions', (report) => (report.emissionsKg = -1)],
    ['an unknown field', (report) => (report.energy.surprise = 1)],
    ['an unknown top field', (report) => (report.surprise = 1)],
    ['an unknown kind', (report) => (report.energy.kind = 'guessed')],
    ['no source', (report) => delete report.intensity.source],
    ['a time that is none', (report) => (report.generatedAt = 'yesterday')],
    ['a total of unknown kind with energy', (report) => (report.energy.kind = 'absent')],
    ['a share above one', (report) => (report.machine.cpuUtilisationRatio = 1.1)],
    ['another format', (report) => (report.schema = 'microjoule.report/2')],
  ])('refuses %s', (_, mutate) => {
    const report = golden();
    mutate(report);
    expect(schemaErrors(report)).not.toEqual([]);
  });

  it('refuses energy on a counter that was not read, and none on one that was', () => {
    const report = JSON.parse(formatJson(buildReport(serverMeasurement, germanContext)));
    report.components.ram.counters[1].energyJoules = 1;
    delete report.components.ram.counters[0].energyJoules;
    const errors = schemaErrors(report).join('\n');
    expect(errors).toContain('/components/ram/counters/1');
    expect(errors).toContain('/components/ram/counters/0');
  });
});
