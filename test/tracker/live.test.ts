// SPDX-License-Identifier: MIT
import { spawnSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { EmissionsTracker, type LiveMeasurement, type TrackerOptions } from '../../lib/index.js';
import {
  energyFile,
  microjoules,
  START_TICKS,
  TICKS_PER_JOULE,
  useWorkplace,
  zone,
} from '../cli/fixtures.js';
import { schemaErrors } from '../report/fixtures.js';

const place = useWorkplace();
const INDEX = new URL('../../dist/index.js', import.meta.url).href;
afterEach(() => vi.restoreAllMocks());

function tracked(options: TrackerOptions) {
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

describe('onMeasure', () => {
  it('tells total and difference at every interval, and a last time at the end; differences come to the total', async () => {
    const seen: LiveMeasurement[] = [];
    const { tracker, spend } = tracked({ measureEverySeconds: 0.03, onMeasure: (live) => seen.push(live) });
    tracker.start();
    for (let n = 1; seen.length < 4; n++) {
      spend(10_000 * n);
      await sleep(5);
    }
    spend(777_777);
    const report = await tracker.stop();
    expect(seen.length).toBeGreaterThanOrEqual(5);
    const joules = (one: LiveMeasurement['total']) => one.components.cpu.energyJoules ?? Number.NaN;
    let [sum, duration] = [0, 0];
    for (const { total, delta } of seen) {
      expect(delta.components.cpu.kind).toBe('measured');
      sum += joules(delta);
      duration += delta.duration.durationSeconds;
      expect(sum).toBeCloseTo(joules(total), 9);
      expect(duration).toBeCloseTo(total.duration.durationSeconds, 9);
      expect(schemaErrors(JSON.parse(JSON.stringify(delta)))).toEqual([]);
    }
    expect(joules(seen.at(-1)?.delta as LiveMeasurement['total']) * TICKS_PER_JOULE).toBeGreaterThanOrEqual(
      777_777,
    );
    expect(joules(seen.at(-1)?.total as LiveMeasurement['total'])).toBe(joules(report));
    const count = seen.length;
    await sleep(80);
    expect(seen).toHaveLength(count);
  });

  /** Calls back as the test goes on, and not by the clock. */
  function steps(options: TrackerOptions) {
    const seen: LiveMeasurement[] = [];
    const { tracker, spend } = tracked({
      measureEverySeconds: 0.001,
      onMeasure: (live) => seen.push(live),
      ...options,
    });
    const next = async () => {
      for (const count = seen.length; seen.length === count; ) await sleep(1);
    };
    const sums = () => {
      const sum = (pick: (one: LiveMeasurement['delta']) => number | undefined) =>
        seen.reduce((all, { delta }) => all + (pick(delta) ?? Number.NaN), 0);
      return {
        joules: sum(({ energy }) => energy.energyJoules),
        rest: sum((one) => one.attribution?.restJoules),
      };
    };
    return { seen, tracker, spend, next, sums };
  }

  it('tells differences that come to the total where the counter often stands still', async () => {
    const { seen, tracker, spend, next, sums } = steps({});
    tracker.start();
    spend(20_000);
    for (let n = 0; n < 8; n++) {
      await next();
      if (n === 4) spend(3000);
    }
    const report = await tracker.stop();
    const still = seen.filter(({ delta }) => delta.components.cpu.energyJoules === 0);
    expect(still.length).toBeGreaterThan(2);
    for (const { delta } of still) {
      expect(delta.components.cpu).toMatchObject({ kind: 'measured', atLeast: false });
      expect(delta.warnings.map(({ code }) => code)).not.toContain('cpu-not-measured');
      expect(schemaErrors(JSON.parse(JSON.stringify(delta)))).toEqual([]);
    }
    expect(report.components.cpu.energyJoules).toBe(23_000 / TICKS_PER_JOULE);
    expect(sums().joules).toBeCloseTo(report.energy.energyJoules, 9);
  });

  it('tells differences that come to the total where the CPU is estimated', async () => {
    const { tracker, next, sums } = steps({ sysfs: place.machine().root, ramWattsPerGib: 0.4 });
    tracker.start();
    for (let n = 0; n < 8; n++) await next();
    // Longer than what a guess in the first, short ones could exceed.
    for (const end = performance.now() + 300; performance.now() < end; );
    const report = await tracker.stop();
    expect(report.components.cpu.kind).not.toBe('measured');
    expect(sums().joules).toBeCloseTo(report.energy.energyJoules, 9);
  });

  it.runIf(process.platform === 'linux')(
    'tells differences of a process that come to the total, of what it spent itself',
    { timeout: 60_000 },
    async () => {
      const { seen, tracker, spend, next, sums } = steps({ trackingMode: 'process', ramWattsPerGib: 0.4 });
      tracker.start();
      for (const begin = process.cpuUsage(); process.cpuUsage(begin).user < 400_000; );
      spend(100 * TICKS_PER_JOULE);
      await next();
      const before = seen.length;
      // Ten times as much afterwards.
      await sleep(300);
      spend(1000 * TICKS_PER_JOULE);
      await next();
      const report = await tracker.stop();
      expect(before).toBeGreaterThan(0);
      expect(sums().joules).toBeCloseTo(report.energy.energyJoules, 6);
      expect(sums().rest).toBeCloseTo(report.attribution?.restJoules ?? Number.NaN, 6);
      for (const { delta } of seen) expect(schemaErrors(JSON.parse(JSON.stringify(delta)))).toEqual([]);
    },
  );

  it('that throws is a warning, and neither the measurement nor the next call suffers', async () => {
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    let calls = 0;
    const onMeasure = () => {
      calls++;
      throw new Error('mine');
    };
    const { tracker, spend } = tracked({ measureEverySeconds: 0.01, onMeasure });
    tracker.start();
    spend(5000);
    while (calls < 2) await sleep(5);
    const report = await tracker.stop();
    expect((report.components.cpu.energyJoules ?? 0) * TICKS_PER_JOULE).toBe(5000);
    expect(calls).toBeGreaterThan(2);
    expect(warned.mock.calls).toContainEqual(['onMeasure failed: Error: mine', 'MicrojouleWarning']);
  });

  it.each([
    0,
    -1,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    3e6,
    '15',
  ])('refuses an interval of %j', (seconds) => {
    expect(() => tracked({ measureEverySeconds: seconds as number })).toThrow(
      expect.objectContaining({ code: 'ERR_BAD_OPTION', hint: expect.any(String) }),
    );
  });

  it('keeps no process alive', () => {
    const folder = place.newFolder();
    const script = `
      import { EmissionsTracker } from ${JSON.stringify(INDEX)};
      new EmissionsTracker({ output: 'r.json', measureEverySeconds: 60, onMeasure() {} }).start();`;
    const ended = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
      cwd: folder.path,
      timeout: 20_000,
    });
    expect(ended.status).toBe(0);
  });
});
