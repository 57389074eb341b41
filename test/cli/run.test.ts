// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { fakeNvmlLibrary } from '../support/fake-nvml.js';
import { runCli } from '../support/run-cli.js';
import {
  energyFile,
  measure,
  on,
  START_TICKS,
  TICKS_PER_JOULE,
  useWorkplace,
  work,
  zone,
} from './fixtures.js';

const place = useWorkplace();
const joules = (ticks: number): number => ticks / TICKS_PER_JOULE;
const LAST_TICK = 2 ** 32 - 1;

describe.concurrent('energy of a command', () => {
  it('is what one package counted, to the tick', async () => {
    const machine = place.machine(zone('intel-rapl:0', 'package-0'));
    const { report } = await measure(machine, work(machine, { 'intel-rapl:0': 1_000_001 }));
    const { cpu, ram, gpu } = report.components;
    expect(cpu).toMatchObject({ kind: 'measured', source: 'powercap', atLeast: false });
    expect(cpu.energyJoules).toBe(joules(1_000_001));
    expect(cpu.powerWatts).toBeCloseTo(joules(1_000_001) / report.duration.durationSeconds, 6);
    expect(ram.kind).toBe('estimated');
    expect(gpu).toMatchObject({ kind: 'absent', atLeast: false });
    expect(report.energy.energyJoules).toBeCloseTo(joules(1_000_001) + (ram.energyJoules ?? 0), 9);
    expect(report.energy.measuredJoules).toBe(joules(1_000_001));
    expect(report.command).toMatchObject({ exitCode: 0, userCpuSeconds: expect.any(Number) });
  });

  it('adds packages and memory, shows what overlaps apart, counts twins once', async () => {
    const machine = place.machine(
      zone('intel-rapl:0', 'package-0'),
      zone('intel-rapl:0:0', 'core'),
      zone('intel-rapl:0:1', 'uncore'),
      zone('intel-rapl:0:2', 'dram'),
      zone('intel-rapl:1', 'package-1'),
      zone('intel-rapl:1:0', 'dram'),
      zone('intel-rapl:2', 'psys'),
      zone('intel-rapl-mmio:0', 'package-0'),
    );
    const script = work(machine, {
      'intel-rapl:0': 3_000_000,
      'intel-rapl:0:0': 2_000_000,
      'intel-rapl:0:1': 100_000,
      'intel-rapl:0:2': 40_000,
      'intel-rapl:1': 5_000_000,
      'intel-rapl:1:0': 60_000,
      'intel-rapl:2': 9_000_000,
      'intel-rapl-mmio:0': 3_000_001,
    });
    const { report } = await measure(machine, script);
    expect(report.components.cpu).toMatchObject({ kind: 'measured', energyJoules: joules(8_000_000) });
    expect(report.components.ram).toMatchObject({ kind: 'measured', energyJoules: joules(100_000) });
    expect(report.energy).toMatchObject({
      kind: 'measured',
      energyJoules: joules(8_100_000),
      measuredJoules: joules(8_100_000),
      estimatedJoules: 0,
      atLeast: false,
    });
    const apart = Object.fromEntries(report.apart.map(({ id, energyJoules }) => [id, energyJoules]));
    expect(apart).toEqual({
      'powercap:intel-rapl:0:0': joules(2_000_000),
      'powercap:intel-rapl:0:1': joules(100_000),
      'powercap:intel-rapl:2': joules(9_000_000),
    });
    expect(report.apart.every((counter) => !counter.inTotal)).toBe(true);
    const cpuCounters = report.components.cpu.counters.map(({ id, inTotal }) => [id, inTotal]);
    expect(Object.fromEntries(cpuCounters)).toEqual({
      'powercap:intel-rapl:0': true,
      'powercap:intel-rapl:1': true,
      'powercap:intel-rapl-mmio:0': false,
    });
    // A twin of another control type is the usual state of a laptop, and nothing to warn of.
    expect(report.warnings.map(({ code }) => code)).not.toContain('duplicate-zone');
  });

  it('goes on over a wrap', async () => {
    const machine = place.machine(zone('intel-rapl:0', 'package-0', LAST_TICK - 999));
    const script = work(machine, { 'intel-rapl:0': 4000 - START_TICKS });
    const { report } = await measure(machine, script);
    expect(report.components.cpu).toMatchObject({ kind: 'measured', energyJoules: joules(5000) });
  });

  it('has no measured energy after a fall that no wrap explains', async () => {
    const machine = place.machine(zone('intel-rapl:0', 'package-0', 2 ** 31));
    const script = work(machine, { 'intel-rapl:0': 4000 - START_TICKS });
    const { report } = await measure(machine, script);
    const [counter] = report.components.cpu.counters;
    expect(counter).toMatchObject({ status: 'implausible', detail: expect.stringContaining('reset') });
    expect(counter).not.toHaveProperty('energyJoules');
    expect(report.components.cpu.kind).not.toBe('measured');
    expect(report.energy.measuredJoules).toBe(0);
  });

  it('is "at least" when one of two packages cannot be read', async () => {
    const machine = place.machine(zone('intel-rapl:0', 'package-0'), zone('intel-rapl:1', 'package-1'), {
      [energyFile('intel-rapl:1')]: 'what\n',
    });
    const { report } = await measure(machine, work(machine, { 'intel-rapl:0': 1_000_000 }));
    expect(report.components.cpu).toMatchObject({
      kind: 'measured',
      energyJoules: joules(1_000_000),
      atLeast: true,
      detail: expect.stringContaining('holds no number'),
    });
    expect(report.energy.atLeast).toBe(true);
    expect(report.warnings).toContainEqual(
      expect.objectContaining({
        code: 'partly-measured',
        hint: expect.stringContaining('microjoule counters'),
      }),
    );
  });

  it('falls back to an estimate when the counter vanishes meanwhile', async () => {
    const machine = place.machine(zone('intel-rapl:0', 'package-0'));
    const { report, result } = await measure(
      machine,
      `rm -r '${machine.root}/class/powercap/intel-rapl:0'; sleep 0.05; exit 3`,
    );
    expect(result.exitCode).toBe(3);
    expect(report.components.cpu.kind).not.toBe('measured');
    expect(report.components.cpu.energyJoules).toBeGreaterThan(0);
    const warning = report.warnings.find(({ code }) => code === 'cpu-not-measured');
    expect(warning?.message).toContain('vanished');
    expect(warning?.message).toContain('load it again');
  });

  it('counts two zones of one name once, with a warning', async () => {
    const machine = place.machine(zone('intel-rapl:0', 'package-0'), zone('intel-rapl:1', 'package-0'));
    const script = work(machine, { 'intel-rapl:0': 1_000_000, 'intel-rapl:1': 1_000_000 });
    const { report } = await measure(machine, script);
    expect(report.components.cpu.energyJoules).toBe(joules(1_000_000));
    expect(report.warnings).toContainEqual(
      expect.objectContaining({ code: 'duplicate-zone', hint: expect.stringContaining('name files') }),
    );
  });

  it.skipIf(fakeNvmlLibrary() === undefined)(
    'adds GPU boards, and names the one without a count',
    async () => {
      const machine = place.machine(zone('intel-rapl:0', 'package-0'), {
        script: 'gpu NVIDIA A\nperiod 0.02\ngpu NVIDIA B\nperiod 0.02\npower 300\ngpu NVIDIA Old\nsilent\n',
      });
      const library = fakeNvmlLibrary() ?? '';
      const { report } = await measure(
        machine,
        `sleep 0.1\n${work(machine, { 'intel-rapl:0': 1_000_000 })}`,
        ['--nvml-library', library],
        { env: { FAKE_NVML_SCRIPT: `${machine.root}/script` } },
      );
      const { gpu } = report.components;
      expect(gpu).toMatchObject({ kind: 'measured', source: 'nvml', atLeast: true });
      const [a, b, old] = gpu.counters;
      expect(gpu.energyJoules).toBe((a?.energyJoules ?? 0) + (b?.energyJoules ?? 0));
      expect(a?.energyJoules).toBeGreaterThan(0);
      expect(old).toMatchObject({ status: 'not-supported', inTotal: false });
      expect(old).not.toHaveProperty('energyJoules');
      expect(report.energy.atLeast).toBe(true);
      expect(report.machine).toMatchObject({ gpuCount: 3, gpuModel: expect.stringContaining('NVIDIA Old') });
    },
  );
});

describe.concurrent('repetitions', () => {
  // The n-th run counts n times a million ticks.
  const growing = (file: string) =>
    `n=$(wc -c < runs); n=$((n + 1)); printf x >> runs
     e=$(cat '${file}'); echo $((e + n * 61035000)) > '${file}'`;

  it('have mean and standard deviation', async () => {
    const machine = place.machine(zone('intel-rapl:0', 'package-0'));
    const file = `${machine.root}/${energyFile('intel-rapl:0')}`;
    const { report, result } = await measure(
      machine,
      `${growing(file)}; echo run $n`,
      ['-r', '3', '--ram-watts-per-gib', '0'],
      { cwd: place.machine({ runs: '' }).root },
    );
    const one = joules(1_000_000);
    expect(result.stderr).toBe('run 1\nrun 2\nrun 3\n');
    expect(report.components.cpu.energyJoules).toBe(6 * one);
    expect(report.repetitions?.count).toBe(3);
    expect(report.repetitions?.energyJoules.mean).toBeCloseTo(2 * one, 9);
    expect(report.repetitions?.energyJoules.standardDeviation).toBeCloseTo(one, 9);
    expect(report.repetitions?.runs.map((run) => run.energyJoules)).toEqual([one, 2 * one, 3 * one]);
    const durations = report.repetitions?.runs.map((run) => run.durationSeconds) ?? [];
    expect(durations.reduce((sum, each) => sum + each, 0)).toBeCloseTo(report.duration.durationSeconds, 9);
  });

  it('end when the command fails, and say so', async () => {
    const folder = place.newFolder();
    const machine = place.machine(zone('intel-rapl:0', 'package-0'));
    const { report, result } = await measure(machine, 'printf x >> runs; exit 4', ['-r', '3'], {
      cwd: folder.path,
    });
    expect(result.exitCode).toBe(4);
    expect(folder.read('runs')).toBe('x');
    expect(report.warnings.map(({ code }) => code)).toContain('repetitions-ended');
  });

  it('stand in the text with both numbers', async () => {
    const machine = place.machine(zone('intel-rapl:0', 'package-0'));
    const { stderr } = await runCli(['run', ...on(machine), '-r', '2', '--', 'true']);
    expect(stderr).toMatch(/mean ± standard deviation of 2 runs/);
    expect(stderr).toMatch(/\d ± \d.* duration/);
  });
});
