// SPDX-License-Identifier: MIT

// Energy beside time in tinybench. Run it with `node examples/tinybench.mjs`, where counters can be read: `microjoule
// doctor` says whether. With `--allow-estimates` a model of the CPU stands in for them, and says so.

import { EnergyBench } from 'microjoule/tinybench';

const value = Array.from({ length: 1000 }, (_, i) => ({ id: i, name: `item ${i}`, tags: ['a', 'b'] }));
const text = JSON.stringify(value);

const bench = new EnergyBench({
  time: 500,
  energy: { budgetSeconds: 2, allowEstimates: process.argv.includes('--allow-estimates') },
});
bench.add('parse', () => JSON.parse(text));
bench.add('clone', () => structuredClone(value));

await bench.run();
console.table(bench.table());

for (const energy of bench.energy.values()) {
  if (energy.kind !== 'absent') console.log(energy.summary);
}
const absent = [...bench.energy.values()].find(({ kind }) => kind === 'absent');
if (absent !== undefined) console.log(`No energy: ${absent.detail}\n${absent.hint ?? ''}`);
