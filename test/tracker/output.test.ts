// SPDX-License-Identifier: MIT

import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import Papa from 'papaparse';
import { beforeEach, describe, expect, it } from 'vitest';
import { CODECARBON_COLUMNS, codecarbonHeader } from '../../lib/format/codecarbon-csv.js';
import {
  checkOutput,
  formatJson,
  formatMarkdown,
  outputExtensions,
  writeOutputs,
  writeReport,
} from '../../lib/formats.js';
import { useWorkplace } from '../cli/fixtures.js';
import { goldenReport } from '../report/fixtures.js';

const place = useWorkplace();
let folder = place.newFolder();
beforeEach(() => {
  folder = place.newFolder();
});
const header = codecarbonHeader();
const row = (runId: string) => CODECARBON_COLUMNS.map((name) => (name === 'run_id' ? runId : '')).join(',');
const reportOf = (runId: string) => ({ ...goldenReport(), runId });

function runIds(name: string): string[] {
  const text = folder.read(name).replace(/^\uFEFF/, '');
  const { data, errors } = Papa.parse<Record<string, string>>(text, { header: true, skipEmptyLines: true });
  expect(errors).toEqual([]);
  return data.map((each) => each.run_id ?? '');
}

describe('writeReport', () => {
  it('writes the format that the extension names, in either case', () => {
    const report = goldenReport();
    expect(writeReport(report, folder.file('r.md'))).toEqual({ file: folder.file('r.md') });
    writeReport(report, folder.file('r.JSON'));
    writeReport(report, folder.file('r.CSV'));
    expect(folder.read('r.md')).toBe(formatMarkdown(report));
    expect(folder.read('r.JSON')).toBe(formatJson(report));
    expect(runIds('r.CSV')).toEqual([report.runId]);
  });

  it('replaces Markdown and JSON', () => {
    writeFileSync(folder.file('r.md'), 'something longer '.repeat(10_000));
    writeReport(goldenReport(), folder.file('r.md'));
    expect(folder.read('r.md')).toBe(formatMarkdown(goldenReport()));
  });

  it.each(['report.pdf', 'report', '.md', 'report.md.bak', 'report.'])('refuses %s', (name) => {
    const error = expect.objectContaining({
      code: 'ERR_BAD_OPTION',
      message: expect.stringContaining(`"${folder.file(name)}"`),
      hint: expect.stringContaining('.md, .html, .json, .txt, .yaml, .yml, .csv'),
    });
    expect(() => writeReport(goldenReport(), folder.file(name))).toThrow(error);
    expect(readdirSync(folder.path)).toEqual([]);
  });

  it.each([undefined, null, 7, ''])('refuses %j as a file name', (name) => {
    expect(() => checkOutput(name)).toThrow(expect.objectContaining({ code: 'ERR_BAD_OPTION' }));
  });

  it('knows its formats', () =>
    expect(outputExtensions()).toEqual(['.md', '.html', '.json', '.txt', '.yaml', '.yml', '.csv']));
});

describe('a row of emissions.csv', () => {
  it('begins a file that is not there, or has nothing in it', () => {
    writeFileSync(folder.file('empty.csv'), '');
    for (const name of ['new.csv', 'empty.csv']) {
      writeReport(reportOf('mine'), folder.file(name));
      expect(folder.read(name).split('\n')[0]).toBe(header);
      expect(runIds(name)).toEqual(['mine']);
    }
  });

  it.each([
    ['rows', `${header}\n${row('old')}\n`],
    ['no final newline', `${header}\n${row('old')}`],
    ['Windows line ends', `${header}\r\n${row('old')}\r\n`],
    ['a byte order mark', `\uFEFF${header}\n${row('old')}\n`],
    ['more than is read of it at once', `${header}\n${`${row('old')}\n`.repeat(3000)}`],
  ])('is added to a file with %s, which stays as it was', (_, before) => {
    writeFileSync(folder.file('emissions.csv'), before);
    const ids = runIds('emissions.csv');
    expect(writeReport(reportOf('mine'), folder.file('emissions.csv'))).toEqual({
      file: folder.file('emissions.csv'),
    });
    expect(folder.read('emissions.csv').startsWith(before)).toBe(true);
    expect(runIds('emissions.csv')).toEqual([...ids, 'mine']);
  });

  it('follows the order of the columns that it finds', () => {
    const reversed = [...CODECARBON_COLUMNS].reverse().join(',');
    writeFileSync(folder.file('emissions.csv'), `${reversed}\n`);
    writeReport(reportOf('mine'), folder.file('emissions.csv'));
    expect(folder.read('emissions.csv').split('\n')[0]).toBe(reversed);
    expect(runIds('emissions.csv')).toEqual(['mine']);
  });

  it.each([
    ['other columns', 'date,kWh\n2020-01-01,7\n', /without timestamp, .*…; with date, kWh/],
    ['one column less', `${header.slice(0, header.lastIndexOf(','))}\n`, /\(without \w+\)/],
    ['one column more', `${header},mine\n`, /\(with mine\)/],
    ['bytes of something else', '\u0000\u0001PK\u0003\u0004', /without/],
  ])('never touches a file with %s', (_, foreign, difference) => {
    writeFileSync(folder.file('emissions.csv'), foreign);
    const first = writeReport(reportOf('first'), folder.file('emissions.csv'));
    expect(first.file).toBe(folder.file('emissions-1.csv'));
    expect(first.remark).toMatch(difference);
    expect(first.remark).toContain('left as it is');
    writeReport(reportOf('second'), folder.file('emissions.csv'));
    expect(folder.read('emissions.csv')).toBe(foreign);
    expect(runIds('emissions-1.csv')).toEqual(['first', 'second']);
  });

  it('passes over siblings that are foreign, too', () => {
    for (const name of ['emissions.csv', 'emissions-1.csv']) writeFileSync(folder.file(name), 'a,b\n');
    expect(writeReport(reportOf('mine'), folder.file('emissions.csv')).file).toBe(
      folder.file('emissions-2.csv'),
    );
    expect(folder.read('emissions-1.csv')).toBe('a,b\n');
  });
});

describe('rows of processes that end at once', () => {
  const FORMATS = new URL('../../dist/formats.js', import.meta.url).href;
  const WRITERS = 6;
  const FILES = 30;

  it('have one header, and none is lost', async () => {
    writeFileSync(folder.file('report.json'), formatJson(goldenReport()));
    writeFileSync(
      folder.file('writer.mjs'),
      `import { readFileSync } from 'node:fs';
       import { writeReport } from ${JSON.stringify(FORMATS)};
       const report = JSON.parse(readFileSync('report.json', 'utf8'));
       process.stdout.write('ready');
       process.stdin.once('data', (begin) => {
         for (let n = 0; n < ${FILES}; n++) {
           // Together on the millisecond, file by file.
           while (Date.now() < Number(begin) + 10 * n);
           writeReport({ ...report, runId: String(process.pid) }, 'rows-' + n + '.csv');
         }
         process.exit();
       });`,
    );
    const writers = Array.from({ length: WRITERS }, () =>
      spawn(process.execPath, ['writer.mjs'], { cwd: folder.path, stdio: ['pipe', 'pipe', 'inherit'] }),
    );
    const ends = writers.map((writer) => new Promise((resolve) => writer.on('close', resolve)));
    await Promise.all(writers.map((writer) => new Promise((resolve) => writer.stdout.once('data', resolve))));
    const begin = String(Date.now() + 200);
    for (const writer of writers) writer.stdin.write(begin);
    expect(await Promise.all(ends)).toEqual(writers.map(() => 0));

    const everyone = writers.map(({ pid }) => String(pid)).sort();
    for (let n = 0; n < FILES; n++) {
      expect(folder.read(`rows-${n}.csv`).startsWith(`${header}\n`)).toBe(true);
      expect(runIds(`rows-${n}.csv`).sort()).toEqual(everyone);
    }
    const others = readdirSync(folder.path).filter((name) => !name.startsWith('rows-'));
    expect(others.sort()).toEqual(['report.json', 'writer.mjs']);
  });
});

describe('writeOutputs', () => {
  it('writes rows first, and gives the other files the warnings', () => {
    writeFileSync(folder.file('foreign.csv'), 'a,b\n');
    const report = goldenReport();
    const [json, none, foreign] = ['r.json', 'none/r.csv', 'foreign.csv'].map((name) => folder.file(name));
    const [failure, ...others] = writeOutputs(report, [json, none, foreign].map(String));
    expect(others).toEqual([]);
    expect(failure).toMatchObject({ code: 'ERR_OUTPUT', hint: expect.stringContaining('create it first') });
    const told = report.warnings.slice(-2);
    expect(told).toEqual([
      { code: 'output-failed', message: failure?.message, hint: failure?.hint },
      { code: 'output-elsewhere', message: expect.stringContaining('foreign-1.csv') },
    ]);
    expect(JSON.parse(folder.read('r.json')).warnings.slice(-2)).toEqual(told);
  });
});

describe('a file that cannot be written', () => {
  const failure = (hint: string) =>
    expect.objectContaining({ code: 'ERR_OUTPUT', hint: expect.stringContaining(hint) });

  it.each(['md', 'json', 'csv'])('is told with what to do: .%s', (extension) => {
    writeFileSync(folder.file('file'), '');
    mkdirSync(folder.file(`folder.${extension}`));
    const write = (name: string) => () => writeReport(goldenReport(), folder.file(name));
    expect(write(`none/report.${extension}`)).toThrow(failure('create it first'));
    expect(write(`folder.${extension}`)).toThrow(failure('give a file name'));
    expect(write(`file/report.${extension}`)).toThrow(failure('Choose another'));
    expect(statSync(folder.file('file')).size).toBe(0);
  });

  it('names the whole path and the cause', () => {
    const file = folder.file('none/report.md');
    const error = expect.objectContaining({
      message: `cannot write ${file} (ENOENT)`,
      cause: expect.objectContaining({ code: 'ENOENT' }),
    });
    expect(() => writeReport(goldenReport(), file)).toThrow(error);
  });

  it.runIf(process.platform === 'linux')('in a folder that takes no files', () => {
    expect(() => writeReport(goldenReport(), '/proc/report.md')).toThrow(failure('folder'));
    expect(existsSync('/proc/report.md')).toBe(false);
  });

  it.runIf(existsSync('/dev/full'))('on a full disk', () => {
    // A link gives the device an extension.
    const machine = place.machine({ 'report.md': { link: '/dev/full' } });
    expect(() => writeReport(goldenReport(), `${machine.root}/report.md`)).toThrow(failure('disk is full'));
  });
});
