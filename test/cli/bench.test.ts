// SPDX-License-Identifier: MIT
//
// `microjoule bench` as its users meet it, what is bad input above all. Most run on a machine without any counter, on
// estimates: what goes wrong with commands goes wrong there alike.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { joinBenchArguments } from '../../lib/cli/bench-arguments.js';
import { errorsBy } from '../format/bench-fixtures.js';
import { isAlive, until } from '../support/processes.js';
import { type CliOptions, type CliResult, runCli, spawnCli } from '../support/run-cli.js';
import { on, useWorkplace } from './fixtures.js';

const place = useWorkplace();
const TIMEOUT_MS = 30_000;

/** `bench` where no counter can be read. */
function bench(args: string[], options: CliOptions = {}): Promise<CliResult> {
  const machine = place.machine();
  const nowhere = [...on(machine), '--dev', machine.root];
  return runCli(['bench', ...nowhere, ...args], { ...options, timeoutMs: TIMEOUT_MS });
}
const estimated = (args: string[], options?: CliOptions) =>
  bench(['--allow-estimates', '--idle', '0', ...args], options);

describe('arguments', () => {
  const join = (...args: string[]) => joinBenchArguments(['node', 'main.js', 'bench', ...args]).slice(3);

  it('of several values become one', () => {
    expect(join('-P', 'n', '1', '3', 'cmd')).toEqual(['--parameter-scan=n\u00001\u00003', 'cmd']);
    expect(join('-L', 'a', 'x,y', '-L', 'b', '1', 'c')).toEqual([
      '--parameter-list=a\u0000x,y',
      '--parameter-list=b\u00001',
      'c',
    ]);
  });

  it('that may have a value take none from the commands', () => {
    expect(join('-i', 'cmd')).toEqual(['--ignore-failure=all-non-zero', 'cmd']);
    expect(join('--ignore-failure=1,2', 'cmd')).toEqual(['--ignore-failure=1,2', 'cmd']);
    expect(join('-Ni', 'cmd')).toEqual(['-N', '--ignore-failure=all-non-zero', 'cmd']);
    expect(join('-iN', '-i', 'cmd')).toEqual([
      '--ignore-failure=all-non-zero',
      '-N',
      '--ignore-failure=all-non-zero',
      'cmd',
    ]);
    expect(join('-p', '-Ni', 'cmd')).toEqual(['-p', '-Ni', 'cmd']);
    expect(join('-p', '-i', 'cmd')).toEqual(['-p', '-i', 'cmd']);
    expect(join('--', '-i')).toEqual(['--', '-i']);
  });

  it('of other commands stay', () => {
    const other = ['node', 'main.js', 'run', '--', 'bench', '-P', 'a', '-i'];
    expect(joinBenchArguments(other)).toEqual(other);
    const before = ['node', 'main.js', '--sysfs', 'bench', 'bench', '-i', 'cmd'];
    expect(joinBenchArguments(before).slice(5)).toEqual(['--ignore-failure=all-non-zero', 'cmd']);
    const none = ['node', 'main.js', '--help'];
    expect(joinBenchArguments(none)).toEqual(none);
  });
});

describe.concurrent('without a counter', () => {
  it('refuses, names doctor, and runs nothing', async () => {
    const file = place.newFolder().file('started');
    const { exitCode, stdout, stderr } = await bench([`touch ${file}`]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 125, stdout: '' });
    expect(stderr).toContain('no counter of this machine');
    expect(stderr).toContain('microjoule doctor');
    expect(stderr).toContain('--allow-estimates');
    expect(stderr).not.toContain('allowEstimates');
    expect(existsSync(file)).toBe(false);
  });

  it('estimates when it is told to, and marks every figure', async () => {
    const folder = place.newFolder();
    const names = ['json', 'csv', 'markdown', 'asciidoc', 'bmf', 'github-action-benchmark'];
    const exports = names.flatMap((name) => [`--export-${name}`, folder.file(name)]);
    const { exitCode, stdout, stderr } = await estimated(['-r', '2', ...exports, 'sleep 0.01', 'sleep 0.03']);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    for (const line of stdout.split('\n').filter((one) => /^ *(Energy|Power|energy)\b/.test(one))) {
      expect(line).toMatch(/estimated/);
    }
    for (const name of names) expect(folder.read(name), name).toMatch(/estimated/);
    expect(errorsBy('schema/bench', folder.read('json'))).toEqual([]);
    expect(errorsBy('test/schemas/hyperfine', folder.read('json'))).toEqual([]);
    expect(errorsBy('test/schemas/bencher-metric-format', folder.read('bmf'))).toEqual([]);
    expect(errorsBy('test/schemas/github-action-benchmark', folder.read('github-action-benchmark'))).toEqual(
      [],
    );
    for (const result of JSON.parse(folder.read('json')).results) {
      for (const one of [result.energy, result.power]) expect(one.kind).not.toBe('measured');
      expect(result).not.toHaveProperty('energyAboveIdle');
    }
  });
});

describe.concurrent('what goes wrong', () => {
  it('with one command leaves the others, says which run it was, and shows its last words', async () => {
    const folder = place.newFolder();
    const script = `printf x >> ${folder.file('runs')}; [ $(wc -c < ${folder.file('runs')}) -lt 3 ] || { echo bad luck >&2; exit 9; }`;
    const { exitCode, stdout } = await estimated([
      ...['-r', '4', '-n', 'good', '-n', 'unlucky', '--export-json', folder.file('json')],
      ...['sleep 0.01', script],
    ]);
    expect(exitCode).toBe(1);
    expect(stdout).toContain('Failed: run 3 of unlucky');
    expect(stdout).toContain('exit code 9');
    expect(stdout).toContain('    bad luck');
    const { results, failures, comparisons } = JSON.parse(folder.read('json'));
    expect(
      results.map(({ command, times, hasFailed }: Record<string, never[]>) => [
        command,
        times?.length,
        hasFailed,
      ]),
    ).toEqual([
      ['good', 4, false],
      ['unlucky', 2, true],
    ]);
    expect(failures).toMatchObject([{ run: 3, exitCode: 9, stderrLines: ['bad luck'], measuredCount: 2 }]);
    expect(comparisons).toEqual([]);
  });

  it('is ignored when told so', async () => {
    const { exitCode, stdout } = await estimated(['-r', '2', '-i', 'sleep 0.01; exit 3']);
    expect(exitCode).toBe(0);
    const bundled = await estimated(['-r', '2', '-Ni', 'false']);
    expect(bundled).toMatchObject({ exitCode: 0, stderr: '' });
    expect(stdout).toContain('exit codes other than 0 were ignored: 3');
    const other = await estimated(['-r', '2', '--ignore-failure=4', 'exit 3']);
    expect(other.exitCode).toBe(1);
  });

  it('is a command that never ends: it is ended with its children', async () => {
    const folder = place.newFolder();
    const script = `sleep 100 & echo $! > ${folder.file('pid')}; wait`;
    const { exitCode, stdout } = await estimated(['-r', '2', '--timeout', '0.5', script, 'sleep 0.01']);
    expect(exitCode).toBe(1);
    expect(stdout.replace(/\s+/g, ' ')).toContain(
      'it had not ended after 0.5 s, and was ended with all that it had started.',
    );
    expect(stdout).toContain('sleep 0.01');
    const pid = Number(folder.read('pid'));
    expect(pid).toBeGreaterThan(1);
    expect(await until(() => !isAlive(pid))).toBe(true);
  });

  it('is a prepare that fails', async () => {
    const { exitCode, stdout } = await estimated([
      '-r',
      '2',
      '-p',
      'echo not ready >&2; false',
      '-p',
      'true',
      'sleep 0.02',
      'sleep 0.01',
    ]);
    expect(exitCode).toBe(1);
    expect(stdout).toContain('Failed: the prepare of run 1 of sleep 0.02 (echo not ready >&2; false)');
    expect(stdout).toContain('    not ready');
    expect(stdout).toContain('Benchmark 1: sleep 0.01');
  });

  it('is an output that cannot be written: the others are measured', async () => {
    const folder = place.newFolder();
    const outputs = ['--output', folder.file('no/such/folder'), '--output', folder.file('out')];
    const { exitCode, stdout } = await estimated(['-r', '1', ...outputs, 'echo one', 'echo two']);
    expect(exitCode).toBe(1);
    expect(stdout.replace(/\s+/g, ' ')).toContain('it could not be started: --output: cannot open');
    expect(folder.read('out')).toBe('two\n');
    expect(stdout).toContain('Benchmark 1: echo two');
  });

  it('is an export that cannot be written: all others are', async () => {
    const folder = place.newFolder();
    const { exitCode, stdout, stderr } = await estimated([
      ...['-r', '1', '--export-json', folder.file('no/such/folder.json')],
      ...['--export-markdown', folder.path, '--export-csv', folder.file('csv'), 'sleep 0.01'],
    ]);
    expect(exitCode).toBe(125);
    expect(stdout).toContain('Benchmark 1: sleep 0.01');
    expect(stderr).toMatch(/cannot write .*folder\.json \(ENOENT\)\nIts folder does not exist/);
    expect(stderr).toMatch(/cannot write .* \(EISDIR\)/);
    expect(folder.read('csv')).toContain('sleep 0.01');
  });

  it('is an interruption: what was measured is shown, and we end by the signal', async () => {
    const machine = place.machine();
    const folder = place.newFolder();
    const args = [...on(machine), '--dev', machine.root, '--allow-estimates', '--idle', '0', '-r', '50'];
    const script = `printf x >> ${folder.file('runs')}; sleep 0.05`;
    const child = spawnCli(['bench', ...args, '--export-csv', folder.file('csv'), script]);
    let stdout = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    const endMs = performance.now() + 15_000;
    while (
      !(existsSync(folder.file('runs')) && folder.read('runs').length >= 3) &&
      performance.now() < endMs
    ) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    child.kill('SIGINT');
    const signal = await new Promise((resolve) => child.on('close', (_, by) => resolve(by)));
    expect(signal).toBe('SIGINT');
    expect(stdout).toContain('it was interrupted');
    expect(folder.read('csv')).toContain('estimated');
  });

  it.each([
    [['-P', 'n', '3', '1', 'x {n}'], 'from 3 to 1 there is nothing'],
    [['-P', 'n', '1'], 'Expected VAR MIN MAX'],
    [['-L', 'n'], 'Expected VAR VALUE,VALUE'],
    [['-L', 'cc', 'gcc,clang', '{c} main.c'], 'unknown parameter {c}'],
    [['-L', 'cc', 'gcc,clang', 'make'], 'parameter cc stands in no command'],
    [['-D', '2', 'x'], 'goes with --parameter-scan'],
    [['-n', 'a', '-n', 'b', '-n', 'c', 'x', 'y'], '--command-name is given 3 times, for 2 commands'],
    [['-p', 'a', '-p', 'b', '-p', 'c', 'x', 'y'], '--prepare is given 3 times, for 2 commands'],
    [[], 'no command was given'],
    [['-r', '0', 'x'], 'whole number of at least 1'],
    [['-w', '-1', 'x'], 'whole number of at least 0'],
    [['-r', '3', '-m', '2', 'x'], '--runs goes without'],
    [['--timeout', '0', 'x'], 'number above 0'],
    [['--order', 'random', 'x'], 'interleaved, sequential'],
    [['--ignore-failure=x', 'x'], 'Expected exit codes'],
    [['-N', '-S', 'bash', 'x'], '-N goes without --shell'],
    [['--json', '--export-csv', '-', 'x'], '--json keeps stdout for itself'],
    [['--export-json', '-', '--export-csv', '-', 'x'], 'only one export goes to stdout'],
    [['--json', '--show-output', 'x'], '--json keeps stdout for itself'],
    [['--nope', 'x'], "unknown option '--nope'"],
    [['-S', 'no-such-shell', 'x'], 'does not run an empty command'],
    [['--input', 'no/such/file', '-N', 'true'], '--input: cannot open'],
  ])('%j is refused: %s', async (args, message) => {
    const { exitCode, stdout, stderr } = await estimated(args);
    expect({ exitCode, stdout }).toEqual({ exitCode: 125, stdout: '' });
    expect(stderr).toContain(message);
    expect(stderr.trimEnd().split('\n').length).toBeGreaterThan(1);
  });
});

describe.concurrent('what goes well', () => {
  it('scans, lists, names, prepares and concludes', async () => {
    const folder = place.newFolder();
    const log = folder.file('log');
    const { exitCode } = await estimated([
      ...[
        '-r',
        '1',
        '-P',
        'n',
        '1',
        '2',
        '-L',
        'how',
        'fast,slow',
        '-n',
        '{how}-{n}',
        '--export-json',
        folder.file('json'),
      ],
      ...['-p', `echo prepare {n} >> ${log}`, '-C', `echo conclude {how} >> ${log}`],
      ...['-s', `echo setup >> ${log}`, '-c', `echo cleanup >> ${log}`, `echo run {n} {how} >> ${log}`],
    ]);
    expect(exitCode).toBe(0);
    const expected = [
      ['1', 'fast'],
      ['2', 'fast'],
      ['1', 'slow'],
      ['2', 'slow'],
    ].flatMap(([n, how]) => ['setup', `prepare ${n}`, `run ${n} ${how}`, `conclude ${how}`, 'cleanup']);
    expect(folder.read('log').trim().split('\n')).toEqual(expected);
    const { results } = JSON.parse(folder.read('json'));
    expect(results.map(({ command }: { command: string }) => command)).toEqual([
      'fast-1',
      'fast-2',
      'slow-1',
      'slow-2',
    ]);
    expect(results[3].parameters).toEqual({ n: '2', how: 'slow' });
  });

  it('writes an export to stdout, behind the text', async () => {
    const folder = place.newFolder();
    const { exitCode, stdout } = await estimated(['-N', '-r', '2', '--export-csv', '-', 'sleep 0.01'], {
      cwd: folder.path,
    });
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^Benchmark 1.*\ncommand,mean,.*\nsleep 0\.01,/s);
    expect(existsSync(folder.file('-'))).toBe(false);
  });

  it('writes JSON alone to stdout when it is asked to', async () => {
    const { exitCode, stdout } = await estimated(['-N', '-r', '2', '--json', 'sleep 0.01']);
    expect(exitCode).toBe(0);
    expect(errorsBy('schema/bench', stdout)).toEqual([]);
  });

  it('shows the commands’ own output when it is asked to, and colours when they are forced', async () => {
    const folder = place.newFolder();
    writeFileSync(folder.file('in'), 'given\n');
    const args = [
      '-r',
      '1',
      '--show-output',
      '-p',
      'echo before',
      '--input',
      folder.file('in'),
      'cat; echo shown',
    ];
    const { stdout } = await estimated(args, { env: { FORCE_COLOR: '1' } });
    expect(stdout).toMatch(/^before\ngiven\nshown\n/);
    expect(stdout).toContain('\u001b[1mBenchmark 1');
    expect(readFileSync(folder.file('in'), 'utf8')).toBe('given\n');
  });
});
