// SPDX-License-Identifier: MIT

import { expect, test } from 'vitest';

const value = Array.from({ length: 1000 }, (_, i) => ({ id: i, name: `item ${i}`, tags: ['a', 'b'] }));
const text = JSON.stringify(value);

test('copies', async ({ bench }) => {
  const results = await bench.compare(
    bench('parse', () => {
      JSON.parse(text);
    }),
    bench('clone', () => {
      structuredClone(value);
    }),
  );
  const { energy } = results.get('parse');
  // A budget, for machines that can tell. `kind` says whether it was measured.
  if (energy.kind === 'measured') expect(energy.total.upperJoules).toBeLessThan(1);
});
