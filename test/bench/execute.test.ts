// SPDX-License-Identifier: MIT
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CommandExecutor, type ExecutorOptions } from '../../lib/bench/execute.js';
import { isAlive, until } from '../support/processes.js';

const SHELL = ['/bin/sh', '-c'];
let folder = '';
beforeAll(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'microjoule-work-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const file = (name: string): string => path.join(folder, name);

async function execute(
  line: string,
  output = 'null',
  { timeoutSeconds, ...options }: Partial<ExecutorOptions & { timeoutSeconds: number }> = {},
) {
  const executor = new CommandExecutor({ shell: SHELL, input: undefined, ...options });
  try {
    return await executor.execute(line, { output, env: { MICROJOULE_ITERATION: '7' }, timeoutSeconds });
  } finally {
    executor.close();
  }
}

describe.skipIf(process.platform === 'win32')('a command', () => {
  it('is timed from its start to its end', async () => {
    const { start, end, exitCode, timedOut, stderrLines } = await execute('sleep 0.1');
    expect({ exitCode, timedOut, stderrLines }).toEqual({ exitCode: 0, timedOut: false, stderrLines: [] });
    expect(Number(end - start) / 1e9).toBeGreaterThanOrEqual(0.1);
  });

  it('ends with its code, its signal, or not at all', async () => {
    expect(await execute('exit 3')).toMatchObject({ exitCode: 3 });
    const killed = await execute('kill -9 $$');
    expect(killed.signal).toBe('SIGKILL');
    expect(killed).not.toHaveProperty('exitCode');
    expect(await execute('no-such-command-at-all', 'null', { shell: undefined })).toMatchObject({
      notStarted: 'there is no command "no-such-command-at-all"',
    });
    expect(await execute(folder, 'null', { shell: undefined })).toMatchObject({
      notStarted: expect.stringContaining('not executable'),
    });
  });

  it('leaves the last lines of what it wrote to stderr, of this run alone', async () => {
    const executor = new CommandExecutor({ shell: SHELL, input: undefined });
    const long = await executor.execute('for i in $(seq 5000); do echo line $i >&2; done', {
      output: 'null',
    });
    expect(long.stderrLines).toEqual(Array.from({ length: 10 }, (_, i) => `line ${4991 + i}`));
    const short = await executor.execute('printf "one\\n\\n two" >&2', { output: 'null' });
    expect(short.stderrLines).toEqual(['one', ' two']);
    const cut = await executor.execute('head -c 5000 /dev/zero | tr "\\0" x >&2; echo end >&2', {
      output: 'null',
    });
    expect(cut.stderrLines).toEqual([expect.stringMatching(/^… x{4000,}end$/)]);
    const none = await executor.execute('true', { output: 'null' });
    expect(none.stderrLines).toEqual([]);
    executor.close();
  });

  it('reads nothing, or the file from its beginning each time', async () => {
    writeFileSync(file('in'), 'hello\n');
    expect((await execute('cat >&2')).stderrLines).toEqual([]);
    const executor = new CommandExecutor({ shell: SHELL, input: file('in') });
    for (let i = 0; i < 2; ++i) {
      expect((await executor.execute('cat >&2', { output: 'null' })).stderrLines).toEqual(['hello']);
    }
    executor.close();
    await expect(execute('cat', 'null', { input: file('missing') })).rejects.toThrow('--input: cannot open');
  });

  it('writes where it is told to', async () => {
    await execute('echo first; echo $MICROJOULE_ITERATION', file('out'));
    expect(readFileSync(file('out'), 'utf8')).toBe('first\n7\n');
    await execute('echo second', file('out'));
    expect(readFileSync(file('out'), 'utf8')).toBe('second\n');
    await expect(execute('true', file('no/folder'))).rejects.toThrow('--output: cannot open');
    // More than a pipe holds.
    expect(await execute('head -c 1000000 /dev/zero', 'pipe')).toMatchObject({ exitCode: 0 });
  });

  it.each([
    ['ends when it is asked to', 'sleep 60 & echo $! > pid; wait'],
    ['does not', "trap '' TERM; (trap '' TERM; sleep 60) & echo $! > pid; while :; do sleep 1; done"],
  ])('is ended with all that it started when it takes too long and %s', async (_, script) => {
    const line = script.replace('> pid', `> ${file('pid')}`);
    const { timedOut, start, end } = await execute(line, 'null', { timeoutSeconds: 0.3 });
    expect(timedOut).toBe(true);
    expect(Number(end - start) / 1e9).toBeLessThan(10);
    const pid = Number(readFileSync(file('pid'), 'utf8'));
    expect(pid).toBeGreaterThan(1);
    expect(await until(() => !isAlive(pid))).toBe(true);
  });

  it.each([
    ['ends when it is asked to', 'sleep 60'],
    ['does not', "(trap '' TERM; while :; do sleep 1; done)"],
  ])('is ended by kill() with all that it started, if that %s', async (_, started) => {
    const executor = new CommandExecutor({ shell: SHELL, input: undefined });
    rmSync(file('killed'), { force: true });
    const running = executor.execute(`${started} & echo $! > ${file('killed')}; wait`, { output: 'null' });
    expect(await until(() => existsSync(file('killed')) && readFileSync(file('killed'), 'utf8') !== '')).toBe(
      true,
    );
    // The child needs a moment to have set its trap.
    await new Promise((resolve) => setTimeout(resolve, 100));
    executor.kill();
    expect(await running).toMatchObject({ signal: 'SIGTERM', timedOut: false });
    const pid = Number(readFileSync(file('killed'), 'utf8'));
    expect(await until(() => !isAlive(pid))).toBe(true);
    executor.close();
  });

  it('does not outlive us', async () => {
    const script = `
      import { CommandExecutor } from '${new URL('../../dist/bench/execute.js', import.meta.url).href}';
      const executor = new CommandExecutor({ shell: ['/bin/sh', '-c'], input: undefined });
      executor.execute("trap '' TERM; echo $$ > ${file('left')}; while :; do sleep 1; done", { output: 'null' });
      const { existsSync } = await import('node:fs');
      setInterval(() => existsSync('${file('left')}') && process.exit(0), 20);`;
    spawnSync(process.execPath, ['--input-type=module', '--eval', script], { stdio: 'ignore' });
    const pid = Number(readFileSync(file('left'), 'utf8'));
    expect(pid).toBeGreaterThan(1);
    expect(await until(() => !isAlive(pid))).toBe(true);
  });

  // util-linux gives what it runs a terminal of its own.
  it.skipIf(!existsSync('/usr/bin/script'))(
    'may keep our terminal, and is ended with all that it started nonetheless',
    async () => {
      const script = `
        import { CommandExecutor } from '${new URL('../../dist/bench/execute.js', import.meta.url).href}';
        const executor = new CommandExecutor({ shell: ['/bin/sh', '-c'], input: undefined });
        const told = (line, more) => executor.execute(line, { output: 'null', ...more });
        const own = await told('echo apart >/dev/tty');
        const kept = await told('echo together >/dev/tty', { needsTerminal: true });
        const late = await told('sleep 60 & echo $! > ${file('kept')}; wait', { needsTerminal: true, timeoutSeconds: 0.5 });
        executor.close();
        console.log(['codes', own.exitCode === 0, kept.exitCode, late.timedOut].join(' '));`;
      writeFileSync(file('kept.mjs'), script);
      const args = ['-qec', `'${process.execPath}' '${file('kept.mjs')}'`, '/dev/null'];
      const { stdout } = spawnSync('/usr/bin/script', args, { encoding: 'utf8', input: '' });
      expect(stdout).toContain('together');
      expect(stdout).not.toContain('apart');
      expect(stdout).toContain('codes false 0 true');
      const pid = Number(readFileSync(file('kept'), 'utf8'));
      expect(await until(() => !isAlive(pid))).toBe(true);
    },
  );

  it('leaves no file behind', async () => {
    const ours = (): string[] =>
      readdirSync(os.tmpdir()).filter((name) => name.startsWith('microjoule-bench-'));
    const before = new Set(ours());
    const executor = new CommandExecutor({ shell: SHELL, input: undefined });
    const [own = ''] = ours().filter((name) => !before.has(name));
    executor.close();
    expect(own).not.toBe('');
    expect(existsSync(path.join(os.tmpdir(), own))).toBe(false);
  });
});
