// SPDX-License-Identifier: MIT
import { type ChildProcess, spawn } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { fileURLToPath } from 'node:url';
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet';
import { describe, expect, it } from 'vitest';
import { createStreamDecoder } from '../../lib/streams.js';
import { lineErrors } from '../stream/fixtures.js';
import { runCli } from '../support/run-cli.js';
import { mountTinyDisk } from '../support/tiny-disk.js';
import { hasVirtualMachine, startMachine, type VirtualMachine } from '../support/virtual-machine.js';
import { parseReport, useWorkplace } from './fixtures.js';

const place = useWorkplace();
const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/** A package of 40 W and memory of 4 W, all the time. */
const STEADY = `
processor intel 6 0x9e
cpus 0-3 package 0
meter package-0 jitter 20us power 40W
meter dram-0 power 4W jitter 20us
zone intel-rapl:0 package-0 of package-0
zone intel-rapl:0:0 dram of dram-0
pmu power 30 cpus 0
event power energy-pkg 2 cpu 0 of package-0
event power energy-ram 3 cpu 0 of dram-0
`;
const WATTS = 44;

async function inMachine(work: (machine: VirtualMachine) => Promise<void>): Promise<void> {
  const machine = startMachine(STEADY);
  try {
    await work(machine);
  } finally {
    machine.cleanup();
  }
}

/** Runs a traced command and kills microjoule, as nothing can prevent, once the trace is so old. */
async function killed(
  machine: VirtualMachine,
  trace: string,
  afterMs: number,
  flags: string[] = [],
): Promise<void> {
  // A group of its own, so that the command ends, too.
  const child: ChildProcess = spawn(
    process.execPath,
    [MAIN, 'run', '-q', '--trace', trace, '--trace-interval', '0.02', ...flags, '--', 'sleep', '60'],
    { env: { ...process.env, ...machine.env }, detached: true, stdio: 'ignore' },
  );
  await expect.poll(() => existsSync(trace), { timeout: 10_000 }).toBe(true);
  await new Promise((resolve) => setTimeout(resolve, afterMs));
  const ended = new Promise((resolve) => child.once('exit', resolve));
  process.kill(-(child.pid ?? Number.NaN), 'SIGKILL');
  await ended;
}

describe.skipIf(!hasVirtualMachine)('a traced run (needs Linux and g++: apt-get install g++)', () => {
  it('leaves the same report as the run, and a stream of its energy', async () => {
    await inMachine(async (machine) => {
      const folder = place.newFolder();
      const trace = folder.file('run.jsonl');
      const flags = ['--country', 'DE', '--run-id', 'r1', '--trace', trace, '--trace-interval', '0.02'];
      const ran = await machine.runCli(['run', '--json', ...flags, '--', 'sleep', '1']);
      const report = parseReport(ran.stdout);
      const again = await runCli(['report', '--json', trace]);
      expect({ ...parseReport(again.stdout), generatedAt: '' }).toEqual({ ...report, generatedAt: '' });

      const lines = readFileSync(trace, 'utf8').trimEnd().split('\n');
      for (const line of lines) expect(lineErrors(line)).toEqual([]);
      expect(lines.filter((line) => line.startsWith('{"type":"report-')).length).toBeGreaterThan(2);
      // A reader that knows streams alone can read it, too.
      const decoder = createStreamDecoder();
      const records = [...decoder.push(`${lines.join('\n')}\n`), ...decoder.finish()];
      expect(decoder.isEnded).toBe(true);
      const end = records.at(-1);
      if (end?.type !== 'end') throw new Error('there is no end');
      expect((end.energyJoules ?? 0) / report.energy.energyJoules).toBeCloseTo(1, 1);
      // From the first row to the last, the rows hold what was truly used.
      const [head] = records;
      if (head?.type !== 'header') throw new Error('there is no header');
      const startNs = BigInt(head.clock.monotonicNs);
      const truth = machine.trueTotalJoules(startNs, startNs + BigInt(Math.round(end.timeNs)));
      expect(Math.abs((end.energyJoules ?? 0) - truth)).toBeLessThan(WATTS * 0.005);
      expect(end.rowCount).toBeGreaterThan(20);
    });
  });

  it.each([
    'run.jsonl',
    'run.jsonl.gz',
  ])('loses less than a second to kill -9, and adds up with the next run (%s)', async (name) => {
    await inMachine(async (machine) => {
      const folder = place.newFolder();
      const trace = folder.file(name);
      await killed(machine, trace, 1700, ['--country', 'DE', '--project-name', 'long']);
      const told = await runCli(['trace', trace]);
      expect(told).toMatchObject({ exitCode: 0, stderr: '' });
      expect(told.stdout).toContain('goes on, or was cut off: this is what was recorded until now or then');
      const cut = parseReport((await runCli(['report', '--json', trace])).stdout);
      expect(cut).toMatchObject({ projectName: 'long', location: { countryAlpha3: 'DEU' } });
      expect(cut.warnings.map(({ code }) => code)).toContain('interrupted');
      const { durationSeconds } = cut.duration;
      expect(durationSeconds).toBeGreaterThan(0.7);
      expect(cut.energy.kind).toBe('measured');
      expect(cut.energy.powerWatts).toBeGreaterThan(WATTS * 0.98);
      expect(cut.energy.powerWatts).toBeLessThan(WATTS * 1.02);
      expect(cut.series?.channels.map(({ name: one }) => one)).toEqual(['CPU', 'RAM']);

      const next = folder.file('next.json');
      await machine.runCli(['run', '-q', '--country', 'DE', '-o', next, '--duration', '0.5']);
      const second = parseReport(readFileSync(next, 'utf8'));
      const total = parseReport((await runCli(['report', '--json', trace, next])).stdout);
      expect(total.energy.energyJoules).toBeCloseTo(cut.energy.energyJoules + second.energy.energyJoules, 6);
      expect(total.duration.durationSeconds).toBeCloseTo(
        durationSeconds + second.duration.durationSeconds,
        9,
      );
      expect(total.warnings.map(({ code }) => code)).toContain('interrupted');
      expect(total.merged).toHaveLength(2);
    });
  });

  it('is written as Parquet, CSV and lines, which hold the same; what was cut is left out', async () => {
    await inMachine(async (machine) => {
      const folder = place.newFolder();
      const trace = folder.file('run.jsonl');
      await machine.runCli(['run', '-q', '--trace', trace, '--trace-interval', '0.01', '--duration', '0.6']);
      truncateSync(trace, statSync(trace).size - 5);
      const outputs = ['p.parquet', 'c.csv', 'l.jsonl'].map((name) => folder.file(name));
      const ran = await runCli(['trace', trace, ...outputs.flatMap((file) => ['-o', file])]);
      expect(ran.exitCode).toBe(0);
      expect(ran.stderr).toContain('its last line was cut; all that is whole was written');
      const [parquet = '', csv = '', lines = ''] = outputs;
      const rows = await parquetReadObjects({ file: await asyncBufferFromFile(parquet) });
      const texts = readFileSync(csv, 'utf8').trimEnd().split('\n').slice(1);
      const arrays = readFileSync(lines, 'utf8')
        .trimEnd()
        .split('\n')
        .map((line): unknown => JSON.parse(line))
        .filter((value) => Array.isArray(value)) as number[][];
      expect(rows.length).toBeGreaterThan(10);
      expect([texts.length, arrays.length]).toEqual([rows.length, rows.length]);
      for (const [i, row] of rows.entries()) {
        const [timeNs, ticks] = Object.values(row) as [bigint, bigint];
        const [time, joules = Number.NaN] = arrays[i] ?? [];
        expect(timeNs).toBe(BigInt(time ?? -1));
        expect(Number(texts[i]?.split(',')[6])).toBe(joules);
        // perf counts in 2^-32 J.
        expect(Number(ticks) / 2 ** 32).toBeCloseTo(joules, 9);
      }
      expect(readdirSync(folder.path).sort()).toEqual(['c.csv', 'l.jsonl', 'p.parquet', 'run.jsonl']);
    });
  });

  it('ends as the command does while the disk of the trace is full, and says so', async ({ skip }) => {
    const disk = mountTinyDisk(16);
    if (disk === undefined) return skip('no file system can be mounted here: run the tests as root');
    try {
      await inMachine(async (machine) => {
        const trace = `${disk.folder}/run.jsonl`;
        const report = place.newFolder().file('run.json');
        const flags = ['--trace', trace, '--trace-interval', '0.001', '-o', report];
        const ran = await machine.runCli(['run', '-q', ...flags, '--', 'sh', '-c', 'sleep 1; exit 3']);
        expect(ran.exitCode).toBe(3);
        expect(ran.stderr).toContain('The disk is full.');
        const written = parseReport(readFileSync(report, 'utf8'));
        expect(written.warnings.map(({ code }) => code)).toContain('trace-failed');
        // What fitted is there.
        const again = await runCli(['trace', trace]);
        expect(again.exitCode).toBe(0);
        expect(again.stdout).toMatch(/\d\d+ rows/);
        const copy = place.newFolder().file('copy.jsonl');
        copyFileSync(trace, copy);
        const exported = await runCli(['trace', copy, '-o', `${disk.folder}/x.csv`]);
        expect(exported).toMatchObject({ exitCode: 125 });
        expect(exported.stderr).toContain('The disk is full.');
        expect(readdirSync(disk.folder)).toEqual(['run.jsonl']);
      });
    } finally {
      disk.unmount();
    }
  });
});

describe('--trace', () => {
  it('says before the command starts what is wrong', async () => {
    const folder = place.newFolder();
    const taken = folder.file('taken.jsonl');
    writeFileSync(taken, 'a run\n');
    const mark = folder.file('started');
    for (const [flags, message] of [
      [['--trace', taken], 'give another name, or remove it'],
      [['--trace', folder.file('none/run.jsonl')], 'folder does not exist'],
      [['--trace', folder.file('a.parquet')], 'recorded as .jsonl or .jsonl.gz'],
      [['--trace', folder.file('a.csv')], 'microjoule trace run.jsonl -o run.parquet'],
      [['--trace', folder.file('a.jsonl'), '-r', '2'], '--trace goes with a single run'],
      [['--trace', folder.file('a.jsonl'), '--trace-interval', '0.0001'], '0.001 to 3600'],
    ] as const) {
      const ran = await runCli(['run', ...flags, '--', 'touch', mark]);
      expect(ran.exitCode).toBe(125);
      expect(ran.stderr).toContain(message);
    }
    expect(existsSync(mark)).toBe(false);
    expect(readFileSync(taken, 'utf8')).toBe('a run\n');
  });

  it('leaves no file of a command that does not start, so that the next try has its name', async () => {
    const folder = place.newFolder();
    const trace = folder.file('run.jsonl');
    const mispelt = await runCli(['run', '--trace', trace, '--', 'microjoule-no-such-program']);
    expect(mispelt.exitCode).toBe(127);
    expect(readdirSync(folder.path)).toEqual([]);
    const ran = await runCli(['run', '-q', '--trace', trace, '--', process.execPath, '--version']);
    expect(ran.exitCode).toBe(0);
    // What was there before stays.
    const empty = folder.file('empty.jsonl');
    writeFileSync(empty, '');
    await runCli(['run', '--trace', empty, '--', 'microjoule-no-such-program']);
    expect(readdirSync(folder.path).sort()).toEqual(['empty.jsonl', 'run.jsonl']);
  });

  it('is told from reports; what is neither is refused', async () => {
    const folder = place.newFolder();
    const bad = folder.file('bad.jsonl');
    writeFileSync(bad, '{"type":"header","schema":"microjoule.stream/9"}\n');
    for (const command of ['trace', 'report']) {
      const ran = await runCli([command, bad]);
      expect(ran.exitCode).toBe(125);
      expect(ran.stderr).toContain('microjoule.stream/1');
    }
    const foreign = await runCli(['trace', bad, '-o', folder.file('a.xlsx')]);
    expect(foreign.stderr).toContain('.parquet, .csv, .jsonl');
    const itself = await runCli(['trace', bad, '-o', bad]);
    expect(itself.stderr).toContain('cannot be its own output');
  });
});
