// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { decodeReading, secondsBetween, ticksToJoules } from '../../lib/meter/reading.js';

describe('ticksToJoules', () => {
  it.each([
    [1n, 1n, 1n << 14n, 2 ** -14],
    [1n << 32n, 1n, 1n << 16n, 65536],
    [1000n, 15300n, 1_000_000_000n, 0.0153],
    [123_456_789n, 1n, 1000n, 123_456.789],
    [5n, 1n, 1n, 5],
  ])('%s ticks of %s/%s J', (ticks, numerator, denominator, joules) => {
    expect(ticksToJoules(ticks, numerator, denominator)).toBe(joules);
  });

  it('loses no tick of a count that a double cannot hold', () => {
    const big = 1n << 62n;
    expect(ticksToJoules(big + 1n - big, 1n, 1n << 16n)).toBe(2 ** -16);
    // 2^70 / 2^16 J is exact in a double; the extra half joule is below its grain, but not lost early.
    expect(ticksToJoules((1n << 62n) + (1n << 15n), 1n, 1n << 16n)).toBe(2 ** 46 + 0.5);
  });
});

describe('decodeReading', () => {
  it('follows the layout of native/meter.h', () => {
    const words = new BigUint64Array([10n, 30n, 99n, 7n, 0n, 0n, 8n, 25n, (2n << 32n) | 3n]);
    const reading = decodeReading(words, 3, 3);
    expect(reading).toEqual({
      beforeNs: 10n,
      afterNs: 30n,
      bootNs: 99n,
      counters: [
        { ticks: 7n, timeNs: 0n, statusCode: 0, breakCount: 0 },
        { ticks: 8n, timeNs: 25n, statusCode: 3, breakCount: 2 },
      ],
    });
  });

  it('measures from the middle of one pass to the middle of the next', () => {
    const at = (beforeNs: bigint, afterNs: bigint) => ({ beforeNs, afterNs, bootNs: 0n, counters: [] });
    expect(secondsBetween(at(0n, 2n), at(1_000_000_000n, 1_000_000_002n))).toBe(1);
  });
});
