// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import {
  checkParameters,
  combinations,
  fill,
  listParameter,
  scanParameter,
} from '../../lib/bench/parameters.js';
import { splitWords } from '../../lib/bench/words.js';
import { randomFrom } from './fixtures.js';

/** A variable of the shell's. */
const shell = (name: string): string => `$\{${name}}`;

describe('a scan', () => {
  it.each([
    ['1', '4', '1', ['1', '2', '3', '4']],
    ['0.1', '0.5', '0.2', ['0.1', '0.3', '0.5']],
    ['-1', '1', '0.5', ['-1.0', '-0.5', '0.0', '0.5', '1.0']],
    ['5', '5', '1', ['5']],
    ['1', '10', '4', ['1', '5', '9']],
    ['9007199254740993', '9007199254740994', '1', ['9007199254740993', '9007199254740994']],
  ])('from %s to %s by %s', (min, max, step, values) => {
    expect(scanParameter('n', min, max, step)).toEqual({ name: 'n', values });
  });

  it('is exact: neighbours differ by the step, none is beyond', () => {
    const random = randomFrom(11);
    for (let i = 0; i < 200; ++i) {
      const [from, count, step] = [
        random() * 100 - 50,
        Math.floor(random() * 50),
        1 + Math.floor(random() * 300),
      ];
      const min = from.toFixed(2);
      const max = (Number(min) + (count * step) / 100 + 0.001).toFixed(3);
      const { values } = scanParameter('n', min, max, (step / 100).toFixed(2));
      expect(values).toHaveLength(count + 1);
      const thousandths = values.map((value) => Math.round(Number(value) * 1000));
      for (let j = 1; j < values.length; ++j) {
        expect((thousandths[j] ?? 0) - (thousandths[j - 1] ?? 0)).toBe(10 * step);
      }
    }
  });

  it.each([
    ['n', '4', '1', '1', 'from 4 to 1 there is nothing'],
    ['n', 'x', '1', '1', 'a number expected, received "x"'],
    ['n', '1', '2', '0', 'a step above 0'],
    ['n', '1', '2', '-1', 'a step above 0'],
    ['n', '1', '1e9', '1', 'received "1e9"'],
    ['n', '1', '1000000', '1', '1000000 values are too many'],
    ['2n', '1', '2', '1', '"2n" is no name'],
  ])('%s from %s to %s by %s is refused', (name, min, max, step, message) => {
    expect(() => scanParameter(name, min, max, step)).toThrow(message);
  });
});

describe('a list', () => {
  it.each([
    ['a,b,c', ['a', 'b', 'c']],
    ['one', ['one']],
    ['a\\,b,c', ['a,b', 'c']],
    ['-O2 -g,-O3', ['-O2 -g', '-O3']],
    [',a', ['', 'a']],
    ['a,,b', ['a', '', 'b']],
    ['a,', ['a', '']],
  ])('%j', (list, values) => {
    expect(listParameter('x', list).values).toEqual(values);
  });

  it('that is empty is refused', () => {
    expect(() => listParameter('x', '')).toThrow('the list is empty');
  });
});

describe('parameters', () => {
  it('are combined, the first changing fastest', () => {
    const all = combinations([
      { name: 'a', values: ['1', '2'] },
      { name: 'b', values: ['x', 'y'] },
    ]);
    expect(all).toEqual([
      { a: '1', b: 'x' },
      { a: '2', b: 'x' },
      { a: '1', b: 'y' },
      { a: '2', b: 'y' },
    ]);
    expect(combinations([])).toEqual([{}]);
  });

  it('are filled in wherever they stand, once, and nothing else is touched', () => {
    expect(fill("awk '{print}' {a}{b} {c}", { a: '{b}', b: '2' })).toBe("awk '{print}' {b}2 {c}");
  });

  it.each([
    'constructor',
    'toString',
    'hasOwnProperty',
    '__proto__',
    'valueOf',
  ])('leave {%s} alone, unless it is one of them', (name) => {
    for (const [values] of [combinations([]), combinations([{ name: 'a', values: ['1'] }])]) {
      expect(fill(`run {${name}}`, values ?? {})).toBe(`run {${name}}`);
    }
    const [own = {}] = combinations([{ name, values: ['1'] }]);
    expect(fill(`run {${name}}`, own)).toBe('run 1');
  });

  it('leave variables of the shell alone, also those of their name', () => {
    expect(fill(`a={a}; echo ${shell('a')} {a}`, { a: '1' })).toBe(`a=1; echo ${shell('a')} 1`);
  });

  it.each([
    [['threads'], ['run {thread}'], 'unknown parameter {thread}', 'Did you mean {threads}?'],
    [['n'], ['run --all'], 'parameter n stands in no command', 'Write {n}'],
    [['size'], [`run ${shell('size')} {x}`], 'parameter size stands in no command', 'Found instead: {x}'],
    [['a', 'a'], ['run {a}'], 'parameter a is given twice', 'once'],
  ])('%j for %j are refused', (names, texts, message, hint) => {
    const parameters = names.map((name) => ({ name, values: ['1'] }));
    expect(() => checkParameters(parameters, texts)).toThrow(
      expect.objectContaining({ code: 'ERR_BAD_OPTION', message, hint: expect.stringContaining(hint) }),
    );
  });

  it('leave braces of others alone', () => {
    expect(() =>
      checkParameters([{ name: 'n', values: ['1'] }], [`awk '{print}' {n} ${shell('HOME')}`]),
    ).not.toThrow();
    expect(() => checkParameters([], ['{anything}'])).not.toThrow();
  });
});

describe('words', () => {
  it.each([
    ['a b  c', ['a', 'b', 'c']],
    [`a 'b c' "d e"`, ['a', 'b c', 'd e']],
    [`a"b"'c'd`, ['abcd']],
    ['a\\ b', ['a b']],
    [`"a \\" \\n"`, ['a " \\n']],
    [`''  a`, ['', 'a']],
    ['\ta\n', ['a']],
  ])('%j', (line, words) => {
    expect(splitWords(line, 'linux')).toEqual(words);
  });

  it.each([
    ['C:\\Windows\\cmd.exe /d', ['C:\\Windows\\cmd.exe', '/d']],
    ['"C:\\Program Files\\a b.exe" c', ['C:\\Program Files\\a b.exe', 'c']],
    ['\\\\server\\share\\', ['\\\\server\\share\\']],
    ['a \\"b\\" "c \\" d"', ['a', '"b"', 'c " d']],
    ['"C:\\folder\\\\" e', ['C:\\folder\\', 'e']],
    ["'C:\\a b' f", ['C:\\a b', 'f']],
  ])('on Windows keep the backslashes of paths: %j', (line, words) => {
    expect(splitWords(line, 'win32')).toEqual(words);
  });

  it.each([
    [`a 'b`, 'a quote is not closed'],
    ['  ', 'an empty command'],
  ])('%j is refused', (line, message) => {
    for (const platform of ['linux', 'win32']) expect(() => splitWords(line, platform)).toThrow(message);
  });
});
