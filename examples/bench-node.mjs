// SPDX-License-Identifier: MIT

// Energy beside time in bench-node. Run it with `node --allow-natives-syntax examples/bench-node.mjs`, where counters can
// be read: `microjoule doctor` says whether. With `--allow-estimates` a model of the CPU stands in for them, and says so.

import { EnergySuite } from 'microjoule/bench-node';

const value = Array.from({ length: 1000 }, (_, i) => ({ id: i, name: `item ${i}`, tags: ['a', 'b'] }));
const text = JSON.stringify(value);

const suite = new EnergySuite({
  energy: { budgetSeconds: 2, allowEstimates: process.argv.includes('--allow-estimates') },
});
suite.add('parse', () => JSON.parse(text));
suite.add('clone', () => structuredClone(value));

await suite.run();

for (const energy of suite.energy.values()) {
  if (energy.kind !== 'absent') console.log(energy.summary);
}
const absent = [...suite.energy.values()].find(({ kind }) => kind === 'absent');
if (absent !== undefined) console.log(`No energy: ${absent.detail}\n${absent.hint ?? ''}`);
