// SPDX-License-Identifier: MIT
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { EmissionsTracker, type ModelDetails, type TrackerOptions, trackEmissions } from '../../lib/index.js';
import { createReport, planReport } from '../../lib/reports.js';
import {
  energyFile,
  microjoules,
  parseReport,
  START_TICKS,
  TICKS_PER_JOULE,
  useWorkplace,
  zone,
} from '../cli/fixtures.js';
import { goldenMeasurement } from '../report/fixtures.js';
import type { FixtureMachine } from '../support/machine.js';

const place = useWorkplace();
let folder = place.newFolder();
beforeEach(() => {
  folder = place.newFolder();
});
const here = process.cwd();
afterEach(() => process.chdir(here));

const oneSocket = () => place.machine(zone('intel-rapl:0', 'package-0'));
const optionsFor = (machine: FixtureMachine): TrackerOptions => ({
  sysfs: machine.root,
  nvmlLibrary: `${machine.root}/no-nvml`,
  output: [],
});
const count = (machine: FixtureMachine, ticks: number) =>
  machine.write(energyFile('intel-rapl:0'), `${microjoules(START_TICKS + ticks)}\n`);

describe('EmissionsTracker', () => {
  it('reports what was counted from start() to stop()', async () => {
    const machine = oneSocket();
    const tracker = new EmissionsTracker({
      ...optionsFor(machine),
      projectName: 'my project',
      runId: 'run-7',
      country: 'Brazil',
      intensityGramsPerKwh: 100,
      ramWattsPerGib: 0,
    });
    tracker.start();
    count(machine, 1_000_000);
    const report = await tracker.stop();
    const joules = 1_000_000 / TICKS_PER_JOULE;
    expect(report.components.cpu).toMatchObject({ kind: 'measured', energyJoules: joules });
    expect(report.energy.energyJoules).toBe(joules);
    expect(report.emissionsKg).toBeCloseTo(joules / 3.6e6 / 10, 15);
    expect(report.emissionsKg).toBe(report.emissions.emissionsKg);
    expect(report).toMatchObject({ projectName: 'my project', runId: 'run-7' });
    expect(report.location.countryAlpha3).toBe('BRA');
    expect(report.command).toBeUndefined();
  });

  it('gives the same report when stopped twice', async () => {
    const machine = oneSocket();
    const tracker = new EmissionsTracker({ ...optionsFor(machine), output: folder.file('emissions.csv') });
    tracker.start();
    const first = await tracker.stop();
    count(machine, 5_000_000);
    expect(await tracker.stop()).toBe(first);
    expect(folder.read('emissions.csv').trimEnd().split('\n')).toHaveLength(2);
  });

  it('cannot stop before it starts, nor start twice', async () => {
    const tracker = new EmissionsTracker(optionsFor(oneSocket()));
    await expect(tracker.stop()).rejects.toMatchObject({
      code: 'ERR_TRACKER_STATE',
      hint: 'Call start() first.',
    });
    tracker.start();
    const again = { code: 'ERR_TRACKER_STATE', hint: expect.stringContaining('new EmissionsTracker') };
    expect(() => tracker.start()).toThrow(expect.objectContaining(again));
    await tracker.stop();
    expect(() => tracker.start()).toThrow(expect.objectContaining(again));
  });

  it('tells bad options before the work, and what to do about them', () => {
    const bad = (options: TrackerOptions) => () => new EmissionsTracker({ output: [], ...options }).start();
    const error = (code: string) =>
      expect.objectContaining({ name: 'MicrojouleError', code, hint: expect.stringMatching(/\w/) });
    expect(bad({ output: 'report.pdf' })).toThrow(error('ERR_BAD_OPTION'));
    expect(bad({ country: 'Brasil' })).toThrow(error('ERR_UNKNOWN_COUNTRY'));
    expect(bad({ country: 'US', region: 'Califrnia' })).toThrow(error('ERR_UNKNOWN_REGION'));
    expect(bad({ cpuWatts: -1 })).toThrow('cpuWatts must be a number of watts above 0');
    expect(bad({ sysfs: '' })).toThrow(error('ERR_BAD_OPTION'));
  });

  it('adds results to the model until it stops', async () => {
    const tracker = new EmissionsTracker({
      ...optionsFor(oneSocket()),
      model: { name: 'cnn', results: { loss: 0.2 } },
      output: folder.file('report.json'),
    });
    tracker.setModelResult('epochs', 3);
    tracker.start();
    tracker.setModelResult('Test accuracy', '97 %');
    const report = await tracker.stop();
    const model = { name: 'cnn', results: { loss: 0.2, epochs: 3, 'Test accuracy': '97 %' } };
    expect(report.model).toEqual(model);
    expect(parseReport(folder.read('report.json')).model).toEqual(model);
    expect(() => tracker.setModelResult('late', 1)).toThrow(
      expect.objectContaining({ code: 'ERR_TRACKER_STATE', hint: expect.stringContaining('before stop()') }),
    );
  });

  it.each([
    Number.NaN,
    Number.POSITIVE_INFINITY,
    true,
    undefined,
  ])('refuses %s as a result of the model, and keeps the others', async (value) => {
    const tracker = new EmissionsTracker({
      ...optionsFor(oneSocket()),
      output: folder.file('report.json'),
    });
    tracker.start();
    tracker.setModelResult('epochs', 3);
    expect(() => tracker.setModelResult('loss', value as number)).toThrow(
      expect.objectContaining({
        code: 'ERR_BAD_MODEL',
        message: expect.stringContaining(`setModelResult(): "results.loss" is ${value}`),
        hint: expect.stringContaining('String(value)'),
      }),
    );
    tracker.setModelResult('final loss', String(value));
    const { warnings } = await tracker.stop();
    expect(warnings.map(({ code }) => code)).not.toContain('output-failed');
    const results = { epochs: 3, 'final loss': String(value) };
    expect(parseReport(folder.read('report.json')).model).toEqual({ results });
  });

  it.each([
    { results: { loss: Number.NaN } },
    { nmae: 'cnn' },
    { name: 7 },
    null,
  ])('refuses %j as a model, and so do planReport and createReport', async (wrong) => {
    const model = wrong as ModelDetails;
    const error = expect.objectContaining({ code: 'ERR_BAD_MODEL', hint: expect.stringMatching(/\w/) });
    expect(() => new EmissionsTracker({ output: [], model })).toThrow(error);
    expect(() => planReport({ model })).toThrow(error);
    expect(() => createReport(goldenMeasurement, { model })).toThrow(error);
    expect(() => planReport().report(goldenMeasurement, model)).toThrow(error);
  });

  it.each([
    'projectName',
    'runId',
    'experimentId',
    'experimentName',
  ])('refuses a number for %s before the work starts', (name) => {
    const tracker = new EmissionsTracker({ ...optionsFor(oneSocket()), [name]: 7 });
    const error = {
      code: 'ERR_BAD_OPTION',
      message: expect.stringContaining(name),
      hint: expect.any(String),
    };
    expect(() => tracker.start()).toThrow(expect.objectContaining(error));
    expect(() => planReport({ [name]: 7 })).toThrow(expect.objectContaining(error));
  });

  it('writes where it was created, wherever the script goes', async () => {
    const elsewhere = place.newFolder();
    process.chdir(folder.path);
    const tracker = new EmissionsTracker({ ...optionsFor(oneSocket()), output: ['r.json', './r.csv'] });
    tracker.start();
    process.chdir(elsewhere.path);
    await tracker.stop();
    expect(readdirSync(folder.path).sort()).toEqual(['r.csv', 'r.json']);
    expect(readdirSync(elsewhere.path)).toEqual([]);
  });

  it('writes emissions.csv into the working directory unless told otherwise', async () => {
    const { output: _none, ...options } = optionsFor(oneSocket());
    process.chdir(folder.path);
    await trackEmissions(() => {}, { ...options, output: [] });
    expect(readdirSync('.')).toEqual([]);
    await trackEmissions(() => {}, options);
    expect(readdirSync('.')).toEqual(['emissions.csv']);
  });

  it('makes a failed output a warning, and writes the others', async () => {
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const none = folder.file('none/report.md');
    const tracker = new EmissionsTracker({
      ...optionsFor(oneSocket()),
      output: [none, folder.file('report.json'), folder.file('emissions.csv')],
    });
    tracker.start();
    const report = await tracker.stop();
    const [failure, ...others] = report.warnings.filter(({ code }) => code === 'output-failed');
    expect(others).toEqual([]);
    expect(failure?.message).toContain(none);
    expect(failure?.hint).toContain('create it first');
    expect(warned.mock.calls).toEqual([
      [`cannot write ${none} (ENOENT). Its folder does not exist: create it first.`, 'MicrojouleWarning'],
    ]);
    expect(parseReport(folder.read('report.json')).warnings).toContainEqual(failure);
    expect(existsSync(folder.file('emissions.csv'))).toBe(true);
    warned.mockRestore();
  });

  it('tells in the other files that a row went elsewhere', async () => {
    writeFileSync(folder.file('emissions.csv'), 'a,b\n');
    const tracker = new EmissionsTracker({
      ...optionsFor(oneSocket()),
      output: [folder.file('report.json'), folder.file('emissions.csv')],
    });
    tracker.start();
    await tracker.stop();
    const codes = parseReport(folder.read('report.json')).warnings.map(({ code }) => code);
    expect(codes).toContain('output-elsewhere');
  });

  it('falls back to an estimate when the counter vanishes meanwhile', async () => {
    const machine = oneSocket();
    const tracker = new EmissionsTracker(optionsFor(machine));
    tracker.start();
    machine.remove('class/powercap/intel-rapl:0');
    await sleep(50);
    const { components, warnings } = await tracker.stop();
    expect(components.cpu.kind).not.toBe('measured');
    expect(components.cpu.energyJoules).toBeGreaterThan(0);
    expect(components.cpu.counters[0]).toMatchObject({ status: 'not-found', inTotal: false });
    const warning = warnings.find(({ code }) => code === 'cpu-not-measured');
    expect(warning?.message).toContain('vanished');
    expect(warning?.hint).toContain('microjoule doctor');
  });

  it('leaves no listener on the process, however many ran at once', async () => {
    const events = ['exit', 'SIGINT', 'SIGTERM', 'SIGHUP'] as const;
    const listeners = () => events.map((name) => process.listenerCount(name));
    const before = listeners();
    const machine = oneSocket();
    const trackers = Array.from({ length: 12 }, () => new EmissionsTracker(optionsFor(machine)));
    for (const tracker of trackers) tracker.start();
    expect(listeners()).toEqual(before.map((n) => n + 1));
    for (const tracker of trackers) await tracker.stop();
    expect(listeners()).toEqual(before);
  });

  it('does not listen for signals when told not to', async () => {
    const before = process.listenerCount('SIGTERM');
    const quiet = new EmissionsTracker({ ...optionsFor(oneSocket()), handleSignals: false });
    const other = new EmissionsTracker(optionsFor(oneSocket()));
    quiet.start();
    expect(process.listenerCount('SIGTERM')).toBe(before);
    other.start();
    await other.stop();
    // The one that is left said that it wants none.
    expect(process.listenerCount('SIGTERM')).toBe(before);
    await quiet.stop();
  });
});

describe('trackEmissions', () => {
  it('gives the result and the report', async () => {
    const machine = oneSocket();
    const work = async () => {
      await sleep(1);
      count(machine, 2_000_000);
      return 'done';
    };
    const { result, report } = await trackEmissions(work, optionsFor(machine));
    expect(result).toBe('done');
    expect(report.components.cpu.energyJoules).toBe(2_000_000 / TICKS_PER_JOULE);
  });

  it.each([
    [
      'throws',
      () => {
        throw new RangeError('mine');
      },
    ],
    ['rejects', () => Promise.reject(new RangeError('mine'))],
  ])('writes the report when the work %s, and lets the error go on', async (_, work) => {
    const output = folder.file('report.json');
    await expect(trackEmissions(work, { ...optionsFor(oneSocket()), output })).rejects.toThrow(
      new RangeError('mine'),
    );
    parseReport(readFileSync(output, 'utf8'));
  });

  it('does not begin the work when the options are wrong', async () => {
    const work = vi.fn();
    const { output } = optionsFor(oneSocket());
    await expect(trackEmissions(work, { output, country: 'Brasil' })).rejects.toMatchObject({
      code: 'ERR_UNKNOWN_COUNTRY',
      hint: expect.stringContaining('Brazil'),
    });
    expect(work).not.toHaveBeenCalled();
  });
});
