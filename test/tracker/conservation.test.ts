// SPDX-License-Identifier: MIT
//
// Whatever the tasks: no joule is lost, none is made, and every unit says the same.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { codecarbonRow } from '../../lib/formats.js';
import { EmissionsTracker, type Report, type Task } from '../../lib/index.js';
import {
  energyFile,
  microjoules,
  START_TICKS,
  TICKS_PER_JOULE,
  useWorkplace,
  zone,
} from '../cli/fixtures.js';
import { schemaErrors, seededRandom } from '../report/fixtures.js';
import { hasVirtualMachine, startMachine, type VirtualMachine } from '../support/virtual-machine.js';

const place = useWorkplace();

/** Every number of a report, by where it stands. */
function numbersOf(value: unknown, path = ''): [string, number][] {
  if (typeof value === 'number') return [[path, value]];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => numbersOf(inner, `${path}.${name}`));
}

function checkUnits(report: Report): void {
  expect(schemaErrors(JSON.parse(JSON.stringify(report)))).toEqual([]);
  for (const [path, value] of numbersOf(report)) {
    expect(Number.isFinite(value), path).toBe(true);
    expect(value, path).toBeGreaterThanOrEqual(0);
  }
  const { energy, components, emissions, intensity, duration } = report;
  const parts = Object.values(components).map((part) => part.energyJoules ?? 0);
  expect(parts.reduce((a, b) => a + b)).toBeCloseTo(energy.energyJoules, 6);
  expect(energy.measuredJoules + energy.estimatedJoules + energy.assumedJoules).toBeCloseTo(
    energy.energyJoules,
    6,
  );
  expect(energy.energyKwh * 3.6e6).toBeCloseTo(energy.energyJoules, 6);
  expect(emissions.emissionsGrams).toBeCloseTo(energy.energyKwh * intensity.intensityGramsPerKwh, 9);
  expect(emissions.emissionsKg * 1000).toBeCloseTo(emissions.emissionsGrams, 12);
  const row = codecarbonRow(report);
  expect(Number(row.energy_consumed) * 3.6e6).toBeCloseTo(energy.energyJoules, 6);
  expect(Number(row.cpu_power) * duration.durationSeconds).toBeCloseTo(components.cpu.energyJoules ?? 0, 6);
}

describe('tasks, nested and overlapping at random', () => {
  it.each([1, 2, 3])('have what was counted from their start to their stop, seed %d', async (seed) => {
    const random = seededRandom(seed);
    const machine = place.machine(zone('intel-rapl:0', 'package-0'));
    const tracker = new EmissionsTracker({
      sysfs: machine.root,
      nvmlLibrary: `${machine.root}/no-nvml`,
      output: [],
      country: 'FR',
    });
    let ticks = 0;
    const spend = () => {
      ticks += 1 + Math.floor(random() ** 4 * 1e7);
      machine.write(energyFile('intel-rapl:0'), `${microjoules(START_TICKS + ticks)}\n`);
    };
    tracker.start();
    const open: { task: Task; from: number }[] = [];
    for (let step = 0; step < 60; step++) {
      spend();
      if (random() < 0.5) open.push({ task: tracker.startTask(`task ${step}`), from: ticks });
      else {
        const [one] = open.splice(Math.floor(random() * open.length), 1);
        if (one === undefined) continue;
        const report = await one.task.stop();
        expect((report.components.cpu.energyJoules ?? 0) * TICKS_PER_JOULE).toBe(ticks - one.from);
        checkUnits(report);
      }
    }
    const left = open.map(({ task, from }) => ({ task, from }));
    spend();
    const whole = await tracker.stop();
    checkUnits(whole);
    expect((whole.components.cpu.energyJoules ?? 0) * TICKS_PER_JOULE).toBe(ticks);
    for (const { task, from } of left) {
      expect(((await task.stop()).components.cpu.energyJoules ?? 0) * TICKS_PER_JOULE).toBe(ticks - from);
    }
  });

  it('of a process are its share of the same counts', async () => {
    const machine = place.machine(zone('intel-rapl:0', 'package-0'));
    const tracker = new EmissionsTracker({
      sysfs: machine.root,
      nvmlLibrary: `${machine.root}/no-nvml`,
      output: [],
      trackingMode: 'process',
    });
    let sum = 0;
    tracker.start();
    for (let n = 1; n <= 5; n++) {
      const { report } = await tracker.trackTask('one', () => {
        machine.write(
          energyFile('intel-rapl:0'),
          `${microjoules(START_TICKS + n * 1000 * TICKS_PER_JOULE)}\n`,
        );
      });
      checkUnits(report);
      const { attribution, energy } = report;
      expect(energy.energyJoules + (attribution?.restJoules ?? 0)).toBeCloseTo(
        attribution?.machineJoules ?? 0,
        6,
      );
      expect(energy.energyJoules).toBeLessThanOrEqual(attribution?.machineJoules ?? 0);
      sum += report.components.cpu.energyJoules ?? Number.NaN;
      // What is spent between tasks is in none of them, so nothing is.
      for (const until = performance.now() + n * 40; performance.now() < until; );
    }
    const whole = await tracker.stop();
    checkUnits(whole);
    // Before its first count the fixture's counter has a model for a weight, of some milliseconds.
    expect(sum / (whole.components.cpu.energyJoules ?? 0)).toBeCloseTo(1, 2);
  });
});

describe.runIf(hasVirtualMachine)(
  'tasks of five milliseconds, on counters that update every millisecond',
  () => {
    const INDEX = new URL('../../dist/index.js', import.meta.url).href;
    let machine: VirtualMachine;
    beforeAll(() => {
      machine = startMachine('client-with-psys');
    });
    afterAll(() => machine.cleanup());

    it('are measured, and are not zero', async () => {
      const tasks = await machine.script<
        { kind: string; joules: number; seconds: number; codes: string[]; fromNs: bigint; toNs: bigint }[]
      >(`
      const { EmissionsTracker } = await import(${JSON.stringify(INDEX)});
      const tracker = new EmissionsTracker({ output: [] }).start();
      const tasks = [];
      for (let n = 0; n < 20; n++) {
        let fromNs, toNs;
        const { report } = await tracker.trackTask('short', () => {
          fromNs = monotonicNs();
          while (monotonicNs() - fromNs < 5_000_000n);
          toNs = monotonicNs();
        });
        const { cpu } = report.components;
        tasks.push({
          kind: cpu.kind, joules: cpu.energyJoules, seconds: report.duration.durationSeconds,
          codes: report.warnings.map(({ code }) => code), fromNs, toNs,
        });
      }
      await tracker.stop();
      return tasks;`);
      expect(tasks).toHaveLength(20);
      // The package draws 26 W at most, and a reading is up to an update of a millisecond old, at either end.
      const UPDATE_JOULES = 0.0013 * 26;
      for (const { kind, joules, seconds, codes, fromNs, toNs } of tasks) {
        expect(kind).toBe('measured');
        expect(joules).toBeGreaterThan(0);
        expect(codes.includes('short-region')).toBe(seconds < 0.05);
        const truth = machine.trueJoules('package', 0, fromNs, toNs);
        const outside = (seconds - Number(toNs - fromNs) / 1e9) * 26;
        expect(joules).toBeGreaterThan(truth - UPDATE_JOULES);
        expect(joules).toBeLessThan(truth + UPDATE_JOULES + outside);
      }
    });
  },
);
