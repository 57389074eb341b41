// SPDX-License-Identifier: MIT
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { startRecording } from '../../lib/measure/recording.js';
import { openMeter } from '../../lib/meter/meter.js';
import { readTrace } from '../../lib/trace/read-trace.js';
import type { MeasurementRecord } from '../../lib/trace/records.js';
import { reportOfTrace } from '../../lib/trace/report-of-trace.js';
import { TraceFile } from '../../lib/trace/trace-file.js';
import { startTrace } from '../../lib/trace/trace-run.js';
import { goldenContext } from '../report/fixtures.js';

const folder = mkdtempSync(path.join(os.tmpdir(), 'microjoule-trace-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** No counters, so that it runs anywhere, and constant powers. */
const MODELLED = { sysfs: '/nonexistent', dev: '/nonexistent', nvmlLibrary: '/nonexistent', cpuWatts: 10 };

describe('the trace of a run', () => {
  it('has a row of each measurement, so that a run that is cut off counts nothing twice', async () => {
    const { generatedAtMs: _, ...context } = goldenContext;
    const file = new TraceFile(path.join(folder, 'run.jsonl'));
    const meter = openMeter(MODELLED);
    const startedNs = process.hrtime.bigint();
    const recording = startRecording({ ...MODELLED, meter });
    // Rows that are due come between the measurements.
    const measurement = () => recording.measurement();
    const trace = startTrace({ ...MODELLED, meter, file, context, intervalMs: 700, measurement });
    await wait(1200);
    file.flush();
    const cut = path.join(folder, 'cut.jsonl');
    copyFileSync(file.file, cut);
    const elapsedSeconds = Number(process.hrtime.bigint() - startedNs) / 1e9;
    trace.finish(recording.stop());
    meter.close();

    const measurements: MeasurementRecord[] = [];
    let rowNs = -1;
    await readTrace(cut, (record) => {
      if (record.type === 'row') rowNs = record.timeNs;
      if (record.type !== 'report-measurement') return;
      expect(record.timeNs).toBe(rowNs);
      measurements.push(record);
    });
    expect(measurements.length).toBeGreaterThan(1);
    // Both clocks began at different times and go alike: row and measurement are of one reading.
    const [first = Number.NaN, ...others] = measurements.map(
      (one) => one.measurement.durationSeconds - one.timeNs / 1e9,
    );
    expect(first).toBeGreaterThan(0);
    for (const other of others) expect(other).toBeCloseTo(first, 6);

    const report = await reportOfTrace(cut, 0);
    expect(report.duration.durationSeconds).toBeCloseTo(first + rowNs / 1e9, 6);
    expect(report.duration.durationSeconds).toBeLessThan(elapsedSeconds);
    expect(report.components.cpu.energyJoules).toBeCloseTo(10 * report.duration.durationSeconds, 4);
  });
});
