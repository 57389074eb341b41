// SPDX-License-Identifier: MIT
//
// The meter in virtual machines, against truth: what the powercap source says of energy, of wraps and of faults.
import { describe, expect, it } from 'vitest';
import type { CounterDelta } from '../../lib/meter/meter.js';
import type { Reading } from '../../lib/meter/reading.js';
import {
  hasVirtualMachine,
  runInMachine,
  startMachine,
  type VirtualMachine,
} from '../support/virtual-machine.js';

interface Measured {
  readings: Reading[];
  /** Between each reading and the next. */
  deltas: CounterDelta[][];
}

/** Takes a reading at open and one at each of these times of the machine. */
function measuring(...times: number[]): string {
  return `
    const meter = openMeter({ sources: ['powercap'] });
    const readings = [meter.opened];
    for (const seconds of ${JSON.stringify(times)}) {
      await untilMachineTime(seconds);
      readings.push(meter.read());
    }
    const deltas = readings.slice(1).map((reading, i) => meter.between(readings[i], reading));
    meter.close();
    return { readings, deltas };`;
}

/** A row of a zone, in the interval of this number. */
function row({ deltas }: Measured, zone: string, interval = 0): CounterDelta {
  const found = deltas[interval]?.find(({ counter }) => counter.id === `powercap:${zone}`);
  if (found === undefined) throw new Error(`${zone} was not read`);
  return found;
}

/** The counts that a meter can have counted between two readings, at least and at most. */
function possible(machine: VirtualMachine, meter: string, from: Reading, to: Reading): [bigint, bigint] {
  const at = (ns: bigint) => machine.count(meter, ns);
  return [at(to.beforeNs) - at(from.afterNs), at(to.afterNs) - at(from.beforeNs)];
}

/** Whether the meter was open before the fault that machines have at 0.3 s: always, unless its process was stopped. */
function openedBefore(machine: VirtualMachine, { readings }: Measured): boolean {
  return (readings[0]?.afterNs ?? 0n) - machine.epochNs() < 300_000_000n;
}

function expectTruth(
  machine: VirtualMachine,
  measured: Measured,
  zone: string,
  meter: string,
  interval = 0,
): void {
  const [from, to] = measured.readings.slice(interval);
  const delta = row(measured, zone, interval);
  if (from === undefined || to === undefined) throw new Error('no such interval');
  expect({ zone, status: delta.status, detail: delta.detail }).toMatchObject({ zone, status: 'ok' });
  const { scaleNumerator, scaleDenominator } = delta.counter;
  const joules = (counts: bigint) => Number(counts * scaleNumerator) / Number(scaleDenominator);
  const [least, most] = possible(machine, meter, from, to).map(joules);
  expect(delta.energyJoules).toBeGreaterThanOrEqual(least ?? Number.NaN);
  expect(delta.energyJoules).toBeLessThanOrEqual(most ?? Number.NaN);
}

describe.skipIf(!hasVirtualMachine).concurrent('the meter in a virtual machine', () => {
  it.each([
    [
      'client-with-psys',
      { 'intel-rapl:0': 'package-0', 'intel-rapl:0:0': 'core-0', 'intel-rapl:1': 'psys-0' },
    ],
    ['four-sockets-dram', { 'intel-rapl:2': 'package-4', 'intel-rapl:3:0': 'dram-5' }],
    ['package-1-first', { 'intel-rapl:0': 'package-1', 'intel-rapl:1': 'package-0' }],
    ['sixteen-packages', { 'intel-rapl:a': 'package-10', 'intel-rapl:f': 'package-15' }],
    ['psys-between-packages', { 'intel-rapl:0': 'package-0', 'intel-rapl:2:0': 'dram-1' }],
  ])('%s: each counter has its energy, to the count', async (name, meters) => {
    const { result, machine } = await runInMachine<Measured>(name, measuring(0.1, 0.4));
    for (const [zone, meter] of Object.entries(meters)) expectTruth(machine, result, zone, meter, 1);
  });

  it('is within one update of the true energy at each end', async () => {
    const { result, machine } = await runInMachine<Measured>('client-with-psys', measuring(0.1, 0.4));
    const [, from, to] = result.readings;
    if (from === undefined || to === undefined) throw new Error('no reading');
    // An update comes at most 1.9 periods after the last: a period, and 0.45 of jitter on both.
    const updateNs = 1_900_000n;
    const least = machine.trueJoules('package', 0, from.afterNs, to.beforeNs - updateNs);
    const most = machine.trueJoules('package', 0, from.beforeNs - updateNs, to.afterNs);
    const { energyJoules } = row(result, 'intel-rapl:0', 1);
    const quantum = 2 ** -14;
    expect(energyJoules).toBeGreaterThan(least - quantum);
    expect(energyJoules).toBeLessThan(most + quantum);
  });

  it('sees through a wrap', async () => {
    // 20 J before its end, at 200 W.
    const start = 2 ** 32 - 20 * 2 ** 14;
    const text = `meter package-0 power 200W start ${start}\nzone intel-rapl:0 package-0 of package-0\n`;
    const { result, machine } = await runInMachine<Measured>(text, measuring(0.3));
    expectTruth(machine, result, 'intel-rapl:0', 'package-0');
    expect(row(result, 'intel-rapl:0').energyJoules).toBeGreaterThan(40);
  });

  it('goes on with the others where one cannot be read', async () => {
    const cases = [
      ['unreadable-zone-eacces', 'no-permission'],
      ['unreadable-zone-enoent', 'not-found'],
      ['unreadable-zone-eio', 'failed'],
      ['unreadable-zone-enodata', 'failed'],
      ['unreadable-zone-einval', 'failed'],
    ] as const;
    for (const [name, status] of cases) {
      const { result, machine } = await runInMachine<Measured>(name, measuring(0.1));
      expect([name, row(result, 'intel-rapl:1').status]).toEqual([name, status]);
      expectTruth(machine, result, 'intel-rapl:0', 'package-0');
      expectTruth(machine, result, 'intel-rapl:1:0', 'dram-1');
    }
  });

  it('goes on after a zone that failed for a while, and loses nothing', async () => {
    // By calls: the zone fails at the second and third reading.
    const { result, machine } = await runInMachine<Measured>(
      'four-sockets-dram',
      measuring(0.1, 0.2, 0.3, 0.4),
      'fault zone intel-rapl:1 read EIO after 1 for 2',
    );
    expect([0, 1, 2, 3].map((interval) => row(result, 'intel-rapl:1', interval).status)).toEqual([
      'failed',
      'failed',
      'failed',
      'ok',
    ]);
    expectTruth(machine, result, 'intel-rapl:1', 'package-1', 3);
    expectTruth(machine, result, 'intel-rapl:0', 'package-0', 0);
  });

  it('says that a zone vanished', async () => {
    const { result } = await runInMachine<Measured>('unreadable-zone-vanishes', measuring(0.35, 0.7));
    for (const interval of [0, 1]) {
      expect(row(result, 'intel-rapl:1', interval)).toMatchObject({ status: 'not-found' });
      expect(row(result, 'intel-rapl:1', interval).detail).toMatch(/vanished|does not exist/);
    }
  });

  it('calls a frozen counter stale', async () => {
    const { result, machine } = await runInMachine<Measured>('frozen-counter', measuring(0.35, 0.5));
    expect(row(result, 'intel-rapl:1', 1)).toMatchObject({ status: 'stale', inTotal: false });
    expectTruth(machine, result, 'intel-rapl:0', 'package-0', 1);
  });

  it('refuses an interval in which a counter stepped back', async () => {
    const { result, machine } = await runInMachine<Measured>('steps-back', measuring(0.35, 0.5));
    const status = openedBefore(machine, result) ? 'implausible' : 'ok';
    expect(row(result, 'intel-rapl:1')).toMatchObject({ status, inTotal: status === 'ok' });
    expectTruth(machine, result, 'intel-rapl:0', 'package-0', 0);
    expect(row(result, 'intel-rapl:1', 1)).toMatchObject({ status: 'ok' });
  });

  it('refuses an interval in which the machine slept', async () => {
    const { result, machine } = await runInMachine<Measured>('suspend', measuring(0.35, 0.5));
    if (openedBefore(machine, result)) {
      expect(row(result, 'intel-rapl:0')).toMatchObject({ status: 'implausible' });
      expect(row(result, 'intel-rapl:0').detail).toContain('slept');
    }
    expect(row(result, 'intel-rapl:0', 1)).toMatchObject({ status: 'ok' });
  });
});

describe.skipIf(!hasVirtualMachine)('the command in a virtual machine', () => {
  it('reports the one total, as far as truth goes', async () => {
    const machine = startMachine('package-1-first');
    try {
      const fromNs = process.hrtime.bigint();
      const { stdout, exitCode } = await machine.runCli(['run', '--json', '--duration', '0.3']);
      const toNs = process.hrtime.bigint();
      expect(exitCode).toBe(0);
      const { energyJoules, source } = JSON.parse(stdout).energy;
      expect(source).toBe('perf');
      // At least the energy of the time it was told to measure, less an update; at most that of its life.
      const epochNs = machine.epochNs();
      expect(energyJoules).toBeGreaterThan(machine.trueTotalJoules(epochNs, epochNs + 295_000_000n));
      expect(energyJoules).toBeLessThan(machine.trueTotalJoules(fromNs, toNs));
    } finally {
      machine.cleanup();
    }
  });
});
