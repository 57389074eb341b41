// SPDX-License-Identifier: MIT
//
// Windows' Node with the addon built for it, under Wine, over described machines: the contract of the addon and the
// command. The energy meters are those of fake-emi.c, whose powers are known.
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testCommand } from './command.js';
import { testGpus } from './gpus.js';
import {
  ADDON,
  type Ended,
  missing,
  NODE_EXE,
  onWindows,
  startWindows,
  stopWindows,
  toWindows,
} from './wine.js';

const MAIN = 'dist/cli/main.js';
const MACHINES = 'test/windows/machines.mjs';
const NODE = toWindows(NODE_EXE);
const WITHIN_RATIO = 0.005;
const LONG_MS = 60_000;

interface ReportPart {
  kind: string;
  source: string;
  powerWatts?: number;
  energyJoules?: number;
  lowerJoules?: number;
  atLeast: boolean;
  detail: string;
  counters: { id: string; status: string; inTotal: boolean; detail: string; energyJoules?: number }[];
}
interface RunReport {
  energy: { kind: string };
  components: Record<'cpu' | 'gpu' | 'ram', ReportPart>;
  apart: { id: string; energyJoules?: number; status: string }[];
  warnings: { code: string }[];
  duration: { durationSeconds: number };
}

if (missing !== undefined) {
  it('Windows cannot be tested here', ({ skip }) => skip(missing));
}

describe.skipIf(missing !== undefined)('on Windows', () => {
  let scratch: string;

  beforeAll(() => {
    scratch = mkdtempSync(path.join(os.tmpdir(), 'microjoule-windows-'));
    startWindows();
  }, 600_000);
  afterAll(() => {
    stopWindows();
    if (scratch !== undefined) rmSync(scratch, { recursive: true, force: true });
  });

  describe('GPUs', () => testGpus(() => scratch));
  describe('the command', () => testCommand(() => scratch, become));

  async function become(...machine: string[]): Promise<void> {
    expect(await onWindows([MACHINES, ...machine])).toEqual({ exitCode: 0, stdout: '', stderr: '' });
  }
  const microjoule = (...args: string[]): Promise<Ended> => onWindows([MAIN, ...args]);

  async function run(...args: string[]): Promise<RunReport> {
    const ended = await microjoule('run', '--json', ...args);
    expect(ended.exitCode, ended.stderr).toBe(0);
    return JSON.parse(ended.stdout) as RunReport;
  }

  function expectWatts(part: ReportPart, watts: number): void {
    expect(part).toMatchObject({ kind: 'measured', source: 'emi' });
    expect(Math.abs((part.powerWatts ?? 0) - watts)).toBeLessThan(watts * WITHIN_RATIO);
  }

  const secondsOf = ({ energyJoules = 0, powerWatts = 0 }: ReportPart): number => energyJoules / powerWatts;

  /** Some of what it truly used, and no more. */
  function expectPart(part: ReportPart, id: string, watts: number): void {
    const energyJoules = part.counters.find((counter) => counter.id === id)?.energyJoules ?? 0;
    expect(energyJoules).toBeGreaterThan(0);
    expect(energyJoules).toBeLessThan(watts * secondsOf(part) * 0.95);
  }

  /** What `microjoule counters` lists, as `id status` with a plus for those in the total. */
  async function list(...args: string[]): Promise<string[]> {
    const ended = await microjoule('counters', '--json', ...args);
    expect(ended.exitCode, ended.stderr).toBe(0);
    const { sources } = JSON.parse(ended.stdout) as {
      sources: { counters: { id: string; status: string; inTotal: boolean }[] }[];
    };
    return sources.flatMap(({ counters }) =>
      counters.map(({ id, status, inTotal }) => `${id} ${status}${inTotal ? ' +' : ''}`),
    );
  }

  it('the addon keeps its contract', { timeout: LONG_MS }, async () => {
    const env = { MICROJOULE_ADDON: toWindows(ADDON) };
    const ended = await onWindows(['--test', '--test-reporter=tap', 'test/windows/contract.mjs'], { env });
    expect(ended.exitCode, ended.stdout + ended.stderr).toBe(0);
    expect(ended.stdout).toMatch(/^# pass [1-9]\d*\r?$/m);
    expect(ended.stdout).toMatch(/^# fail 0\r?$/m);
  });

  it('the addon loads into a Node of another name', { timeout: LONG_MS }, async () => {
    const program = path.join(scratch, 'host.exe');
    copyFileSync(NODE_EXE, program);
    const code = 'console.log(require(process.argv[1]).sourceNames.join())';
    const ended = await onWindows(['--eval', code, toWindows(ADDON)], { program });
    expect(ended).toMatchObject({ exitCode: 0, stdout: 'emi,emi-core,nvml,nvml-power\n' });
  });

  it('the addon imports what every Windows has', () => {
    const listed = spawnSync('x86_64-w64-mingw32-objdump', ['--private-headers', ADDON], {
      encoding: 'utf8',
    });
    const libraries = [...listed.stdout.matchAll(/DLL Name: (\S+)/g)].map(([, name]) => name?.toLowerCase());
    expect(libraries.sort()).toEqual(['kernel32.dll', 'msvcrt.dll', 'setupapi.dll']);
    const sections = spawnSync('x86_64-w64-mingw32-objdump', ['--section-headers', ADDON], {
      encoding: 'utf8',
    });
    expect(sections.stdout).toContain('.text');
    expect(sections.stdout).not.toContain('.debug');
  });

  it('an Intel machine has one device of four channels', { timeout: LONG_MS }, async () => {
    await become('intel');
    expect(await list('--sources', 'emi')).toEqual([
      'emi:package:0 ok +',
      'emi:core:0 ok',
      'emi:uncore:0 ok',
      'emi:dram:0 ok +',
    ]);
    const report = await run('--duration', '1');
    expectWatts(report.components.cpu, 15);
    expectWatts(report.components.ram, 2);
    const apart = Object.fromEntries(
      report.apart.map(({ id, energyJoules = 0 }) => [id, energyJoules / report.duration.durationSeconds]),
    );
    for (const [id, watts] of [
      ['emi:core:0', 9],
      ['emi:uncore:0', 1.5],
    ] as const) {
      expect(Math.abs((apart[id] ?? 0) / watts - 1), id).toBeLessThan(WITHIN_RATIO);
    }
  });

  it('an AMD machine has a device a core', { timeout: LONG_MS }, async () => {
    await become('amd');
    expect(await list('--sources', 'emi')).toEqual(['emi:package:0 ok +']);
    const cores = await list('--sources', 'emi-core');
    expect(cores).toHaveLength(8);
    expect(cores[7]).toBe('emi-core:core:0:7 ok');
    expectWatts((await run('--duration', '1')).components.cpu, 35);
  });

  it('a device of version 1 is the platform, and apart', { timeout: LONG_MS }, async () => {
    await become('v1');
    expect(await list('--sources', 'emi')).toEqual(['emi:psys:0 ok']);
    const { components, apart, duration } = await run('--duration', '1');
    expect(components.cpu.kind).not.toBe('measured');
    expect(apart).toMatchObject([{ id: 'emi:psys:0', status: 'ok' }]);
    expect((apart[0]?.energyJoules ?? 0) / duration.durationSeconds / 22).toBeCloseTo(1, 2);
  });

  it('two packages are added, with their memory', { timeout: LONG_MS }, async () => {
    await become('two-packages');
    const { components } = await run('--duration', '1');
    expectWatts(components.cpu, 175);
    expectWatts(components.ram, 13);
  });

  it('a package that two devices repeat counts once', { timeout: LONG_MS }, async () => {
    await become('mirrored');
    expect(await list('--sources', 'emi')).toEqual(['emi:package:0 ok +', 'emi:package:0:1 ok']);
    expectWatts((await run('--duration', '1')).components.cpu, 60);
  });

  it('two packages that repeat one count are one', { timeout: LONG_MS }, async () => {
    await become('repeated-packages');
    expectWatts((await run('--duration', '1')).components.cpu, 60);
  });

  it('rails of unknown names are listed and left out', { timeout: LONG_MS }, async () => {
    await become('rails');
    expect(await list('--sources', 'emi')).toEqual(['emi:other:0:0 ok', 'emi:other:0:1 ok']);
    const text = await microjoule('counters', '--sources', 'emi');
    expect(text.stdout).toContain('Battery_Rail_0');
    expect((await run('--duration', '0.2')).components.cpu.kind).not.toBe('measured');
  });

  it('a denied device has a reason and no energy', { timeout: LONG_MS }, async () => {
    await become('intel', '0', 'denied');
    expect(await list('--sources', 'emi')).toEqual(['emi:other:0 no-permission']);
    const ended = await microjoule('run', '--', NODE, '--eval', '0');
    expect(ended.exitCode).toBe(0);
    expect(ended.stderr).toContain('no-permission');
    const required = await microjoule('run', '--require', '--', NODE, '--eval', '0');
    expect(required.exitCode).toBe(125);
    expect(required.stderr).toContain('emi: no-permission');
  });

  it('a denied device beside a good one is a part that is missing', { timeout: LONG_MS }, async () => {
    await become('two-packages', '1', 'denied');
    const { components, warnings } = await run('--duration', '1');
    expectWatts(components.cpu, 80);
    expectWatts(components.ram, 6);
    expect([components.cpu.atLeast, components.ram.atLeast]).toEqual([true, true]);
    expect(components.cpu.detail).toContain('Without emi:other:1: ');
    expect(warnings.map(({ code }) => code)).toContain('partly-measured');
    const required = await microjoule('run', '--require', '--', NODE, '--eval', '0');
    expect(required.exitCode).toBe(125);
    expect(required.stderr).toContain('emi:other:1: no-permission');
    const doctor = await microjoule('doctor', '--json');
    const { verdict } = JSON.parse(doctor.stdout) as { verdict: { sentence: string } };
    expect(verdict.sentence).toContain('not emi:other:1 (no-permission), so totals are "at least"');
  });

  it('what a device no longer counts is not made up', { timeout: LONG_MS }, async () => {
    await become('intel');
    const freeze =
      "import('./test/windows/machines.mjs').then(({ become }) => become('intel', { mode: 'frozen' }))";
    const work = `setTimeout(() => ${freeze}, 800); setTimeout(() => {}, 2500)`;
    const { components, duration } = await run('--', NODE, '--eval', work);
    const { cpu } = components;
    expect(cpu).toMatchObject({ kind: 'measured', atLeast: true });
    expect(cpu.lowerJoules).toBeUndefined();
    expect(cpu.detail).toMatch(/emi:package:0: counted for \S+ s only/);
    // It stood still for 1.7 s of it.
    expect(cpu.energyJoules).toBeGreaterThan(15 * 0.5);
    expect(cpu.energyJoules).toBeLessThan(15 * (duration.durationSeconds - 1));
  });

  it('a short answer is no 0 J', { timeout: LONG_MS }, async () => {
    await become('intel', '0', 'short');
    const { components } = await run('--duration', '0.5');
    expectWatts(components.cpu, 15);
    // The memory's channel is not in the answer: a model stands in, and the counter says why.
    expect(components.ram.kind).not.toBe('measured');
    expect(components.ram.detail).toContain('answers for 2 of 4 channels');
  });

  it('a frozen time is no 0 J', { timeout: LONG_MS }, async () => {
    await become('intel', '0', 'frozen');
    const { components } = await run('--duration', '0.5');
    expect(components.cpu.kind).not.toBe('measured');
    expect(components.cpu.counters).toMatchObject([{ id: 'emi:package:0', status: 'stale', inTotal: false }]);
  });

  it.each(['gone', 'back'])('a device that is %s leaves what it counted, as "at least"', {
    timeout: LONG_MS,
  }, async (mode) => {
    await become('intel');
    const { components } = await run('--', NODE, MACHINES, 'intel', '0', mode);
    expect(components.cpu).toMatchObject({ kind: 'measured', atLeast: true });
    const [counter] = components.cpu.counters;
    expect(counter).toMatchObject({ id: 'emi:package:0', status: 'ok' });
    expect(counter?.detail).toMatch(/^counted (for \S+ s only, then not-found|in part only): /);
    expectPart(components.cpu, 'emi:package:0', 15);
  });

  it('a device that goes and comes back in one run leaves what it counted, and the others theirs', {
    timeout: LONG_MS,
  }, async () => {
    await become('two-packages');
    const { components } = await run('--', NODE, MACHINES, 'two-packages', '0', 'ramp', 'gone', 'back');
    expect(components).toMatchObject({ cpu: { atLeast: true }, ram: { atLeast: true } });
    for (const [part, domain, own, other] of [
      [components.cpu, 'package', 80, 95],
      [components.ram, 'dram', 6, 7],
    ] as const) {
      expectPart(part, `emi:${domain}:0`, own);
      const seconds = secondsOf(part);
      const found = part.counters.find(({ id }) => id === `emi:${domain}:1`);
      expect(Math.abs((found?.energyJoules ?? 0) / seconds / other - 1)).toBeLessThan(WITHIN_RATIO);
    }
  });

  it('a machine without a meter is estimated, and says why', { timeout: 2 * LONG_MS }, async () => {
    await become('none');
    const file = path.join(scratch, 'none.json');
    const text = await microjoule('run', '-o', toWindows(file), '--duration', '0.2');
    expect(text.exitCode, text.stderr).toBe(0);
    expect(text.stderr).toMatch(/Windows\s+shows\s+no\s+energy\s+meter/);
    const { energy, components } = JSON.parse(readFileSync(file, 'utf8')) as RunReport;
    expect(energy.kind).not.toBe('measured');
    expect(components.cpu.kind).not.toBe('measured');
    expect(components.cpu.powerWatts).toBeGreaterThan(0);
    expect(components.cpu.counters).toEqual([]);
    const required = await microjoule('run', '--require', '--duration', '0.1');
    expect(required.exitCode).toBe(125);
    expect(required.stderr).toContain('emi: not-found');
  });

  describe('doctor', () => {
    async function doctor(...machine: string[]): Promise<Ended & { flat: string }> {
      await become(...machine);
      const ended = await microjoule('doctor');
      // What no machine of Windows has, or needs.
      expect(ended.stdout).not.toMatch(/perf_event_paranoid|sudo|\.dockerenv|sysfs|dmesg/);
      expect(ended.stdout).toMatch(/^System .*Windows 10/m);
      expect(ended.stdout).toMatch(/^CPU +\S/m);
      expect(ended.stdout).toContain('microjoule.node');
      return { ...ended, flat: ended.stdout.replace(/\s+/g, ' ') };
    }
    const UNNEEDED = 'Not needed: what it adds is inside the packages.';
    const MEASURES = 'This machine measures the CPU';

    it.each([
      ['intel', `${MEASURES} and memory, through emi.`],
      ['amd', `${MEASURES}, through emi.`],
      ['two-packages', `${MEASURES} and memory, through emi.`],
      ['mirrored', `${MEASURES}, through emi.`],
      ['repeated-packages', `${MEASURES}, through emi.`],
    ])('measures %s', { timeout: LONG_MS }, async (machine, verdict) => {
      const { exitCode, stdout, flat } = await doctor(machine);
      expect(exitCode, stdout).toBe(0);
      expect(flat).toContain(verdict);
      // Its driver answers with the time of asking.
      expect(stdout).toMatch(
        /^ {2}emi:package:0 {2}package 0: moves, in the total\n {6}an update every .* or less;/m,
      );
      expect(flat).toContain('moved at every read');
      expect(flat).toContain('the time between two reads of emi:');
      expect(flat).toContain('The PCI bus shows no NVIDIA GPU, so nothing is missing.');
      if (machine === 'amd') {
        expect(stdout).toMatch(/^ {2}emi-core:core:0:7 {2}core 0: moves\n {6}an update every/m);
        expect(flat).not.toContain('one after another');
      } else {
        expect(flat).toContain(UNNEEDED);
      }
    });

    it.each<[string[], RegExp, string]>([
      [['none'], /^emi {2}not-found\n.*shows no energy meter/m, 'no counter can be read'],
      [['intel', '0', 'denied'], /^emi {2}no-permission\n/m, 'no counter can be read'],
      [['intel', '0', 'frozen'], /^emi {2}stale\n/m, 'the counters that can be read do not move'],
      [['v1'], /^emi {2}ok\n/m, 'no counter of the total moved'],
      [['rails'], /^emi {2}ok\n/m, 'no counter of the total moved'],
    ])('measures nothing on %s', { timeout: LONG_MS }, async (machine, source, why) => {
      const { exitCode, stdout, flat } = await doctor(...machine);
      expect(exitCode, stdout).toBe(1);
      expect(stdout).toMatch(source);
      expect(flat).toContain(`This machine measures nothing: ${why}. Reports will be estimates.`);
      if (machine[0] === 'none')
        expect(flat).toContain('on Windows 10 only some portable computers have one.');
      if (machine[0] === 'rails') expect(flat).toContain('emi:other:0:1');
    });

    it('says in a virtual machine where to measure', { timeout: LONG_MS }, async () => {
      const key = 'HKLM\\HARDWARE\\DESCRIPTION\\System\\BIOS';
      const reg = (...args: string[]): Promise<Ended> => onWindows(args, { program: 'reg' });
      const before = await reg('query', key, '/v', 'SystemManufacturer');
      const maker = /REG_SZ\s+(.*\S)/.exec(before.stdout)?.[1];
      const name = (value: string): Promise<Ended> =>
        reg('add', key, '/v', 'SystemManufacturer', '/d', value, '/f');
      expect((await name('VMware, Inc.')).exitCode).toBe(0);
      try {
        const { exitCode, flat } = await doctor('none');
        expect(exitCode).toBe(1);
        expect(flat).toContain('virtual machine: firmware "VMware, Inc.');
        expect(flat).toContain(
          'on Windows 10 only some portable computers have one. Nothing can be done inside a virtual machine: measure on its host;',
        );
      } finally {
        await name(maker ?? '');
      }
    });
  });

  it('the command keeps exit codes and writes files', { timeout: LONG_MS }, async () => {
    await become('intel');
    expect(await microjoule('run', '--', NODE, '--eval', 'process.exit(7)')).toMatchObject({ exitCode: 7 });
    expect(await microjoule('run', '--', 'no-such-program')).toMatchObject({ exitCode: 127 });
    const files = ['md', 'json', 'csv'].map((ending) => path.join(scratch, `report.${ending}`));
    const flags = files.flatMap((file) => ['-o', toWindows(file)]);
    const ended = await microjoule('run', ...flags, '--', NODE, '--eval', 'setTimeout(() => {}, 500)');
    expect(ended.exitCode, ended.stderr).toBe(0);
    const [markdown = '', json = '', csv = ''] = files.map((file) => readFileSync(file, 'utf8'));
    expect(markdown).toContain('# ');
    expectWatts((JSON.parse(json) as RunReport).components.cpu, 15);
    expect(csv.trim().split('\n')).toHaveLength(2);
  });
});
