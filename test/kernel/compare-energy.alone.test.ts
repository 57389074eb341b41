// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import type { EnergyComparison } from '../../lib/kernel/types.js';
import { LOADED_MACHINE, TELL } from '../support/kernel-machine.js';
import { hasVirtualMachine, runInMachine } from '../support/virtual-machine.js';

describe.skipIf(!hasVirtualMachine)('compareEnergy()', () => {
  it('tells 30 % apart, and nothing from itself', { timeout: 60_000 }, async () => {
    const { result } = await runInMachine<{ compared: EnergyComparison; truth: Record<string, number> }>(
      LOADED_MACHINE,
      `${TELL}
      const work = { long: load.kernel(1), short: load.kernel(0.7), same: load.kernel(1) };
      const told = Object.fromEntries(Object.entries(work).map(([name, kernel]) => [name, tell(kernel)]));
      const functions = Object.fromEntries(Object.entries(told).map(([name, one]) => [name, one.told]));
      const compared = await compareEnergy(functions, { budgetSeconds: 4 });
      const truth = Object.fromEntries(compared.contestants.map((one) =>
        [one.name, told[one.name].truth(one).total]));
      return { compared, truth };`,
    );
    const { compared, truth } = result;
    expect(compared.contestants.map(({ name }) => name)).toEqual(['long', 'short', 'same']);
    const [short, same] = compared.comparisons;
    const expected = (truth.short ?? 0) / (truth.long ?? 1);
    expect(short).toMatchObject({ name: 'short', reference: 'long', confidenceRatio: 0.95 });
    expect(short?.blockCount).toBeGreaterThanOrEqual(8);
    expect(short?.selfCheck).toBeDefined();
    expect(short?.lowerRatio).toBeLessThan(1.05 * expected);
    expect(short?.upperRatio).toBeGreaterThan(0.95 * expected);
    if (short?.resolved)
      expect(short.verdict).toMatch(/^short uses \d+(\.\d+)? % ± \d+(\.\d+)? % less than long$/);
    expect(same?.lowerRatio).toBeLessThan(1.1);
    expect(same?.upperRatio).toBeGreaterThan(0.9);
    expect(compared.summary.split('\n')).toHaveLength(2);
    expect(compared.provenance.kind).toBe('measured');
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
