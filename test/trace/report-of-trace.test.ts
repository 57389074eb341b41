// SPDX-License-Identifier: MIT
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Measurement } from '../../lib/core/report-types.js';
import { encodeRecord } from '../../lib/stream/encode.js';
import { encodeReportRecord } from '../../lib/trace/records.js';
import { reportOfTrace } from '../../lib/trace/report-of-trace.js';
import { goldenContext, goldenMeasurement } from '../report/fixtures.js';
import { channel, header } from '../stream/fixtures.js';

const folder = mkdtempSync(path.join(os.tmpdir(), 'microjoule-trace-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A run that was cut off four seconds after its measurement, in which its package used 100 J. */
function cutTrace(name: string, more: Partial<Measurement> = {}): string {
  const { generatedAtMs: _, ...context } = goldenContext;
  const { runs: __, ...measurement } = { ...goldenMeasurement, ...more };
  const row = (seconds: number, joules: number) =>
    encodeRecord({ type: 'row', timeNs: seconds * 1e9, energyJoules: [joules] });
  const file = path.join(folder, name);
  const lines = [
    encodeRecord(header([channel('intel-rapl:0')])),
    encodeReportRecord({ type: 'report-context', context }),
    row(0, 0),
    row(1, 25),
    encodeReportRecord({ type: 'report-measurement', timeNs: 1e9, isLast: false, measurement }),
    row(3, 75),
    row(5, 125),
    '[6000000000,15',
  ];
  writeFileSync(file, lines.join(''));
  return file;
}

describe('the report of a trace that was cut', () => {
  it('adds what its rows say after the latest measurement', async () => {
    const report = await reportOfTrace(cutTrace('machine.jsonl'), 0);
    const { energyJoules = 0 } = goldenMeasurement.components.cpu;
    expect(report.components.cpu.energyJoules).toBeCloseTo(energyJoules + 100, 9);
    expect(report.components.ram).toMatchObject({
      energyJoules: goldenMeasurement.components.ram.energyJoules,
    });
    expect(report.duration.durationSeconds).toBeCloseTo(goldenMeasurement.durationSeconds + 4, 9);
    const codes = report.warnings.map(({ code }) => code);
    expect(codes).toEqual(expect.arrayContaining(['interrupted', 'trace-damaged']));
  });

  it("ends with the latest measurement where that is of a process's share", async () => {
    const attribution = { kind: 'estimated', source: 's', method: 'm', detail: 'd' } as unknown;
    const more = { attribution } as Partial<Measurement>;
    const report = await reportOfTrace(cutTrace('process.jsonl', more), 0);
    const { energyJoules } = goldenMeasurement.components.cpu;
    expect(report.components.cpu.energyJoules).toBe(energyJoules);
    expect(report.duration.durationSeconds).toBe(goldenMeasurement.durationSeconds);
    expect(report.series).toBeUndefined();
  });
});
