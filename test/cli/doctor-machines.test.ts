// SPDX-License-Identifier: MIT
//
// The doctor on described machines (test/virtual-machine): what it says of each oddity.
import { afterAll, describe, expect, it } from 'vitest';
import type { CounterTest, Diagnosis } from '../../lib/diagnoses.js';
import { schemaErrors } from '../doctor/fixtures.js';
import { hasVirtualMachine, startMachine, type VirtualMachine } from '../support/virtual-machine.js';

const machines: VirtualMachine[] = [];
afterAll(() => {
  for (const { cleanup } of machines) cleanup();
});

async function doctor(name: string): Promise<{ exitCode: number | null; diagnosis: Diagnosis }> {
  const machine = startMachine(name);
  machines.push(machine);
  const { stdout, exitCode } = await machine.runCli(['doctor', '--json']);
  const diagnosis: Diagnosis = JSON.parse(stdout);
  expect(schemaErrors(diagnosis)).toEqual([]);
  return { exitCode, diagnosis };
}

const sourceOf = ({ sources }: Diagnosis, name: string) => sources.find(({ source }) => source === name);
const tested = ({ test }: Diagnosis, id: string): CounterTest | undefined =>
  test?.counters.find((counter) => counter.id === id);
const results = ({ test }: Diagnosis, kind: string): string[] =>
  (test?.checks ?? []).filter((check) => check.kind === kind).map(({ result }) => result);

describe.skipIf(!hasVirtualMachine)('doctor, on a described machine', () => {
  it('finds period, jitter, quantum and power, and that three interfaces agree', async () => {
    const { exitCode, diagnosis } = await doctor('client-with-psys');
    expect(exitCode).toBe(0);
    const found = tested(diagnosis, 'perf:energy-pkg:0');
    expect(found).toMatchObject({ moved: true, inTotal: true, quantumJoules: 2 ** -14 });
    expect(Math.abs((found?.updatePeriodSeconds ?? 0) / 1e-3 - 1)).toBeLessThan(0.02);
    // 20 µs for each of the two updates, and what a busy machine adds.
    expect(found?.jitterSeconds).toBeGreaterThan(15e-6);
    expect(found?.jitterSeconds).toBeLessThan(60e-6);
    expect(results(diagnosis, 'twins')).toEqual(Array(10).fill('agree'));
    expect(results(diagnosis, 'parts')).toEqual(Array(3).fill('agree'));
    expect(results(diagnosis, 'platform')).toEqual(Array(3).fill('agree'));
    expect(diagnosis.resolution[0]?.regionSeconds).toBeCloseTo(0.041, 2);
    expect(diagnosis.machine.energyFilter.state).toBe('off');
    expect(diagnosis.test?.readCosts.map(({ source }) => source)).toEqual(['perf', 'powercap', 'msr']);
  });

  it('finds the same power while it is busy, where it is the same', async () => {
    const { diagnosis } = await doctor('four-sockets-dram');
    const counted = diagnosis.test?.counters.filter(({ inTotal }) => inTotal) ?? [];
    expect(counted).toHaveLength(8);
    for (const { id, idleWatts = 0, busyWatts = 0 } of counted) {
      expect(Math.abs(busyWatts / idleWatts - 1), id).toBeLessThan(0.005);
    }
  });

  it('holds AMD’s cores against their package, and powercap’s one core against nothing', async () => {
    const { diagnosis } = await doctor('amd-per-core');
    expect(results(diagnosis, 'parts')).toEqual(['agree', 'agree']);
    expect(results(diagnosis, 'twins')).not.toContain('disagree');
    expect(sourceOf(diagnosis, 'perf-core')?.status).toBe('ok');
    const cores = tested(diagnosis, 'perf-core:energy-core:0');
    expect(cores).toMatchObject({ moved: true, detail: expect.stringContaining('one after another') });
    expect(cores).not.toHaveProperty('updatePeriodSeconds');
  });

  it('knows an emulator by its second', async () => {
    const { diagnosis } = await doctor('emulated-every-second');
    expect(tested(diagnosis, 'msr:package:0')?.updatePeriodSeconds).toBeCloseTo(1, 1);
    expect(diagnosis.sources.map(({ reason }) => reason).join()).not.toMatch(/Nothing can be done|modprobe/);
    expect(tested(diagnosis, 'msr:package:0')?.detail).toContain('regions below a second say nothing');
  });

  it('measures nothing by zeros', async () => {
    const { exitCode, diagnosis } = await doctor('reads-zeros');
    expect(exitCode).toBe(1);
    expect(sourceOf(diagnosis, 'msr')?.status).toBe('virtualised');
    expect(diagnosis.sources.filter(({ reason }) => reason.includes('QEMU 9.1'))).toHaveLength(1);
    expect(diagnosis.sources.flatMap(({ fixes }) => fixes)).toEqual([]);
  });

  it('knows a counter that froze from a slow one', async () => {
    const { exitCode, diagnosis } = await doctor('frozen-counter');
    expect(exitCode).toBe(0);
    const frozen = diagnosis.test?.counters.filter(({ status }) => status === 'stale');
    expect(frozen).toMatchObject([
      { moved: true, inTotal: false, detail: expect.stringContaining('stood still') },
    ]);
  });

  it.each([
    ['frozen-counter', 'stale', 'microjoule run'],
    ['steps-back', 'implausible', 'microjoule run'],
    ['unreadable-zone-eacces', 'no-permission', 'udev'],
    ['unreadable-zone-eio', 'failed', 'dmesg'],
  ])('says of %s that a package is lost', async (name, status, next) => {
    const { exitCode, diagnosis } = await doctor(name);
    const { verdict } = diagnosis;
    expect(exitCode).toBe(0);
    expect(verdict.lost).toHaveLength(1);
    const [id = ''] = verdict.lost;
    expect(verdict.sentence).toContain(`; not ${id} (${status}), so totals are "at least".`);
    expect(verdict.next.command).toContain(next);
    expect(tested(diagnosis, id)).toMatchObject({ status, inTotal: false });
  });

  it.each([
    'two-sockets-dram',
    'mmio-twin',
    'dies-that-mirror',
    'sixteen-packages',
  ])('misses nothing of %s, where meters are reached twice', async (name) => {
    const { diagnosis } = await doctor(name);
    expect(diagnosis.verdict.lost).toEqual([]);
  });

  it.each(['suspend', 'renumbered-pmu'])('asks for another try after %s', async (name) => {
    const { exitCode, diagnosis } = await doctor(name);
    expect(exitCode).toBe(1);
    expect(diagnosis.verdict.next.command).toBe('microjoule doctor');
  });

  it.each([
    ['locked-down', 'powercap', 'no-permission', 'udev'],
    ['masked-container', 'powercap', 'masked', '/host/sys'],
    ['seccomp-container', 'perf', 'no-permission', ''],
  ])('says of %s what would open %s', async (name, source, status, word) => {
    const { diagnosis } = await doctor(name);
    const judged = sourceOf(diagnosis, source);
    expect(judged?.status).toBe(status);
    expect(JSON.stringify(judged?.fixes)).toContain(word);
  });

  it('tells of the energy filter', async () => {
    const { diagnosis } = await doctor('noisy-filter');
    expect(['on', 'possible']).toContain(diagnosis.machine.energyFilter.state);
  });
});
