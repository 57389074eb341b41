// SPDX-License-Identifier: MIT
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Measurement } from '../../lib/core/report-types.js';
import { encodeRecord } from '../../lib/stream/encode.js';
import { StreamTotals } from '../../lib/stream/totals.js';
import type { StreamChannel, StreamRecord, StreamRow } from '../../lib/stream/types.js';
import { encodeReportRecord } from '../../lib/trace/records.js';
import { reportOfTrace } from '../../lib/trace/report-of-trace.js';
import { goldenContext, goldenMeasurement, seededRandom } from '../report/fixtures.js';
import { channel, header } from '../stream/fixtures.js';

const folder = mkdtempSync(path.join(os.tmpdir(), 'microjoule-trace-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let traceCount = 0;

/** A run that was cut off, by its records before and after its latest measurement. */
function writeTrace(
  channels: StreamChannel[],
  before: readonly StreamRecord[],
  after: readonly StreamRecord[],
): string {
  const { generatedAtMs: _, ...context } = goldenContext;
  const { runs: __, ...measurement } = goldenMeasurement;
  const components = { ...measurement.components };
  components.gpu = { ...components.gpu, atLeast: false };
  const row = before.findLast(({ type }) => type === 'row') as StreamRow | undefined;
  const file = path.join(folder, `${++traceCount}.jsonl`);
  const lines = [
    encodeRecord(header(channels)),
    encodeReportRecord({ type: 'report-context', context }),
    ...before.map(encodeRecord),
    encodeReportRecord({
      type: 'report-measurement',
      timeNs: row?.timeNs ?? 0,
      isLast: false,
      measurement: { ...measurement, components },
    }),
    ...after.map(encodeRecord),
  ];
  writeFileSync(file, lines.join(''));
  return file;
}

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

  it('is "at least" where the rows after the latest measurement lack something, and says what', async () => {
    const random = seededRandom(41);
    const parts = { cpu: channel('p', { domain: 'package' }), ram: channel('d', { domain: 'dram' }) };
    const channels = Object.values(parts);
    const some = (count: number, fromSeconds: number): StreamRecord[] =>
      Array.from({ length: count }, (_, i) => {
        const timeNs = (fromSeconds + i + 1) * 1e9;
        const energyJoules = channels.map(() => (random() < 0.2 ? null : timeNs / 1e9));
        if (i === count - 1 || random() < 0.6) return { type: 'row', timeNs, energyJoules };
        const [whose] = [['p'], ['d'], undefined].slice(Math.floor(random() * 3));
        return {
          type: 'gap',
          fromNs: timeNs - 1e9,
          toNs: timeNs,
          reason: 'break',
          ...(whose === undefined ? {} : { channels: whose }),
          energyKept: random() < 0.5,
          detail: '',
        };
      });
    const seen = new Set<string>();
    for (let round = 0; round < 100; ++round) {
      const later = some(1 + Math.floor(4 * random()), 10);
      const report = await reportOfTrace(writeTrace(channels, some(10, 0), later), 0);
      const lacks = Object.entries(parts).map(([key, one]) => {
        const totals = new StreamTotals({ channels: [one], absent: [] });
        for (const record of later) {
          if (record.type !== 'gap' || (record.channels ?? [one.id]).includes(one.id)) {
            totals.add(
              record.type === 'row'
                ? { ...record, energyJoules: [record.energyJoules[channels.indexOf(one)] ?? null] }
                : record,
            );
          }
        }
        expect(report.components[key as keyof typeof parts].atLeast).toBe(totals.atLeast);
        return totals.atLeast;
      });
      seen.add(String(lacks));
      expect(report.energy.atLeast).toBe(lacks.includes(true));
      const told = report.warnings.filter(({ code }) => code === 'partly-measured');
      expect(told).toHaveLength(lacks.includes(true) ? 1 : 0);
      expect(told.map(({ message }) => [/CPU:/, /RAM:/].map((name) => name.test(message)))).toEqual(
        lacks.includes(true) ? [lacks] : [],
      );
    }
    expect(seen.size).toBe(4);
  });

  it('has a hole in the power over time of what a gap is about, and of nothing else', async () => {
    const channels = [channel('p', { domain: 'package' }), channel('d', { domain: 'dram' })];
    const row = (second: number): StreamRecord => ({
      type: 'row',
      timeNs: second * 1e9,
      energyJoules: [20 * second, 3 * second],
    });
    const gap: StreamRecord = {
      type: 'gap',
      fromNs: 2e9,
      toNs: 4e9,
      reason: 'break',
      channels: ['p'],
      energyKept: false,
      detail: 'a reset',
    };
    const file = writeTrace(channels, [row(0), row(1)], [row(2), gap, row(4), row(5)]);
    const { series } = await reportOfTrace(file, 0);
    const holes = series?.channels.map(
      ({ powerWatts }) => powerWatts.filter((watts) => watts === null).length,
    );
    expect(holes?.[0]).toBeGreaterThan(0);
    expect(holes?.[1]).toBe(0);
  });
});
