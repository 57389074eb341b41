// SPDX-License-Identifier: MIT
//
// Rows in files that others write, too.
import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import Papa from 'papaparse';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { CODECARBON_COLUMNS, codecarbonHeader } from '../../lib/format/codecarbon-csv.js';
import { formatJson, writeOutputs, writeReport } from '../../lib/formats.js';
import { useWorkplace } from '../cli/fixtures.js';
import { goldenReport } from '../report/fixtures.js';
import { withoutPrivilege } from '../support/without-privilege.js';

const place = useWorkplace();
let folder = place.newFolder();
beforeEach(() => {
  folder = place.newFolder();
});

const FORMATS = new URL('../../dist/formats.js', import.meta.url).href;
const header = codecarbonHeader();
const reportOf = (runId: string, projectName = 'p') => ({ ...goldenReport(), runId, projectName });
const update = { onCsvWrite: 'update' } as const;

/** As pandas writes it: numbers as Python prints them, empty cells for None, quotes where they are needed. */
const THEIRS = [
  '2026-11-20T10:11:12,"Olá, ""mundo""",0d2f4f4e-3f3c-4f0e-9f5b-0c9e0e4a7a11,5b0fa12a-3dd7-45bb-9766-cc326314d9f1,' +
    '12.345678901,1.2e-06,9.7e-08,42.5,0.0,20.0,3.5e-05,0,1.6e-05,5.1e-05,0.0,Brazil,BRA,rio grande do sul,,,' +
    'Linux-6.1.0-x86_64-with-glibc2.36,3.11.2,3.3.0,8,Intel(R) Core(TM) i7,,,-51.2,-30.0,31.7,machine,12.5,0,40.1,12.7,N,1.0,0',
  '2026-11-20T10:12:13,訓練,1d2f4f4e-3f3c-4f0e-9f5b-0c9e0e4a7a12,,1.0,0.0,0.0,42.5,,20.0,0.0,,0.0,0.0,0.0,Brazil,BRA,,,,' +
    'Linux,3.11.2,3.3.0,8,"CPU, of two\nlines",,,,,31.7,machine,,,,,N,1.0,0',
];
const theirFile = (newline = '\n') => [header, ...THEIRS, ''].join(newline);

function rowsOf(name: string): Record<string, string>[] {
  const text = folder.read(name).replace(/^\uFEFF/, '');
  const { data, errors } = Papa.parse<Record<string, string>>(text, { header: true, skipEmptyLines: true });
  expect(errors).toEqual([]);
  return data;
}
const runIds = (name: string) => rowsOf(name).map((row) => row.run_id ?? '');

describe('a file that CodeCarbon wrote', () => {
  it.each(['\n', '\r\n'])('keeps its rows to the byte when one is added; lines end by %j', (newline) => {
    writeFileSync(folder.file('emissions.csv'), theirFile(newline));
    writeReport(reportOf('mine'), folder.file('emissions.csv'));
    const after = folder.read('emissions.csv');
    expect(after.startsWith(theirFile(newline))).toBe(true);
    expect(after.endsWith(newline)).toBe(true);
    expect(rowsOf('emissions.csv').map((row) => [row.run_id, row.project_name])).toEqual([
      ['0d2f4f4e-3f3c-4f0e-9f5b-0c9e0e4a7a11', 'Olá, "mundo"'],
      ['1d2f4f4e-3f3c-4f0e-9f5b-0c9e0e4a7a12', '訓練'],
      ['mine', 'p'],
    ]);
  });

  it('gains a row that its own check of the header takes for one of its own', () => {
    writeReport(reportOf('mine'), folder.file('emissions.csv'));
    const [line = ''] = folder.read('emissions.csv').split('\n');
    expect(line.split(',').sort()).toEqual([...CODECARBON_COLUMNS].sort());
  });
});

describe('onCsvWrite: update', () => {
  it('replaces the row of the same run and leaves every other byte', () => {
    const mine = (project: string) => reportOf('my, "run" 訓練', project);
    const file = folder.file('emissions.csv');
    writeFileSync(file, theirFile('\r\n'));
    writeReport(mine('first'), file, update);
    const between = folder.read('emissions.csv');
    writeFileSync(file, `${between}${THEIRS[0]?.replace('0d2f', '2d2f')}\r\n`);
    expect(writeReport(mine('second, longer'), file, update)).toEqual({ file });
    const after = folder.read('emissions.csv');
    expect(after.startsWith(theirFile('\r\n'))).toBe(true);
    expect(rowsOf('emissions.csv').map((row) => row.project_name)).toEqual([
      'Olá, "mundo"',
      '訓練',
      'second, longer',
      'Olá, "mundo"',
    ]);
    expect(after.endsWith(`${THEIRS[0]?.replace('0d2f', '2d2f')}\r\n`)).toBe(true);
  });

  it('does not mind bytes that are no UTF-8', () => {
    const file = folder.file('emissions.csv');
    writeReport(reportOf('mine'), file);
    const odd = Buffer.concat([
      readFileSync(file),
      Buffer.from(`${','.repeat(3)}\xff\xfe${','.repeat(34)}\n`, 'latin1'),
    ]);
    writeFileSync(file, odd);
    writeReport(reportOf('mine', 'again'), file, update);
    expect(readFileSync(file).includes(Buffer.from([0xff, 0xfe]))).toBe(true);
    expect(readFileSync(file, 'utf8')).toContain(',again,mine,');
  });

  it('adds a row where the file has several of the run, and says so', () => {
    const file = folder.file('emissions.csv');
    writeReport(reportOf('mine'), file);
    writeReport(reportOf('mine'), file);
    expect(writeReport(reportOf('mine'), file, update).remark).toContain('has 2 rows of run mine');
    expect(runIds('emissions.csv')).toEqual(['mine', 'mine', 'mine']);
  });

  it('keeps mode and link of the file', () => {
    const file = folder.file('emissions.csv');
    writeReport(reportOf('mine'), file);
    chmodSync(file, 0o640);
    symlinkSync(file, folder.file('link.csv'));
    writeReport(reportOf('mine', 'again'), folder.file('link.csv'), update);
    expect(lstatSync(folder.file('link.csv')).isSymbolicLink()).toBe(true);
    expect(statSync(file).mode & 0o777).toBe(0o640);
    expect(rowsOf('emissions.csv')).toEqual([expect.objectContaining({ project_name: 'again' })]);
    expect(readdirSync(folder.path).sort()).toEqual(['emissions.csv', 'link.csv']);
  });

  it('leaves a file with other columns alone, and updates its own row beside it', () => {
    writeFileSync(folder.file('emissions.csv'), 'a,b\n');
    for (const project of ['one', 'two'])
      writeReport(reportOf('mine', project), folder.file('emissions.csv'), update);
    expect(folder.read('emissions.csv')).toBe('a,b\n');
    expect(rowsOf('emissions-1.csv')).toEqual([expect.objectContaining({ project_name: 'two' })]);
  });

  it('is the only other word', () => {
    const wrong = { onCsvWrite: 'replace' } as unknown as typeof update;
    expect(() => writeReport(reportOf('mine'), folder.file('emissions.csv'), wrong)).toThrow(
      expect.objectContaining({ code: 'ERR_BAD_OPTION', hint: expect.stringContaining('update') }),
    );
  });
});

describe('a file that was cut in mid-line', () => {
  it.each([
    ['in a cell', `${header}\n2026-01-01T00:00:00,pro`],
    ['in a quoted cell', `${header}\n${THEIRS[0]?.slice(0, 25)}`],
    ['behind a quoted line break', `${header}\n2026-01-01T00:00:00,"two\n`],
    ['in its header', header.slice(0, -1)],
  ])('%s keeps what it has, and the row is whole', (where, before) => {
    const file = folder.file('emissions.csv');
    writeFileSync(file, before);
    const report = reportOf('mine');
    writeOutputs(report, [file]);
    expect(folder.read('emissions.csv').startsWith(before)).toBe(true);
    const holder = where === 'in its header' ? 'emissions-1.csv' : 'emissions.csv';
    const { data } = Papa.parse<string[]>(folder.read(holder), { skipEmptyLines: true });
    expect(data.at(-1)).toHaveLength(CODECARBON_COLUMNS.length);
    expect(data.at(-1)?.[2]).toBe('mine');
    const { code, message } = report.warnings.at(-1) ?? {};
    expect(code).toBe(where === 'in its header' ? 'output-elsewhere' : 'output-remark');
    expect(message).toContain(where === 'in its header' ? 'other columns' : 'ended in the middle of a row');
  });
});

describe.runIf(process.platform === 'linux')('the lock', () => {
  const file = () => folder.file('emissions.csv');
  const lock = () => folder.file('emissions.csv.lock');
  const space = existsSync('/proc/self/ns/pid')
    ? spawnSync('readlink', ['/proc/self/ns/pid']).stdout.toString().trim()
    : '';

  it.each([
    ['is gone', () => `${spawnSync('true').pid} 1 ${space} ${os.hostname()}`],
    ['is gone, whose number another has by now', () => `${process.pid} 1 ${space} ${os.hostname()}`],
  ])('of a process that %s is taken at once', (_, owner) => {
    writeFileSync(lock(), owner());
    const waits = vi.spyOn(Atomics, 'wait');
    writeReport(reportOf('mine'), file());
    const waitedMs = waits.mock.calls.reduce((sum, [, , , milliseconds = 0]) => sum + milliseconds, 0);
    waits.mockRestore();
    expect(waitedMs).toBeLessThan(100);
    expect(readdirSync(folder.path)).toEqual(['emissions.csv']);
  });

  it.each(['', ", also another user's"])('of a process that lives is waited for%s', async (others) => {
    if (others !== '') {
      vi.spyOn(process, 'kill').mockImplementation(() => {
        throw Object.assign(new Error('kill EPERM'), { code: 'EPERM' });
      });
    }
    const holder = spawn(process.execPath, [
      '--eval',
      `const fs = require('node:fs'); const stat = fs.readFileSync('/proc/self/stat', 'latin1');
       const start = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
       const [lock, file] = process.argv.slice(1);
       fs.writeFileSync(lock, [process.pid, start, fs.readlinkSync('/proc/self/ns/pid'), require('node:os').hostname()].join(' '));
       process.stdout.write('ready');
       setTimeout(() => { if (fs.existsSync(file)) process.exitCode = 1; fs.rmSync(lock); }, 2500);`,
      lock(),
      file(),
    ]);
    await new Promise((resolve) => holder.stdout.once('data', resolve));
    const ended = new Promise((resolve) => holder.on('close', resolve));
    expect(writeReport(reportOf('mine'), file())).toEqual({ file: file() });
    vi.restoreAllMocks();
    expect(await ended).toBe(0);
  }, 20_000);

  it('of an unknown process that does not move for two seconds is taken', () => {
    writeFileSync(lock(), '1 1 elsewhere another-host');
    writeReport(reportOf('mine'), file(), update);
    expect(runIds('emissions.csv')).toEqual(['mine']);
    expect(existsSync(lock())).toBe(false);
  });

  it('that is a link to nowhere is taken, too', () => {
    symlinkSync(folder.file('nowhere'), lock());
    expect(writeReport(reportOf('mine'), file())).toEqual({ file: file() });
    expect(readdirSync(folder.path)).toEqual(['emissions.csv']);
  }, 20_000);

  it('that cannot be taken away is not waited for for ever', () => {
    mkdirSync(lock());
    expect(writeReport(reportOf('mine'), file())).toMatchObject({ file: folder.file('emissions-1.csv') });
    expect(runIds('emissions-1.csv')).toEqual(['mine']);
  }, 40_000);

  it('that others always hold is waited for so long and no longer: the row goes beside', async () => {
    writeReport(reportOf('first'), file());
    const others = spawn(process.execPath, [
      '--eval',
      `const fs = require('node:fs'); const lock = process.argv[1]; let n = 0;
       setInterval(() => { fs.writeFileSync(lock + '.new', process.pid + ' 1 x ' + n++); fs.renameSync(lock + '.new', lock); }, 20);
       setTimeout(() => process.stdout.write('ready'), 100);`,
      lock(),
    ]);
    await new Promise((resolve) => others.stdout.once('data', resolve));
    const written = writeReport(reportOf('mine'), file());
    others.kill('SIGKILL');
    expect(written).toMatchObject({ file: folder.file('emissions-1.csv'), code: 'output-elsewhere' });
    expect(written.remark).toContain('emissions.csv.lock');
    expect(runIds('emissions.csv')).toEqual(['first']);
    expect(runIds('emissions-1.csv')).toEqual(['mine']);
  }, 40_000);
});

describe('several processes at one file', () => {
  const WRITER = `
    import { readFileSync } from 'node:fs';
    import { writeReport } from ${JSON.stringify(FORMATS)};
    const report = JSON.parse(readFileSync('report.json', 'utf8'));
    const [mode, count] = process.argv.slice(2);
    process.stdout.write('ready');
    process.stdin.once('data', () => {
      for (let n = 0; n < Number(count); n++) {
        const runId = mode === 'update' ? String(process.pid) : process.pid + '-' + n;
        const projectName = 'a, "quoted"\\nname '.repeat(20) + n;
        writeReport({ ...report, runId, projectName }, 'emissions.csv', { onCsvWrite: mode });
      }
      process.stdout.write('done');
      if (count === 'Infinity') return;
      process.exit();
    });`;

  it('lose no row and tear none, though some replace theirs and one is killed', async () => {
    const ROWS = 20;
    writeFileSync(folder.file('report.json'), formatJson(goldenReport()));
    writeFileSync(folder.file('writer.mjs'), WRITER);
    writeFileSync(folder.file('emissions.csv'), theirFile());
    const start = (mode: string, count: string) =>
      spawn(process.execPath, ['writer.mjs', mode, count], {
        cwd: folder.path,
        stdio: ['pipe', 'pipe', 'inherit'],
      });
    const modes = ['append', 'update', 'append', 'update'];
    const writers = modes.map((mode) => start(mode, String(ROWS)));
    const victim = start('update', '1000000');
    const all = [...writers, victim];
    const ends = all.map((writer) => new Promise((resolve) => writer.on('close', resolve)));
    await Promise.all(all.map((writer) => new Promise((resolve) => writer.stdout.once('data', resolve))));
    for (const writer of all) writer.stdin.write('go');
    setTimeout(() => victim.kill('SIGKILL'), 150);
    await Promise.all(ends);
    expect(writers.map((writer) => writer.exitCode)).toEqual([0, 0, 0, 0]);

    const pids = writers.map(({ pid }) => String(pid));
    const expected = modes.flatMap((mode, index) =>
      mode === 'update'
        ? [`${pids[index]} ${ROWS - 1}`]
        : Array.from({ length: ROWS }, (_, n) => `${pids[index]}-${n} ${n}`),
    );
    const names = readdirSync(folder.path).filter((name) => /^emissions(-\d+)?\.csv$/.test(name));
    // Nobody held the lock for so long that another had to go elsewhere.
    expect(names).toEqual(['emissions.csv']);
    const rows = rowsOf('emissions.csv');
    for (const row of rows) expect(Object.keys(row)).toHaveLength(CODECARBON_COLUMNS.length);
    const found = rows.map((row) => `${row.run_id} ${row.project_name?.split(' ').at(-1)}`);
    const ours = found.filter((each) => pids.some((pid) => each.startsWith(pid)));
    expect(ours.sort()).toEqual(expected.sort());
    expect(rows.filter((row) => row.run_id === String(victim.pid)).length).toBeLessThanOrEqual(1);
    expect(folder.read('emissions.csv').startsWith(theirFile())).toBe(true);
    expect(existsSync(folder.file('emissions.csv.guard'))).toBe(false);
  }, 60_000);
});

describe.runIf(process.platform === 'linux')('without room or permission', () => {
  /** A row from a process of its own, behind a prefix that takes something from it. */
  function writeIn(
    prefix: string[],
    mode: 'append' | 'update',
    runId = 'mine',
  ): { failure?: string; hint?: string; remark?: string } {
    writeFileSync(folder.file('report.json'), formatJson(reportOf(runId, 'again '.repeat(400))));
    const script = `
      import { readFileSync } from 'node:fs';
      import { writeReport } from ${JSON.stringify(FORMATS)};
      const report = JSON.parse(readFileSync('report.json', 'utf8'));
      try {
        console.log(JSON.stringify(writeReport(report, 'data/emissions.csv', { onCsvWrite: ${JSON.stringify(mode)} })));
      } catch (error) {
        console.log(JSON.stringify({ failure: error.message, hint: error.hint }));
      }`;
    const [command = '', ...args] = [...prefix, process.execPath, '--input-type=module', '--eval', script];
    const ended = spawnSync(command, args, { cwd: folder.path, encoding: 'utf8' });
    expect(ended.status, ended.stderr).toBe(0);
    return JSON.parse(ended.stdout);
  }
  const LIMIT_BYTES = 4096;
  // What a full disk does to a write: a part of it, then an error. The limit counts in blocks of 512 or 1024 bytes.
  const limited = ['bash', '-c', `trap '' XFSZ; ulimit -f ${LIMIT_BYTES / 1024}; exec "$@"`, 'limited'];
  const file = () => folder.file('data/emissions.csv');
  beforeEach(() => mkdirSync(folder.file('data')));

  it.each(['append', 'update'] as const)('%s takes back the beginning of a row that has no room', (mode) => {
    const before = `${theirFile()}${THEIRS[0]?.replace('0d2f', '2d2f')}\n`.padEnd(LIMIT_BYTES - 501, '\n');
    writeFileSync(file(), before);
    for (const runId of ['mine', '1d2f4f4e-3f3c-4f0e-9f5b-0c9e0e4a7a12']) {
      const { failure } = writeIn(limited, mode, runId);
      expect(failure).toContain('cannot write');
      expect(readFileSync(file(), 'utf8')).toBe(before);
      expect(readdirSync(folder.file('data'))).toEqual(['emissions.csv']);
    }
  });

  it('leaves no beginning of a file that has no room', () => {
    const none = ['bash', '-c', `trap '' XFSZ; ulimit -f 1; exec "$@"`, 'limited'];
    expect(writeIn(none, 'append').failure).toContain('cannot write');
    expect(readdirSync(folder.file('data'))).toEqual([]);
  });

  const prefix = withoutPrivilege();
  it.skipIf(prefix === undefined)(
    'adds a row in a folder that takes no files, and says why it replaced none',
    () => {
      writeReport(reportOf('mine'), file());
      chmodSync(folder.file('data'), 0o555);
      expect(writeIn(prefix ?? [], 'append', 'other')).toEqual({ file: 'data/emissions.csv' });
      expect(writeIn(prefix ?? [], 'update').remark).toContain('its folder takes no files');
      expect(runIds('data/emissions.csv')).toEqual(['mine', 'other', 'mine']);
      chmodSync(folder.file('data'), 0o755);
    },
  );

  it.skipIf(prefix === undefined)('does not replace a file that is read-only: the row goes beside it', () => {
    writeReport(reportOf('mine'), file());
    const before = readFileSync(file(), 'utf8');
    chmodSync(file(), 0o444);
    for (const mode of ['append', 'update'] as const) {
      expect(writeIn(prefix ?? [], mode)).toMatchObject({
        file: 'data/emissions-1.csv',
        code: 'output-elsewhere',
        remark: expect.stringContaining('may not be written, or another program has it open (EACCES)'),
      });
    }
    expect(readFileSync(file(), 'utf8')).toBe(before);
    expect(runIds('data/emissions-1.csv')).toEqual(['mine']);
    expect(readdirSync(folder.file('data')).sort()).toEqual(['emissions-1.csv', 'emissions.csv']);
  });

  it.skipIf(prefix === undefined)(
    'tells of a folder that takes no files, where nothing can go beside',
    () => {
      for (const isThere of [false, true]) {
        if (isThere) writeReport(reportOf('mine'), file());
        if (isThere) chmodSync(file(), 0o444);
        chmodSync(folder.file('data'), 0o555);
        for (const mode of ['append', 'update'] as const) {
          const { failure, hint } = writeIn(prefix ?? [], mode);
          expect(failure).toContain('EACCES');
          expect(hint).toContain('you may write to');
        }
        chmodSync(folder.file('data'), 0o755);
        expect(readdirSync(folder.file('data'))).toEqual(isThere ? ['emissions.csv'] : []);
      }
    },
  );

  const canMount = spawnSync('unshare', ['--mount', 'true']).status === 0;
  it.skipIf(!canMount)(
    'puts the row beside a file that cannot be replaced now (needs unshare --mount: root)',
    () => {
      writeReport(reportOf('mine'), file());
      const before = readFileSync(file(), 'utf8');
      // What a file that Windows lets nobody rename is like: it can be read and opened, and rename() gives EBUSY.
      const mounted = ['unshare', '--mount', 'bash', '-c', 'mount --bind "$0" "$0" && exec "$@"', file()];
      expect(writeIn(mounted, 'update')).toMatchObject({
        file: 'data/emissions-1.csv',
        remark: expect.stringContaining('EBUSY'),
      });
      expect(readFileSync(file(), 'utf8')).toBe(before);
      expect(runIds('data/emissions-1.csv')).toEqual(['mine']);
      expect(readdirSync(folder.file('data')).sort()).toEqual(['emissions-1.csv', 'emissions.csv']);
    },
  );

  it.runIf(existsSync('/dev/full'))('tells of a full disk, and leaves no lock beside a device', () => {
    symlinkSync('/dev/full', folder.file('full.csv'));
    expect(() => writeReport(reportOf('mine'), folder.file('full.csv'))).toThrow(
      expect.objectContaining({ code: 'ERR_OUTPUT', hint: expect.stringContaining('disk is full') }),
    );
    expect(existsSync('/dev/full.lock')).toBe(false);
  });
});
