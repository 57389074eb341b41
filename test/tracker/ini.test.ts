// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { parseIni } from '../../lib/tracker/ini.js';

// What Python's configparser makes of these texts was looked up by running it.
describe('parseIni', () => {
  it('reads keys, values and comments as configparser does', () => {
    const text =
      '\uFEFF# c\r\n[a]\r\nKey = v = w\r\nempty =\r\nalone\r\nlong = 1\r\n  2\r\n\r\n[b]\r\nkey: other\r\n';
    expect(parseIni(text, 'a')).toEqual({ key: 'v = w', empty: '', alone: '', long: '1\n2' });
    expect(parseIni(text, 'b')).toEqual({ key: 'other' });
    expect(parseIni('[a]\n__proto__ = 1', 'a')).not.toHaveProperty('x');
  });

  it.each([
    ['  project_name = x\n  pue = 1.5\n  country = FRA', { project_name: 'x', pue: '1.5', country: 'FRA' }],
    ['\tone = 1\n\ttwo = 2\n\t\tand three', { one: '1', two: '2\nand three' }],
    ['    deep = 1\n  less = 2\nleast = 3', { deep: '1', less: '2', least: '3' }],
    ['one =\n  1\n  2\ntwo = 3', { one: '\n1\n2', two: '3' }],
    ['one = 1\n# comment\n    more\n  ; comment\n  pue = 2', { one: '1\nmore\npue = 2' }],
  ])('goes on with a value only on a line that is deeper than its key: %j', (lines, expected) => {
    expect(parseIni(`[a]\n${lines}\n`, 'a')).toEqual(expected);
  });

  it('sees a header that is indented, unless it goes on with a value', () => {
    expect(parseIni('  [a]\n  one = 1\n  [b]\n  one = 2', 'a')).toEqual({ one: '1' });
    expect(parseIni('  [a]\n  one = 1\n  [b]\n  one = 2', 'b')).toEqual({ one: '2' });
    expect(parseIni('[a]\none = 1\n  [b]', 'a')).toEqual({ one: '1\n[b]' });
  });

  it('has the defaults of all sections, and the values that values name', () => {
    const text =
      '[DEFAULT]\nbase = /data\npue = 1\n[a]\npue = 2\ndir = %(base)s/out\nshare = 50%%\nodd = 5% %(no)s';
    expect(parseIni(text, 'a')).toEqual({
      base: '/data',
      pue: '2',
      dir: '/data/out',
      share: '50%',
      odd: '5% %(no)s',
    });
    expect(parseIni('[a]\nx = %(y)s\ny = %(x)s', 'a')).toHaveProperty('x');
  });

  it('tells a section that is missing from a text that says nothing', () => {
    expect(parseIni('', 'a')).toEqual({});
    expect(parseIni('# nothing\n\n', 'a')).toEqual({});
    expect(parseIni('[a]\n', 'a')).toEqual({});
    expect(parseIni('pue = 1.5\n', 'a')).toBeUndefined();
    expect(parseIni('[b]\npue = 1.5\n', 'a')).toBeUndefined();
  });
});
