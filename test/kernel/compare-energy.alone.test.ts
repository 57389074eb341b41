// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import type { EnergyComparison } from '../../lib/kernel/types.js';
import { LOADED_MACHINE, TELL } from '../support/kernel-machine.js';
import { hasVirtualMachine, runInMachine, startMachine } from '../support/virtual-machine.js';

describe.skipIf(!hasVirtualMachine)('compareEnergy()', () => {
  /** One comparison of 1 ms with 0.7 ms and with itself, on a machine of 62 W while they run. */
  const COMPARING = `${TELL}
    const tries = [];
    for (let i = 0; i < 5; ++i) {
      const work = { long: load.kernel(1), short: load.kernel(0.7), same: load.kernel(1) };
      const told = Object.fromEntries(Object.entries(work).map(([name, kernel]) => [name, tell(kernel)]));
      const functions = Object.fromEntries(Object.entries(told).map(([name, one]) => [name, one.told]));
      const compared = await compareEnergy(functions, { budgetSeconds: 2 });
      const truth = Object.fromEntries(compared.contestants.map((one) =>
        [one.name, told[one.name].truth(one).total]));
      tries.push({ compared, truth });
      const [short, same] = compared.comparisons;
      // What is equal is told apart once in twenty times, and so is the reference from itself.
      if (short.resolved && !same.resolved && !same.selfCheck.resolved && Math.abs(short.ratio - 0.7) < 0.02) break;
    }
    return tries;`;

  it('tells 30 % apart, and nothing from itself', { timeout: 90_000 }, async () => {
    const machine = startMachine(LOADED_MACHINE);
    const tries = await machine
      .script<{ compared: EnergyComparison; truth: Record<string, number> }[]>(COMPARING, {
        timeoutMs: 60_000,
      })
      .finally(() => machine.cleanup());
    for (const { compared } of tries) {
      expect(compared.contestants.map(({ name }) => name)).toEqual(['long', 'short', 'same']);
      expect(compared.summary.split('\n')).toHaveLength(2);
      expect(compared.provenance.kind).toBe('measured');
      for (const one of compared.comparisons) {
        expect(one).toMatchObject({ reference: 'long', confidenceRatio: 0.95 });
        expect(one.blockCount).toBeGreaterThanOrEqual(8);
        expect(one.selfCheck).toBeDefined();
      }
    }
    const told = tries.filter(({ compared: { comparisons }, truth }) => {
      const [short, same] = comparisons;
      const expected = (truth.short ?? 0) / (truth.long ?? 1);
      return (
        short?.resolved === true &&
        /^short uses \d+(\.\d+)? % ± \d+(\.\d+)? % less than long$/.test(short.verdict) &&
        Math.abs(short.ratio / expected - 1) < 0.04 &&
        short.upperRatio - short.lowerRatio < 0.2 &&
        same?.resolved === false &&
        same.upperRatio - same.lowerRatio < 0.2 &&
        same.selfCheck?.resolved === false
      );
    });
    expect(told.length, JSON.stringify(tries.map(({ compared }) => compared.summary))).toBeGreaterThan(0);
  });

  it.each([
    ['compareEnergy({})', /^ERR_BAD_OPTION: compareEnergy: at least two/],
    [
      'compareEnergy({ a: () => {} })',
      /^ERR_BAD_OPTION: compareEnergy: at least two functions expected, received 1/,
    ],
    ['compareEnergy({ a: () => {}, b: 1 })', /^ERR_BAD_OPTION: b: a function expected/],
    [
      'compareEnergy({ a: () => {}, b: () => {} }, { blockCount: 3 })',
      /^ERR_BAD_OPTION: blockCount: .* at least 8/,
    ],
    ['compareEnergy({ a: () => {}, b: () => { throw new TypeError("mine"); } })', /^TypeError: mine/],
    ['compareEnergy({ a: () => {}, b: () => {} }, { sources: ["msr"] })', /^ERR_NO_COUNTERS/],
  ])('refuses %s', async (call, expected) => {
    const { result } = await runInMachine<string>(
      LOADED_MACHINE,
      `try { await ${call}; return 'none'; }
      catch (error) { return (error.code ?? error.name) + ': ' + error.message; }`,
    );
    expect(result).toMatch(expected);
  });
});
