// SPDX-License-Identifier: MIT

// Energy beside time in mitata. Run it with `node examples/mitata.mjs`, where counters can be read: `microjoule doctor`
// says whether. With `--allow-estimates` a model of the CPU stands in for them, and says so.

import { run } from 'microjoule/mitata';
import { bench, summary } from 'mitata';

const value = Array.from({ length: 1000 }, (_, i) => ({ id: i, name: `item ${i}`, tags: ['a', 'b'] }));
const text = JSON.stringify(value);

summary(() => {
  bench('parse', () => JSON.parse(text)).baseline();
  bench('clone', () => structuredClone(value));
});
// What a call needs is made for it, and neither timed nor metered.
bench('sort $size', function* (state) {
  const size = state.get('size');
  yield {
    0: () => Array.from({ length: size }, (_, i) => (i * 7919) % size),
    bench: (numbers) => numbers.sort((a, b) => a - b),
  };
}).args('size', [10_000]);

const { benchmarks } = await run({
  energy: { budgetSeconds: 2, allowEstimates: process.argv.includes('--allow-estimates') },
});

const energies = benchmarks.flatMap(({ runs }) => runs.map(({ stats }) => stats?.energy));
const absent = energies.find((energy) => energy?.kind === 'absent');
if (absent !== undefined) console.log(`No energy: ${absent.detail}\n${absent.hint ?? ''}`);
