// SPDX-License-Identifier: MIT
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import Papa from 'papaparse';
import { describe, expect, it } from 'vitest';
import { CODECARBON_COLUMNS } from '../../lib/format/codecarbon-csv.js';
import { runCli, spawnCli } from '../support/run-cli.js';
import { measure, on, parseReport, TICKS_PER_JOULE, useWorkplace, work, zone } from './fixtures.js';

const place = useWorkplace();
const TICKS = 1_000_000;
const oneSocket = () => place.machine(zone('intel-rapl:0', 'package-0'));

function rows(text: string): Record<string, string>[] {
  const { data, errors } = Papa.parse<Record<string, string>>(text, { header: true, skipEmptyLines: true });
  expect(errors).toEqual([]);
  return data;
}

describe.concurrent('standard output and error', () => {
  it("leaves the command's stdout as it is, byte by byte, and reports on stderr", async () => {
    const script = 'process.stdout.write(Buffer.from(Array.from({ length: 256 }, (_, i) => i)))';
    const child = spawnCli(['run', ...on(oneSocket()), '--', process.execPath, '-e', script]);
    const chunks: Buffer[] = [];
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    await new Promise((resolve) => child.on('close', resolve));
    expect(Buffer.concat(chunks)).toEqual(Buffer.from(Array.from({ length: 256 }, (_, i) => i)));
    expect(stderr).toContain('CO2 emission report');
  });

  it('lets a large output through a pipe arrive whole', async () => {
    const script = 'for (let i = 0; i < 64; i++) process.stdout.write(String(i % 10).repeat(65536))';
    const { stdout } = await runCli(['run', ...on(oneSocket()), '--', process.execPath, '-e', script]);
    const expected = Array.from({ length: 64 }, (_, i) => String(i % 10).repeat(65536)).join('');
    const digest = (text: string) => createHash('sha256').update(text).digest('hex');
    expect(stdout).toHaveLength(expected.length);
    expect(digest(stdout)).toBe(digest(expected));
  });

  it('says in the text that the machine was measured, and what time the child itself used', async () => {
    const machine = oneSocket();
    const script = work(machine, { 'intel-rapl:0': TICKS });
    const { stdout, stderr } = await runCli(['run', ...on(machine), '--', 'sh', '-c', script]);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/61\.04 J .*CPU +measured/);
    expect(stderr).toContain('The whole machine was measured, idle included');
    expect(stderr.replace(/\s+/g, ' ')).toMatch(/exit code 0; user .*s, system .*s \(its own CPU time/);
    expect(stderr).not.toContain('\u001b');
  });

  it('keeps stdout for the JSON alone with --json', async () => {
    const machine = oneSocket();
    const script = `echo from the child; ${work(machine, { 'intel-rapl:0': TICKS })}`;
    const { report, result } = await measure(machine, script);
    expect(report.components.cpu.energyJoules).toBe(TICKS / TICKS_PER_JOULE);
    expect(result.stderr).toBe('from the child\n');
  });

  it('is quiet with -q, but keeps writing files', async () => {
    const folder = place.newFolder();
    const flags = ['-q', '-o', folder.file('report.md')];
    const { stdout, stderr, exitCode } = await runCli(['run', ...on(oneSocket()), ...flags, '--', 'true']);
    expect({ stdout, stderr, exitCode }).toEqual({ stdout: '', stderr: '', exitCode: 0 });
    expect(folder.read('report.md')).toContain('# CO2 Emission Report');
  });

  it('is coloured only where asked, and never with NO_COLOR', async () => {
    const args = ['run', ...on(oneSocket()), '--', 'true'];
    const forced = await runCli(args, { env: { FORCE_COLOR: '1' } });
    expect(forced.stderr).toContain('\u001b[');
    const both = await runCli(args, { env: { FORCE_COLOR: '1', NO_COLOR: '1' } });
    expect(both.stderr).toContain('CO2 emission report');
    expect(both.stderr).not.toContain('\u001b');
  });
});

describe.concurrent('--output', () => {
  it('writes every format from one run', async () => {
    const folder = place.newFolder();
    const machine = oneSocket();
    const files = ['report.md', 'report.json', 'emissions.csv'].flatMap((name) => ['-o', folder.file(name)]);
    const { exitCode } = await runCli([
      'run',
      ...on(machine),
      ...files,
      '--country',
      'Brazil',
      '--',
      'sh',
      '-c',
      work(machine, { 'intel-rapl:0': TICKS }),
    ]);
    expect(exitCode).toBe(0);
    const report = parseReport(folder.read('report.json'));
    expect(report.components.cpu.energyJoules).toBe(TICKS / TICKS_PER_JOULE);
    const markdown = folder.read('report.md');
    expect(markdown).toContain('Brazil');
    expect(markdown).toContain(report.runId);
    const [row, ...others] = rows(folder.read('emissions.csv'));
    expect(others).toEqual([]);
    expect(Object.keys(row ?? {})).toEqual([...CODECARBON_COLUMNS]);
    expect(row).toMatchObject({ run_id: report.runId, country_iso_code: 'BRA', gpu_energy: '' });
    expect(Number(row?.cpu_energy)).toBeCloseTo(report.components.cpu.energyKwh ?? Number.NaN, 12);
    expect(Number(row?.emissions)).toBeCloseTo(report.emissionsKg, 12);
  });

  it('adds a row to emissions.csv and keeps the first', async () => {
    const folder = place.newFolder();
    const run = (id: string) =>
      runCli(['run', ...on(oneSocket()), '-q', '--run-id', id, '-o', 'emissions.csv', '--', 'true'], {
        cwd: folder.path,
      });
    await run('first');
    const first = folder.read('emissions.csv');
    await run('second');
    const both = folder.read('emissions.csv');
    expect(both.startsWith(first)).toBe(true);
    expect(rows(both).map((row) => row.run_id)).toEqual(['first', 'second']);
  });

  it('leaves a CSV with other columns as it is, and says where the row went', async () => {
    const folder = place.newFolder();
    writeFileSync(folder.file('emissions.csv'), 'date,kWh\n2020-01-01,7\n');
    const file = folder.file('emissions.csv');
    const { exitCode, stderr } = await runCli(['run', ...on(oneSocket()), '-q', '-o', file, '--', 'true']);
    expect(exitCode).toBe(0);
    expect(folder.read('emissions.csv')).toBe('date,kWh\n2020-01-01,7\n');
    expect(rows(folder.read('emissions-1.csv'))).toHaveLength(1);
    expect(stderr).toContain('other columns');
    expect(stderr).toContain('emissions-1.csv');
  });

  it.each([
    ['the command was fine', 'true', 125],
    ['it failed by itself', 'exit 3', 3],
  ])('that cannot be written: the rest is reported, %s', async (_, script, expected) => {
    const folder = place.newFolder();
    const none = folder.file('no-such-folder/report.md');
    const flags = ['-o', none, '-o', folder.file('report.json')];
    const { exitCode, stderr } = await runCli([
      'run',
      ...on(oneSocket()),
      ...flags,
      '--',
      'sh',
      '-c',
      script,
    ]);
    expect(exitCode).toBe(expected);
    expect(stderr).toContain('CO2 emission report');
    expect(stderr).toContain(`cannot write ${none}`);
    expect(stderr).toContain('create it first');
    const { warnings } = parseReport(readFileSync(folder.file('report.json'), 'utf8'));
    expect(warnings).toContainEqual(
      expect.objectContaining({ code: 'output-failed', message: expect.stringContaining(none) }),
    );
    // Told once, at the end.
    expect(stderr.split('cannot write')).toHaveLength(2);
  });

  it('that cannot be written shows the report in spite of -q', async () => {
    const flags = ['-q', '-o', place.newFolder().file('no-such-folder/report.md')];
    const { exitCode, stdout, stderr } = await runCli(['run', ...on(oneSocket()), ...flags, '--', 'true']);
    expect({ exitCode, stdout }).toEqual({ exitCode: 125, stdout: '' });
    expect(stderr).toContain('CO2 emission report');
    expect(stderr).toContain('create it first');
  });

  it('that cannot be written leaves --json as it is: the report is there', async () => {
    const none = place.newFolder().file('no-such-folder/report.md');
    const flags = ['-q', '-o', none];
    const { report, result } = await measure(oneSocket(), 'true', flags);
    expect(result.exitCode).toBe(125);
    expect(report.warnings.map(({ code }) => code)).toContain('output-failed');
    expect(result.stderr).toMatch(/^microjoule: cannot write .*\n.*create it first.*\n$/);
  });
});
