// SPDX-License-Identifier: MIT
//
// The real bench-node on the virtual machine, in real time.
import { describe, expect, it } from 'vitest';
import { LOADED_MACHINE } from '../support/kernel-machine.js';
import { expectKnown, knownKernels, type Try } from '../support/known-kernels.js';
import { hasVirtualMachine, runInMachine } from '../support/virtual-machine.js';

describe.skipIf(!hasVirtualMachine)('bench-node', () => {
  it('tells the energy of known kernels, in its own reports', { timeout: 60_000 }, async () => {
    const { result: ran } = await runInMachine<{
      tries: Try[];
      plugins: { name: string; result: { type: string; kind: string }; report: string }[];
      reported: string[];
    }>(
      LOADED_MACHINE,
      `process.execArgv.push('--allow-natives-syntax');
        (await import('node:v8')).setFlagsFromString('--allow-natives-syntax');
        const { EnergySuite } = await import('microjoule/bench-node');
        const { textReport, jsonReport, csvReport } = await import('bench-node');
        let plugins;
        let reported;
        const tries = await (async () => { ${knownKernels(`
          reported = [];
          // What the reporters write, and nothing of it on the terminal.
          const captured = (report, results, options) => {
            const { write } = process.stdout;
            let text = '';
            process.stdout.write = (part) => { text += part; return true; };
            try { report(results, options); } finally { process.stdout.write = write; }
            return text;
          };
          const suite = new EnergySuite({
            energy: { budgetSeconds: 1 },
            reporter: (results, options) => {
              for (const report of [textReport, jsonReport, csvReport]) {
                reported.push(captured(report, results, options));
              }
            },
          });
          for (const [name, kernel] of Object.entries(kernels)) {
            suite.add(name, { minTime: 0.01, maxTime: 0.06, minSamples: 3 }, kernel);
          }
          const results = await suite.run();
          plugins = results.map(({ plugins }) => plugins.at(-1));
          return Object.fromEntries(suite.energy);`)} })();
        return { tries, plugins, reported };`,
    );
    const { tries, plugins, reported } = ran;
    expectKnown(tries);
    // Bounds alone where the machine kept everything waiting.
    const figure =
      'energy(?:=[\\d.]+mJ/op \\([\\d.]+mJ \\.\\.\\. [\\d.]+mJ\\)|<[\\d.]+mJ/op|=[\\d.]+mJ\\.\\.\\.[\\d.]+mJ/op)';
    for (const { name, result, report } of plugins) {
      expect(name).toBe('EnergyPlugin');
      expect(result).toMatchObject({ type: 'EnergyPlugin', kind: 'measured' });
      expect(report).toMatch(new RegExp(`^${figure}$`));
    }
    const [text = '', json = '', csv = ''] = reported;
    expect(text.match(new RegExp(`runs sampled\\).* ${figure}.* min\\.\\.max=`, 'g'))).toHaveLength(2);
    expect(JSON.parse(json)[1].plugins).toContain(plugins[1]?.report);
    expect(csv.match(new RegExp(figure, 'g'))).toHaveLength(2);
  });
});
