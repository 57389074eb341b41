// SPDX-License-Identifier: MIT
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { FixtureMachine } from '../support/machine.js';
import { runCli } from '../support/run-cli.js';
import { measure, on, parseReport, useWorkplace, work, zone } from './fixtures.js';

const place = useWorkplace();
const oneSocket = () => place.machine(zone('intel-rapl:0', 'package-0'));
const noCounters = () => place.machine();

/** Runs a command that would leave a file; expects that it never started and the message says what to do. */
async function refused(flags: string[], machine: FixtureMachine): Promise<string> {
  const folder = place.newFolder();
  const args = ['run', ...on(machine), ...flags, '--', 'touch', folder.file('started')];
  const { exitCode, stdout, stderr } = await runCli(args, { cwd: folder.path });
  expect(existsSync(folder.file('started'))).toBe(false);
  expect({ exitCode, stdout }).toEqual({ exitCode: 125, stdout: '' });
  return stderr;
}

describe.concurrent('names and models', () => {
  it('puts what the user says into the report', async () => {
    const folder = place.newFolder();
    writeFileSync(folder.file('model.json'), '{"name":"cnn","results":{"Test accuracy":0.97}}');
    const { report } = await measure(oneSocket(), 'true', [
      ...['--project-name', 'my project', '--run-id', 'run-7', '--model', folder.file('model.json')],
      ...['--country', 'BRA', '--intensity', '123.068', '--cloud-provider', 'aws'],
      ...['--cloud-region', 'sa-east-1', '--cpu-watts', '14', '--ram-watts-per-gib', '0.5'],
    ]);
    expect(report).toMatchObject({
      projectName: 'my project',
      runId: 'run-7',
      model: { name: 'cnn', results: { 'Test accuracy': 0.97 } },
      location: { countryAlpha2: 'BR', countryAlpha3: 'BRA' },
      intensity: { intensityGramsPerKwh: 123.068 },
      cloud: { onCloud: true, provider: 'aws', region: 'sa-east-1' },
    });
    const { components, machine, duration, energy, emissionsKg } = report;
    expect(components.cpu).toMatchObject({ kind: 'assumed', powerWatts: expect.closeTo(14, 9) });
    expect(components.ram.energyJoules).toBeCloseTo(0.5 * machine.ramTotalGib * duration.durationSeconds, 9);
    expect(emissionsKg).toBeCloseTo((energy.energyKwh * 123.068) / 1000, 15);
  });
});

describe.concurrent('--cloud-metadata', () => {
  it('has what lies on the machine from there, and not from the user', async () => {
    const folder = place.newFolder();
    mkdirSync(folder.file('cloud-init'));
    const instance = { v1: { cloud_name: 'aws', region: 'eu-north-1' } };
    writeFileSync(folder.file('cloud-init/instance-data.json'), JSON.stringify(instance));
    const flags = ['--cloud-metadata', '--run-folder', folder.path];
    const { report } = await measure(oneSocket(), 'true', flags);
    expect(report.cloud).toMatchObject({ region: 'eu-north-1', kind: 'estimated', source: 'cloud-init' });
    expect(report.location).toMatchObject({ countryAlpha2: 'SE', kind: 'estimated' });
    expect(report.warnings.map(({ code }) => code)).not.toContain('cloud-metadata-failed');
  });

  it('says of a provider whose service is not known that it was not asked', async () => {
    const flags = ['--cloud-metadata', '--cloud-provider', 'hetzner', '--country', 'FI'];
    const { report } = await measure(oneSocket(), 'true', flags);
    expect(report.cloud).toMatchObject({ provider: 'hetzner', source: 'user' });
    expect(report.warnings).toContainEqual(
      expect.objectContaining({
        code: 'cloud-metadata-failed',
        message: expect.stringContaining('of hetzner is not known'),
      }),
    );
  });
});

describe.concurrent('--require', () => {
  it('runs the command where the CPU can be measured', async () => {
    const machine = oneSocket();
    const { result } = await measure(machine, work(machine, { 'intel-rapl:0': 1000 }), ['--require']);
    expect(result.exitCode).toBe(0);
  });

  it('refuses before the command starts where it cannot, and says why', async () => {
    const stderr = await refused(['--require'], noCounters());
    expect(stderr).toContain('--require');
    expect(stderr).toContain('powercap: not-found');
    expect(stderr).toContain('microjoule doctor');
    expect(stderr).toContain('not started');
  });

  it('refuses when one of two packages cannot be read', async () => {
    const machine = place.machine(zone('intel-rapl:0', 'package-0'), {
      'class/powercap/intel-rapl:1/name': 'package-1\n',
      'class/powercap/intel-rapl:1/energy_uj': '',
    });
    const stderr = await refused(['--require'], machine);
    expect(stderr).toContain('powercap:intel-rapl:1');
    expect(stderr).toContain('is empty');
  });
});

describe.concurrent('where to look', () => {
  const originOf = (text: string): string => parseReport(text).components.cpu.counters[0]?.origin ?? '';
  const tail = ['--json', '--', 'true'];

  it.each(['before', 'after'])('takes the global flags %s the name of the command', async (side) => {
    const machine = oneSocket();
    const flags = [...on(machine), '--dev', '/dev', '--sources', 'powercap'];
    const args = side === 'before' ? [...flags, 'run', ...tail] : ['run', ...flags, ...tail];
    const { stdout } = await runCli(args);
    expect(originOf(stdout)).toBe(`${machine.root}/class/powercap/intel-rapl:0/energy_uj`);
  });

  it('lets the later of two flags win', async () => {
    const [first, second] = [oneSocket(), oneSocket()];
    const { stdout } = await runCli(['--sysfs', first.root, 'run', '--sysfs', second.root, ...tail]);
    expect(originOf(stdout)).toContain(second.root);
  });

  it('takes the environment, and a flag before it', async () => {
    const [inEnvironment, inFlag] = [oneSocket(), oneSocket()];
    const env = {
      MICROJOULE_SYSFS: inEnvironment.root,
      MICROJOULE_DEV: '/dev',
      MICROJOULE_NVML_LIBRARY: `${inEnvironment.root}/no-nvml`,
    };
    const fromEnvironment = await runCli(['run', ...tail], { env });
    expect(originOf(fromEnvironment.stdout)).toContain(inEnvironment.root);
    const fromFlag = await runCli(['run', '--sysfs', inFlag.root, ...tail], { env });
    expect(originOf(fromFlag.stdout)).toContain(inFlag.root);
  });
});

describe.concurrent('--duration', () => {
  it('measures without a command', async () => {
    const { stdout, exitCode } = await runCli(['run', ...on(noCounters()), '--duration', '0.3', '--json']);
    const report = parseReport(stdout);
    expect(exitCode).toBe(0);
    expect(report.command).toBeUndefined();
    // Node's timers may be a millisecond early.
    expect(report.duration.durationSeconds).toBeGreaterThanOrEqual(0.298);
  });
});
