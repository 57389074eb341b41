// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { estimateRamPower, type RamModelName } from '../../lib/estimate/ram.js';

const badOption = expect.objectContaining({ code: 'ERR_BAD_OPTION' });

describe('the per-GiB model', () => {
  it('is the default, at 3 W per 8 GiB', () => {
    expect(estimateRamPower({ ramTotalGib: 8 })).toMatchObject({
      kind: 'estimated',
      source: 'ram per-gib model',
      method: 'W/GiB × installed GiB',
      powerWatts: 3,
    });
  });

  it('gives the power of a published CodeCarbon 2 report', () => {
    expect(estimateRamPower({ ramTotalGib: 31.748809814453125 }).powerWatts).toBeCloseTo(11.90580368, 8);
  });

  it('takes the watts per GiB of the user', () => {
    expect(estimateRamPower({ ramTotalGib: 64, wattsPerGib: 0.25 })).toMatchObject({
      kind: 'assumed',
      source: 'user',
      method: 'W/GiB × installed GiB',
      powerWatts: 16,
    });
    expect(estimateRamPower({ ramTotalGib: 64, wattsPerGib: 0 }).powerWatts).toBe(0);
  });
});

describe("CodeCarbon 3's per-DIMM model", () => {
  it.each([
    [1, 10],
    [2, 10],
    [8, 10],
    [16, 10],
    [32, 20],
    [64, 20],
    [128, 38],
    [256, 38],
    [512, 38],
    [1024, 38],
    [2048, 38 + 8 * 4],
    [4096, 38 + 8 * 4 + 16 * 3.5],
    [1_000_000, 38 + 8 * 4 + 16 * 3.5],
  ])('%i GiB draw %d W on x86', (ramTotalGib, powerWatts) => {
    const found = estimateRamPower({ ramTotalGib, model: 'per-dimm', architecture: 'x64' });
    expect(found.powerWatts).toBeCloseTo(powerWatts, 9);
    expect(found).toMatchObject({ kind: 'estimated', source: 'ram per-dimm model' });
  });

  it.each([
    ['arm64', 1, 3],
    ['aarch64', 8, 3],
    ['arm', 32, 6],
    ['arm64', 128, 11.4],
  ])('%s with %i GiB draws %d W', (architecture, ramTotalGib, powerWatts) => {
    expect(estimateRamPower({ ramTotalGib, model: 'per-dimm', architecture }).powerWatts).toBeCloseTo(
      powerWatts,
      9,
    );
  });
});

describe.each<RamModelName>(['per-gib', 'per-dimm'])('%s', (model) => {
  it('never gives less than nothing', () => {
    for (let gib = 0; gib < 5000; gib += 7) {
      expect(estimateRamPower({ ramTotalGib: gib, model }).powerWatts).toBeGreaterThanOrEqual(0);
    }
  });

  it.each([-1, Number.NaN, Number.POSITIVE_INFINITY])('refuses %s GiB', (ramTotalGib) => {
    expect(() => estimateRamPower({ ramTotalGib, model })).toThrow(badOption);
  });
});

describe('bad options', () => {
  it('refuses wattsPerGib beside per-dimm', () => {
    expect(() => estimateRamPower({ ramTotalGib: 8, model: 'per-dimm', wattsPerGib: 1 })).toThrow(badOption);
  });

  it.each([-0.1, Number.NaN, Number.POSITIVE_INFINITY])('refuses %s W/GiB', (wattsPerGib) => {
    expect(() => estimateRamPower({ ramTotalGib: 8, wattsPerGib })).toThrow(badOption);
  });

  it('names both models when given a third', () => {
    const model = 'per-slot' as RamModelName;
    expect(() => estimateRamPower({ ramTotalGib: 8, model })).toThrow(badOption);
    expect(() => estimateRamPower({ ramTotalGib: 8, model })).toThrow(/"per-slot".*per-gib.*per-dimm/);
  });
});
