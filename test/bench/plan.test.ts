// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { type BenchOptions, planBench } from '../../lib/bench/plan.js';

const plan = (options: BenchOptions, platform = 'linux') => planBench(options, platform);

/** As JavaScript may pass them. */
const wrong: [Record<string, unknown>, string][] = [
  ...['runCount', 'minRunCount', 'maxRunCount', 'warmupCount', 'timeoutSeconds', 'idleSeconds'].flatMap(
    (name) =>
      [-1, Number.NaN, Number.POSITIVE_INFINITY, '3'].map((value): [Record<string, unknown>, string] => [
        { [name]: value },
        `${name}: a `,
      ]),
  ),
  ...['runCount', 'minRunCount', 'maxRunCount'].flatMap((name) =>
    [0, 1.5].map((value): [Record<string, unknown>, string] => [
      { [name]: value },
      `${name}: a whole number`,
    ]),
  ),
  [{ warmupCount: 0.5 }, 'warmupCount: a whole number'],
  [{ timeoutSeconds: 0 }, 'timeoutSeconds: a number above 0'],
  [{ order: 'random' }, 'order: interleaved or sequential'],
  [{ ignoredCodes: ['1'] }, "ignoredCodes: 'all' or"],
  [{ prepare: 'make' }, 'prepare: an array'],
  [{ names: [1] }, 'names: an array'],
  [{ shell: 1 }, 'shell: a text'],
  [{ commands: 'make' }, 'commands: an array'],
  [{ commands: ['a {n}'], parameters: [{ name: 'n', values: [] }] }, 'parameter n: an array of at least one'],
  [
    { commands: ['a {n}'], parameters: [{ name: 'n', values: [1] }] },
    'parameter n: an array of at least one',
  ],
  [{ commands: ['a {0}'], parameters: [{ name: '0', values: ['1'] }] }, '"0" is no name of a parameter'],
  [{ parameters: {} }, 'parameters: an array'],
];

describe('a plan', () => {
  it.each(wrong)('of %o is refused: %s', (options, message) => {
    expect(() => plan({ commands: ['a'], ...options } as BenchOptions)).toThrow(
      expect.objectContaining({
        code: 'ERR_BAD_OPTION',
        message: expect.stringContaining(message),
        hint: expect.stringMatching(/./),
      }),
    );
  });

  it('may have no idling, no warm-up and one run', () => {
    const least = plan({ commands: ['a'], idleSeconds: 0, warmupCount: 0, runCount: 1, timeoutSeconds: 0.1 });
    expect(least).toMatchObject({ idleSeconds: 0, warmupCount: 0, runCount: 1, timeoutSeconds: 0.1 });
  });

  it('has hyperfine’s defaults', () => {
    expect(plan({ commands: ['a'] })).toEqual({
      commands: [{ name: 'a', commandLine: 'a', parameters: {}, output: 'null', isReference: false }],
      warmupCount: 0,
      minRunCount: 10,
      shell: ['/bin/sh', '-c'],
      ignoredCodes: [0],
      order: 'interleaved',
      idleSeconds: 1,
    });
    expect(plan({ commands: ['a'] }, 'win32').shell).toEqual(['cmd.exe', '/d', '/s', '/c']);
    const cmd = 'C:\\Windows\\System32\\cmd.exe';
    expect(plan({ commands: ['a'], shell: cmd }, 'win32').shell).toEqual([cmd, '/c']);
    expect(plan({ commands: ['a'], shell: 'bash --norc' }).shell).toEqual(['bash', '--norc', '-c']);
    expect(plan({ commands: ['a'], shell: 'none' }).shell).toBeUndefined();
    expect(plan({ commands: ['a'], maxRunCount: 4 }).minRunCount).toBe(4);
  });

  it('fills parameters into everything, commands changing fastest', () => {
    const { commands } = plan({
      commands: ['one {n}', 'two {n}'],
      names: ['1-{n}', '2-{n}'],
      parameters: [{ name: 'n', values: ['x', 'y'] }],
      prepare: ['pre {n}'],
      conclude: ['post1 {n}', 'post2 {n}'],
      setup: 'up {n}',
      cleanup: 'down {n}',
      output: ['out-{n}'],
    });
    expect(commands.map(({ name, commandLine }) => `${name}: ${commandLine}`)).toEqual([
      '1-x: one x',
      '2-x: two x',
      '1-y: one y',
      '2-y: two y',
    ]);
    expect(commands[3]).toMatchObject({
      parameters: { n: 'y' },
      prepare: 'pre y',
      conclude: 'post2 y',
      setup: 'up y',
      cleanup: 'down y',
      output: 'out-y',
    });
  });

  it('takes names and prepares for each combination, too', () => {
    const parameters = [{ name: 'n', values: ['1', '2', '3'] }];
    const { commands } = plan({
      commands: ['a {n}'],
      names: ['x', 'y', 'z'],
      parameters,
      prepare: ['p', 'q', 'r'],
    });
    expect(commands.map(({ name, prepare }) => [name, prepare])).toEqual([
      ['x', 'p'],
      ['y', 'q'],
      ['z', 'r'],
    ]);
  });

  it('puts the reference first', () => {
    const { commands } = plan({ commands: ['a', 'b'], reference: 'old', prepare: ['p'] });
    expect(commands.map(({ name, isReference, prepare }) => ({ name, isReference, prepare }))).toEqual([
      { name: 'old', isReference: true, prepare: 'p' },
      { name: 'a', isReference: false, prepare: 'p' },
      { name: 'b', isReference: false, prepare: 'p' },
    ]);
    const own = plan({ commands: ['a', 'b'], reference: 'old', referenceName: 'v1', prepare: ['p', 'q'] });
    expect(own.commands[0]).not.toHaveProperty('prepare');
    expect(own.commands[0]?.name).toBe('v1');
  });

  it('tells commands of one name apart', () => {
    expect(plan({ commands: ['a', 'a', 'a'] }).commands.map(({ name }) => name)).toEqual([
      'a',
      'a (2)',
      'a (3)',
    ]);
    const named = (...names: string[]) =>
      plan({ commands: names.map(() => 'x'), names }).commands.map(({ name }) => name);
    expect(new Set(named('a', 'a', 'a (2)', 'a (2)', 'a')).size).toBe(5);
    expect(named('a', 'a', 'a (2)')[2]).toBe('a (2)');
  });

  it('takes fewer names than commands, and one for all parameters', () => {
    expect(plan({ commands: ['a', 'b'], names: ['x'] }).commands.map(({ name }) => name)).toEqual(['x', 'b']);
    const parameters = [{ name: 'd', values: ['1', '2'] }];
    const { commands } = plan({ commands: ['a {d}', 'b {d}'], names: ['x-{d}'], parameters });
    expect(commands.map(({ name }) => name)).toEqual(['x-1', 'x-1 (2)', 'x-2', 'x-2 (2)']);
  });

  it('runs commands one after the other where each is set up, unless told otherwise', () => {
    expect(plan({ commands: ['a'], setup: 's' }).order).toBe('sequential');
    expect(plan({ commands: ['a'], cleanup: 's' }).order).toBe('sequential');
    expect(plan({ commands: ['a'], setup: 's', order: 'interleaved' }).order).toBe('interleaved');
  });

  const three = [{ name: 'n', values: ['1', '2', '3'] }];
  it.each([
    [{ commands: [] }, 'no command was given'],
    [{ commands: ['a', ' '] }, 'command 2 is empty'],
    [{ commands: ['a'], names: ['x', 'y'] }, '--command-name is given 2 times, for 1 command'],
    [{ commands: ['a', 'b'], prepare: ['x', 'y', 'z'] }, '--prepare is given 3 times, for 2 commands'],
    [{ commands: ['a', 'b', 'c'], conclude: ['x', 'y'] }, '--conclude is given 2 times'],
    [{ commands: ['a', 'b', 'c'], output: ['x', 'y'] }, '--output is given 2 times'],
    [
      { commands: ['a {n}', 'b {n}'], parameters: three, names: ['x', 'y', 'z'] },
      '--command-name is given 3 times, for 2 commands and 6 with their parameters',
    ],
    [{ commands: ['a'], parameters: three }, 'parameter n stands in no command'],
    [{ commands: ['a'], runCount: 3, minRunCount: 2 }, '--runs goes without'],
    [{ commands: ['a'], minRunCount: 5, maxRunCount: 2 }, '--max-runs 2 is below --min-runs 5'],
    [{ commands: ['a'], referenceName: 'x' }, '--reference-name goes with --reference'],
    [{ commands: ['a {n}'], reference: 'old {n}', parameters: three }, '--reference holds the parameter {n}'],
    [
      { commands: ['a {n}'], reference: 'old', prepare: ['p {n}'], parameters: three },
      '--prepare holds the parameter {n}, and the reference',
    ],
    [{ commands: ["a 'b"], shell: 'none' }, 'a quote is not closed'],
    [{ commands: ['a'], setup: "b 'c", shell: 'none' }, 'a quote is not closed'],
    [{ commands: ['a'], prepare: ["b 'c"], shell: 'none' }, 'a quote is not closed'],
    [{ commands: ['a'], conclude: ["b 'c"], shell: 'none' }, 'a quote is not closed'],
    [{ commands: ['a'], cleanup: "b 'c", shell: 'none' }, 'a quote is not closed'],
    [{ commands: ['a'], cleanup: ' ', shell: 'none' }, 'an empty command'],
  ] satisfies [BenchOptions, string][])('%j is refused: %s', (options, message) => {
    expect(() => plan(options)).toThrow(
      expect.objectContaining({
        code: 'ERR_BAD_OPTION',
        message: expect.stringContaining(message),
        hint: expect.stringMatching(/./),
      }),
    );
  });
});
