// SPDX-License-Identifier: MIT
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { fakeNvmlLibrary } from '../support/fake-nvml.js';
import type { FixtureMachine } from '../support/machine.js';
import { runCli } from '../support/run-cli.js';
import { withoutPrivilege } from '../support/without-privilege.js';
import { energyFile, microjoules, on, START_TICKS, TICKS_PER_JOULE, useWorkplace, zone } from './fixtures.js';

interface CounterRow {
  id: string;
  domain: string;
  device: number;
  origin: string;
  status: string;
  detail: string;
  energyJoules?: number;
  method?: string;
  inTotal: boolean;
}
interface SourceRow {
  source: string;
  status: string;
  detail: string;
  counters: CounterRow[];
}

const place = useWorkplace();
const JOULES = START_TICKS / TICKS_PER_JOULE;

/** `counters --json`, its shape checked to the letter of the issue. */
function parse(stdout: string): Map<string, SourceRow> {
  const listed: { sources: SourceRow[] } = JSON.parse(stdout);
  expect(Object.keys(listed)).toEqual(['sources']);
  for (const source of listed.sources) {
    expect(Object.keys(source)).toEqual(['source', 'status', 'detail', 'counters']);
    for (const counter of source.counters) {
      const { energyJoules, method, ...rest } = counter;
      expect(rest).toEqual({
        id: expect.stringMatching(new RegExp(`^${source.source}:`)),
        domain: expect.any(String),
        device: expect.any(Number),
        origin: expect.any(String),
        status: expect.any(String),
        detail: expect.any(String),
        inTotal: expect.any(Boolean),
      });
      if (method !== undefined) expect(source.source).toMatch(/^nvml/);
      // What is integrated from power has no count of its own.
      const counts = counter.status === 'ok' && !method?.includes('power');
      expect(typeof energyJoules).toBe(counts ? 'number' : 'undefined');
      expect('energyJoules' in counter).toBe(counts);
      if (counter.status !== 'ok') expect(counter.detail).not.toBe('');
    }
  }
  return new Map(listed.sources.map((source) => [source.source, source]));
}

async function powercap(machine: FixtureMachine): Promise<Record<string, CounterRow>> {
  const { stdout, stderr, exitCode } = await runCli(['counters', ...on(machine), '--json']);
  expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
  const rows = parse(stdout).get('powercap')?.counters ?? [];
  return Object.fromEntries(rows.map((row) => [row.id.replace('powercap:', ''), row]));
}

describe.concurrent('counters --json', () => {
  it('says what the one total of a two-socket machine holds', async () => {
    const machine = place.machine(
      zone('intel-rapl:0', 'package-0'),
      zone('intel-rapl:0:0', 'core'),
      zone('intel-rapl:0:1', 'uncore'),
      zone('intel-rapl:0:2', 'dram'),
      zone('intel-rapl:1', 'package-1'),
      zone('intel-rapl:1:0', 'dram'),
      zone('intel-rapl:2', 'psys'),
      zone('intel-rapl-mmio:0', 'package-0'),
      zone('intel-rapl:3', 'mystery'),
    );
    const rows = await powercap(machine);
    expect(rows['intel-rapl:0']).toEqual({
      id: 'powercap:intel-rapl:0',
      domain: 'package',
      device: 0,
      origin: `${machine.root}/${energyFile('intel-rapl:0')}`,
      status: 'ok',
      detail: '',
      energyJoules: JOULES,
      inTotal: true,
    });
    const facts = Object.values(rows).map((row) => `${row.id} ${row.domain} ${row.device} ${row.inTotal}`);
    expect(facts.sort()).toEqual([
      'powercap:intel-rapl-mmio:0 package 0 false',
      'powercap:intel-rapl:0 package 0 true',
      'powercap:intel-rapl:0:0 core 0 false',
      'powercap:intel-rapl:0:1 uncore 0 false',
      'powercap:intel-rapl:0:2 dram 0 true',
      'powercap:intel-rapl:1 package 1 true',
      'powercap:intel-rapl:1:0 dram 1 true',
      'powercap:intel-rapl:2 psys 0 false',
      'powercap:intel-rapl:3 other 0 false',
    ]);
    expect(rows['intel-rapl-mmio:0']?.detail).toContain('powercap:intel-rapl:0, counted once');
    expect(rows['intel-rapl:0:0']?.detail).toContain('inside its package');
  });

  it('uses the twin when the preferred one cannot be read', async () => {
    const machine = place.machine(zone('intel-rapl:0', 'package-0'), zone('intel-rapl-mmio:0', 'package-0'), {
      [energyFile('intel-rapl:0')]: '',
    });
    const rows = await powercap(machine);
    expect(rows['intel-rapl:0']).toMatchObject({ status: 'failed', inTotal: false });
    expect(rows['intel-rapl-mmio:0']).toMatchObject({ status: 'ok', inTotal: true });
  });

  it('has no energy for an energy file that cannot be used, and says what to do', async () => {
    const folders = ['intel-rapl:1', 'intel-rapl:2', 'intel-rapl:3', 'intel-rapl:4'] as const;
    const machine = place.machine(
      zone('intel-rapl:0', 'package-0'),
      ...folders.map((folder, index) => zone(folder, `package-${index + 1}`)),
      {
        [energyFile('intel-rapl:1')]: '',
        [energyFile('intel-rapl:2')]: 'not a number\n',
        [energyFile('intel-rapl:4')]: '262143328851000\n',
      },
    );
    machine.remove(energyFile('intel-rapl:3'));
    const rows = await powercap(machine);
    expect(rows['intel-rapl:0']).toMatchObject({ status: 'ok', energyJoules: JOULES, inTotal: true });
    const told = folders.map((folder) => [rows[folder]?.status, rows[folder]?.inTotal, rows[folder]?.detail]);
    expect(told).toEqual([
      ['failed', false, expect.stringMatching(/energy_uj is empty: look at the driver/)],
      ['failed', false, expect.stringMatching(/holds no number: look at it, and report/)],
      ['not-found', false, expect.stringMatching(/does not exist: .* Give its place with sysfs/)],
      ['implausible', false, expect.stringMatching(/beyond its own range/)],
    ]);
  });

  it.each([
    ['0', '0\n'],
    ['not a number', 'x\n'],
    ['missing', undefined],
  ])('counts on, with a remark, where the range is %s', async (_, range) => {
    const file = 'class/powercap/intel-rapl:0/max_energy_range_uj';
    const machine = place.machine(
      zone('intel-rapl:0', 'package-0'),
      range === undefined ? {} : { [file]: range },
    );
    if (range === undefined) machine.remove(file);
    const row = (await powercap(machine))['intel-rapl:0'];
    expect(row).toMatchObject({ status: 'ok', inTotal: true, energyJoules: microjoules(START_TICKS) / 1e6 });
    expect(row?.detail).toContain('max_energy_range_uj is missing, unreadable or 0');
  });

  it('says what to do about a range that is 0', async () => {
    const machine = place.machine(zone('intel-rapl:0', 'package-0'), {
      'class/powercap/intel-rapl:0/max_energy_range_uj': '0\n',
    });
    const row = (await powercap(machine))['intel-rapl:0'];
    expect(row?.detail).toMatch(/\b(look at|check|report|update|keep|measure)\b/);
  });

  it('counts two zones of one name once', async () => {
    const machine = place.machine(zone('intel-rapl:0', 'package-0'), zone('intel-rapl:1', 'package-0'));
    const rows = await powercap(machine);
    expect(rows['intel-rapl:0']?.inTotal).toBe(true);
    expect(rows['intel-rapl:1']).toMatchObject({ status: 'ok', energyJoules: JOULES, inTotal: false });
    expect(rows['intel-rapl:1']?.detail).toContain('powercap:intel-rapl:0, counted once');
  });

  it('says why there is none', async () => {
    const { stdout } = await runCli(['counters', ...on(place.machine()), '--json']);
    const source = parse(stdout).get('powercap');
    expect(source).toMatchObject({ status: 'not-found', counters: [] });
    expect(source?.detail).toContain('modprobe intel_rapl_msr');
  });
});

const prefix = withoutPrivilege();

describe.skipIf(prefix === undefined)('a counter that is denied', () => {
  it('says how to be let in', () => {
    const machine = place.machine(zone('intel-rapl:0', 'package-0'), zone('intel-rapl:1', 'package-1'), {
      [energyFile('intel-rapl:1')]: { mode: 0o000, content: '1\n' },
    });
    const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
    const [command = '', ...args] = [...(prefix ?? []), process.execPath, main, 'counters', ...on(machine)];
    const { stdout } = spawnSync(command, [...args, '--json'], { encoding: 'utf8' });
    const rows = parse(stdout).get('powercap')?.counters ?? [];
    expect(rows.map(({ status, inTotal }) => [status, inTotal])).toEqual([
      ['ok', true],
      ['no-permission', false],
    ]);
    expect(rows[1]?.detail).toContain('may not be read');
    expect(rows[1]?.detail).toContain('chgrp and chmod g+r');
  });
});

describe.concurrent('NVML', () => {
  it.skipIf(fakeNvmlLibrary() === undefined)('lists every GPU, the one without energy too', async () => {
    const folder = place.newFolder();
    const script = folder.file('nvml');
    writeFileSync(script, 'gpu NVIDIA A\ngpu NVIDIA Old\nsilent\ngpu NVIDIA C\npower 50\n');
    const flags = ['--sysfs', place.machine().root, '--nvml-library', fakeNvmlLibrary() ?? ''];
    const env = { FAKE_NVML_SCRIPT: script };
    const { stdout } = await runCli(['counters', ...flags, '--json'], { env });
    const nvml = parse(stdout).get('nvml');
    expect(nvml?.status).toBe('ok');
    expect(nvml?.counters.map((row) => [row.id, row.domain, row.origin, row.status, row.inTotal])).toEqual([
      ['nvml:0', 'gpu', 'GPU-fake-0', 'ok', true],
      ['nvml:1', 'gpu', 'GPU-fake-1', 'not-supported', false],
      ['nvml:2', 'gpu', 'GPU-fake-2', 'ok', true],
    ]);
    expect(nvml?.counters[0]?.energyJoules).toBeGreaterThanOrEqual(5000);
    expect(nvml?.counters.map(({ method }) => method)).toEqual(['total energy', undefined, 'total energy']);
    expect(nvml?.counters[1]?.detail).toContain('keeps no energy count');
    const { stdout: text } = await runCli(['counters', ...flags], { env });
    expect(text).toMatch(/nvml:0 +gpu 0 .*in the total\n +NVIDIA A/);
    expect(text).toMatch(/nvml:1 +gpu 1 +- +not-supported/);
  });

  it('names the option when the library is none', async () => {
    const folder = place.newFolder();
    const library = folder.file('libnvidia-ml.so.1');
    writeFileSync(library, 'This is no library.\n'.repeat(100));
    const { stdout, exitCode } = await runCli(['counters', '--nvml-library', library, '--json']);
    const nvml = parse(stdout).get('nvml');
    expect(exitCode).toBe(0);
    expect(nvml).toMatchObject({ status: 'failed', counters: [] });
    expect(nvml?.detail).toContain(library);
    expect(nvml?.detail).toContain('with nvmlLibrary');
  });

  it('names the option when the library is another', async () => {
    // The addon itself is a shared library that every machine with these tests has.
    const library = fileURLToPath(new URL('../../build/Release/microjoule.node', import.meta.url));
    const { stdout } = await runCli(['counters', '--nvml-library', library, '--json']);
    const nvml = parse(stdout).get('nvml');
    expect(nvml).toMatchObject({ status: 'failed', counters: [] });
    expect(nvml?.detail).toMatch(/is not NVML.*with nvmlLibrary/);
  });
});

describe.concurrent('counters', () => {
  it('is a table for people', async () => {
    const machine = place.machine(
      zone('intel-rapl:0', 'package-0'),
      zone('intel-rapl:0:0', 'core'),
      zone('intel-rapl:1', 'package-1'),
      { [energyFile('intel-rapl:1')]: '' },
    );
    const { stdout, stderr, exitCode } = await runCli(['counters', ...on(machine)]);
    expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
    expect(stdout).toMatch(/^powercap +ok\n/m);
    expect(stdout).toMatch(/powercap:intel-rapl:0 +package 0 +1\.221 kJ +in the total/);
    expect(stdout).toMatch(/powercap:intel-rapl:0:0 +core 0 +1\.221 kJ +apart\n +inside its package/);
    expect(stdout).toMatch(/powercap:intel-rapl:1 +package 1 +- +failed/);
    expect(stdout).toContain('1 counter in the total');
    expect(stdout).not.toContain('\u001b');
  });
});
