// SPDX-License-Identifier: MIT
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { createStreamDecoder } from '../../lib/monitor/decoder.js';
import type { StreamRecord } from '../../lib/stream/types.js';
import { lineErrors } from '../stream/fixtures.js';
import { type CliResult, runCli, spawnCli } from '../support/run-cli.js';
import { hasVirtualMachine, startMachine } from '../support/virtual-machine.js';
import { useWorkplace } from './fixtures.js';

const place = useWorkplace();
const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
/** Without counters, so that it runs anywhere. */
const NOWHERE = ['--sysfs', '/nonexistent', '--dev', '/nonexistent', '--nvml-library', '/nonexistent'];
const MODELLED = [...NOWHERE, '--cpu-watts', '10'];

function decode(text: string): StreamRecord[] {
  for (const line of text.trimEnd().split('\n')) expect(lineErrors(line)).toEqual([]);
  const decoder = createStreamDecoder();
  return [...decoder.push(text), ...decoder.finish()];
}

const monitor = (...args: string[]): Promise<CliResult> => runCli(['monitor', ...MODELLED, ...args]);

describe('microjoule monitor', () => {
  it('writes a line for each interval where there is no terminal', async () => {
    const { stdout, stderr, exitCode } = await monitor(
      '-i',
      '0.1',
      '--duration',
      '0.35',
      '--intensity',
      '100',
      '--pue',
      '1.5',
    );
    expect(exitCode).toBe(0);
    expect(stderr).toBe('');
    expect(stdout).toContain('total: cpu (assumed: user), ram (estimated: ram per-gib model)\n');
    expect(stdout).toContain('CO2e at 100.0 g/kWh, given, assumed, PUE 1.5\n');
    expect(stdout).toMatch(/ms +\d\S* W +\S+ m?J +\S+ µg CO2e +cpu 10\.00 W, ram \S+ W\n/);
    expect(stdout).not.toContain('\u001b');
  });

  it('takes models, place and PUE from the configuration, below its flags, and refuses what run refuses', async () => {
    const folder = place.newFolder();
    const settled = (text: string, ...args: string[]): Promise<CliResult> => {
      writeFileSync(folder.file('microjoule.config.json'), text);
      return runCli(['monitor', ...NOWHERE, '-i', '0.05', '--duration', '0.1', ...args], {
        cwd: folder.path,
      });
    };
    const good = JSON.stringify({ cpuWatts: 50, ramWattsPerGib: 0.25, pue: 1.5, intensityGramsPerKwh: 100 });
    const shown = await settled(good);
    expect(shown.stdout).toContain('CO2e at 100.0 g/kWh, given, assumed, PUE 1.5\n');
    expect(shown.stdout).toContain('cpu 50.00 W');
    for (const [flags, watts, memory] of [
      [[], 50, '0.25 W'],
      [['--cpu-watts', '20', '--ram-watts-per-gib', '1'], 20, '1 W'],
    ] as const) {
      const { stdout, stderr, exitCode } = await settled(good, '--jsonl', ...flags);
      expect([stderr, exitCode]).toEqual(['', 0]);
      const records = decode(stdout);
      const [header] = records;
      if (header?.type !== 'header') throw new Error('there is no header');
      expect(header.channels.map(({ source }) => source)).toEqual(['user', 'user']);
      expect(header.channels[1]?.detail).toContain(memory);
      const row = records.findLast((record) => record.type === 'row');
      if (row?.type !== 'row') throw new Error('there is no row');
      expect(row.energyJoules[0]).toBeCloseTo((watts * row.timeNs) / 1e9, 6);
    }
    for (const bad of ['{"pue":0.1}', '{"cpuWatts":-1}', '{"country":"XQ"}']) {
      const refused = await settled(bad);
      const [key = ''] = Object.keys(JSON.parse(bad) as object);
      expect(refused).toMatchObject({ exitCode: 125, stdout: '' });
      expect(refused.stderr).toContain(key);
    }
    const told = await settled('{"powerWatts":1}', '--csv');
    expect(told.exitCode).toBe(0);
    expect(told.stderr).toContain('powerWatts');
  });

  it('writes CSV of which every row adds up', async () => {
    const { stdout, exitCode } = await monitor('--csv', '-i', '0.1', '--duration', '0.35');
    expect(exitCode).toBe(0);
    const [head = '', ...lines] = stdout.trimEnd().split('\n');
    expect(head).toBe(
      'timestamp,time_seconds,energy_joules,power_watts,at_least,kind,model:cpu joules,model:ram joules',
    );
    const rows = lines.map((line) => line.split(','));
    expect(rows[0]?.slice(1)).toEqual(['0', '0', '', 'false', 'assumed', '0', '0']);
    expect(rows.length).toBeGreaterThan(2);
    for (const [index, row] of rows.entries()) {
      const [timestamp = '', time, energy, power, atLeast, kind, cpu, ram] = row;
      expect(new Date(timestamp).toISOString()).toBe(timestamp);
      expect([atLeast, kind]).toEqual(['false', 'assumed']);
      expect(Number(energy)).toBeCloseTo(Number(cpu) + Number(ram), 9);
      expect(Number(cpu)).toBeCloseTo(10 * Number(time), 6);
      if (index === 0) continue;
      const before = rows[index - 1] ?? [];
      const seconds = Number(time) - Number(before[1]);
      expect(Number(power)).toBeCloseTo((Number(energy) - Number(before[2])) / seconds, 3);
    }
  });

  it.each([
    'SIGINT',
    'SIGTERM',
    'SIGHUP',
  ] as const)('ends its stream at %s, and then itself by it', async (signal) => {
    const child = spawnCli(['monitor', ...MODELLED, '--jsonl', '-i', '0.05']);
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (more: string) => {
      text += more;
      // Several rows may come at once.
      if (text.split('\n').length >= 4 && !child.killed) child.kill(signal);
    });
    const [code, by] = await once(child, 'close');
    expect([code, by]).toEqual([null, signal]);
    expect(decode(text).at(-1)).toMatchObject({ type: 'end', reason: 'signal' });
  });

  it('ends in peace when its reader goes away', async () => {
    const child = spawn('bash', [
      '-c',
      `"$0" "$1" monitor ${MODELLED.join(' ')} --jsonl -i 0.02 | head -n 3; echo "code \${PIPESTATUS[0]}"`,
      process.execPath,
      MAIN,
    ]);
    let [text, told] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (more: string) => {
      text += more;
    });
    child.stderr.setEncoding('utf8').on('data', (more: string) => {
      told += more;
    });
    await once(child, 'close');
    expect(told).toBe('');
    expect(text.trimEnd().split('\n')).toHaveLength(4);
    expect(text).toMatch(/\ncode 0\n$/);
  });

  it.skipIf(!hasVirtualMachine)(
    'leaves out rows while its reader does not read, tells it so afterwards, and ends at a signal all the same',
    async () => {
      const machine = startMachine('sixteen-packages');
      try {
        const start = () =>
          spawnCli(['monitor', '--jsonl', '-i', '0.001', '--duration', '1000'], { env: machine.env });
        const [read, unread] = [start(), start()];
        // 64 KiB of pipe and 256 KiB of ours are full after a second or two of 300 bytes a row.
        await wait(6000);
        unread.kill('SIGTERM');
        read.kill('SIGTERM');
        let text = '';
        read.stdout.setEncoding('utf8').on('data', (more: string) => {
          text += more;
        });
        const asked = performance.now();
        await Promise.all([once(read, 'close'), once(unread, 'exit')]);
        expect(performance.now() - asked).toBeLessThan(5000);
        expect([read.signalCode, unread.signalCode]).toEqual(['SIGTERM', 'SIGTERM']);
        expect(text.length).toBeLessThan(700_000);
        const records = decode(text);
        const gaps = records.filter((record) => record.type === 'gap' && record.reason === 'reader');
        expect(gaps).toHaveLength(1);
        expect(gaps[0]).toMatchObject({ energyKept: true });
        expect(records.at(-1)).toMatchObject({ type: 'end', reason: 'signal', atLeast: false });
      } finally {
        machine.cleanup();
      }
    },
  );

  it.each([
    [['--jsonl', '--csv'], /exclude each other/],
    [['-i', '0'], /above 0/],
    [['-i', '0.0001'], /intervalMs: from 1 to 3600000/],
    [['--duration', 'x'], /above 0/],
    [['--no-estimates'], /no counter to stream/],
    [['--country', 'Nowhereland'], /Nowhereland/],
    [['--sources', 'nope'], /no source "nope"/],
  ])('says what is wrong with %j', async (args, problem) => {
    const { exitCode, stdout, stderr } = await monitor('--duration', '0.1', ...args);
    expect(exitCode).toBe(125);
    expect(stdout).toBe('');
    expect(stderr).toMatch(problem);
  });
});
