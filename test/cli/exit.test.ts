// SPDX-License-Identifier: MIT
import { spawn, spawnSync } from 'node:child_process';
import { constants } from 'node:fs';
import os from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exitCodeOf } from '../../lib/cli/exit.js';
import { type ChildFixture, compileChildFixture, ended, saying } from '../support/run-child-fixture.js';

let fixture: ChildFixture;
beforeAll(() => {
  fixture = compileChildFixture();
});
afterAll(() => fixture.cleanup());

describe('exitCodeOf', () => {
  it('is what a shell shows', () => {
    expect(exitCodeOf({ started: true, exitCode: 3 })).toBe(3);
    expect(exitCodeOf({ started: true, signal: 'SIGTERM' })).toBe(128 + os.constants.signals.SIGTERM);
    expect(exitCodeOf({ started: false, exitCode: 127, message: '', hint: '' })).toBe(127);
  });
});

describe('exitLike', () => {
  it.each([0, 7, 255])('ends with exit code %i', async (exitCode) => {
    const end = await ended(fixture.start('inherit', ['sh', '-c', `exit ${exitCode}`]));
    expect(end).toMatchObject({ exitCode, signal: null });
  });

  // SIGPIPE and SIGXFSZ are ignored by Node, SIGUSR1 would start its inspector, SIGKILL has no listeners.
  it.each([
    'TERM',
    'INT',
    'HUP',
    'KILL',
    'SEGV',
    'ABRT',
    'PIPE',
    'USR1',
    'XFSZ',
    'ALRM',
  ])('dies by SIG%s after its last words', async (name) => {
    const end = await ended(fixture.start('inherit', ['sh', '-c', `ulimit -c 0; kill -${name} $$`]));
    expect(end).toMatchObject({ exitCode: null, signal: `SIG${name}` });
    expect(end.stderr).toContain(`[outcome {"started":true,"signal":"SIG${name}"}]`);
  });

  it('ends with the code of a command that did not start', async () => {
    const end = await ended(fixture.start('inherit', ['microjoule-no-such-command']));
    expect(end).toMatchObject({ exitCode: 127, signal: null });
  });

  it('ends as the child ended when nobody reads our output any more', async () => {
    const child = fixture.start('inherit', ['sh', '-c', 'sleep 0.2; exit 6']);
    child.stdout?.destroy();
    expect((await ended(child)).exitCode).toBe(6);
  });
});

describe('runChild in a process of its own', () => {
  const both = 'process.stdout.write("to stdout;"); process.stderr.write("to stderr;");';

  it('leaves stdin, stdout and stderr to the child', async () => {
    const child = fixture.start('inherit', ['sh', '-c', 'cat; echo to stderr >&2']);
    child.stdin?.end('through stdin');
    const { stdout, stderr } = await ended(child);
    expect(stdout).toBe('through stdin');
    expect(stderr).toContain('to stderr');
  });

  it('sends stdout to stderr when asked', async () => {
    const { stdout, stderr } = await ended(fixture.start('stderr', [process.execPath, '-e', both]));
    expect(stdout).toBe('');
    expect(stderr).toContain('to stdout;');
    expect(stderr).toContain('to stderr;');
  });

  it.runIf(process.platform === 'linux')('gives the child pipes that block', async () => {
    const flags =
      'grep flags /proc/self/fdinfo/1 /proc/self/fdinfo/2; sleep 0.3; grep flags /proc/self/fdinfo/2';
    const { stdout } = await ended(fixture.start('inherit', ['sh', '-c', flags]));
    const values = [...stdout.matchAll(/flags:\s*([0-7]+)/g)].map(([, value = '']) =>
      Number.parseInt(value, 8),
    );
    expect(values).toHaveLength(3);
    expect(values.filter((value) => value & constants.O_NONBLOCK)).toEqual([]);
  });

  // A child that waits for a second copy of the signal, tells how many came, and ends with 9.
  const counting = (name: string) =>
    `let n = 0; process.on("SIG${name}", () => { if (n++ === 0) setTimeout(() => {
      console.log("got " + n); process.exit(9); }, 300); }); setInterval(() => {}, 1000); console.log("ready")`;

  it.each(['TERM', 'HUP', 'QUIT', 'INT', 'USR1', 'USR2'])('forwards SIG%s once', async (name) => {
    const child = fixture.start('inherit', [process.execPath, '-e', counting(name)]);
    const end = ended(child);
    await saying(child, 'ready');
    child.kill(`SIG${name}` as NodeJS.Signals);
    const { exitCode, stdout, stderr } = await end;
    expect(stdout).toBe('ready\ngot 1\n');
    expect(exitCode).toBe(9);
    expect(stderr).not.toContain('Debugger');
  });

  it('outlives a signal that the child ignores', async () => {
    const child = fixture.start('inherit', ['sh', '-c', "trap '' TERM; echo ready; sleep 0.5; exit 4"]);
    const end = ended(child);
    await saying(child, 'ready');
    child.kill('SIGTERM');
    expect((await end).exitCode).toBe(4);
  });

  it('dies by the forwarded signal when the child does', async () => {
    const child = fixture.start('inherit', ['sh', '-c', 'echo ready; exec sleep 10']);
    const end = ended(child);
    await saying(child, 'ready');
    child.kill('SIGTERM');
    const { signal, stderr } = await end;
    expect(signal).toBe('SIGTERM');
    expect(stderr).toContain('[outcome {"started":true,"signal":"SIGTERM"}]');
  });

  const hasScript = process.platform === 'linux' && spawnSync('script', ['--version']).status === 0;

  // Needs script(1) of util-linux, which gives the command a terminal of its own.
  it.runIf(hasScript).each([
    ['Ctrl-C', '\x03', 'INT'],
    ['Ctrl-\\', '\x1c', 'QUIT'],
  ])('leaves %s to the terminal', async (_, key, name) => {
    // exec: a shell that stays between (dash does) would itself die of the key.
    const line = `exec "${process.execPath}" "${fixture.driver}" inherit "${process.execPath}" -e '${counting(name)}'`;
    const child = spawn('script', ['-qec', line, '/dev/null'], { stdio: ['pipe', 'pipe', 'pipe'] });
    const end = ended(child);
    await saying(child, 'ready');
    child.stdin.write(key);
    const { exitCode, stdout } = await end;
    expect(stdout).toContain('got 1');
    expect(exitCode).toBe(9);
  });
});
