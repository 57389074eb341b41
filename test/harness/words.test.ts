// SPDX-License-Identifier: MIT
//
// Energies as each harness writes them: measured, estimated, in part, not resolved, absent.
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { energyReport } from '../../lib/harness/bench-node.js';
import { absent, type BenchmarkEnergy, type KnownEnergy } from '../../lib/harness/energy.js';
import { EnergyLines, energyLine } from '../../lib/harness/mitata-lines.js';
import { energyColumns } from '../../lib/harness/tinybench.js';
import { cellsOf, HEAD, withColumns } from '../../lib/harness/vitest-table.js';
import type { EnergyEstimate } from '../../lib/precision/types.js';

function estimate(energyJoules: number, halfJoules: number, resolved = true): EnergyEstimate {
  return {
    energyJoules,
    uncertaintyJoules: halfJoules,
    standardUncertaintyJoules: halfJoules / 2,
    lowerJoules: Math.max(0, energyJoules - halfJoules),
    upperJoules: energyJoules + halfJoules,
    confidenceRatio: 0.95,
    method: 'repetition',
    components: [],
    resolved,
    flags: [],
  };
}

function known(total: EnergyEstimate, changes: Partial<KnownEnergy> = {}): KnownEnergy {
  return {
    kind: 'measured',
    name: 'parse',
    provenance: { kind: 'measured', source: 'perf', method: 'batches', detail: '' },
    total,
    active: estimate(total.energyJoules / 4, total.uncertaintyJoules),
    counters: [],
    missing: [],
    callSeconds: 1e-6,
    callCount: 1000,
    batchCount: 10,
    lostBatchCount: 0,
    warnings: [],
    summary: '',
    ...changes,
  };
}

const MEASURED = known(estimate(20e-6, 0.5e-6));
const AT_LEAST = known(estimate(20e-6, 0.5e-6), { missing: ['GPUs'] });
const ESTIMATED = known(
  { ...estimate(20e-6, 10e-6, false), method: 'model' },
  {
    kind: 'estimated',
    missing: ['memory'],
  },
);
const BELOW_NOISE = known(estimate(1e-6, 4e-6, false));
const BETWEEN = known(estimate(4e-6, 1e-6, false));
const ABSENT = absent('parse', 'no counter', 'nothing can be read', 'Run microjoule doctor.');

const ALL: readonly BenchmarkEnergy[] = [MEASURED, AT_LEAST, ESTIMATED, BELOW_NOISE, BETWEEN, ABSENT];

describe('columns of tinybench', () => {
  it('say what is known', () => {
    expect(ALL.map((energy) => Object.values(energyColumns(energy)))).toEqual([
      ['20.000 ± 2.50%', '5.0000 ± 10.00%', '20.000'],
      ['20.000 ± 2.50% (at least)', '5.0000 ± 10.00% (at least)', '20.000 (at least)'],
      ['20.000 from 10.000 to 30.000 (estimated)', '5.0000 ± 200.00% (estimated)', '20.000 (estimated)'],
      ['< 5.0000', '0.25000 ± 1600.00%', 'n/a'],
      ['3.0000 … 5.0000', '1.0000 ± 100.00%', 'n/a'],
      ['n/a (no counter)', 'n/a', 'n/a'],
    ]);
    const active = estimate(1e-6, 4e-6, false);
    expect(energyColumns(known(estimate(20e-6, 1e-6), { active }))).toMatchObject({
      'Energy above idle (µJ)': '< 5.0000',
    });
    expect(energyColumns(known(estimate(20e-6, 1e-6), { active, missing: ['GPUs'] }))).toMatchObject({
      'Energy avg (µJ)': '20.000 ± 5.00% (at least)',
      'Energy above idle (µJ)': '< 5.0000 (in part)',
    });
    expect(energyColumns(known(estimate(20e-6, 1e-6), { active: undefined as never }))).toMatchObject({
      'Energy above idle (µJ)': 'n/a',
    });
  });
});

describe('reports of bench-node', () => {
  it('say what is known', () => {
    expect(ALL.map(energyReport)).toEqual([
      'energy=20.0µJ/op (19.5µJ ... 20.5µJ)',
      'energy=20.0µJ/op (19.5µJ ... 20.5µJ, at least)',
      'energy=20.0µJ/op (10.0µJ ... 30.0µJ, estimated)',
      'energy<5.00µJ/op',
      'energy=3.00µJ...5.00µJ/op',
      'energy=n/a (no counter)',
    ]);
  });
});

describe('lines of mitata', () => {
  it('say what is known', () => {
    expect(ALL.map((energy) => energyLine(energy, 28, false).trimEnd())).toEqual([
      '              energy(  19.5 µJ …   20.5 µJ)   20.0 µJ/iter    20.0 W',
      '              energy(  19.5 µJ …   20.5 µJ)   20.0 µJ/iter (at least)    20.0 W',
      '              energy(  10.0 µJ …   30.0 µJ)   20.0 µJ/iter (estimated)    20.0 W',
      '              energy < 5.00 µJ/iter',
      '              energy 3.00 µJ … 5.00 µJ/iter',
      '              energy n/a (no counter)',
    ]);
    expect(energyLine(MEASURED, 28, true)).toContain('\x1b[');
  });

  /** What is printed of mitata's lines, of trials with so many results. */
  function printed(format: string, script: (lines: EnergyLines) => void): string[] {
    const all: string[] = [];
    script(
      new EnergyLines(
        (line) => all.push(line),
        format,
        () => false,
      ),
    );
    return all;
  }
  const run = (energy: BenchmarkEnergy): object => ({ stats: { heap: {}, energy } });

  it('follow each result, whatever the number of its lines', () => {
    const all = printed('mitata', (lines) => {
      lines.line(`${'benchmark'.padEnd(29)} avg (min … max) p75 / p99`);
      lines.line('---');
      // Two with memory, one compact, one that failed.
      lines.expect({ runs: [run(MEASURED), run(ABSENT)], style: { compact: false } });
      for (const line of ['a', ' (', ' heap', '', 'b', ' (', ' heap']) lines.line(line);
      lines.expect({ runs: [run(MEASURED)], style: { compact: true } });
      lines.line('c');
      lines.expect({ runs: [{ error: new Error('no') }], style: { compact: false } });
      lines.line('d error: no');
      for (const line of ['', 'summary']) lines.line(line);
    });
    expect(all.map((line) => line.trimStart().split(/[( ]/)[0])).toEqual([
      'benchmark',
      '---',
      'a',
      '',
      'heap',
      'energy',
      '',
      'b',
      '',
      'heap',
      'energy',
      'c',
      'energy',
      'd',
      '',
      'summary',
    ]);
    // The heading says where averages end.
    expect(all[5]?.indexOf('energy')).toBe(30 - 14);
  });

  it('are a column of its Markdown', () => {
    const all = printed('markdown', (lines) => {
      lines.line('runtime: node');
      lines.expect({ runs: [run(MEASURED)], style: { compact: false } });
      lines.expect({ runs: [{ error: new Error('no') }], style: { compact: false } });
      for (const line of ['| benchmark | avg |', '| --- | --- |', '| a | `1` |', '| b | error: no |', ''])
        lines.line(line);
      lines.expect({ runs: [run(ABSENT)], style: { compact: false } });
      for (const line of ['| • more | avg |', '| --- | --- |', '| c | `1` |']) lines.line(line);
    });
    expect(all).toEqual([
      'runtime: node',
      '| benchmark | avg |           energy |',
      '| --- | --- | ---------------- |',
      '| a | `1` | `  20.0 µJ/iter` |',
      '| b | error: no |',
      '',
      '| • more | avg |           energy |',
      '| --- | --- | ---------------- |',
      '| c | `1` | `n/a (no counter)` |',
    ]);
  });

  it('leave other formats as they are', () => {
    expect(printed('json', (lines) => lines.line('{}'))).toEqual(['{}']);
  });
});

describe('columns of vitest', () => {
  it('say what is known', () => {
    expect([...ALL, undefined].map(cellsOf)).toEqual([
      ['20.0 µJ', '±2.50%', '20.0 W'],
      ['20.0 µJ', '±2.50% at least', '20.0 W'],
      ['20.0 µJ', 'estimated', '20.0 W'],
      ['< 5.00 µJ', '', 'n/a'],
      ['3.00 µJ … 5.00 µJ', '', 'n/a'],
      ['n/a', 'no counter', 'n/a'],
      ['n/a', 'not measured', 'n/a'],
    ]);
  });

  const TABLE = [
    '   name   hz  samples',
    '   parse  10        5   fastest',
    '   clone   5        2   slowest',
  ];
  const CELLS = [HEAD, cellsOf(MEASURED), cellsOf(ABSENT)];
  const EXPECTED = [
    '   name   hz  samples   energy         rme   power',
    '   parse  10        5  20.0 µJ      ±2.50%  20.0 W   fastest',
    '   clone   5        2      n/a  no counter     n/a   slowest',
  ];

  it('stand before what vitest says of a row', () => {
    expect(withColumns(TABLE, CELLS)).toEqual(EXPECTED);
  });

  it('do so in colour, too', () => {
    const paint = (line: string): string =>
      line
        .replace(/\d+(?= {3})/, '\x1b[2m$&\x1b[22m')
        .replace(/ {3}(fastest|slowest)/, '\x1b[1m\x1b[32m$&\x1b[39m\x1b[22m');
    const [head = '', ...rows] = TABLE;
    const shown = withColumns([`\x1b[1m${head}\x1b[22m`, ...rows.map(paint)], CELLS);
    expect(shown.map(stripVTControlCharacters)).toEqual(EXPECTED);
    expect(shown[1]).toContain('20.0 W\x1b[0m');
  });

  it('leave lines alone that are no rows of a benchmark', () => {
    expect(withColumns(['one', 'two'], [HEAD])[1]).toBe('two');
  });
});
