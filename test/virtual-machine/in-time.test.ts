// SPDX-License-Identifier: MIT
//
// What befalls machines while they are measured. Which interval of two readings is broken by it follows from the
// readings' own times, so that a slow machine that runs the tests decides nothing.
import { describe, expect, it } from 'vitest';
import type { CounterDelta } from '../../lib/meter/meter.js';
import type { Reading } from '../../lib/meter/reading.js';
import { hasVirtualMachine, runInMachine, type VirtualMachine } from '../support/virtual-machine.js';
import { extraRatio, getMeters, possibleJoules } from './truth.js';

const DIST = new URL('../../dist/index.js', import.meta.url).href;

interface Measured {
  readings: Reading[];
  /** Between each reading and the next, */
  deltas: CounterDelta[][];
  /** and between the first and the last. */
  whole: CounterDelta[];
}

/** Readings at these times of the machine, the first of them at open. `until`: then one every 0.2 s until it is so. */
function measuring(sources: string | undefined, times: readonly number[], until = 'true'): string {
  return `
    const meter = openMeter(${JSON.stringify({ sources: sources?.split(' ') })});
    const readings = [meter.opened];
    const states = (id) => readings.map(({ counters }) => counters[meter.counters.findIndex((one) => one.id === id)]);
    const breaks = (id) => states(id).at(-1).breakCount;
    const deltas = [];
    const take = () => {
      readings.push(meter.read());
      deltas.push(meter.between(...readings.slice(-2)));
    };
    for (const seconds of ${JSON.stringify(times)}) {
      await untilMachineTime(seconds);
      take();
    }
    for (let i = 0; i < 50 && !(${until}); i++) {
      await wait(200);
      take();
    }
    // One more, for what comes after.
    await wait(100);
    take();
    const whole = meter.between(readings[0], readings.at(-1));
    meter.close();
    return { readings, deltas, whole };`;
}

function pick(deltas: readonly CounterDelta[] | undefined, id: string): CounterDelta {
  const found = deltas?.find(({ counter }) => counter.id === id);
  if (found === undefined) throw new Error(`${id} was not read`);
  return found;
}

function at<T>(all: readonly T[], index: number): T {
  const found = all.at(index);
  if (found === undefined) throw new Error(`there is no element ${index}`);
  return found;
}

function expectTruth(
  machine: VirtualMachine,
  delta: CounterDelta,
  meter: string,
  from: Reading,
  to: Reading,
): void {
  const { status, detail, energyJoules = Number.NaN, counter } = delta;
  expect({ id: counter.id, status, detail }).toMatchObject({ id: counter.id, status: 'ok' });
  const { least, most } = possibleJoules(machine, getMeters(machine, meter), from, to);
  expect(energyJoules, counter.id).toBeGreaterThanOrEqual(least * extraRatio(machine, counter.id));
  expect(energyJoules, counter.id).toBeLessThanOrEqual(most * extraRatio(machine, counter.id));
}

/**
 * That the one interval in which it happened has no energy, for this reason, and all others have theirs.
 * @param seconds when it happened, in the machine's time
 */
function expectOneBreak(
  machine: VirtualMachine,
  { readings, deltas, whole }: Measured,
  [id, meter]: readonly [string, string],
  seconds: number,
  reason: string,
): void {
  const eventNs = machine.epochNs() + BigInt(Math.round(seconds * 1e9));
  const index = whole.findIndex(({ counter }) => counter.id === id);
  const breakCounts = readings.map(({ counters }) => at(counters, index).breakCount);
  for (const [i, all] of deltas.entries()) {
    const [from, to] = [at(readings, i), at(readings, i + 1)];
    const delta = pick(all, id);
    const broken = breakCounts[i] !== breakCounts[i + 1];
    if (to.afterNs < eventNs || from.beforeNs > eventNs) expect([id, i, broken]).toEqual([id, i, false]);
    if (from.afterNs < eventNs && to.beforeNs > eventNs) expect([id, i, broken]).toEqual([id, i, true]);
    if (broken) {
      expect(delta).toMatchObject({ status: 'implausible', inTotal: false });
      expect(delta).not.toHaveProperty('energyJoules');
    } else {
      expectTruth(machine, delta, meter, from, to);
    }
  }
  // Opened after it had happened, a meter knows nothing of it.
  if (at(readings, 0).beforeNs > eventNs) return;
  expect(breakCounts.at(-1)).toBe(1);
  expect(pick(whole, id)).toMatchObject({ status: 'implausible', detail: expect.stringContaining(reason) });
}

const TWO_SOCKETS = [
  ['perf:energy-pkg:1', 'package-1'],
  ['powercap:intel-rapl:1', 'package-1'],
  ['msr:package:1', 'package-1'],
] as const;
const BY_ALL = 'perf powercap msr';

describe.skipIf(!hasVirtualMachine).concurrent('while a machine is measured', () => {
  it('its PMU is renumbered: opened anew, with one break, and read on', async () => {
    const { result, machine } = await runInMachine<Measured>(
      'renumbered-pmu',
      measuring('perf', [0.1, 0.2, 0.4, 0.5]),
    );
    expectOneBreak(machine, result, ['perf:energy-pkg:0', 'package-0'], 0.3, 'began anew');
    expectOneBreak(machine, result, ['perf:energy-ram:0', 'dram-0'], 0.3, 'began anew');
  });

  it('a counter steps back: one interval is lost to each interface, and none of the other counters', async () => {
    const { result, machine } = await runInMachine<Measured>(
      'two-sockets-dram',
      measuring(BY_ALL, [0.1, 0.2, 0.4, 0.5]),
      'fault meter package-1 back 40J from 0.3s',
    );
    for (const counter of TWO_SOCKETS) {
      expectOneBreak(machine, result, counter, 0.3, 'it was reset');
    }
    const [first, last] = [at(result.readings, 0), at(result.readings, -1)];
    for (const id of ['perf:energy-pkg:0', 'powercap:intel-rapl:0', 'msr:package:0']) {
      expectTruth(machine, pick(result.whole, id), 'package-0', first, last);
    }
  });

  it('sleeps: no interface has energy of that interval', async () => {
    const { result, machine } = await runInMachine<Measured>(
      'two-sockets-dram',
      measuring(BY_ALL, [0.1, 0.2, 0.4, 0.5]),
      'suspend at 0.3s for 3600s',
      'fault meter package-1 back 10J from 0.3s',
    );
    for (const counter of TWO_SOCKETS) expectOneBreak(machine, result, counter, 0.3, 'slept');
    // Nor has one that went on, which nobody can tell.
    expectOneBreak(machine, result, ['perf:energy-pkg:0', 'package-0'], 0.3, 'slept');
  });

  it('a zone fails for a while: what has it at both ends is whole, what has not says why', async () => {
    const { result, machine } = await runInMachine<Measured>(
      'eio-for-a-while',
      measuring('powercap', [0.1, 0.2, 0.4, 0.6]),
    );
    const [id, meter] = ['powercap:intel-rapl:1', 'package-1'] as const;
    const { readings, deltas, whole } = result;
    const index = whole.findIndex(({ counter }) => counter.id === id);
    for (const [i, all] of deltas.entries()) {
      const [from, to] = [at(readings, i), at(readings, i + 1)];
      const failed = [from, to].map(({ counters }) => at(counters, index).statusCode !== 0);
      if (failed[1]) expect(pick(all, id).status).toBe('failed');
      else if (failed[0]) expect(pick(all, id).detail).toContain('could not be read at the start');
      else expectTruth(machine, pick(all, id), meter, from, to);
      expectTruth(machine, pick(all, 'powercap:intel-rapl:0'), 'package-0', from, to);
    }
    expectTruth(machine, pick(whole, id), meter, at(readings, 0), at(readings, -1));
  });

  it('a zone goes away and comes back: read on, with one break', async () => {
    const id = 'powercap:intel-rapl:1';
    const { result, machine } = await runInMachine<Measured>(
      'unreadable-zone-vanishes',
      measuring('powercap', [0.2, 0.4, 0.7], `states('${id}').at(-1).statusCode === 0`),
    );
    const { readings, deltas, whole } = result;
    const index = whole.findIndex(({ counter }) => counter.id === id);
    const away = readings.some(({ counters }) => at(counters, index).statusCode !== 0);
    expectTruth(machine, pick(deltas.at(-1), id), 'package-1', at(readings, -2), at(readings, -1));
    if (away) expect(pick(whole, id)).toMatchObject({ status: 'implausible', inTotal: false });
    if (away) expect(pick(whole, id).detail).toContain('began anew');
    expectTruth(
      machine,
      pick(whole, 'powercap:intel-rapl:0'),
      'package-0',
      at(readings, 0),
      at(readings, -1),
    );
  });

  it('a counter stands still for more than 3 s: a break when that is plain, and one when it goes on', async () => {
    const { result, machine } = await runInMachine<Measured>(
      'two-sockets-dram',
      measuring(BY_ALL, [0.1, 0.2], TWO_SOCKETS.map(([id]) => `breaks('${id}') >= 2`).join(' && ')),
      'fault meter package-1 freeze from 0.3s to 4.5s',
    );
    const { readings, deltas, whole } = result;
    for (const [id, meter] of TWO_SOCKETS) {
      const index = whole.findIndex(({ counter }) => counter.id === id);
      expect(at(at(readings, -1).counters, index).breakCount).toBe(2);
      expect(deltas.map((all) => pick(all, id).status)).toContain('stale');
      expect(pick(whole, id)).toMatchObject({ status: 'implausible', inTotal: false });
      expect(pick(whole, id).detail).toContain('stood still for seconds');
      expectTruth(machine, pick(deltas.at(-1), id), meter, at(readings, -2), at(readings, -1));
    }
    expectTruth(machine, pick(whole, 'perf:energy-pkg:0'), 'package-0', at(readings, 0), at(readings, -1));
  });

  it('a host counts for it once a second: right within that second', async () => {
    const { result, machine } = await runInMachine<Measured>(
      'emulated-every-second',
      measuring('msr', [2.6]),
    );
    const [from, to] = [at(result.readings, 0), at(result.readings, 1)];
    expectTruth(machine, pick(result.deltas[0], 'msr:package:0'), 'package-0', from, to);
    expect(possibleJoules(machine, getMeters(machine, 'package-0'), from, to).least).toBeGreaterThan(40);
  });

  it('one zone is slow to read: each counter keeps its energy, and the reading says how long it took', async () => {
    const { result, machine } = await runInMachine<Measured>(
      'slow-read',
      measuring('powercap', [0.2, 0.4]),
      'fault zone intel-rapl:0 slow 40ms',
    );
    const { readings, whole } = result;
    for (const { beforeNs, afterNs } of readings)
      expect(afterNs - beforeNs).toBeGreaterThanOrEqual(45_000_000n);
    for (const [id, meter] of [
      ['powercap:intel-rapl:0', 'package-0'],
      ['powercap:intel-rapl:1', 'package-1'],
      ['powercap:intel-rapl:1:0', 'dram-1'],
    ] as const) {
      expectTruth(machine, pick(whole, id), meter, at(readings, 0), at(readings, -1));
    }
  });
});

describe.skipIf(!hasVirtualMachine).concurrent('two sockets that are alike', () => {
  const ALIKE = [
    'processor intel 6 0x8f',
    'cpus 0 package 0',
    'cpus 1 package 1',
    ...[0, 1].flatMap((n) => [
      `meter package-${n} power 50W jitter 20us start 70000000`,
      `zone intel-rapl:${n} package-${n} of package-${n}`,
      `msr ${n}`,
      `register ${n} 0x606 0xa0e03`,
      `register ${n} 0x611 of package-${n}`,
    ]),
    'pmu power 30 cpus 0-1',
    'event power energy-pkg 2 cpu 0 of package-0',
    'event power energy-pkg 2 cpu 1 of package-1',
  ].join('\n');

  it.each(['perf', 'powercap', 'msr'])('are two, by %s', async (source) => {
    const { result, machine } = await runInMachine<Measured>(ALIKE, measuring(source, [0.2, 0.4]));
    expect(result.whole.map(({ inTotal, apart }) => ({ inTotal, apart }))).toEqual(
      Array(2).fill({ inTotal: true, apart: '' }),
    );
    for (const [i, delta] of result.whole.entries()) {
      expectTruth(machine, delta, `package-${i}`, at(result.readings, 0), at(result.readings, -1));
    }
  });
});

describe.skipIf(!hasVirtualMachine)('threads of a process', () => {
  it('share one meter, each with its own region, and one may end at any time', async () => {
    type Region = { from: Reading; to: Reading; deltas: CounterDelta[] };
    const { result, machine } = await runInMachine<{ files: number[]; regions: Region[] }>(
      'two-sockets-dram',
      `const { Worker } = await import('node:worker_threads');
      const { readdirSync, readlinkSync } = await import('node:fs');
      const link = (fd) => { try { return readlinkSync('/proc/self/fd/' + fd); } catch { return ''; } };
      const files = () => readdirSync('/proc/self/fd').filter((fd) => link(fd).startsWith(root)).length;
      const code = \`
        const load = Promise.all([import('node:worker_threads'), import('${DIST}')]);
        load.then(([{ parentPort, workerData }, { openMeter }]) => {
          const meter = openMeter({ sources: ['perf', 'powercap', 'msr'] });
          const from = meter.read();
          parentPort.postMessage('open');
          parentPort.once('message', () => {
            const to = meter.read();
            parentPort.postMessage({ from, to, deltas: meter.between(from, to) });
          });
          while (workerData.busy) meter.sample();
        });\`;
      const start = (busy) => new Worker(code, { eval: true, workerData: { busy } });
      const message = (worker) => new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
      const meter = openMeter({ sources: ['perf', 'powercap', 'msr'] });
      const from = meter.read();
      const before = files();
      const workers = [start(false), start(false)];
      const busy = start(true);
      await Promise.all([...workers, busy].map(message));
      const during = files();
      await wait(50);
      await busy.terminate();
      await wait(50);
      const ends = workers.map(message);
      for (const worker of workers) worker.postMessage('end');
      const regions = await Promise.all(ends);
      await Promise.all(workers.map((worker) => worker.terminate()));
      const to = meter.read();
      regions.push({ from, to, deltas: meter.between(from, to) });
      const after = files();
      meter.close();
      return { files: [before, during, after, files()], regions };`,
    );
    for (const { from, to, deltas } of result.regions) {
      expect(deltas).toHaveLength(12);
      for (const delta of deltas) {
        expectTruth(machine, delta, `${delta.counter.domain}-${delta.counter.device}`, from, to);
      }
    }
    // Four zones, the registers of two CPUs and their batch: no more of them for the other threads.
    expect(result.files).toEqual([7, 7, 7, 0]);
  });
});
