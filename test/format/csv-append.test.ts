// SPDX-License-Identifier: MIT
import Papa from 'papaparse';
import { describe, expect, it } from 'vitest';
import { CODECARBON_COLUMNS, codecarbonHeader } from '../../lib/format/codecarbon-csv.js';
import { csvText, findCsvRows, planCsvAppend } from '../../lib/format/csv-append.js';
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

  it.each([
    ['a row that is cut in mid-line', `${header}\n2026-01-01T00:00:00,proj`, false, '\n'],
    ['a row that is cut inside of quotes', `${header}\n2026-01-01T00:00:00,"pro, j`, true, '"\n'],
    ['a quoted line break as its last character', `${header}\n2026-01-01T00:00:00,"pro\n`, true, '"\n'],
  ])('closes %s, says so, and the row behind it is whole', (_, text, quoteIsOpen, prefix) => {
    const plan = planCsvAppend({ ...whole(text), tail: text, quoteIsOpen });
    expect(plan).toMatchObject({ action: 'append', prefix, cut: true });
    if (plan.action !== 'append') return;
    const { data } = Papa.parse<string[]>(text + csvText(plan, goldenReport()), { skipEmptyLines: true });
    expect(data).toHaveLength(3);
    expect(data[1]?.length).toBeLessThan(CODECARBON_COLUMNS.length);
    expect(data[2]?.[CODECARBON_COLUMNS.indexOf('run_id')]).toBe(goldenReport().runId);
  });

  it('takes a whole last row without a line break for whole', () => {
    const text = `${header}\n${','.repeat(37)}`;
    expect(planCsvAppend({ ...whole(text), tail: text })).not.toHaveProperty('cut');
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

describe('findCsvRows', () => {
  const rows = [
    'x,"a ""b"", c",run-1',
    'run-2,"two\nlines",run-2',
    'run-1,,run-10',
    'x,"run-1","run-1"',
    'x,,訓練',
  ];
  const at = (text: string, value: string) =>
    findCsvRows(text, 'run_id', value).map(({ start, end }) => text.slice(start, end));

  it.each(['\n', '\r\n', '\r'])('finds rows by a cell, whatever is quoted; lines end by %j', (newline) => {
    const text = `\uFEFFtimestamp,project_name,run_id${newline}${rows.join(newline)}${newline}`;
    expect(at(text, 'run-1')).toEqual([rows[0], rows[3]]);
    expect(at(text, 'run-2')).toEqual([rows[1]]);
    expect(at(text, '訓練')).toEqual([rows[4]]);
    expect(at(text, 'run')).toEqual([]);
  });

  it('finds nothing where there is nothing, and minds no end in mid-line', () => {
    expect(at('', 'x')).toEqual([]);
    expect(at('a,b\n1,2', 'x')).toEqual([]);
    expect(at('run_id,b\nr,"2', 'r')).toEqual(['r,"2']);
  });
});
