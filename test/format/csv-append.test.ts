// SPDX-License-Identifier: MIT
import Papa from 'papaparse';
import { describe, expect, it } from 'vitest';
import { CODECARBON_COLUMNS, codecarbonHeader } from '../../lib/format/codecarbon-csv.js';
import { csvText, planCsvAppend } from '../../lib/format/csv-append.js';
import { goldenReport } from '../report/fixtures.js';

const header = codecarbonHeader();
const permuted = [...CODECARBON_COLUMNS].reverse();
const whole = (text: string) => ({ head: text, tail: text.slice(-1) });

/** The file after the plan was carried out, read back. */
function append(text: string | undefined): Record<string, string>[] {
  const plan = planCsvAppend(text === undefined ? undefined : whole(text));
  if (plan.action === 'foreign') throw new Error('foreign');
  const after = plan.action === 'new' ? csvText(plan, goldenReport()) : text + csvText(plan, goldenReport());
  const { data, errors } = Papa.parse<Record<string, string>>(after.replace(/^\uFEFF/, ''), {
    header: true,
    skipEmptyLines: true,
  });
  expect(errors).toEqual([]);
  return data;
}

describe('planCsvAppend', () => {
  it.each([undefined, '', '\uFEFF', '\n', '\uFEFF\r\n'])('begins anew with %j', (text) => {
    const plan = planCsvAppend(text === undefined ? undefined : whole(text));
    expect(plan).toEqual({ action: 'new', columns: CODECARBON_COLUMNS, newline: '\n' });
    expect(append(text)).toEqual([expect.objectContaining({ country_iso_code: 'BRA', wue: '' })]);
  });

  it.each([
    ['the same header', `${header}\n`, '\n', ''],
    ['CRLF', `${header}\r\n`, '\r\n', ''],
    ['a byte order mark', `\uFEFF${header}\n`, '\n', ''],
    ['a byte order mark and CRLF without an end', `\uFEFF${header}\r\n${','.repeat(37)}`, '\r\n', '\r\n'],
    ['no line break at all', header, '\n', '\n'],
    ['no final newline', `${header}\n${','.repeat(37)}`, '\n', '\n'],
    ['an empty first line', `\n${header}\n`, '\n', ''],
    ['quoted names', `${CODECARBON_COLUMNS.map((name) => `"${name}"`).join(',')}\n`, '\n', ''],
  ])('appends to %s', (_, text, newline, prefix) => {
    expect(planCsvAppend(whole(text))).toEqual({
      action: 'append',
      columns: CODECARBON_COLUMNS,
      newline,
      prefix,
    });
    expect(append(text).at(-1)).toMatchObject({ country_iso_code: 'BRA', duration: '1192.956553' });
  });

  it('follows the order of the file', () => {
    const text = `${permuted.join(',')}\n`;
    expect(planCsvAppend(whole(text))).toMatchObject({ action: 'append', columns: permuted });
    expect(append(text)).toEqual([
      expect.objectContaining({
        on_cloud: 'N',
        pue: '1',
        cpu_count: '8',
        timestamp: expect.stringContaining('T'),
      }),
    ]);
  });

  it('needs only both ends of a long file', () => {
    expect(planCsvAppend({ head: `${header}\n2026-01`, tail: 'N,1,' })).toMatchObject({
      action: 'append',
      prefix: '\n',
    });
    expect(planCsvAppend({ head: `${header}\n2026-01`, tail: '1,\n' })).toMatchObject({
      action: 'append',
      prefix: '',
    });
  });

  it('leaves foreign files alone and says why', () => {
    const old = CODECARBON_COLUMNS.filter((name) => name !== 'wue' && name !== 'pue');
    expect(planCsvAppend(whole(`${old.join(',')}\n`))).toEqual({
      action: 'foreign',
      missing: ['pue', 'wue'],
      extra: [],
    });
    expect(planCsvAppend(whole(`task_name,${header}\n`))).toEqual({
      action: 'foreign',
      missing: [],
      extra: ['task_name'],
    });
    expect(planCsvAppend(whole(`${header},wue\n`))).toEqual({
      action: 'foreign',
      missing: [],
      extra: ['wue'],
    });
    expect(planCsvAppend(whole('a;b\n1;2\n'))).toMatchObject({ action: 'foreign', extra: ['a;b'] });
    expect(planCsvAppend(whole('"a\nb",c\n')).action).toBe('foreign');
    expect(planCsvAppend(whole('\u0000\u0001\u0002')).action).toBe('foreign');
  });
});
