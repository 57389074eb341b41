// SPDX-License-Identifier: MIT
//
// What measureEnergy() does, in virtual machines; how well it measures is in kernels.alone.test.ts.
import { describe, expect, it } from 'vitest';
import type { KernelEnergy } from '../../lib/kernel/types.js';
import { LOADED_MACHINE, TELL } from '../support/kernel-machine.js';
import { hasVirtualMachine, runInMachine } from '../support/virtual-machine.js';

interface Try {
  result: KernelEnergy;
  truth: { total: number; added: number };
}

describe.skipIf(!hasVirtualMachine)('the energy of a kernel', () => {
  it('is awaited where the function is async, and then mostly idle', async () => {
    const { result } = await runInMachine<KernelEnergy>(
      LOADED_MACHINE,
      'return measureEnergy(async () => { await wait(1); }, { budgetSeconds: 0.6 });',
    );
    expect(result.callSeconds).toBeGreaterThan(0.9e-3);
    expect(result.total.energyJoules / result.callSeconds).toBeCloseTo(32, -0.5);
    expect(result.marginal).toBeUndefined();
    expect(result.warnings.map(({ code }) => code)).toContain('mostly-waiting');
    expect(result.name).toBe('the function');
  });

  it('of a function that returns at once is below the noise, with an upper bound and no zero', async () => {
    const { result } = await runInMachine<KernelEnergy>(
      LOADED_MACHINE,
      'return measureEnergy(function nothing() {}, { budgetSeconds: 0.6 });',
    );
    expect(result.name).toBe('nothing');
    expect(result.marginal?.resolved).toBe(false);
    expect(result.marginal?.upperJoules).toBeGreaterThan(0);
    expect(result.total.energyJoules).toBeGreaterThan(0);
    expect(result.warnings.map(({ code }) => code)).toContain('below-noise');
    expect(result.summary).toMatch(/above an empty loop below the noise, at most \d/);
  });

  it('of one call that is longer than the budget is told, and said so', async () => {
    const { result } = await runInMachine<Try>(
      LOADED_MACHINE,
      `${TELL}
      const { told, truth } = tell(load.kernel(400));
      const result = await measureEnergy(told, { budgetSeconds: 0.2 });
      return { result, truth: truth(result) };`,
    );
    expect(result.result.callCount).toBe(1);
    expect(result.result.warnings.map(({ code }) => code)).toContain('over-budget');
    expect(result.result.total.energyJoules / result.truth.total).toBeCloseTo(1, 1);
  });

  it('counts what the garbage collector took', async () => {
    const { result } = await runInMachine<KernelEnergy>(
      LOADED_MACHINE,
      `let kept = [];
      return measureEnergy(() => {
        kept = Array.from({ length: 2000 }, (_, i) => ({ i, text: 'x' + i }));
      }, { budgetSeconds: 0.6 });`,
    );
    expect(result.garbageCollection?.count).toBeGreaterThan(0);
    expect(result.garbageCollection?.timeRatio).toBeGreaterThan(0);
    expect(result.garbageCollection?.timeRatio).toBeLessThan(1);
  });

  it('gives each call what its setup made, and does not measure the setup', async () => {
    const { result } = await runInMachine<{ inputs: number[]; made: number; result: KernelEnergy }>(
      LOADED_MACHINE,
      `${TELL}
      const inputs = [];
      let made = 0;
      const slow = load.kernel(3);
      const result = await measureEnergy((input) => {
        inputs.push(input);
        const until = performance.now() + 4;
        while (performance.now() < until);
      }, { budgetSeconds: 0.8, setup: async () => { slow(); return ++made; } });
      return { inputs: inputs.slice(0, 5), made, result };`,
    );
    expect(result.inputs).toEqual([1, 2, 3, 4, 5]);
    expect(result.made).toBeGreaterThan(result.result.callCount);
    // The setup draws 62 W, the calls 32 W.
    const { total, callSeconds } = result.result;
    expect(total.lowerJoules / callSeconds).toBeLessThan(33);
    expect(total.upperJoules / callSeconds).toBeGreaterThan(31);
  });

  it('is bounds where the setup alone takes longer than the budget', async () => {
    const { result } = await runInMachine<KernelEnergy>(
      LOADED_MACHINE,
      `const setup = () => { const until = performance.now() + 300; while (performance.now() < until); };
      return measureEnergy(() => 1, { budgetSeconds: 0.2, setup });`,
    );
    expect(result.callCount).toBe(1);
    expect(result.callSeconds).toBeLessThan(0.1);
    expect(result.total.resolved).toBe(false);
    expect(result.total.lowerJoules).toBe(0);
    expect(result.total.upperJoules).toBeGreaterThan(0);
    expect(result.warnings.map(({ code }) => code)).toContain('not-resolved');
  });
});

describe.skipIf(!hasVirtualMachine)('measureEnergy()', () => {
  const failing = (call: string): string => `
    try { await ${call}; return 'none'; }
    catch (error) { return (error.code ?? error.name) + ': ' + error.message + ' | ' + (error.hint ?? ''); }`;

  it.each([
    ['throws', 'measureEnergy(() => { if (++count > 50) throw new TypeError("mine"); })', /^TypeError: mine/],
    [
      'rejects',
      'measureEnergy(async () => { if (++count > 5) throw new TypeError("mine"); })',
      /^TypeError: mine/,
    ],
    ['throws at once', 'measureEnergy(() => { throw new RangeError("first"); })', /^RangeError: first/],
    [
      'has a setup that throws',
      'measureEnergy(() => {}, { setup: () => { throw new TypeError("setup"); } })',
      /^TypeError: setup/,
    ],
  ])('gives the error of a function that %s, and releases the sampler', async (_, call, expected) => {
    const { result } = await runInMachine<string[]>(
      LOADED_MACHINE,
      `let count = 0;
      const { readdirSync, readFileSync } = await import('node:fs');
      const threads = () => readdirSync('/proc/self/task').filter((id) => {
        try { return readFileSync('/proc/self/task/' + id + '/comm', 'utf8').startsWith('microjoule-'); } catch { return false; }
      }).length;
      const failed = await (async () => { ${failing(call)} })();
      for (let i = 0; i < 200 && threads() > 0; ++i) await wait(10);
      return [failed, String(threads())];`,
    );
    expect(result[0]).toMatch(expected);
    expect(result[1]).toBe('0');
  });

  it.each([
    ['measureEnergy(42)', /^ERR_BAD_OPTION: measureEnergy: a function expected, received 42 \| Pass/],
    ['measureEnergy(() => {}, { budgetSeconds: 0 })', /^ERR_BAD_OPTION: budgetSeconds: .* received 0/],
    ['measureEnergy(() => {}, { targetRatio: "1" })', /^ERR_BAD_OPTION: targetRatio: .* received 1/],
    ['measureEnergy(() => {}, { setup: 1 })', /^ERR_BAD_OPTION: setup: a function expected/],
    ['measureEnergy(() => {}, { meter: openMeter(), sources: ["perf"] })', /^ERR_BAD_OPTION: sources: /],
    ['measureEnergy(() => {}, { meter: {} })', /^ERR_BAD_OPTION: meter:/],
    ['measureEnergy(() => {}, { signal: AbortSignal.abort(new Error("enough")) })', /^Error: enough/],
    ['measureEnergy(() => {}, { sources: ["msr"] })', /^ERR_NO_COUNTERS: .*msr/],
  ])('refuses %s', async (call, expected) => {
    const { result } = await runInMachine<string>(LOADED_MACHINE, failing(call));
    expect(result).toMatch(expected);
  });

  it('can be stopped', async () => {
    const { result } = await runInMachine<[string, number]>(
      LOADED_MACHINE,
      `const controller = new AbortController();
      const started = performance.now();
      setTimeout(() => controller.abort(new Error('enough')), 600);
      const failed = await (async () => {
        ${failing('measureEnergy(() => {}, { budgetSeconds: 60, targetRatio: 1e-9, signal: controller.signal })')}
      })();
      return [failed, performance.now() - started];`,
    );
    expect(result[0]).toMatch(/^Error: enough/);
    expect(result[1]).toBeLessThan(30_000);
  });

  it('refuses to estimate where there is no counter, says what is missing and what to do', async () => {
    const { result } = await runInMachine<string>(
      LOADED_MACHINE,
      failing('measureEnergy(() => {})'),
      'fault event power/energy-pkg open EACCES',
      'fault event power/energy-ram open EACCES',
      'fault zone intel-rapl:0 open EACCES',
      'fault zone intel-rapl:0:0 open EACCES',
    );
    expect(result).toMatch(/^ERR_NO_COUNTERS: /);
    expect(result).toMatch(/no-permission/);
    expect(result).toMatch(/Next: .*allowEstimates/s);
  });

  it('estimates when it is asked to, and marks every figure', async () => {
    const { result } = await runInMachine<KernelEnergy>(
      'processor intel 6 0x9e virtual\ncpus 0-1 package 0\n',
      `return measureEnergy(() => { const until = performance.now() + 1; while (performance.now() < until); },
        { allowEstimates: true, budgetSeconds: 0.3, name: 'spin' });`,
    );
    expect(result.provenance.kind).toMatch(/^(estimated|assumed)$/);
    expect(result.total.flags).toEqual(['estimated']);
    expect(result.total.method).toBe('model');
    expect(result.total.resolved).toBe(false);
    expect(result.total.energyJoules).toBeGreaterThan(0);
    expect(result.warnings.map(({ code }) => code)).toEqual(['estimated']);
    expect(result.summary).toMatch(/^spin: estimated .* not measured$/);
    expect(result.active).toBeUndefined();
  });

  it.each([
    ['() => {}', '', false],
    ['async () => {}', '', false],
    ['(input) => input', 'setup: () => 1,', true],
  ])('estimates %s (%s) by blocks that are long for the clock, unless each call has a setup', async (fn, setup, isSingle) => {
    const { result } = await runInMachine<KernelEnergy>(
      'processor intel 6 0x9e virtual\ncpus 0-1 package 0\n',
      `return measureEnergy(${fn}, { ${setup} allowEstimates: true, budgetSeconds: 0.2 });`,
    );
    const { callCount, batchCount, callSeconds } = result;
    expect(batchCount).toBeGreaterThanOrEqual(3);
    expect(result.total.energyJoules).toBeGreaterThan(0);
    if (isSingle) expect(callCount).toBe(batchCount);
    else expect((callSeconds * callCount) / batchCount).toBeGreaterThanOrEqual(1e-3);
  });
});
