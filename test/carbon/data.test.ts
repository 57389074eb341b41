// SPDX-License-Identifier: MIT
import { expect, test } from 'vitest';
import { electricityMaps, emberGramsPerKwh, exportedEmber, newestExported } from '../../lib/carbon/data.js';

// One table is read from beside the public entry, which parses all of them. Should the package change its layout,
// the public entry answers; here both must say the same.
test('the single table of Electricity Maps is the newest that the package exports', () => {
  expect(electricityMaps()).toEqual(newestExported());
});

test('the single table of Ember is the one that the package exports', () => {
  const exported = exportedEmber();
  for (const [code, grams] of Object.entries(exported)) {
    expect(emberGramsPerKwh(code)).toBe(grams > 0 ? grams : undefined);
  }
  expect(Object.keys(exported).length).toBeGreaterThan(200);
});
