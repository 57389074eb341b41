// SPDX-License-Identifier: MIT
import { readFileSync } from 'node:fs';
import { describe, expect, it, vi } from 'vitest';
import { EmissionsTracker, type Report, type TrackerOptions } from '../../lib/index.js';
import { formatText } from '../../lib/reports.js';
import {
  energyFile,
  microjoules,
  parseReport,
  START_TICKS,
  TICKS_PER_JOULE,
  useWorkplace,
  zone,
} from '../cli/fixtures.js';
import { schemaErrors, seededRandom } from '../report/fixtures.js';

const place = useWorkplace();

/** A tracker on a machine of one counter, which `spend` moves by so many ticks. */
function tracked(options: TrackerOptions = {}) {
  const machine = place.machine(zone('intel-rapl:0', 'package-0'));
  let ticks = START_TICKS;
  const tracker = new EmissionsTracker({
    sysfs: machine.root,
    nvmlLibrary: `${machine.root}/no-nvml`,
    output: [],
    ramWattsPerGib: 0,
    country: 'FR',
    ...options,
  });
  const spend = (more: number) => {
    ticks += more;
    machine.write(energyFile('intel-rapl:0'), `${microjoules(ticks)}\n`);
  };
  return { tracker, spend };
}

const ticksOf = (report: Report) => (report.components.cpu.energyJoules ?? 0) * TICKS_PER_JOULE;

describe('tasks', () => {
  it('nest and overlap, each from its own start to its own stop', async () => {
    const { tracker, spend } = tracked();
    tracker.start();
    spend(1000);
    const outer = tracker.startTask('outer');
    spend(200_000);
    const inner = tracker.startTask('inner');
    spend(30_000);
    const beside = tracker.startTask('beside');
    spend(4000);
    expect(ticksOf(await inner.stop())).toBe(34_000);
    spend(500);
    expect(ticksOf(await outer.stop())).toBe(234_500);
    spend(60);
    expect(ticksOf(await beside.stop())).toBe(4560);
    const whole = await tracker.stop();
    expect(ticksOf(whole)).toBe(235_560);
    expect(whole).not.toHaveProperty('task');
  });

  it('that follow one another without a gap come to the whole', async () => {
    const random = seededRandom(41);
    const { tracker, spend } = tracked();
    tracker.start();
    let sum = 0;
    for (let index = 0; index < 20; index++) {
      const { report } = await tracker.trackTask(`task ${index}`, () =>
        spend(1 + Math.floor(1e6 * random())),
      );
      expect(report.components.cpu.kind).toBe('measured');
      sum += ticksOf(report);
    }
    expect(ticksOf(await tracker.stop())).toBeCloseTo(sum, 3);
  });

  it('carry name, place and run, fit the schema, and show their name', async () => {
    const { tracker, spend } = tracked({ projectName: 'p', runId: 'r' });
    const task = tracker.start().startTask('load data');
    spend(10_000);
    const report = await task.stop();
    expect(report).toMatchObject({ task: 'load data', projectName: 'p', runId: 'r' });
    expect(report.location.countryAlpha3).toBe('FRA');
    expect(schemaErrors(JSON.parse(JSON.stringify(report)))).toEqual([]);
    expect(formatText(report)).toContain('CO2 emission report: p, task load data');
    expect(await task.stop()).toBe(report);
    await tracker.stop();
  });

  it('end with their tracker, and with a function that throws', async () => {
    const { tracker, spend } = tracked();
    const task = tracker.start().startTask('left running');
    const failed = tracker.trackTask('fails', () => {
      spend(5000);
      throw new Error('mine');
    });
    await expect(failed).rejects.toThrow('mine');
    await tracker.stop();
    spend(90_000);
    expect(ticksOf(await task.stop())).toBe(5000);
  });

  it('of five milliseconds are never reported as zero', async () => {
    const { tracker } = tracked();
    const { report } = await tracker.start().trackTask('short', () => {
      for (const end = performance.now() + 5; performance.now() < end; );
    });
    // The counter did not move, so there is a model in its place, or nothing, but no 0 J that was measured.
    expect(report.components.cpu.kind).not.toBe('measured');
    expect(report.components.cpu.energyJoules).toBeGreaterThan(0);
    expect(report.warnings.map(({ code }) => code)).toContain('short-region');
    await tracker.stop();
  });

  it('need a tracker that runs, and a name', async () => {
    const { tracker } = tracked();
    const state = expect.objectContaining({ code: 'ERR_TRACKER_STATE', hint: expect.any(String) });
    expect(() => tracker.startTask('early')).toThrow(state);
    tracker.start();
    expect(() => tracker.startTask(' ')).toThrow(expect.objectContaining({ code: 'ERR_BAD_OPTION' }));
    await tracker.stop();
    expect(() => tracker.startTask('late')).toThrow(state);
    await expect(tracker.flush()).rejects.toEqual(state);
  });
});

describe('flush()', () => {
  it('reports so far, writes what is written anew, and adds no row', async () => {
    const folder = place.newFolder();
    const output = [folder.file('r.json'), folder.file('emissions.csv')];
    const { tracker, spend } = tracked({ output, modelCard: folder.file('README.md') });
    tracker.start();
    spend(7000);
    expect(ticksOf(await tracker.flush())).toBe(7000);
    expect(ticksOf(parseReport(folder.read('r.json')))).toBe(7000);
    expect(folder.read('README.md')).toContain('co2_eq_emissions');
    spend(3000);
    expect(ticksOf(await tracker.stop())).toBe(10_000);
    expect(ticksOf(parseReport(folder.read('r.json')))).toBe(10_000);
    expect(folder.read('emissions.csv').trimEnd().split('\n')).toHaveLength(2);
  });

  it('tells of an output that cannot be written, and goes on', async () => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const { tracker } = tracked({ output: '/nonexistent/r.json' });
    tracker.start();
    const report = await tracker.flush();
    expect(report.warnings.map(({ code }) => code)).toContain('output-failed');
    expect(warn).toHaveBeenCalledTimes(1);
    await tracker.stop();
    warn.mockRestore();
  });
});

describe('disposal', () => {
  it('stops and writes, once, with and without waiting', async () => {
    for (const dispose of [Symbol.dispose, Symbol.asyncDispose] as const) {
      const folder = place.newFolder();
      const { tracker } = tracked({ output: folder.file('emissions.csv') });
      const started = tracker.start();
      const task = tracker.startTask('inside');
      await task[dispose]();
      await started[dispose]();
      await started[dispose]();
      expect(readFileSync(folder.file('emissions.csv'), 'utf8').trimEnd().split('\n')).toHaveLength(2);
      expect(await tracker.stop()).toBeDefined();
    }
  });

  it('of a tracker that never started does nothing', () => {
    expect(() => tracked().tracker[Symbol.dispose]()).not.toThrow();
  });
});
