// SPDX-License-Identifier: MIT
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import Papa from 'papaparse';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { TASK_COLUMNS } from '../../lib/format/codecarbon-csv.js';
import { openTaskFile, type WriteOptions } from '../../lib/formats.js';
import { EmissionsTracker, type TrackerOptions, type Warning } from '../../lib/index.js';
import { useWorkplace, zone } from '../cli/fixtures.js';
import { goldenReport } from '../report/fixtures.js';

const place = useWorkplace();
let folder = place.newFolder();
beforeEach(() => {
  folder = place.newFolder();
});
afterEach(() => vi.restoreAllMocks());

function tracked(options: TrackerOptions) {
  const machine = place.machine(zone('intel-rapl:0', 'package-0'));
  return new EmissionsTracker({
    sysfs: machine.root,
    nvmlLibrary: `${machine.root}/no-nvml`,
    ...options,
  }).start();
}
const read = (name: string) => {
  const { data, errors } = Papa.parse<Record<string, string>>(folder.read(name), {
    header: true,
    skipEmptyLines: true,
  });
  expect(errors).toEqual([]);
  return data;
};

describe('the file of tasks', () => {
  it("stands beside emissions.csv under CodeCarbon's name, a row a task, those left running included", async () => {
    const tracker = tracked({
      output: [folder.file('emissions.csv'), folder.file('again.csv'), folder.file('r.json')],
      runId: 'run-7',
      experimentName: 'my exp',
      experimentId: 'e-1',
      projectName: 'p',
    });
    await tracker.trackTask('load, "all"', () => {});
    tracker.startTask('訓練');
    const report = await tracker.stop();
    expect(readdirSync(folder.path).sort()).toEqual([
      'again.csv',
      'emissions.csv',
      'emissions_my exp_run-7.csv',
      'r.json',
    ]);
    const rows = read('emissions_my exp_run-7.csv');
    expect(rows.map((row) => row.task_name)).toEqual(['load, "all"', '訓練']);
    for (const row of rows) {
      expect(Object.keys(row)).toEqual([...TASK_COLUMNS]);
      expect(row).toMatchObject({ run_id: 'run-7', project_name: 'p', tracking_mode: 'machine' });
      expect(Number(row.cpu_energy)).toBeGreaterThan(0);
    }
    expect(read('emissions.csv')[0]).toMatchObject({ experiment_id: 'e-1', run_id: 'run-7' });
    expect(report).toMatchObject({ experimentId: 'e-1', experimentName: 'my exp' });
  });

  it('is not there without tasks, nor without a CSV', async () => {
    await tracked({ output: folder.file('emissions.csv') }).stop();
    const tracker = tracked({ output: folder.file('r.json') });
    await tracker.trackTask('one', () => {});
    await tracker.stop();
    expect(readdirSync(folder.path).sort()).toEqual(['emissions.csv', 'r.json']);
  });

  const reportOfRun = () => ({ ...goldenReport(), runId: 'r', warnings: [] as Warning[] });
  const names = (file: string) => read(file).map((row) => row.task_name);
  /** A run with so many tasks; the warnings of its report. */
  function run(label: string, count: number, options: WriteOptions = {}) {
    const file = openTaskFile([folder.file('emissions.csv')], options);
    const report = reportOfRun();
    for (let n = 0; n < count; n++) file.add({ ...report, task: `${label}${n}` });
    file.finish(report);
    return report.warnings;
  }
  const tasks = (label: string, count: number) => Array.from({ length: count }, (_, n) => `${label}${n}`);

  it('takes many tasks, a thousand at a time', () => {
    const file = openTaskFile([folder.file('emissions.csv')]);
    const report = reportOfRun();
    for (let n = 0; n < 2500; n++) file.add({ ...report, task: String(n) });
    expect(read('emissions_base_r.csv')).toHaveLength(2000);
    file.finish(report);
    expect(names('emissions_base_r.csv')).toEqual(tasks('', 2500));
  });

  it('is written by a flush, once, and by the end what came after', () => {
    const file = openTaskFile([folder.file('emissions.csv')]);
    const report = reportOfRun();
    for (const label of ['a', 'b', 'c']) {
      file.add({ ...report, task: label });
      file.flush(report);
      file.flush(report);
    }
    expect(names('emissions_base_r.csv')).toEqual(['a', 'b', 'c']);
    file.add({ ...report, task: 'd' });
    file.finish(report);
    expect(names('emissions_base_r.csv')).toEqual(['a', 'b', 'c', 'd']);
    expect(report.warnings).toEqual([]);
  });

  it.each(['append', 'update'] as const)('that a flush could not write is tried again: %s', (onCsvWrite) => {
    const file = openTaskFile([folder.file('later/emissions.csv')], { onCsvWrite });
    const [flushed, report] = [reportOfRun(), reportOfRun()];
    file.add({ ...report, task: 'a' });
    file.flush(flushed);
    expect(flushed.warnings.map(({ code }) => code)).toEqual(['output-failed']);
    mkdirSync(folder.file('later'));
    file.add({ ...report, task: 'b' });
    file.finish(report);
    expect(names('later/emissions_base_r.csv')).toEqual(['a', 'b']);
    expect(report.warnings).toEqual([]);
  });

  it('keeps no more than it has room for where it cannot be written', () => {
    const file = openTaskFile([folder.file('never/emissions.csv')]);
    const report = reportOfRun();
    for (let n = 0; n < 1500; n++) file.add({ ...report, task: String(n) });
    mkdirSync(folder.file('never'));
    file.finish(report);
    expect(report.warnings.map(({ code }) => code)).toEqual(['output-failed']);
    expect(readdirSync(folder.file('never'))).toEqual([]);
  });

  it('has a warning for what makes no row, and takes no report along', () => {
    const file = openTaskFile([folder.file('emissions.csv')]);
    const report = reportOfRun();
    file.add({ ...report, runId: 7 as unknown as string, task: 'a' });
    file.add({ ...report, task: 'b' });
    file.finish(report);
    expect(names('emissions_base_r.csv')).toEqual(['b']);
    expect(report.warnings).toEqual([
      { code: 'output-failed', message: expect.stringContaining('The task "a" makes no row') },
    ]);
  });

  it('goes on for a run of the same name, whose row is one more, too', () => {
    expect([...run('a', 3), ...run('b', 1001), ...run('c', 1)]).toEqual([]);
    expect(names('emissions_base_r.csv')).toEqual([...tasks('a', 3), ...tasks('b', 1001), ...tasks('c', 1)]);
    expect(readdirSync(folder.path)).toEqual(['emissions_base_r.csv']);
  });

  it.skipIf(process.platform === 'win32')(
    'begins anew for a run of the same name with onCsvWrite: update, also behind a link',
    () => {
      mkdirSync(folder.file('true'));
      symlinkSync(folder.file('true'), folder.file('link'));
      for (const label of ['a', 'b']) {
        const file = openTaskFile([folder.file('link/emissions.csv')], { onCsvWrite: 'update' });
        const report = reportOfRun();
        for (let n = 0; n < 1500; n++) file.add({ ...report, task: `${label}${n}` });
        file.finish(report);
        expect(names('true/emissions_base_r.csv')).toEqual(tasks(label, 1500));
      }
    },
  );

  it.each(['append', 'update'] as const)('leaves what is no file of tasks: %s', (onCsvWrite) => {
    writeFileSync(folder.file('emissions_base_r.csv'), 'a,b\n1,2\n');
    const warnings = run('a', 2, { onCsvWrite });
    expect(folder.read('emissions_base_r.csv')).toBe('a,b\n1,2\n');
    expect(names('emissions_base_r-1.csv')).toEqual(['a0', 'a1']);
    expect(warnings).toEqual([
      { code: 'output-elsewhere', message: expect.stringContaining('the tasks are in') },
    ]);
  });

  it('stands behind one that was cut in mid-row, on lines of its own', () => {
    run('a', 2);
    const cut = folder.read('emissions_base_r.csv').slice(0, -30);
    writeFileSync(folder.file('emissions_base_r.csv'), cut);
    expect(run('b', 2)).toEqual([
      { code: 'output-remark', message: expect.stringContaining('in the middle of a row') },
    ]);
    expect(folder.read('emissions_base_r.csv').startsWith(cut)).toBe(true);
    expect(folder.read('emissions_base_r.csv').slice(cut.length)).toMatch(/^\nb0,.*\nb1,.*\n$/);
  });

  it('stays in its folder, whatever the names', () => {
    const file = openTaskFile([folder.file('emissions.csv')]);
    const report = { ...goldenReport(), runId: 'a\\b:c', experimentName: '../../x', task: 't' };
    file.add(report);
    file.finish(report);
    expect(readdirSync(folder.path)).toEqual(['emissions_.._.._x_a_b_c.csv']);
  });

  it('that cannot be written is a warning, and the other files are written', async () => {
    vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    mkdirSync(folder.file('emissions_base_r.csv'));
    const tracker = tracked({ output: folder.file('emissions.csv'), runId: 'r' });
    await tracker.trackTask('one', () => {});
    const { warnings } = await tracker.stop();
    expect(warnings.find(({ code }) => code === 'output-failed')?.message).toContain('emissions_base_r.csv');
    expect(read('emissions.csv')).toHaveLength(1);
  });
});

describe('flush()', () => {
  it('leaves the tasks that ended, whatever comes', async () => {
    const tracker = tracked({ output: folder.file('emissions.csv'), runId: 'r' });
    await tracker.trackTask('one', () => {});
    const running = tracker.startTask('two');
    await tracker.flush();
    expect(read('emissions_base_r.csv').map((row) => row.task_name)).toEqual(['one']);
    await running.stop();
    await tracker.stop();
    expect(read('emissions_base_r.csv').map((row) => row.task_name)).toEqual(['one', 'two']);
  });
});

describe('flush() with onCsvWrite: update', () => {
  it('keeps one row of the run up to date', async () => {
    const tracker = tracked({ output: folder.file('emissions.csv'), onCsvWrite: 'update', runId: 'r' });
    await tracker.flush();
    const [first] = read('emissions.csv');
    await tracker.flush();
    await tracker.stop();
    const rows = read('emissions.csv');
    expect(rows).toHaveLength(1);
    expect(rows[0]?.run_id).toBe('r');
    expect(Number(rows[0]?.duration)).toBeGreaterThan(Number(first?.duration));
  });
});
