// SPDX-License-Identifier: MIT
//
// What a counter with a time of its own has counted where it could not be read all the time.
import { describe, expect, it } from 'vitest';
import { type About, deltaBetween } from '../../lib/meter/delta.js';
import type { CounterTiming, NativeCounter } from '../../lib/meter/native.js';
import type { CounterReading } from '../../lib/meter/reading.js';

const gpu = {
  id: 'nvml:0',
  domain: 'gpu',
  origin: 'GPU-0',
  detail: '',
  scaleNumerator: 1n,
  scaleDenominator: 1_000_000n,
  blocking: true,
} as NativeCounter;

function about(timing: CounterTiming): About {
  return { status: () => 'stale', explain: () => 'it began anew', timing: () => timing };
}

const at = (seconds: number, joules: number, more: Partial<CounterReading> = {}): CounterReading => ({
  ticks: BigInt(Math.round(joules * 1e6)),
  timeNs: BigInt(Math.round(seconds * 1e9)),
  statusCode: 0,
  breakCount: 0,
  ...more,
});

const known = { updatePeriodNs: 1e8 };

describe('a counter that could not be read all the time', () => {
  it('has what it counted on both sides of a gap, as a part', () => {
    const found = deltaBetween(gpu, at(10, 5), at(20, 705, { breakCount: 2 }), 10, about(known));
    expect(found).toMatchObject({ status: 'ok', energyJoules: 700, incomplete: true });
    expect(found.detail).toContain('it began anew');
  });

  it('has nothing after a jump in the interval, and all after one before it', () => {
    const timing = { ...known, jumpBreakCount: 2 };
    const across = deltaBetween(gpu, at(10, 5), at(20, 705, { breakCount: 3 }), 10, about(timing));
    expect(across).toMatchObject({ status: 'implausible' });
    expect(across.energyJoules).toBeUndefined();
    const later = deltaBetween(
      gpu,
      at(10, 5, { breakCount: 2 }),
      at(20, 705, { breakCount: 3 }),
      10,
      about(timing),
    );
    expect(later).toMatchObject({ status: 'ok', incomplete: true });
  });

  it('has what it counted since it can be read', () => {
    const asleep = at(0, 0, { statusCode: 6 });
    const timing = { ...known, resumedTicks: 300_000_000n, resumedNs: 12_000_000_000n };
    const found = deltaBetween(gpu, asleep, at(20, 1000), 10, about(timing));
    expect(found).toMatchObject({ status: 'ok', energyJoules: 700, incomplete: true });
    expect(found.detail).toContain('the last 8.00 s only');
  });

  it('has nothing where it is not known since when it can be read, or that was after the interval', () => {
    const asleep = at(0, 0, { statusCode: 6 });
    for (const timing of [
      known,
      { ...known, resumedTicks: 2_000_000_000n, resumedNs: 30_000_000_000n },
      { ...known, resumedTicks: 300_000_000n, resumedNs: 12_000_000_000n, jumpBreakCount: 1 },
    ]) {
      const found = deltaBetween(gpu, asleep, at(20, 1000), 10, about(timing));
      expect(found).toMatchObject({ status: 'stale' });
      expect(found.energyJoules).toBeUndefined();
    }
  });
});

describe('a region too short for a slow counter', () => {
  const words = (seconds: number, timing: CounterTiming) =>
    deltaBetween(gpu, at(10, 5), at(10 + seconds, 105), seconds, about(timing));

  it('is flagged by the period that is assumed until one was seen', () => {
    expect(words(0.5, {})).toMatchObject({ indicative: true });
    expect(words(0.5, {}).detail).toContain('assumed to be updated every 100');
    expect(words(1.1, {})).not.toHaveProperty('indicative');
    const core: NativeCounter = { ...gpu, domain: 'core' };
    expect(deltaBetween(core, at(10, 5), at(10.5, 6), 0.5, about({}))).not.toHaveProperty('indicative');
  });

  it('is longer where values come late', () => {
    const late = { updatePeriodNs: 1e8, lagNs: 5e8 };
    expect(words(5.9, late)).toMatchObject({ indicative: true });
    expect(words(6.1, late)).not.toHaveProperty('indicative');
    expect(words(6.1, late).detail).toContain('late');
  });

  it('says where the period may be shorter than is seen', () => {
    expect(words(1, { updatePeriodNs: 2e8, isLongestPeriod: true }).detail).toContain('or more often');
  });
});
