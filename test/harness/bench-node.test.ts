// SPDX-License-Identifier: MIT
//
// What EnergySuite does beside measuring; how well it measures is in bench-node.alone.test.ts.
import { describe, expect, it } from 'vitest';
import { LOADED_MACHINE } from '../support/kernel-machine.js';
import { hasVirtualMachine, runInMachine } from '../support/virtual-machine.js';

const NO_COUNTER = 'processor intel 6 0x9e virtual\ncpus 0-1 package 0\n';
const SUITE = `
  process.execArgv.push('--allow-natives-syntax');
  (await import('node:v8')).setFlagsFromString('--allow-natives-syntax');
  const { EnergySuite } = await import('microjoule/bench-node');
  const QUICK = { minTime: 0.001, maxTime: 0.002, minSamples: 1 };
`;

interface Plugin {
  name: string;
  result: { kind: string; reason?: string };
  report: string;
}

describe.skipIf(!hasVirtualMachine)('EnergySuite', () => {
  it('says why there is no energy, and never 0; hands the reporter what its own suite does', async () => {
    const { result } = await runInMachine<{ plugins: Plugin[][]; options: object; told: string[] }>(
      NO_COUNTER,
      `${SUITE}
      let options;
      let told;
      const suite = new EnergySuite({
        ttest: true,
        repeatSuite: 1,
        reporterOptions: { labelWidth: 30 },
        reporter: (results, given) => { options = given; told = results.map(({ name }) => name); },
      });
      suite.add('plain', QUICK, () => {});
      suite.add('managed', QUICK, (timer) => { timer.start(); timer.end(timer.count); });
      const results = await suite.run();
      return { plugins: results.map(({ plugins }) => plugins), options, told };`,
    );
    // What bench-node adds by default is still there.
    expect(result.plugins.map((all) => all.map(({ name }) => name))).toEqual([
      ['V8NeverOptimizePlugin', 'EnergyPlugin'],
      ['V8NeverOptimizePlugin', 'EnergyPlugin'],
    ]);
    expect(result.plugins.map((all) => all.at(-1))).toMatchObject([
      { result: { kind: 'absent', reason: 'no counter' }, report: 'energy=n/a (no counter)' },
      { result: { kind: 'absent', reason: 'managed' }, report: 'energy=n/a (managed)' },
    ]);
    expect(result.options).toEqual({ labelWidth: 30, ttest: true });
    expect(result.told).toEqual(['plain', 'managed']);
  });

  it('estimates where it may, and says so', async () => {
    const { result } = await runInMachine<string>(
      NO_COUNTER,
      `${SUITE}
      const suite = new EnergySuite({ reporter: null, energy: { allowEstimates: true, budgetSeconds: 0.2 } });
      suite.add('plain', QUICK, () => {});
      return (await suite.run())[0].plugins.at(-1).report;`,
    );
    expect(result).toMatch(/^energy=[\d.]+\w?J\/op \([\d.]+\w?J \.\.\. [\d.]+\w?J, (estimated|assumed)\)$/);
  });

  it('measures the code that was timed: what V8 may not optimise', async () => {
    const { result } = await runInMachine<string[]>(
      LOADED_MACHINE,
      `${SUITE}
      const isOptimised = async (options) => {
        const suite = new EnergySuite({ reporter: false, energy: { budgetSeconds: 0.5 }, ...options });
        let sum = 0;
        // Integers of one kind: a sum that outgrew them would undo what was optimised.
        const fn = () => { for (let i = 0; i < 1000; ++i) sum = (sum + i) | 0; };
        suite.add('sum', QUICK, fn);
        await suite.run();
        // Bit 4 of V8's status. On a busy machine its compiler takes its time: what it may do at all, it does in a while.
        const status = new Function('fn', 'return %GetOptimizationStatus(fn)');
        const untilMs = performance.now() + 1000;
        while (!((status(fn) >> 4) & 1) && performance.now() < untilMs) {
          fn();
          await new Promise(setImmediate);
        }
        return suite.energy.get('sum').kind + ' ' + ((status(fn) >> 4) & 1);
      };
      // In this order: what V8 is told holds for all functions of one source.
      return [await isOptimised({ plugins: [] }), await isOptimised({})];`,
    );
    expect(result).toEqual(['measured 1', 'measured 0']);
  });

  it('keeps the times where only the energy failed, and measures the others', async () => {
    const { result } = await runInMachine<{ plugins: Plugin[]; samples: number[]; told: number }>(
      LOADED_MACHINE,
      `${SUITE}
      let timed = 0;
      let told = 0;
      const watch = {
        isSupported: () => true,
        toString: () => 'Watch',
        getReport: () => { timed += 1; return ''; },
      };
      const suite = new EnergySuite({
        plugins: [watch],
        energy: { budgetSeconds: 0.3 },
        reporter: (results) => { told = results.length; },
      });
      suite.add('late', QUICK, () => { if (timed > 0) throw new RangeError('late'); });
      suite.add('good', QUICK, () => {});
      const results = await suite.run();
      return {
        plugins: results.map(({ plugins }) => plugins.at(-1)),
        samples: results.map(({ opsSec, opsSecPerRun }) => opsSec ?? opsSecPerRun.length),
        told,
      };`,
    );
    expect(result.plugins).toMatchObject([
      {
        result: { kind: 'absent', reason: 'failed', detail: expect.stringContaining('measured: late') },
        report: 'energy=n/a (failed)',
      },
      { result: { kind: 'measured' } },
    ]);
    for (const one of result.samples) expect(one).toBeGreaterThan(0);
    expect(result.told).toBe(2);
  });

  it('passes on what a function throws, and what its suite refuses', async () => {
    const { result } = await runInMachine<string[]>(
      NO_COUNTER,
      `${SUITE}
      const failing = async (work) => { try { await work(); return 'none'; } catch (error) { return error.code ?? error.message; } };
      const bad = new EnergySuite({ reporter: null });
      bad.add('bad', QUICK, () => { throw new TypeError('mine'); });
      return [
        await failing(() => bad.run()),
        await failing(() => new EnergySuite({ reporter: 7 })),
        await failing(() => new EnergySuite({ energy: { targetRatio: 0 } })),
        await failing(() => new EnergySuite().add('none')),
      ];`,
    );
    expect(result).toEqual(['mine', 'ERR_INVALID_ARG_TYPE', 'ERR_BAD_OPTION', 'ERR_INVALID_ARG_TYPE']);
  });
});
