// SPDX-License-Identifier: MIT
//
// The real mitata on the virtual machine, in real time.
import { describe, expect, it } from 'vitest';
import type { KnownEnergy } from '../../lib/harness/energy.js';
import { LOADED_MACHINE } from '../support/kernel-machine.js';
import { expectKnown, hasFigures, knownKernels, type Try } from '../support/known-kernels.js';
import { hasVirtualMachine, startMachine } from '../support/virtual-machine.js';

describe.skipIf(!hasVirtualMachine)('mitata', () => {
  it('tells the energy of known kernels, under its own lines', { timeout: 60_000 }, async () => {
    const machine = startMachine(LOADED_MACHINE);
    const result = await machine.script<{ tries: Try[]; lines: string[]; made: KnownEnergy }>(
      `const { run } = await import('microjoule/mitata');
      const { bench } = await import('mitata');
      let lines;
      let made;
      const tries = await (async () => { ${knownKernels(`
        lines = [];
        for (const [name, kernel] of Object.entries(kernels)) bench(name, kernel);
        const slow = openLoad().kernel(1);
        // The load is in what makes the argument: none of it belongs to the call.
        if (made === undefined) {
          bench('made', function* () {
            yield { 0: () => slow() ?? 4, bench: (ms) => {
              const until = performance.now() + ms;
              while (performance.now() < until);
            } };
          });
        }
        const { benchmarks } = await run({
          colors: false,
          print: (line) => lines.push(...line.split('\\n')),
          energy: { budgetSeconds: 1 },
        });
        const energies = Object.fromEntries(
          benchmarks.flatMap(({ runs }) => runs).map(({ name, stats }) => [name, stats.energy]),
        );
        made ??= energies.made;
        return energies;`)} })();
      return { tries, lines, made };`,
      // mitata gives each benchmark a second, and its own four as well.
      { timeoutMs: 60_000 },
    );
    machine.cleanup();
    expectKnown(result.tries);
    const { made } = result;
    expect(made.provenance.method).toBe('single-calls');
    // 62 W where what makes the argument is in it.
    expect(made.total.energyJoules / made.callSeconds).toBeLessThan(45);

    const at = (name: string): number => result.lines.findIndex((line) => line.startsWith(`${name} `));
    for (const name of ['short', 'long']) {
      // Behind the averages, the range and the heap.
      const line = result.lines[at(name) + 3] ?? '';
      expect(line).toMatch(/^ +energy.* [\d.]+ mJ\/iter/);
      if (!hasFigures(result.tries)) continue;
      expect(line).toMatch(/^ +energy\( *[\d.]+ mJ … +[\d.]+ mJ\) +[\d.]+ mJ\/iter +\d\d\.\d W$/);
      const average = (result.lines[at(name)] ?? '').indexOf('/iter');
      expect(line.indexOf(')')).toBe(average + '/iter'.length - 1);
    }
  });
});
