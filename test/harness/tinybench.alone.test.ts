// SPDX-License-Identifier: MIT
//
// The real tinybench on the virtual machine, in real time.
import { describe, expect, it } from 'vitest';
import { LOADED_MACHINE } from '../support/kernel-machine.js';
import { expectKnown, hasFigures, knownKernels, type Try } from '../support/known-kernels.js';
import { hasVirtualMachine, runInMachine } from '../support/virtual-machine.js';

describe.skipIf(!hasVirtualMachine)('tinybench', () => {
  it('tells the energy of known kernels, in columns of its own', { timeout: 60_000 }, async () => {
    const { result } = await runInMachine<{ tries: Try[]; rows: Record<string, string>[] }>(
      LOADED_MACHINE,
      `const { EnergyBench } = await import('microjoule/tinybench');
      let rows;
      const tries = await (async () => { ${knownKernels(`
        const bench = new EnergyBench({ time: 60, warmupTime: 20, energy: { budgetSeconds: 1 } });
        for (const [name, kernel] of Object.entries(kernels)) bench.add(name, kernel);
        await bench.run();
        rows = bench.table();
        return Object.fromEntries(bench.energy);`)} })();
      return { tries, rows };`,
    );
    expectKnown(result.tries);
    expect(result.rows.map((row) => row['Task name'])).toEqual(['short', 'long']);
    for (const row of result.rows) {
      expect(Object.keys(row).slice(-4)).toEqual([
        'Samples',
        'Energy avg (µJ)',
        'Energy above idle (µJ)',
        'Power avg (W)',
      ]);
      if (!hasFigures(result.tries)) continue;
      expect(row['Energy avg (µJ)']).toMatch(/^\d[\d.]* ± \d+\.\d\d%$/);
      expect(row['Energy above idle (µJ)']).toMatch(
        /^(\d[\d.]* ± \d+\.\d\d%|< \d[\d.]*|\d[\d.]* … \d[\d.]*)$/,
      );
      expect(Number(row['Power avg (W)'])).toBeGreaterThan(50);
      expect(Number(row['Power avg (W)'])).toBeLessThan(65);
    }
  });
});
