// SPDX-License-Identifier: MIT
//
// What microjoule/mitata does beside measuring; how well it measures is in mitata.alone.test.ts.
import { describe, expect, it } from 'vitest';
import type { BenchmarkEnergy } from '../../lib/harness/energy.js';
import { hasVirtualMachine, runInMachine, startMachine } from '../support/virtual-machine.js';

const NO_COUNTER = 'processor intel 6 0x9e virtual\ncpus 0-1 package 0\n';

describe.skipIf(!hasVirtualMachine)('run() of mitata', () => {
  it('says why a benchmark has no energy, leaves errors to mitata, and puts its class back', async () => {
    const machine = startMachine(NO_COUNTER);
    const result = await machine.script<{
      energies: Record<string, BenchmarkEnergy | null>;
      lines: string[];
      ended: string[];
      isBack: boolean;
      code: string;
    }>(
      `const { run } = await import('microjoule/mitata');
      const { bench, B } = await import('mitata');
      const { run: before } = B.prototype;
      const lines = [];
      const ended = [];
      bench('plain', () => {});
      bench('loop', (state) => { for (const _ of state); });
      bench('yields $n', function* (state) { yield () => state.get('n'); ended.push(state.get('n')); }).args('n', [1, 2]);
      bench('manual', function* () { yield { manual: () => 1 }; });
      bench('at once', function* () { yield { concurrency: 2, bench: async () => {} }; });
      bench('bad', () => { throw new TypeError('mine'); });
      const { benchmarks } = await run({ colors: false, format: 'markdown', print: (line) => lines.push(line) });
      const energies = Object.fromEntries(
        benchmarks.flatMap(({ runs }) => runs).map(({ name, stats }) => [name, stats?.energy ?? null]),
      );
      const code = await run({ energy: { budgetSeconds: -1 } }).then(() => 'none', (error) => error.code);
      return { energies, lines, ended, isBack: B.prototype.run === before, code };`,
      { timeoutMs: 60_000 },
    );
    machine.cleanup();
    const reasons = Object.entries(result.energies).map(([name, energy]) => [
      name,
      energy?.kind === 'absent' ? energy.reason : energy,
    ]);
    expect(Object.fromEntries(reasons)).toEqual({
      plain: 'no counter',
      loop: 'loop over state',
      'yields 1': 'no counter',
      'yields 2': 'no counter',
      manual: 'manual',
      'at once': 'concurrent',
      bad: null,
    });
    // By mitata, and by the pass for energy.
    expect(result.ended).toEqual([1, 2, 1, 2]);
    expect(result.isBack).toBe(true);
    expect(result.code).toBe('ERR_BAD_OPTION');
    const row = (name: string): string => result.lines.find((line) => line.startsWith(`| ${name} `)) ?? '';
    expect(row('plain')).toMatch(/` \| `n\/a \(no counter\)` \|$/);
    expect(row('loop')).toMatch(/`n\/a \(loop over state\)` \|$/);
    expect(row('bad')).toMatch(/error: mine \|$/);
  }, 60_000);

  it('estimates where it may, in JSON too', async () => {
    const { result } = await runInMachine<{ line: string }>(
      NO_COUNTER,
      `const { run } = await import('microjoule/mitata');
      const { bench } = await import('mitata');
      bench('plain', () => {});
      let line = '';
      await run({
        format: { json: { samples: false } },
        print: (text) => { line += text; },
        energy: { allowEstimates: true, budgetSeconds: 0.2 },
      });
      return { line };`,
    );
    const [{ runs }] = JSON.parse(result.line).benchmarks;
    expect(runs[0].stats.energy).toMatchObject({ name: 'plain', total: { flags: ['estimated'] } });
    expect(runs[0].stats.energy.kind).toMatch(/^(estimated|assumed)$/);
    expect(runs[0].stats.energy.total.energyJoules).toBeGreaterThan(0);
  });
});
