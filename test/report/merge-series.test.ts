// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import type { PowerSeries, Report } from '../../lib/core/report-types.js';
import { mergeMeasurements } from '../../lib/measure/merge.js';
import { buildReport } from '../../lib/report/build.js';
import { mergeReports } from '../../lib/report/merge.js';
import { mergeSeries } from '../../lib/report/merge-series.js';
import { germanContext, schemaErrors, seededRandom, serverMeasurement } from './fixtures.js';

const context = { generatedAtMs: Date.UTC(2026, 1, 1), version: '0.1.0' };

function anySeries(random: () => number, durationSeconds: number): PowerSeries {
  const count = 2 + Math.floor(20 * random());
  const names = ['CPU', 'GPU', 'RAM'].filter((name) => name === 'CPU' || random() < 0.5);
  return {
    kind: random() < 0.5 ? 'measured' : 'estimated',
    source: 'powercap',
    method: 'made up',
    detail: 'Made up.',
    edgesSeconds: Array.from({ length: count + 1 }, (_, i) => (durationSeconds * i) / count),
    channels: names.map((name) => {
      // The ends are known, as they are in every run.
      const powerWatts = Array.from({ length: count }, (_, i) =>
        i > 0 && i < count - 1 && random() < 0.1 ? null : Math.round(1000 * random()),
      );
      return {
        name,
        component: name.toLowerCase() as 'cpu',
        kind: 'measured',
        source: 'powercap',
        powerWatts,
        lowestWatts: powerWatts.map((watts) => (watts === null ? null : watts / 2)),
        highestWatts: powerWatts.map((watts) => (watts === null ? null : watts * 2)),
      };
    }),
  };
}

/** Energy of all channels where known. */
function joulesOf({ edgesSeconds, channels }: PowerSeries): number {
  return channels
    .flatMap(({ powerWatts }) =>
      powerWatts.map((watts, i) => (watts ?? 0) * ((edgesSeconds[i + 1] ?? 0) - (edgesSeconds[i] ?? 0))),
    )
    .reduce((sum, joules) => sum + joules, 0);
}

function reportAt(startedAtMs: number, durationSeconds: number, runId: string, series?: PowerSeries): Report {
  const { runs: _, command: __, ...rest } = serverMeasurement;
  const measurement = {
    ...rest,
    startedAtMs,
    endedAtMs: startedAtMs + durationSeconds * 1000,
    durationSeconds,
    ...(series === undefined ? {} : { series }),
  };
  return buildReport(measurement, { ...germanContext, runId });
}

/** Numbers to nine digits, so that the order of additions does not show. */
const rounded = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value, (_, one) => (typeof one === 'number' ? Number(one.toPrecision(9)) : one)));

const codes = (report: Report) => report.warnings.map(({ code }) => code);

describe('the power over time of several runs', () => {
  it('keeps every interval, and is associative, whatever the order', () => {
    const random = seededRandom(8);
    for (let trial = 0; trial < 100; ++trial) {
      let at = Date.UTC(2026, 0, 1);
      const all = [1, 2, 3].map((index) => {
        const duration = 1 + Math.round(100 * random());
        const series = anySeries(random, duration);
        const report = reportAt(at, duration, `run-${index}`, series);
        at += duration * 1000 + (random() < 0.5 ? 0 : Math.round(1e5 * random()));
        return report;
      });
      if (random() < 0.5) all.reverse();
      const [a, b, c] = all as [Report, Report, Report];
      const flat = mergeReports([a, b, c], context);
      const left = mergeReports([mergeReports([a, b], context), c], context);
      const right = mergeReports([a, mergeReports([b, c], context)], context);
      expect(rounded(left.series)).toEqual(rounded(flat.series));
      expect(rounded(right.series)).toEqual(rounded(flat.series));
      if (flat.series === undefined) throw new Error('there is no series');
      expect(
        joulesOf(flat.series) / all.reduce((sum, { series }) => sum + (series ? joulesOf(series) : 0), 0),
      ).toBeCloseTo(1, 6);
      expect(codes(flat)).not.toContain('series-left-out');
      expect(schemaErrors(JSON.parse(JSON.stringify(flat)))).toEqual([]);
      const edges = flat.series.edgesSeconds;
      expect(edges[0]).toBe(0);
      expect(edges.every((edge, i) => i === 0 || edge > (edges[i - 1] ?? 0))).toBe(true);
    }
  });

  it('is left out where runs overlap or one has none, and says so, however they are brought together', () => {
    const random = seededRandom(9);
    const at = Date.UTC(2026, 0, 1);
    const a = reportAt(at, 100, 'a', anySeries(random, 100));
    const b = reportAt(at + 50_000, 100, 'b', anySeries(random, 100));
    const c = reportAt(at + 400_000, 100, 'c', anySeries(random, 100));
    const bare = reportAt(at + 200_000, 100, 'bare');
    for (const [one, other, third] of [
      [a, b, c],
      [a, c, b],
      [a, bare, c],
      [bare, a, c],
    ] as [Report, Report, Report][]) {
      for (const merged of [
        mergeReports([one, other, third], context),
        mergeReports([mergeReports([one, other], context), third], context),
        mergeReports([one, mergeReports([other, third], context)], context),
      ]) {
        expect(merged.series).toBeUndefined();
        expect(codes(merged).filter((code) => code === 'series-left-out')).toHaveLength(1);
      }
    }
    expect(codes(mergeReports([bare, reportAt(at, 10, 'bare 2')], context))).not.toContain('series-left-out');
  });

  it('stands one after the other for repetitions, without what was between', () => {
    const random = seededRandom(10);
    const { runs: _, ...rest } = serverMeasurement;
    const [one, other] = [2, 3].map((durationSeconds) => ({
      ...rest,
      durationSeconds,
      series: anySeries(random, durationSeconds),
    })) as [typeof serverMeasurement, typeof serverMeasurement];
    const { series } = mergeMeasurements([one, other]);
    if (series === undefined || one.series === undefined || other.series === undefined)
      throw new Error('no series');
    expect(series.edgesSeconds.at(-1)).toBe(5);
    expect(joulesOf(series)).toBeCloseTo(joulesOf(one.series) + joulesOf(other.series), 3);
    const report = buildReport({ ...mergeMeasurements([one, other]) }, germanContext);
    const merged = mergeReports([report, { ...report, runId: 'another' }], context);
    expect(merged.repetitions).toBeUndefined();
    expect(codes(merged)).toContain('repetitions-left-out');
  });

  it('stays small, with its energy and its extremes', () => {
    const random = seededRandom(11);
    const parts = Array.from({ length: 20 }, (_, i) => {
      const series = anySeries(random, 100);
      const count = 800;
      const [channel] = series.channels;
      const powerWatts = Array.from({ length: count }, () => 500 * random());
      if (channel === undefined) throw new Error('there is no channel');
      return {
        offsetSeconds: 100 * i,
        series: {
          ...series,
          edgesSeconds: Array.from({ length: count + 1 }, (_, edge) => (100 * edge) / count),
          channels: [{ ...channel, powerWatts, lowestWatts: powerWatts, highestWatts: powerWatts }],
        },
      };
    });
    const merged = mergeSeries(parts);
    if (merged === undefined) throw new Error('there is no series');
    expect(merged.edgesSeconds.length).toBeLessThanOrEqual(4001);
    expect(joulesOf(merged) / parts.reduce((sum, { series }) => sum + joulesOf(series), 0)).toBeCloseTo(1, 6);
    const most = Math.max(...parts.flatMap(({ series }) => series.channels[0]?.powerWatts ?? []));
    expect(Math.max(...(merged.channels[0]?.highestWatts ?? []).map(Number))).toBe(most);
  });
});
