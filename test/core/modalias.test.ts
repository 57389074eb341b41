// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { parseModalias } from '../../lib/core/modalias.js';

const EPYC = 'cpu:type:x86,ven0002fam0019mod0001:feature:,0000,0001';

describe('parseModalias', () => {
  it('reads vendor, display family and model, and the features', () => {
    const cpu = parseModalias('cpu:type:x86,ven0000fam0006mod008F:feature:,0000,009F,0122\n');
    expect(cpu).toMatchObject({ vendor: 'GenuineIntel', family: 6, model: 0x8f });
    expect([...(cpu.features ?? [])]).toEqual([0, 0x9f, 0x122]);
    expect(parseModalias(EPYC)).toMatchObject({ vendor: 'AuthenticAMD', family: 0x19, model: 1 });
    expect(parseModalias('cpu:type:x86,ven0009fam0018mod0001:feature:')).toMatchObject({
      vendor: 'HygonGenuine',
    });
  });

  it('knows nothing of other text', () => {
    for (const text of ['', 'cpu:type:aarch64:feature:,0000', 'ven0000fam0006', 'x'.repeat(10_000)]) {
      expect(parseModalias(text)).toEqual({});
    }
    expect(parseModalias('cpu:type:x86,venFFFFfam0006mod0001:feature:,').vendor).toBeUndefined();
  });
});
