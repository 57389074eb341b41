// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { deltaBetween } from '../../lib/meter/delta.js';
import type { CounterTiming, NativeCounter } from '../../lib/meter/native.js';
import type { CounterReading } from '../../lib/meter/reading.js';

const NS = 1e9;
const WATTS = 20;
const START_SECONDS = 100;

/** The energy of a region of 20 W by a counter of microjoules that counted over `own`, in seconds of the reader's. */
function found(
  regionSeconds: number,
  own: { from: number; to: number },
  { blocking = false, ...timing }: CounterTiming & { blocking?: boolean } = {},
) {
  const at = (seconds: number): CounterReading => ({
    ticks: BigInt(Math.round((START_SECONDS + seconds) * WATTS * 1e6)),
    timeNs: BigInt(Math.round((START_SECONDS + seconds) * NS)),
    statusCode: 0,
    breakCount: 0,
  });
  const counter = {
    id: 'a',
    origin: 'a',
    detail: '',
    blocking,
    scaleNumerator: 1n,
    scaleDenominator: 1_000_000n,
  };
  return deltaBetween(counter as NativeCounter, at(own.from), at(own.to), regionSeconds, {
    status: () => 'failed',
    explain: () => 'the test says so',
    timing: () => timing,
  });
}

describe('a counter with a time of its own', () => {
  it.each([
    [1, { from: -0.003, to: 0.996 }, {}],
    [0.2, { from: -0.01, to: 0.16 }, {}],
    [2, { from: -0.1, to: 1.8 }, { blocking: true, updatePeriodNs: 0.1 * NS }],
    [2, { from: -0.1, to: 1.8 }, { blocking: true }],
    [7, { from: -0.5, to: 6.2 }, { blocking: true, updatePeriodNs: 0.1 * NS, lagNs: 0.5 * NS }],
    [60, { from: 0, to: 59 }, { blocking: true }],
  ])('is scaled to a region of %s s from %o', (seconds, own, timing) => {
    const delta = found(seconds, own, timing);
    expect(delta).toMatchObject({ status: 'ok' });
    expect(delta.energyJoules).toBeCloseTo(WATTS * seconds, 3);
    expect(delta).not.toHaveProperty('incomplete');
    expect(delta).not.toHaveProperty('indicative');
  });

  it.each([
    [2.81, { from: 0, to: 0.79 }, {}],
    [60, { from: 0, to: 59.5 }, {}],
    [60, { from: 0, to: 1 }, { blocking: true, updatePeriodNs: 0.1 * NS }],
  ])('says what it counted in a region of %s s and no more where its time stood still, at %o', (seconds, own, timing) => {
    const delta = found(seconds, own, timing);
    expect(delta).toMatchObject({ status: 'ok', incomplete: true });
    expect(delta.energyJoules).toBeCloseTo(WATTS * (own.to - own.from), 3);
    expect(delta.detail).toMatch(/^counted for \S+ s only: its own time stood still/);
  });

  it('gives an indication where its interval began long before the region', () => {
    const delta = found(1, { from: -2, to: 1 });
    expect(delta).toMatchObject({ status: 'ok', indicative: true });
    expect(delta.energyJoules).toBeCloseTo(WATTS, 3);
    expect(delta.detail).toContain('an indication only: its last update before the region');
  });
});
