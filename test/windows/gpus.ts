// SPDX-License-Identifier: MIT
//
// NVML on Windows: described GPUs, and where its library is looked for.
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { fakeNvmlLibrary } from '../support/fake-nvml.js';
import { DRIVE_C, type Ended, onWindows, REPOSITORY, toWindows } from './wine.js';

const MAIN = path.join(REPOSITORY, 'dist/cli/main.js');
const SYSTEM32 = path.join(DRIVE_C, 'windows/system32/nvml.dll');
const NVSMI = path.join(DRIVE_C, 'Program Files/NVIDIA Corporation/NVSMI/nvml.dll');
const LONG_MS = 60_000;

interface Listed {
  status: string;
  detail: string;
  counters: { id: string; status: string; inTotal: boolean; origin: string }[];
}

/** The library for Windows. It needs the compiler that the addon for Windows needs. */
function library(name: string): string {
  const file = fakeNvmlLibrary(name);
  if (file === undefined) throw new Error(`${name} is not built: apt-get install gcc-mingw-w64-x86-64-posix`);
  return file;
}

export function testGpus(scratch: () => string): void {
  afterEach(() => {
    for (const file of [SYSTEM32, NVSMI]) rmSync(file, { force: true });
  });

  function put(name: string, file: string): void {
    mkdirSync(path.dirname(file), { recursive: true });
    copyFileSync(library(name), file);
  }

  function described(script: string): Record<string, string> {
    const file = path.join(scratch(), 'nvml-script');
    writeFileSync(file, script);
    return { FAKE_NVML_SCRIPT: toWindows(file) };
  }

  const microjoule = (args: string[], env: Record<string, string>, cwd?: string): Promise<Ended> =>
    onWindows([toWindows(MAIN), ...args], { env, ...(cwd === undefined ? {} : { cwd }) });

  async function list(args: string[], env: Record<string, string>, cwd?: string): Promise<Listed> {
    const ended = await microjoule(['counters', '--sources', 'nvml', '--json', ...args], env, cwd);
    expect(ended.exitCode, ended.stderr).toBe(0);
    return (JSON.parse(ended.stdout) as { sources: [Listed] }).sources[0];
  }

  const TWO =
    'gpu NVIDIA One\nperiod 0.02\npower 100\ngpu NVIDIA Two\nperiod 0.02\npower 50\nanswers energy 3\n';

  /** What the half library, which has no names, calls them. */
  const OLD = ['GPU at 0000:01:00.0', 'GPU at 0000:02:00.0'];

  it('GPUs are read through the library that is given', { timeout: LONG_MS }, async () => {
    const env = described(`driver 560.1\n${TWO}gpu NVIDIA Three\nsilent\n`);
    const given = ['--nvml-library', toWindows(library('fake-nvml.dll')), '--sources', 'nvml'];
    const { counters } = await list(given, env);
    expect(counters.map(({ id, status, inTotal }) => [id, status, inTotal])).toEqual([
      ['nvml:0', 'ok', true],
      ['nvml:1', 'ok', true],
      ['nvml:2', 'not-supported', false],
    ]);
    const ended = await microjoule(['run', '--json', '--duration', '2', ...given], env);
    expect(ended.exitCode, ended.stderr).toBe(0);
    const { components, machine } = JSON.parse(ended.stdout);
    expect(components.gpu).toMatchObject({ kind: 'measured', source: 'nvml', atLeast: true });
    expect(Math.abs(components.gpu.powerWatts / 150 - 1)).toBeLessThan(0.05);
    expect(components.gpu.method).toContain('instant power, integrated');
    expect(machine).toMatchObject({ gpuCount: 3, gpuDriver: '560.1' });
  });

  it('a person sees why a GPU is not read', { timeout: LONG_MS }, async () => {
    const env = described(`${TWO}gpu NVIDIA Three\nsilent\n`);
    const given = ['--nvml-library', toWindows(library('fake-nvml.dll')), '--sources', 'nvml'];
    const counters = await microjoule(['counters', ...given], env);
    expect(counters.stdout).toMatch(/nvml:0 {2}gpu 0 .* in the total\n/);
    expect(counters.stdout).toMatch(/NVIDIA Three: this GPU or driver keeps no energy count/);
    const doctor = await microjoule(['doctor', ...given], env);
    expect(doctor.exitCode, doctor.stdout).toBe(0);
    expect(doctor.stdout).toMatch(/This machine measures the GPU, through nvml; not nvml:2/);
    const report = await microjoule(['run', '--duration', '0.5', ...given], env);
    expect(report.stderr).toMatch(/GPU +measured +nvml/);
    expect(report.stderr).toContain('NVIDIA Three: this GPU or driver keeps no energy count');
    expect(doctor.stdout + report.stderr).not.toMatch(/libnvidia|sudo|\/dev\//);
  });

  it('a library with half of the functions tells what it can', { timeout: LONG_MS }, async () => {
    const env = described(TWO);
    const { status, counters } = await list(
      ['--nvml-library', toWindows(library('fake-nvml-half.dll'))],
      env,
    );
    expect(status).toBe('ok');
    expect(counters.map(({ origin, status: each }) => [origin, each])).toEqual([
      ['GPU at 0000:01:00.0', 'ok'],
      ['GPU at 0000:02:00.0', 'ok'],
    ]);
  });

  it('a driver that cannot begin says so in words of Windows', { timeout: LONG_MS }, async () => {
    const given = ['--nvml-library', toWindows(library('fake-nvml.dll'))];
    const { status, detail } = await list(given, described('init 9\ngpu A\n'));
    expect(status).toBe('not-found');
    expect(detail).toContain('Device Manager');
  });

  it('the library is looked for in System32, then in NVSMI', { timeout: LONG_MS }, async () => {
    const env = described(TWO);
    put('fake-nvml-half.dll', NVSMI);
    expect((await list([], env)).counters.map(({ origin }) => origin)).toEqual(OLD);
    put('fake-nvml.dll', SYSTEM32);
    expect((await list([], env)).counters.map(({ origin }) => origin)).toEqual(['GPU-fake-0', 'GPU-fake-1']);
    // One that cannot be loaded does not hide the other.
    writeFileSync(SYSTEM32, 'no library');
    expect((await list([], env)).counters).toHaveLength(2);
    rmSync(NVSMI);
    const broken = await list([], env);
    expect(broken.status).toBe('failed');
    expect(broken.detail).toMatch(
      /system32\\nvml\.dll cannot be loaded as NVML .*the driver's own nvml\.dll/i,
    );
  });

  it('a library in the current folder is not loaded', { timeout: LONG_MS }, async () => {
    const folder = path.join(scratch(), 'planted');
    put('fake-nvml.dll', path.join(folder, 'nvml.dll'));
    const log = path.join(scratch(), 'nvml-log');
    const env = { ...described(TWO), FAKE_NVML_LOG: toWindows(log), ProgramW6432: '.' };
    const { status, detail, counters } = await list([], env, folder);
    expect(status).toBe('not-found');
    expect(counters).toEqual([]);
    expect(detail).toContain('give its nvml.dll with nvmlLibrary');
    const bare = await list(['--nvml-library', 'nvml.dll'], env, folder);
    expect(bare.status).toBe('not-found');
    // By its path it is, which shows that it could have been.
    const given = await list(['--nvml-library', '.\\nvml.dll'], env, folder);
    expect(given.counters).toHaveLength(2);
  });
}
