// SPDX-License-Identifier: MIT
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isForegroundStat, runChild } from '../../lib/cli/child.js';

const inherit = { childStdout: 'inherit' } as const;
const here = process.cwd();
const searchPath = process.env.PATH;
let folder = '';

beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'microjoule-child-'));
});

afterEach(() => {
  process.chdir(here);
  process.env.PATH = searchPath;
  rmSync(folder, { recursive: true, force: true });
});

function writeFile(name: string, content: string, mode: number): string {
  const file = path.join(folder, name);
  writeFileSync(file, content);
  chmodSync(file, mode);
  return file;
}

describe('a command that runs', () => {
  it.each([0, 3, 255])('reports exit code %i', async (exitCode) => {
    expect(await runChild(['sh', '-c', `exit ${exitCode}`], inherit)).toEqual({ started: true, exitCode });
  });

  it.each(['TERM', 'KILL', 'SEGV', 'PIPE'])('reports death by SIG%s', async (name) => {
    const outcome = await runChild(['sh', '-c', `ulimit -c 0; kill -${name} $$`], inherit);
    expect(outcome).toEqual({ started: true, signal: `SIG${name}` });
  });

  it('passes arguments on as they are', async () => {
    const script = 'process.exit(process.argv[1] === "a  b" && process.argv[2] === "$HOME;" ? 0 : 1)';
    const outcome = await runChild([process.execPath, '-e', script, 'a  b', '$HOME;'], inherit);
    expect(outcome).toEqual({ started: true, exitCode: 0 });
  });

  it('leaves no listener behind, whether or not the command started', async () => {
    const signals = ['SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const;
    const listeners = () => signals.map((signal) => process.listenerCount(signal));
    const before = listeners();
    const running = runChild(['true'], inherit);
    expect(listeners()).toEqual(before.map((count) => count + 1));
    await running;
    await runChild(['microjoule-no-such-command'], inherit);
    await runChild(['\0'], inherit);
    expect(listeners()).toEqual(before);
  });
});

describe('a command that does not start', () => {
  it('is not found', async () => {
    const outcome = await runChild(['microjoule-no-such-command', '-v'], inherit);
    expect(outcome).toMatchObject({ started: false, exitCode: 127 });
    expect(outcome).toHaveProperty('message', 'Command not found: "microjoule-no-such-command".');
    expect(outcome).toHaveProperty('hint', expect.stringContaining('PATH'));
  });

  it('is not found, but a file of that name is in this folder', async () => {
    writeFile('train-it', '#!/bin/sh\n', 0o755);
    process.chdir(folder);
    const outcome = await runChild(['train-it'], inherit);
    expect(outcome).toMatchObject({ exitCode: 127, hint: expect.stringContaining('./train-it') });
  });

  it('is a whole command line in one word', async () => {
    const outcome = await runChild(['sleep 1'], inherit);
    expect(outcome).toMatchObject({ exitCode: 127, hint: expect.stringContaining("sh -c 'sleep 1'") });
  });

  it('is a path to nothing, or through a file', async () => {
    const file = writeFile('plain', '', 0o644);
    for (const command of [path.join(folder, 'none'), path.join(file, 'below')]) {
      const message = `There is no file "${command}".`;
      expect(await runChild([command], inherit)).toMatchObject({ exitCode: 127, message });
    }
  });

  it('is not executable, by path or in PATH', async () => {
    const file = writeFile('not-executable-here', '#!/bin/sh\n', 0o644);
    process.env.PATH = `${folder}${path.delimiter}${searchPath}`;
    for (const command of [file, 'not-executable-here']) {
      const outcome = await runChild([command], inherit);
      expect(outcome).toMatchObject({ exitCode: 126, message: `"${file}" is not executable.` });
      expect(outcome).toHaveProperty('hint', expect.stringContaining(`chmod +x ${file}`));
    }
  });

  it('is a directory', async () => {
    const outcome = await runChild([folder], inherit);
    expect(outcome).toMatchObject({ exitCode: 126, message: expect.stringContaining('is a directory') });
  });

  it('is a script whose interpreter is missing', async () => {
    const file = writeFile('script', '#! /no/such/interpreter -x\n', 0o755);
    const outcome = await runChild([file], inherit);
    expect(outcome).toMatchObject({ exitCode: 127, message: expect.stringContaining(file) });
    expect(outcome).toHaveProperty('message', expect.stringContaining('interpreter "/no/such/interpreter"'));
  });

  it('is a script with the line ends of Windows', async () => {
    const file = writeFile('script', '#!/bin/sh\r\nexit 0\r\n', 0o755);
    const outcome = await runChild([file], inherit);
    expect(outcome).toMatchObject({
      exitCode: 127,
      message: expect.stringContaining('interpreter "/bin/sh"'),
    });
    expect(outcome).toHaveProperty('hint', expect.stringContaining('LF'));
  });

  it('was looked for in a folder that is gone', async () => {
    const gone = path.join(folder, 'gone');
    mkdirSync(gone);
    process.chdir(gone);
    rmSync(gone, { recursive: true });
    const outcome = await runChild(['./script'], inherit);
    expect(outcome).toMatchObject({ exitCode: 125, message: expect.stringContaining('working directory') });
    expect(await runChild(['true'], inherit)).toEqual({ started: true, exitCode: 0 });
  });

  it('has arguments that the system cannot take', async () => {
    for (const argument of ['a\0b', 'x'.repeat(4_000_000)]) {
      const outcome = await runChild(['true', argument], inherit);
      expect(outcome).toMatchObject({ exitCode: 125, message: expect.stringContaining('"true"') });
    }
  });

  it.each([[[]], [['']]])('is no command: %j', async (argv) => {
    expect(await runChild(argv, inherit)).toMatchObject({ started: false, exitCode: 125 });
  });
});

describe('isForegroundStat', () => {
  it.each([
    ['123 (node) S 1 123 100 34816 123 4194304', true],
    ['123 (no) de (x) S 1 123 100 34816 123 4194304', true],
    ['123 (node) S 1 123 100 34816 100 4194304', false],
    ['123 (node) S 1 123 100 0 -1 4194304', false],
    ['', false],
  ])('%s: %s', (stat, expected) => {
    expect(isForegroundStat(stat)).toBe(expected);
  });
});
