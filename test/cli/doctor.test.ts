// SPDX-License-Identifier: MIT
import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import type { CounterTest, Diagnosis } from '../../lib/diagnoses.js';
import { GUEST, schemaErrors } from '../doctor/fixtures.js';
import { fakeNvmlLibrary } from '../support/fake-nvml.js';
import type { FixtureMachine } from '../support/machine.js';
import { type MovingZone, moveZones } from '../support/moving-zones.js';
import { RANGE_15_UJ } from '../support/powercap.js';
import { runCli, spawnCli } from '../support/run-cli.js';
import { withoutPrivilege } from '../support/without-privilege.js';
import { energyFile, on, useWorkplace, zone } from './fixtures.js';

const place = useWorkplace();
const stops: (() => void)[] = [];
afterAll(() => {
  for (const stop of stops) stop();
});

// Skylake-SP, whose memory counts in 15.3 µJ.
const cpu = { 'devices/system/cpu/modalias': 'cpu:type:x86,ven0000fam0006mod0055:feature:,0000,0001,0002' };

async function doctor(
  flags: string[],
  env: Record<string, string> = {},
): Promise<{ exitCode: number | null; diagnosis: Diagnosis }> {
  const { stdout, stderr, exitCode } = await runCli(['doctor', '--json', ...flags], { env });
  expect(stderr).toBe('');
  expect(stdout).not.toMatch(/NaN|Infinity/);
  const diagnosis: Diagnosis = JSON.parse(stdout);
  expect(schemaErrors(diagnosis)).toEqual([]);
  return { exitCode, diagnosis };
}

async function move(machine: FixtureMachine, zones: MovingZone[]): Promise<void> {
  stops.push((await moveZones(machine, zones)).stop);
}

const tested = ({ test }: Diagnosis, id: string): CounterTest | undefined =>
  test?.counters.find((counter) => counter.id === `powercap:${id}`);
const sourceOf = ({ sources }: Diagnosis, name: string) => sources.find(({ source }) => source === name);

describe('doctor --json', () => {
  it('measures two working zones, and compares them', async () => {
    const dram = { 'class/powercap/intel-rapl:0:0/max_energy_range_uj': RANGE_15_UJ };
    const machine = place.machine(
      cpu,
      zone('intel-rapl:0', 'package-0'),
      zone('intel-rapl:0:0', 'dram'),
      zone('intel-rapl:0:1', 'core'),
      zone('intel-rapl-mmio:0', 'package-0'),
      zone('intel-rapl:1', 'psys'),
      dram,
    );
    await move(machine, [
      { folder: 'intel-rapl:0', watts: 50, periodMs: 4 },
      { folder: 'intel-rapl:0:0', watts: 8, unitNanojoules: 15_300, periodMs: 4 },
      { folder: 'intel-rapl:0:1', watts: 90, periodMs: 4 },
      { folder: 'intel-rapl-mmio:0', watts: 25, periodMs: 4 },
    ]);
    const { exitCode, diagnosis } = await doctor(on(machine));
    expect(exitCode).toBe(0);
    expect(diagnosis.verdict).toMatchObject({ measured: true });
    expect(diagnosis.verdict.sentence).toContain('measures the CPU and memory, through powercap');
    const zone0 = tested(diagnosis, 'intel-rapl:0');
    expect(zone0).toMatchObject({ moved: true, inTotal: true, status: 'ok' });
    // The writer shares two cores with the reader and with other tests.
    expect(zone0?.idleWatts).toBeGreaterThan(45);
    expect(zone0?.idleWatts).toBeLessThan(55);
    expect(zone0?.updatePeriodSeconds).toBeGreaterThan(0.0035);
    expect(zone0?.updatePeriodSeconds).toBeLessThan(0.008);
    expect(zone0?.quantumJoules).toBeCloseTo(2 ** -14, 9);
    expect(tested(diagnosis, 'intel-rapl:0:0')?.quantumJoules).toBeCloseTo(15.3e-6, 9);
    expect(tested(diagnosis, 'intel-rapl:1')).toMatchObject({
      moved: false,
      status: 'stale',
      detail: expect.stringContaining('unknown, not 0'),
    });
    const [one, five] = diagnosis.resolution;
    expect(one?.errorRatio).toBe(0.01);
    expect((one?.regionSeconds ?? 0) / (five?.regionSeconds ?? 1)).toBeCloseTo(5, 6);
    const checks = diagnosis.test?.checks ?? [];
    expect(checks.map(({ kind, result }) => `${kind} ${result}`)).toEqual([
      'parts disagree',
      'twins disagree',
    ]);
    expect(checks[1]?.factorRatio).toBeCloseTo(0.5, 1);
    const cost = diagnosis.test?.readCosts[0];
    expect(cost).toMatchObject({ source: 'powercap', counterCount: 5 });
    expect(cost?.readCount).toBeGreaterThan(2000);
    expect(cost?.p99Ns).toBeGreaterThanOrEqual(cost?.medianNs ?? Number.NaN);
    expect(diagnosis.test?.durationSeconds).toBeLessThan(4);
  });

  it('knows the second of an emulator', async () => {
    const machine = place.machine(
      { 'devices/system/cpu/modalias': GUEST },
      zone('intel-rapl:0', 'package-0'),
    );
    await move(machine, [{ folder: 'intel-rapl:0', watts: 20, periodMs: 1000 }]);
    const { diagnosis } = await doctor(on(machine));
    expect(diagnosis.machine.hardware.state).toBe('virtual-machine');
    expect(tested(diagnosis, 'intel-rapl:0')?.detail).toContain('regions below a second say nothing');
    expect(diagnosis.resolution[0]?.regionSeconds).toBeGreaterThan(20);
  });

  it('does not take a counter that stands still for a measurement', async () => {
    const { exitCode, diagnosis } = await doctor(on(place.machine(cpu, zone('intel-rapl:0', 'package-0'))));
    expect(exitCode).toBe(1);
    expect(diagnosis.verdict.sentence).toMatch(/do not move.*estimates/);
    expect(diagnosis.resolution).toEqual([]);
    expect(sourceOf(diagnosis, 'powercap')).toMatchObject({
      status: 'stale',
      reason: expect.stringContaining('does not move'),
    });
    expect(tested(diagnosis, 'intel-rapl:0')).not.toHaveProperty('energyJoules');
  });

  it('says what a machine without counters lacks', async () => {
    const { exitCode, diagnosis } = await doctor(on(place.machine(cpu)));
    expect(exitCode).toBe(1);
    expect(diagnosis).not.toHaveProperty('test');
    expect(diagnosis.machine.cpu).toMatchObject({ vendor: 'GenuineIntel', family: 6, model: 0x55 });
    expect(sourceOf(diagnosis, 'powercap')).toMatchObject({ status: 'not-found', needed: true });
    expect(diagnosis.verdict.next.command).not.toBe('');
  });

  it('keeps what can be read beside what cannot', async () => {
    const machine = place.machine(cpu, zone('intel-rapl:0', 'package-0'), zone('intel-rapl:1', 'package-1'), {
      [energyFile('intel-rapl:1')]: '',
    });
    await move(machine, [{ folder: 'intel-rapl:0', watts: 20 }]);
    const { exitCode, diagnosis } = await doctor(on(machine));
    expect(exitCode).toBe(0);
    const powercap = sourceOf(diagnosis, 'powercap');
    expect(powercap?.status).toBe('ok');
    expect(diagnosis.test?.counters.map(({ id, moved, status }) => [id, moved, status])).toEqual([
      ['powercap:intel-rapl:0', true, 'ok'],
      ['powercap:intel-rapl:1', false, 'failed'],
    ]);
    expect(diagnosis.verdict.lost).toEqual(['powercap:intel-rapl:1']);
  });

  it('sees through a masked container', async () => {
    const machine = place.machine(cpu, {
      'class/powercap/intel-rapl:0': { link: '../../devices/virtual/powercap/intel-rapl/intel-rapl:0' },
    });
    const { exitCode, diagnosis } = await doctor(on(machine));
    expect(exitCode).toBe(1);
    const powercap = sourceOf(diagnosis, 'powercap');
    expect(powercap?.status).toBe('masked');
    expect(JSON.stringify(powercap?.fixes)).toContain('/host/sys');
    expect(diagnosis.verdict.next.command).toContain('/host/sys');
  });

  it('reads the energy filter from its register', async () => {
    const registers = Buffer.alloc(0xc4);
    registers.writeBigUInt64LE(1n, 0xbc);
    const machine = place.machine(cpu, { 'cpu/0/msr': registers.toString('latin1') });
    const { diagnosis } = await doctor([...on(machine), '--dev', machine.root]);
    expect(diagnosis.machine.energyFilter.state).toBe('on');
  });

  it.skipIf(fakeNvmlLibrary() === undefined)('tests GPUs, the one without energy too', async () => {
    const script = place.newFolder().file('nvml');
    writeFileSync(script, 'latency 0.001\ngpu NVIDIA A\ngpu NVIDIA Old\nsilent\n');
    const flags = ['--sysfs', place.machine(cpu).root, '--nvml-library', fakeNvmlLibrary() ?? ''];
    const { exitCode, diagnosis } = await doctor(flags, { FAKE_NVML_SCRIPT: script });
    expect(exitCode).toBe(0);
    expect(diagnosis.verdict.sentence).toBe(
      'This machine measures the GPU, through nvml; not nvml:1 (not-supported), so totals are "at least".',
    );
    expect(diagnosis.test?.counters.map(({ id }) => id)).toEqual(['nvml:0', 'nvml:1', 'nvml-power:0']);
    expect(diagnosis.test?.counters[0]).toMatchObject({ id: 'nvml:0', moved: true });
    expect(diagnosis.test?.counters[0]?.idleWatts).toBeCloseTo(100, -1);
    expect(sourceOf(diagnosis, 'nvml')?.reason).toContain('keeps no energy count');
    // Asking takes a millisecond; fetching what was asked does not.
    const cost = diagnosis.test?.readCosts[0];
    expect(cost?.medianNs).toBeLessThan(5e5);
    expect(cost?.detail).toMatch(/^a thread of its own asks the devices, which takes \d.*ms/);
    // Energy against integrated power.
    expect(diagnosis.test?.checks).toMatchObject([
      { kind: 'twins', result: 'agree', counters: ['nvml:0', 'nvml-power:0'] },
    ]);
    expect(sourceOf(diagnosis, 'nvml-power')).toMatchObject({ status: 'ok' });
  });

  it.skipIf(fakeNvmlLibrary() === undefined)('tells a GPU whose total is wrong from its power', async () => {
    const script = place.newFolder().file('nvml');
    writeFileSync(script, 'gpu NVIDIA A\ncounts 0.5\n');
    const flags = ['--sysfs', place.machine(cpu).root, '--nvml-library', fakeNvmlLibrary() ?? ''];
    const { diagnosis } = await doctor(flags, { FAKE_NVML_SCRIPT: script });
    expect(diagnosis.test?.checks).toMatchObject([{ kind: 'twins', result: 'disagree' }]);
    expect(diagnosis.test?.checks[0]?.factorRatio).toBeCloseTo(2, 1);
    expect(diagnosis.test?.checks[0]?.detail).toContain('only an external meter tells');
  });

  it.skipIf(fakeNvmlLibrary() === undefined)('leaves a GPU asleep, and says how to wake it', async () => {
    const folder = place.newFolder();
    const log = folder.file('log');
    writeFileSync(folder.file('nvml'), 'gpu NVIDIA Laptop\n');
    const device = 'bus/pci/devices/0000:01:00.0';
    const machine = place.machine(cpu, {
      [`${device}/vendor`]: '0x10de\n',
      [`${device}/device`]: '0x1f97\n',
      [`${device}/class`]: '0x030200\n',
      [`${device}/power/runtime_status`]: 'suspended\n',
    });
    const flags = ['--sysfs', machine.root, '--nvml-library', fakeNvmlLibrary() ?? ''];
    const env = { FAKE_NVML_SCRIPT: folder.file('nvml'), FAKE_NVML_LOG: log };
    const { diagnosis } = await doctor(flags, env);
    const nvml = sourceOf(diagnosis, 'nvml');
    expect(nvml?.reason).toContain('sleeps and was not woken');
    expect(nvml?.fixes[0]?.commands).toEqual(['microjoule --wake-gpus doctor']);
    expect(existsSync(log)).toBe(false);
    const awake = await doctor([...flags, '--wake-gpus'], env);
    expect(awake.diagnosis.test?.counters[0]).toMatchObject({ id: 'nvml:0', moved: true });
    expect(existsSync(log)).toBe(true);
  });

  it('asks only the sources that are named', async () => {
    const { diagnosis } = await doctor([...on(place.machine(cpu)), '--sources', 'nvml']);
    expect(diagnosis.sources.map(({ source }) => source)).toEqual(['nvml']);
  });
});

const prefix = withoutPrivilege();

describe.skipIf(prefix === undefined)('a machine whose energy is for root alone', () => {
  it('is told how to let a group read it', () => {
    const machine = place.machine(cpu, zone('intel-rapl:0', 'package-0'), {
      [energyFile('intel-rapl:0')]: { mode: 0o000, content: '1\n' },
    });
    const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
    const [command = '', ...args] = [...(prefix ?? []), process.execPath, main, 'doctor', '--json'];
    const { stdout, status } = spawnSync(command, [...args, ...on(machine)], { encoding: 'utf8' });
    const diagnosis: Diagnosis = JSON.parse(stdout);
    expect(status).toBe(1);
    expect(schemaErrors(diagnosis)).toEqual([]);
    const powercap = sourceOf(diagnosis, 'powercap');
    expect(powercap?.status).toBe('no-permission');
    expect(powercap?.fixes[0]?.commands.join()).toContain('70-microjoule-rapl.rules');
    expect(diagnosis.verdict.next.command).toContain('udevadm');
  });
});

describe('doctor', () => {
  it('is a page for people', async () => {
    const machine = place.machine(cpu, zone('intel-rapl:0', 'package-0'));
    await move(machine, [{ folder: 'intel-rapl:0', watts: 20 }]);
    const { stdout, stderr, exitCode } = await runCli(['doctor', ...on(machine)]);
    expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
    expect(stdout).toMatch(/^What this machine can measure\n/);
    expect(stdout).toMatch(/\npowercap {2}ok\n/);
    expect(stdout).toMatch(/powercap:intel-rapl:0 {2}package 0: moves, in the total\n/);
    expect(stdout).toMatch(/Verdict {7}This machine measures the CPU, through powercap\.\n/);
    expect(stdout).not.toContain('\u001b');
  });

  it('ends at once when it is interrupted', async () => {
    const machine = place.machine(cpu, zone('intel-rapl:0', 'package-0'));
    const child = spawnCli(['doctor', ...on(machine)]);
    const ended = new Promise<NodeJS.Signals | null>((resolve) =>
      child.on('exit', (_, signal) => resolve(signal)),
    );
    await new Promise((resolve) => setTimeout(resolve, 1500));
    const startMs = performance.now();
    child.kill('SIGINT');
    expect(await ended).toBe('SIGINT');
    expect(performance.now() - startMs).toBeLessThan(500);
  });

  it('calls a source that does not exist its own failure', async () => {
    const { stdout, stderr, exitCode } = await runCli(['doctor', '--sources', 'nothing']);
    expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 125 });
    expect(stderr).toContain('nothing');
    expect((await runCli(['doctor', '--nonsense'])).exitCode).toBe(125);
  });
});
