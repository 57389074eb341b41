// SPDX-License-Identifier: MIT
//
// What a budget of time may be overrun by, and what is said where it is too small.
import { describe, expect, it } from 'vitest';
import type { KernelEnergy } from '../../lib/kernel/types.js';
import { LOADED_MACHINE } from '../support/kernel-machine.js';
import { hasVirtualMachine, runInMachine } from '../support/virtual-machine.js';

/** Its counters update so rarely. */
const slow = (period: string): string =>
  LOADED_MACHINE.replace(/^meter .*$/gm, (line) => `${line} update ${period}`);

const CODES = '({ codes: result.warnings.map(({ code }) => code), result, took })';
const measuring = (budgetSeconds: number): string => `
  const meter = openMeter();
  await meter.ready();
  const started = performance.now();
  const result = await measureEnergy(() => { let sum = 0; for (let i = 0; i < 1000; ++i) sum += i; return sum; },
    { meter, budgetSeconds: ${budgetSeconds} });
  const took = (performance.now() - started) / 1000;
  meter.close();
  return ${CODES};`;

interface Told {
  codes: string[];
  result: KernelEnergy;
  took: number;
}

/** By how much it is overrun is the machine's affair; that it is said is not. */
function expectToldOverrun({ codes, took }: Told, budgetSeconds: number): void {
  if (codes.includes('over-budget')) expect(took).toBeGreaterThan(1.5 * budgetSeconds);
  else expect(took).toBeLessThan(1.5 * budgetSeconds + 0.5);
}

describe.skipIf(!hasVirtualMachine)('a budget', { timeout: 60_000 }, () => {
  it('leaves baselines out that would take most of it, and says so', async () => {
    const { result: told } = await runInMachine<Told>(slow('100ms'), measuring(1));
    expect(told.codes).toContain('no-baseline');
    expect(told.result.warnings.find(({ code }) => code === 'no-baseline')?.hint).toMatch(
      /at least \d+(\.\d+)?\.$/,
    );
    expect(told.result.active).toBeUndefined();
    expect(told.result.marginal).toBeUndefined();
    expect(told.result.total.energyJoules).toBeGreaterThan(0);
    expectToldOverrun(told, 1);
  });

  it('is held with counters of 20 ms, which still tell what idles', async () => {
    const { result: told } = await runInMachine<Told>(slow('20ms'), measuring(2.5));
    expect(told.codes).not.toContain('no-baseline');
    expect(told.result.active).toBeDefined();
    const { idle } = told.result;
    expect(idle?.durationSeconds).toBeLessThan(2.5 / 2);
    expectToldOverrun(told, 2.5);
  });

  it('too small for the fewest blocks is refused before they run, with what would do', async () => {
    const { result } = await runInMachine<{ failed: string; calls: number }>(
      LOADED_MACHINE,
      `let calls = 0;
      const work = () => { calls += 1; const until = performance.now() + 100; while (performance.now() < until); };
      const failed = await compareEnergy({ a: work, b: work }, { budgetSeconds: 1 })
        .then(() => 'none', (error) => error.code + ': ' + error.message + ' | ' + error.hint);
      return { failed, calls };`,
    );
    expect(result.failed).toMatch(
      /^ERR_BAD_OPTION: budgetSeconds: 8 blocks of these functions take about \d/,
    );
    expect(result.failed).toMatch(/\| Pass budgetSeconds: \d/);
    expect(result.calls).toBeLessThan(30);
  });
});

describe.skipIf(!hasVirtualMachine)('a function that', { timeout: 60_000 }, () => {
  it('is async and keeps the CPU busy does not wait', async () => {
    const { result } = await runInMachine<KernelEnergy>(
      LOADED_MACHINE,
      `const meter = openMeter();
      await meter.ready();
      let result;
      // What is kept from running by other programs waits indeed.
      for (let i = 0; i < 5 && result?.marginal === undefined; ++i) {
        result = await measureEnergy(async () => {
          const until = performance.now() + 0.1;
          while (performance.now() < until);
        }, { meter, budgetSeconds: 0.8 });
      }
      meter.close();
      return result;`,
    );
    expect(result.marginal).toBeDefined();
    expect(result.warnings.map(({ code }) => code)).not.toContain('mostly-waiting');
  });

  it.each([
    ['measureEnergy(turning, { budgetSeconds: 0.3 })'],
    ['compareEnergy({ a: () => 1, b: turning }, { budgetSeconds: 1 })'],
  ])('returns a promise only later is refused by %s', async (call) => {
    const { result } = await runInMachine<string>(
      LOADED_MACHINE,
      `let count = 0;
      const turning = () => (++count > 5 ? Promise.resolve() : 1);
      return ${call}.then(() => 'none', (error) => error.code + ': ' + error.message);`,
    );
    expect(result).toMatch(/^ERR_BAD_OPTION: the function returned a promise, which its first call did not/);
  });
});
