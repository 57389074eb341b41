// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import type { Measurement, Report } from '../../lib/core/report-types.js';
import { buildReport } from '../../lib/report/build.js';
import { mergeReports } from '../../lib/report/merge.js';
import { germanContext, schemaErrors, seededRandom, serverMeasurement } from './fixtures.js';

const context = { generatedAtMs: Date.UTC(2026, 1, 1), version: '0.1.0' };
const START_MS = Date.UTC(2026, 0, 1);

interface Run {
  runId: string;
  instanceId: string | undefined;
  fromSeconds: number;
  toSeconds: number;
}

function reportOf(
  { runId, instanceId, fromSeconds, toSeconds }: Run,
  mode: 'machine' | 'process' = 'machine',
): Report {
  const { runs: _, command: __, ...rest } = serverMeasurement;
  const measurement: Measurement = {
    ...rest,
    durationSeconds: toSeconds - fromSeconds,
    startedAtMs: START_MS + fromSeconds * 1000,
    endedAtMs: START_MS + toSeconds * 1000,
    machine: { ...rest.machine, ...(instanceId === undefined ? {} : { instanceId }) },
  };
  return { ...buildReport(measurement, { ...germanContext, runId }), trackingMode: mode };
}

const run = (runId: string, instanceId: string | undefined, fromSeconds: number, toSeconds: number) => ({
  ...{ runId, instanceId, fromSeconds, toSeconds },
});

function warningsOf(runs: Run[], mode?: 'machine' | 'process') {
  const reports = runs.map((one) => reportOf(one, mode)) as [Report, ...Report[]];
  const merged = mergeReports(reports, context);
  expect(schemaErrors(JSON.parse(JSON.stringify(merged)))).toEqual([]);
  return merged.warnings.filter(({ code }) => /^machine-/.test(code));
}

describe('runs of whole machines at the same time', () => {
  it('are told when they are of one machine, with the time that is in the sum twice', () => {
    const [warning, ...others] = warningsOf([run('a', 'x', 0, 100), run('b', 'x', 70, 200)]);
    expect(others).toEqual([]);
    expect(warning).toMatchObject({
      code: 'machine-counted-twice',
      message: expect.stringMatching(/too high.* 30 s .*\(a, b\)/),
      hint: expect.stringContaining('--tracking-mode process'),
    });
  });

  it('are what they should be on several machines, one after the other, and of processes', () => {
    expect(warningsOf([run('a', 'x', 0, 100), run('b', 'y', 0, 100)])).toEqual([]);
    expect(warningsOf([run('a', 'x', 0, 100), run('b', 'x', 100, 200)])).toEqual([]);
    expect(warningsOf([run('a', 'x', 0, 100), run('b', 'x', 0, 100)], 'process')).toEqual([]);
  });

  it('are said to be unclear where they do not tell their machine', () => {
    expect(warningsOf([run('a', undefined, 0, 100), run('b', undefined, 50, 100)])).toMatchObject([
      { code: 'machine-unknown', message: expect.stringContaining('50 s') },
    ]);
  });

  it('count time that is in the sum n times n - 1 times, in whatever order they are merged', () => {
    const random = seededRandom(31);
    for (let trial = 0; trial < 50; trial++) {
      const runs = Array.from({ length: 5 }, (_, index) => {
        const fromSeconds = Math.floor(100 * random());
        return run(`run-${index}`, 'x', fromSeconds, fromSeconds + 1 + Math.floor(30 * random()));
      });
      const seconds = Array.from({ length: 200 }, (_, second) => {
        const count = runs.filter(
          ({ fromSeconds, toSeconds }) => fromSeconds <= second && second < toSeconds,
        );
        return Math.max(0, count.length - 1);
      }).reduce((sum, one) => sum + one, 0);
      const [warning] = warningsOf(runs);
      if (seconds === 0) expect(warning).toBeUndefined();
      else expect(warning?.message).toContain(` ${seconds} s `);

      const reports = runs.map((one) => reportOf(one)) as [Report, Report, Report, Report, Report];
      const [a, b, ...others] = reports;
      const inTwo = mergeReports([mergeReports([a, b], context), mergeReports(others, context)], context);
      expect(inTwo.warnings.filter(({ code }) => /^machine-/.test(code))).toEqual(
        warning === undefined ? [] : [warning],
      );
    }
  });

  it('are of no machine that the sum names', () => {
    const of = (...ids: string[]) =>
      mergeReports(
        ids.map((id, index) => reportOf(run(`r${index}`, id, index, index + 1))) as [Report],
        context,
      );
    expect(of('x', 'x').machine.instanceId).toBe('x');
    expect(of('x', 'y').machine).not.toHaveProperty('instanceId');
    expect(of('x', 'y').merged?.map(({ instanceId }) => instanceId)).toEqual(['x', 'y']);
  });
});
