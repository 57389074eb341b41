// SPDX-License-Identifier: MIT
//
// The command on Windows: exit codes, keys of the console, names with spaces and letters of all alphabets, line ends,
// batch files, and a user's configuration.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { type Ended, inConsole, insideWindows, NODE_EXE, onWindows, REPOSITORY, toWindows } from './wine.js';

const MAIN = toWindows(path.join(REPOSITORY, 'dist/cli/main.js'));
const NODE = toWindows(NODE_EXE);
const LONG_MS = 60_000;
/** What Windows gives a program that Ctrl-C ended: STATUS_CONTROL_C_EXIT. */
const ENDED_BY_CTRL_C = 0xc000013a;

/** @param become makes the energy meters those of a machine */
export function testCommand(scratch: () => string, become: (machine: string) => Promise<void>): void {
  // 15 W, with 2 W of memory beside it.
  beforeAll(() => become('intel'), LONG_MS);

  const inside = (
    args: string[],
    options: { env?: Record<string, string>; cwd?: string } = {},
  ): Promise<Ended> => insideWindows([MAIN, ...args], options);

  function newFolder(name: string): string {
    const folder = path.join(scratch(), name);
    mkdirSync(folder, { recursive: true });
    return folder;
  }

  it('exit codes keep all of their 32 bits', { timeout: LONG_MS }, async () => {
    for (const code of [0, 3, 259, ENDED_BY_CTRL_C]) {
      const ended = await inside(['run', '-q', '--', NODE, '--eval', `process.exit(${code})`]);
      expect(ended.exitCode, ended.stderr).toBe(code);
    }
  });

  it('arguments and names of files keep spaces, quotes and every alphabet', {
    timeout: LONG_MS,
  }, async () => {
    const folder = newFolder('Ünïcode 文件 – two words');
    const script = path.join(folder, 'say args.mjs');
    writeFileSync(script, 'console.log(JSON.stringify(process.argv.slice(2)));\n');
    const words = ['two words', 'a"quote', 'back\\slash\\', 'Grüße', '電力', '', '%PATH%', '&calc'];
    const report = path.join(folder, 'der Bericht – 報告.json');
    const args = ['run', '-o', toWindows(report), '--', NODE, toWindows(script), ...words];
    const ended = await inside(args, { cwd: toWindows(folder) });
    expect(ended.exitCode, ended.stderr).toBe(0);
    expect(JSON.parse(ended.stdout)).toEqual(words);
    expect(JSON.parse(readFileSync(report, 'utf8'))).toMatchObject({ schema: 'microjoule.report/1' });
  });

  // Wine's own shell takes no command apart that has arguments or spaces and is quoted as a whole.
  it('batch files run, as npm and npx are', { timeout: LONG_MS }, async () => {
    const folder = newFolder('batch');
    writeFileSync(path.join(folder, 'greet.cmd'), '@echo off\r\necho hello\r\nexit /b 5\r\n');
    // What npm puts beside it for shells of Unix.
    writeFileSync(path.join(folder, 'greet'), '#!/bin/sh\nexit 6\n');
    const env = { Path: `${toWindows(folder)};C:\\windows\\system32` };
    expect(await inside(['run', '-q', '--', 'greet'], { env })).toMatchObject({
      exitCode: 5,
      stdout: 'hello\r\n',
    });
    const absent = await inside(['run', '-q', '--', 'greeet'], { env });
    expect(absent.exitCode).toBe(127);
    expect(absent.stderr).toContain('Command not found: "greeet"');
  });

  it("the user's configuration is found under USERPROFILE, with line ends of Windows", {
    timeout: LONG_MS,
  }, async () => {
    const home = newFolder('Users/Anna Müller');
    const here = newFolder('work');
    writeFileSync(
      path.join(home, '.codecarbon.config'),
      '\uFEFF[codecarbon]\r\nproject_name = from home\r\n',
    );
    writeFileSync(path.join(here, 'microjoule.config.json'), '{\r\n  "country": "NO"\r\n}\r\n');
    const ended = await inside(['run', '--json', '--duration', '0.1'], {
      env: { USERPROFILE: toWindows(home) },
      cwd: toWindows(here),
    });
    expect(ended.exitCode, ended.stderr).toBe(0);
    const report = JSON.parse(ended.stdout);
    expect(report.projectName).toBe('from home');
    expect(report.location).toMatchObject({ countryAlpha3: 'NOR' });
  });

  it('emissions.csv of Windows gains a row with its line ends', { timeout: LONG_MS }, async () => {
    const file = path.join(newFolder('csv'), 'emissions.csv');
    const add = async (): Promise<void> => {
      const ended = await inside(['run', '-q', '-o', toWindows(file), '--duration', '0.1']);
      expect(ended.exitCode, ended.stderr).toBe(0);
    };
    await add();
    // As Python and spreadsheets leave it there.
    writeFileSync(file, `\uFEFF${readFileSync(file, 'utf8').replace(/\r?\n/g, '\r\n')}`);
    await add();
    const text = readFileSync(file, 'utf8');
    expect(text.match(/\r\n/g)).toHaveLength(3);
    expect(text.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/);
    const [, first, second] = text.split('\r\n').map((line) => line.split(',').length);
    expect(second).toBe(first);
  });

  /** A program that measures itself. */
  function program(name: string, code: string): string {
    const file = path.join(newFolder('programs'), name);
    const library = `file:///${toWindows(path.join(REPOSITORY, 'dist/index.js')).replaceAll('\\', '/')}`;
    writeFileSync(file, `import { EmissionsTracker, openMeter } from '${library}';\n${code}`);
    return file;
  }

  it('a tracker writes its report while the process exits', { timeout: LONG_MS }, async () => {
    const file = path.join(newFolder('tracker'), 'report.json');
    const script = program(
      'tracked.mjs',
      `new EmissionsTracker({ output: process.argv[2] }).start();
       setTimeout(() => process.exit(4), 1000);`,
    );
    const ended = await insideWindows([toWindows(script), toWindows(file)]);
    expect(ended).toMatchObject({ exitCode: 4, stderr: '' });
    const { components } = JSON.parse(readFileSync(file, 'utf8'));
    expect(components.cpu).toMatchObject({ kind: 'measured', source: 'emi' });
    expect(Math.abs(components.cpu.powerWatts / 15 - 1)).toBeLessThan(0.01);
  });

  it('a region has the energy between two marks', { timeout: LONG_MS }, async () => {
    const script = program(
      'region.mjs',
      `const meter = openMeter({ sources: ['emi'] });
       await meter.ready();
       const region = meter.begin();
       await new Promise((resolve) => setTimeout(resolve, 500));
       const { energyJoules, lowerJoules, upperJoules, durationSeconds: seconds } = await region.end();
       meter.close();
       console.log(JSON.stringify({ energyJoules, lowerJoules, upperJoules, seconds }));`,
    );
    const ended = await insideWindows([toWindows(script)]);
    expect(ended.exitCode, ended.stderr).toBe(0);
    const { energyJoules, lowerJoules, upperJoules, seconds } = JSON.parse(ended.stdout);
    expect(seconds).toBeGreaterThan(0.45);
    // The package and its memory.
    expect(Math.abs(energyJoules / seconds / 17 - 1)).toBeLessThan(0.05);
    expect(lowerJoules).toBeLessThanOrEqual(17 * seconds * 1.05);
    expect(upperJoules).toBeGreaterThanOrEqual(17 * seconds * 0.95);
  });

  it('colours are for consoles, or for who asks', { timeout: LONG_MS }, async () => {
    const bold = '\u001B[1m';
    const args = [MAIN, 'run', '--duration', '0.1'];
    expect((await onWindows(args, { env: { NO_COLOR: '' } })).stderr).not.toContain('\u001B');
    expect((await onWindows(args, { env: { NO_COLOR: '', FORCE_COLOR: '1' } })).stderr).toContain(bold);
    expect((await onWindows(args, { env: { FORCE_COLOR: '1' } })).stderr).not.toContain('\u001B');
    expect(await inConsole(args, 'never', '')).toContain(bold);
  });

  it('Ctrl-C is for the command, and what was measured is reported', { timeout: LONG_MS }, async () => {
    const code =
      'process.on("SIGINT", () => { console.log("got it"); process.exit(9); }); console.log("I am up"); setTimeout(() => {}, 2e4)';
    const shown = await inConsole(
      [MAIN, 'run', '--no-progress', '--', NODE, '--eval', code],
      'I am up',
      '\u0003',
    );
    expect(shown).toContain('got it');
    expect(shown).toContain('CO2 emission report');
  });

  it('Ctrl-C ends a tracked program after its report', { timeout: LONG_MS }, async () => {
    const file = path.join(newFolder('interrupted'), 'report.json');
    const script = program(
      'interrupted.mjs',
      `new EmissionsTracker({ output: process.argv[2] }).start();
       setTimeout(() => console.log('I am up'), 300);
       setTimeout(() => {}, 2e4);`,
    );
    await inConsole([toWindows(script), toWindows(file)], 'I am up', '\u0003');
    expect(readFileSync(file, 'utf8')).toContain('SIGINT');
  });
}
