// SPDX-License-Identifier: MIT
import Papa from 'papaparse';
import { describe, expect, it } from 'vitest';
import {
  formatBenchAsciidoc,
  formatBenchBmf,
  formatBenchCsv,
  formatBenchGithub,
  formatBenchJson,
  formatBenchMarkdown,
  formatBenchText,
} from '../../lib/benches.js';
import { displayWidth } from '../../lib/format/wrap.js';
import { boundOf } from '../bench/fixtures.js';
import { errorsBy, estimatedReport, reportOf, usualReport } from './bench-fixtures.js';

const unresolved = () => reportOf(['true', 'false'], () => ({ seconds: 0.001, estimate: boundOf(0.05) }));
const single = () => reportOf(['once'], () => ({ seconds: 1, watts: 5 }), { runCount: 1 });
const scan = () =>
  reportOf(['work {n}', 'play {n}'], (line) => ({ seconds: 0.1, watts: Number(line.at(-1)) }), {
    parameters: [{ name: 'n', values: ['1', '2'] }],
  });
const failed = () =>
  reportOf(['good', 'bad'], (line, run) => ({
    seconds: 0.1,
    watts: 10,
    ...(line === 'bad' && run === 2
      ? { ended: { exitCode: 2, stderrLines: ['bad: \u001b[31mno\u001b[0m luck'] } }
      : {}),
  }));
const nothing = () => reportOf(['bad'], () => ({ seconds: 0.1, ended: { exitCode: 2 } }));
const faster = () =>
  reportOf(['a', 'b'], (line) => ({ seconds: line === '' ? 0.01 : 0.0099, watts: 10 }), { shell: 'default' });
/** Neither energy nor time of some runs is more than the shell's. */
const below = () =>
  reportOf(
    ['a', 'b'],
    (line, run) => ({
      seconds: line === '' ? 0.01 : line === 'b' ? 0.1 : 0.0099 + 0.0002 * (run % 2),
      watts: 10,
    }),
    { shell: 'default', reference: 'a' },
  );
const all = { faster, below, usualReport, estimatedReport, unresolved, single, scan, failed };

describe('as text', () => {
  it.each([80, 160])('for %d columns', async (columns) => {
    expect(formatBenchText(await usualReport(), columns)).toMatchSnapshot();
  });

  it.each(Object.entries({ ...all, nothing }))('keeps within the columns: %s', async (_, make) => {
    const report = await make();
    for (const columns of [72, 80, 120, 160]) {
      for (const line of formatBenchText(report, columns).split('\n')) {
        expect(displayWidth(line), line).toBeLessThanOrEqual(columns);
      }
    }
  });

  it('has colours in the text alone', async () => {
    const report = await failed();
    const painted = formatBenchText(report, 80, (name, text) => `<${name}>${text}</${name}>`);
    expect(painted.replace(/<\/?\w+>/g, '')).toBe(formatBenchText(report, 80));
    expect(painted).toContain('<title>Benchmark 1: good</title>');
  });

  it('never shows a figure that is not known, nor an escape sequence from outside', async () => {
    const text = formatBenchText(await unresolved());
    expect(text).toMatch(/Energy +below noise +at most 50\.00 mJ/);
    expect(text).toContain('too short for the counters');
    expect(text).not.toMatch(/NaN|Infinity|undefined/);
    expect(formatBenchText(await failed())).not.toContain('\u001b');
  });

  it('says of what is no ratio that it is none', async () => {
    const report = await below();
    expect(report.comparisons.at(-1)?.energy.ratio).toBeNaN();
    const text = formatBenchText(report);
    expect(text).toMatch(/^ {2}b +no ratio +no ratio +no ratio$/m);
    expect(text).toMatch(/^ {2}no ratio: some runs of one of the two are not above nothing/m);
    expect(text).not.toMatch(/NaN|Infinity|chance alone/);
    expect(formatBenchMarkdown(report)).not.toMatch(/NaN|Infinity/);
    expect(formatBenchCsv(report)).not.toMatch(/NaN|Infinity/);
    expect(JSON.parse(formatBenchJson(report)).comparisons.at(-1).energy).toEqual({
      ratio: null,
      lowerRatio: null,
      upperRatio: null,
      isResolved: false,
    });
  });

  it('says which run failed, how, and with which last words', async () => {
    const text = formatBenchText(await failed());
    expect(text).toContain('Failed: run 3 of bad: it ended with exit code 2.');
    expect(text).toContain('2 runs that were measured before are kept.');
    expect(text).toContain('    bad:  [31mno [0m luck');
    expect(text).toContain('Benchmark 1: good');
  });

  it('marks every energy and power of a model', async () => {
    const text = formatBenchText(await estimatedReport());
    for (const line of text.split('\n').filter((one) => /^ *(Energy|Power)\b/.test(one))) {
      expect(line).toMatch(/estimated/);
    }
    expect(text).toContain('energy, estimated');
  });
});

describe('as a table', () => {
  it('in Markdown', async () => {
    expect(formatBenchMarkdown(await usualReport())).toMatchSnapshot();
  });

  it('in AsciiDoc', async () => {
    expect(formatBenchAsciidoc(await usualReport())).toMatchSnapshot();
  });

  it('whatever the command is', async () => {
    const odd = ['a|b `c` ``d``', 'x && y < z > {w} \\n', 'line\nbreak'];
    const report = await reportOf(odd, () => ({ seconds: 0.1, watts: 10 }));
    const [header = '', , ...rows] = formatBenchMarkdown(report).split('\n');
    const cells = (row: string): number => row.split(/(?<!\\)\|/).length;
    for (const row of rows.slice(0, 3)) expect(cells(row)).toBe(cells(header));
    expect(rows[0]).toContain('``` a\\|b `c` ``d`` ```');
    expect(rows[1]).toContain('`x && y < z > {w} \\n`');
    const asciidoc = formatBenchAsciidoc(report);
    expect(asciidoc).toContain('`+a\\|b');
  });

  it.each(Object.entries(all))('has as many cells in every row: %s', async (_, make) => {
    const report = await make();
    const lines = formatBenchMarkdown(report)
      .split('\n')
      .filter((line) => line.startsWith('|'));
    expect(new Set(lines.map((line) => line.split(/(?<!\\)\|/).length)).size).toBe(1);
    expect(lines).toHaveLength(2 + report.results.length);
    if (report.provenance.kind !== 'measured') expect(lines[0]).toMatch(/Energy \[\w+\], estimated/);
  });

  it('in CSV: hyperfine’s columns first, full precision, empty where nothing is known', async () => {
    const report = await scan();
    const { data, errors, meta } = Papa.parse<Record<string, string>>(formatBenchCsv(report), {
      header: true,
      skipEmptyLines: true,
    });
    expect(errors).toEqual([]);
    expect(meta.fields?.slice(0, 8)).toEqual([
      'command',
      'mean',
      'stddev',
      'median',
      'user',
      'system',
      'min',
      'max',
    ]);
    expect(data.map((row) => row.command)).toEqual(['work 1', 'play 1', 'work 2', 'play 2']);
    expect(data.map((row) => row.parameter_n)).toEqual(['1', '1', '2', '2']);
    data.forEach((row, i) => {
      expect(Number(row.energy_mean_joules)).toBe(report.results[i]?.energyJoules.mean);
      expect(Number(row.mean)).toBe(report.results[i]?.durationSeconds.mean);
      expect(row.energy_kind).toBe('measured');
    });
    const alone = Papa.parse<Record<string, string>>(formatBenchCsv(await estimatedReport()), {
      header: true,
    });
    expect(alone.data[0]).toMatchObject({
      energy_kind: 'estimated',
      above_idle_mean_joules: '',
      above_idle_resolved: '',
      energy_at_least: 'false',
    });
  });

  it.each(
    Object.entries(all),
  )('says in CSV what is not resolved, and what is missing: %s', async (_, make) => {
    const report = await make();
    for (const missing of [[], ['gpu']]) {
      const text = formatBenchCsv({ ...report, missing });
      const { data } = Papa.parse<Record<string, string>>(text, { header: true, skipEmptyLines: true });
      report.results.forEach(({ energyJoules, aboveIdleJoules }, i) => {
        expect(data[i]).toMatchObject({
          energy_resolved: String(energyJoules.isResolved),
          above_idle_resolved: String(aboveIdleJoules?.isResolved ?? ''),
          energy_at_least: String(missing.length > 0),
        });
      });
    }
  });
});

describe('as JSON', () => {
  it.each(Object.entries({ ...all, nothing }))('keeps to its schema: %s', async (_, make) => {
    expect(errorsBy('schema/bench', formatBenchJson(await make()))).toEqual([]);
  });

  it.each(Object.entries(all))('is what hyperfine’s scripts read: %s', async (_, make) => {
    const report = await make();
    const text = formatBenchJson(report);
    expect(errorsBy('test/schemas/hyperfine', text)).toEqual([]);
    JSON.parse(text).results.forEach((result: Record<string, never>, i: number) => {
      const { runs, durationSeconds } = report.results[i] ?? { runs: [] };
      expect(result).toMatchObject({
        times: runs.map((run) => run.durationSeconds),
        mean: durationSeconds?.mean,
      });
      expect(result.exit_codes).toEqual(runs.map(() => 0));
    });
  });

  it('has each run’s energy, null where only bounds are known', async () => {
    const [usual] = JSON.parse(formatBenchJson(await usualReport())).results;
    const { energy, energyAboveIdle, power } = usual;
    const mean =
      energy.runsJoules.reduce((sum: number, one: number) => sum + one, 0) / energy.runsJoules.length;
    expect(energy.meanJoules).toBeCloseTo(mean, 12);
    expect(energy.lowerJoules).toBeLessThan(mean);
    expect(energyAboveIdle.meanJoules).toBeCloseTo(mean - 30 * usual.mean, 9);
    expect(power.meanWatts).toBeCloseTo(mean / usual.mean, 12);
    const [short] = JSON.parse(formatBenchJson(await unresolved())).results;
    expect(short.energy.runsJoules).toEqual(Array(8).fill(null));
    expect(short.energy.isResolved).toBe(false);
  });
});

describe('what is no 95 % interval', () => {
  it('is called bounds of a model, everywhere', async () => {
    const report = await estimatedReport();
    const { results, shell } = JSON.parse(formatBenchJson(report));
    for (const { energy, power } of results) {
      for (const one of [energy, power]) expect(one).not.toHaveProperty('confidenceRatio');
    }
    expect(shell?.energy ?? {}).not.toHaveProperty('confidenceRatio');
    const { data } = Papa.parse<Record<string, string>>(formatBenchCsv(report), { header: true });
    expect(data[0]).toMatchObject({ energy_lower95_joules: '', power_upper95_watts: '' });
    expect(Number(data[0]?.energy_model_upper_joules)).toBe(report.results[0]?.energyJoules.upper);
    for (const text of [formatBenchMarkdown(report), formatBenchAsciidoc(report)]) {
      expect(text).toMatch(/[\d.]+ \([\d.]+ to [\d.]+\)/);
      expect(text).toContain('bounds of the model');
    }
    for (const { unit, range, extra } of JSON.parse(formatBenchGithub(report))) {
      if (unit === 'J') expect(`${range} ${extra}`).toMatch(/^[\d.]+ to [\d.]+ (?!.*95 %)/s);
    }
  });
});

describe('what is not whole', () => {
  it('is marked in every format', async () => {
    const report = { ...(await usualReport()), missing: ['perf:ram'] };
    const metrics: Record<string, object> = JSON.parse(formatBenchBmf(report));
    for (const measures of Object.values(metrics)) {
      expect(Object.keys(measures)).toEqual([
        'latency',
        'at-least-energy-joules',
        'at-least-energy-above-idle-joules',
        'at-least-power-watts',
      ]);
    }
    for (const { unit, name, extra } of JSON.parse(formatBenchGithub(report))) {
      if (unit === 'J') expect(`${name} ${extra}`).toMatch(/\(at least .*at least: perf:ram could/s);
    }
    for (const text of [formatBenchMarkdown(report), formatBenchAsciidoc(report)]) {
      expect(text).toContain('At least: perf:ram could not be read.');
    }
  });

  it('is no point of a tracker, and a note under a table, where it failed', async () => {
    const report = await failed();
    expect(Object.keys(JSON.parse(formatBenchBmf(report)))).toEqual(['good']);
    expect(formatBenchGithub(report)).not.toContain('bad');
    for (const text of [formatBenchMarkdown(report), formatBenchAsciidoc(report)]) {
      expect(text).toContain('Row 2 is of a command that failed after 2 runs.');
    }
  });
});

describe('for trackers', () => {
  it.each(Object.entries(all))('in Bencher Metric Format: %s', async (_, make) => {
    const report = await make();
    const text = formatBenchBmf(report);
    expect(errorsBy('test/schemas/bencher-metric-format', text)).toEqual([]);
    const metrics: Record<string, Record<string, Record<string, number>>> = JSON.parse(text);
    const whole = report.results.filter(({ hasFailed }) => !hasFailed);
    expect(Object.keys(metrics)).toEqual(whole.map(({ name }) => name));
    for (const measures of Object.values(metrics)) {
      for (const [measure, { value, lower_value, upper_value }] of Object.entries(measures)) {
        if (measure !== 'latency') expect(value).toBeGreaterThan(0);
        expect(lower_value ?? 0).toBeLessThanOrEqual(value ?? 0);
        expect(upper_value ?? value).toBeGreaterThanOrEqual(value ?? 0);
      }
    }
    for (const { name, durationSeconds, energyJoules, aboveIdleJoules, powerWatts } of whole) {
      const isEstimated = report.provenance.kind !== 'measured';
      const measures = metrics[name] ?? {};
      const energy = measures[isEstimated ? 'estimated-energy-joules' : 'energy-joules'];
      const power = measures[isEstimated ? 'estimated-power-watts' : 'power-watts'];
      const isTold = isEstimated ? energyJoules.mean > 0 : energyJoules.isResolved;
      // Below the noise there is no figure, above all no zero.
      expect(energy?.value).toBe(isTold ? energyJoules.mean : undefined);
      expect(power?.value).toBe(isTold ? powerWatts.mean : undefined);
      const above = measures['energy-above-idle-joules']?.value;
      expect(above).toBe(aboveIdleJoules?.isResolved === true ? aboveIdleJoules.mean : undefined);
      expect(measures.latency?.value).toBeCloseTo(durationSeconds.mean * 1e9, 3);
      // An estimate must not continue the history of a measurement.
      if (isEstimated) expect(measures).not.toHaveProperty('energy-joules');
    }
  });

  it.each(Object.entries(all))('for github-action-benchmark: %s', async (_, make) => {
    const report = await make();
    const text = formatBenchGithub(report);
    expect(errorsBy('test/schemas/github-action-benchmark', text)).toEqual([]);
    const list: { name: string; unit: string; value: number }[] = JSON.parse(text);
    expect(new Set(list.map(({ name }) => name)).size).toBe(list.length);
    const whole = report.results.filter(({ hasFailed }) => !hasFailed);
    const names = whole.flatMap(({ name, energyJoules, aboveIdleJoules }) => [
      `${name} (time)`,
      ...(report.provenance.kind !== 'measured' ? [`${name} (estimated energy)`] : []),
      ...(energyJoules.isResolved && report.provenance.kind === 'measured' ? [`${name} (energy)`] : []),
      ...(aboveIdleJoules?.isResolved ? [`${name} (energy above idle)`] : []),
    ]);
    expect(list.map(({ name }) => name)).toEqual(names);
    for (const { value, unit } of list) if (unit === 'J') expect(value).toBeGreaterThan(0);
    if (report.provenance.kind !== 'measured') {
      expect(list.filter(({ unit }) => unit === 'J').every(({ name }) => name.includes('estimated'))).toBe(
        true,
      );
    }
  });
});
