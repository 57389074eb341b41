// SPDX-License-Identifier: MIT
//
// What is left of a run that is killed.
import { spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, vi } from 'vitest';
import { EmissionsTracker } from '../../lib/index.js';
import { writeWhole } from '../../lib/tracker/write-whole.js';
import { parseReport, useWorkplace } from '../cli/fixtures.js';
import { runCli, spawnCli } from '../support/run-cli.js';
import { mountTinyDisk } from '../support/tiny-disk.js';

const place = useWorkplace();
const DIST = fileURLToPath(new URL('../../dist/index.js', import.meta.url));

describe('a report that is flushed', () => {
  it('is there, marked and whole, when the process is killed', async () => {
    const folder = place.newFolder();
    const script = `
      const { EmissionsTracker } = await import(${JSON.stringify(DIST)});
      const options = { output: ['run.json', 'emissions.csv'], flushSeconds: 0.2, projectName: 'long', runId: 'r' };
      await new EmissionsTracker(options).start().trackTask('ended', () => {});
      setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ['--input-type=module', '--eval', script], { cwd: folder.path });
    await expect.poll(() => existsSync(folder.file('run.json')), { timeout: 10_000 }).toBe(true);
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
    const report = parseReport(folder.read('run.json'));
    expect(report.projectName).toBe('long');
    expect(report.warnings.map(({ code }) => code)).toContain('unfinished');
    expect(report.duration.durationSeconds).toBeGreaterThan(0.15);
    expect(existsSync(folder.file('emissions.csv'))).toBe(false);
    expect(readdirSync(folder.path).sort()).toEqual(['emissions_base_r.csv', 'run.json']);
    expect(folder.read('emissions_base_r.csv')).toContain('\nended,');
  });

  it('is replaced at the end by one that is not marked', async () => {
    const folder = place.newFolder();
    const tracker = new EmissionsTracker({ output: folder.file('run.json'), flushSeconds: 0.05 }).start();
    await expect.poll(() => existsSync(folder.file('run.json')), { timeout: 5000 }).toBe(true);
    expect(folder.read('run.json')).toContain('"unfinished"');
    const report = await tracker.stop();
    expect(report.warnings.map(({ code }) => code)).not.toContain('unfinished');
    expect(folder.read('run.json')).not.toContain('"unfinished"');
  });

  it('has another name before the next tracker takes its own, which says so', async () => {
    const folder = place.newFolder();
    const file = folder.file('run.json');
    const options = { output: file, flushSeconds: 0.05 };
    const cutOff = new EmissionsTracker(options).start();
    await expect.poll(() => existsSync(file), { timeout: 5000 }).toBe(true);
    const text = folder.read('run.json');
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    await cutOff.stop();
    writeFileSync(file, text);
    const report = await new EmissionsTracker(options).start().stop();
    const kept = readdirSync(folder.path).find((name) => name !== 'run.json') ?? '';
    expect(kept).toMatch(/^run-\d{8}T\d{6}Z\.json$/);
    expect(folder.read(kept)).toBe(text);
    const told = report.warnings.find(({ code }) => code === 'unfinished-kept');
    expect(told?.hint).toBe(`To add both up: microjoule report ${folder.file(kept)} ${file}`);
    expect(warned.mock.calls.flat().join()).toContain(kept);
    warned.mockRestore();
  });

  it('is written by the command, too', async () => {
    const folder = place.newFolder();
    const file = folder.file('run.json');
    const child = spawnCli(['run', '-q', '--flush', '0.2', '-o', file, '--', 'sleep', '30']);
    await expect.poll(() => existsSync(file), { timeout: 10_000 }).toBe(true);
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
    expect(parseReport(readFileSync(file, 'utf8')).warnings.map(({ code }) => code)).toContain('unfinished');
  });

  it('is written by the command as often as its configuration says', async () => {
    const folder = place.newFolder();
    const file = folder.file('run.json');
    writeFileSync(folder.file('microjoule.config.json'), '{"flushSeconds":0.2,"output":"run.json"}');
    const child = spawnCli(['run', '-q', '--', 'sleep', '30'], { cwd: folder.path });
    const ended = new Promise((resolve) => child.once('exit', resolve));
    await expect.poll(() => existsSync(file), { timeout: 10_000 }).toBe(true);
    child.kill('SIGKILL');
    await ended;
    writeFileSync(folder.file('microjoule.config.json'), '{"flushSeconds":-1}');
    const { exitCode, stderr } = await runCli(['run', '--duration', '0.01'], { cwd: folder.path });
    expect([exitCode, stderr]).toEqual([125, expect.stringContaining('flushSeconds')]);
  });

  it('comes as often as asked for, or not at all', () => {
    for (const flushSeconds of [-1, Number.NaN]) {
      expect(() => new EmissionsTracker({ output: [], flushSeconds })).toThrow(
        expect.objectContaining({ code: 'ERR_BAD_OPTION', hint: expect.stringContaining('0 writes') }),
      );
    }
  });
});

describe('writeWhole', () => {
  it('keeps links, modes and what is no plain file', () => {
    const folder = place.newFolder();
    const file = folder.file('report.md');
    writeWhole(file, 'one');
    chmodSync(file, 0o600);
    symlinkSync(file, folder.file('link.md'));
    writeWhole(folder.file('link.md'), 'two');
    expect(lstatSync(folder.file('link.md')).isSymbolicLink()).toBe(true);
    expect(readFileSync(file, 'utf8')).toBe('two');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder.path).sort()).toEqual(['link.md', 'report.md']);
    if (process.platform === 'linux') expect(() => writeWhole('/dev/null', 'x')).not.toThrow();
    expect(() => writeWhole(folder.file('none/a.md'), 'x')).toThrow(
      expect.objectContaining({ code: 'ENOENT' }),
    );
  });

  it('leaves the old one where the disk is full', ({ skip }) => {
    const disk = mountTinyDisk(64);
    if (disk === undefined) return skip('no file system can be mounted here: run the tests as root');
    try {
      const file = `${disk.folder}/report.json`;
      writeWhole(file, 'the old one');
      expect(() => writeWhole(file, 'x'.repeat(100_000))).toThrow(
        expect.objectContaining({ code: 'ENOSPC' }),
      );
      expect(readFileSync(file, 'utf8')).toBe('the old one');
      expect(readdirSync(disk.folder)).toEqual(['report.json']);
    } finally {
      disk.unmount();
    }
  });
});
