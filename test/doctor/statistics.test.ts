// SPDX-License-Identifier: MIT
//
// Recorded series of which the truth is known: period, jitter and quantum must come out.
import { describe, expect, it } from 'vitest';
import {
  bestPeriod,
  isFrozen,
  isUnresolved,
  meanWatts,
  median,
  quantile,
  quantumTicks,
  robustSd,
  stillSeconds,
  updatePeriod,
} from '../../lib/doctor/statistics.js';
import { Track } from '../../lib/doctor/track.js';
import { normal, random } from './fixtures.js';

interface Series {
  periodMs: number;
  /** Standard deviation of an update's own time about its place in the period. */
  jitterMs?: number;
  watts?: number;
  /** Ticks of 2^-14 J that the hardware counts at once. */
  stepTicks?: number;
  /** Time between two reads. */
  pollMs: number;
  seconds: number;
  /** So often the reader is held up, and for at most how long. */
  gaps?: { count: number; longestMs: number };
  seed: number;
}

const TICKS_PER_JOULE = 2 ** 14;
const joules = (ticks: bigint): number => Number(ticks) / TICKS_PER_JOULE;

/** A reader that polls a counter which updates at k T + j, each showing the energy until then in whole steps. */
function record(series: Series): Track {
  const { periodMs, jitterMs = 0, watts = 50, stepTicks = 1, pollMs, seconds, gaps, seed } = series;
  const next = random(seed);
  const endMs = seconds * 1000;
  const phaseMs = next() * periodMs;
  const updatesMs: number[] = [];
  for (let k = 0; phaseMs + k * periodMs < endMs + periodMs; k++) {
    updatesMs.push(phaseMs + k * periodMs + jitterMs * normal(next));
  }
  const heldUp = Array.from({ length: gaps?.count ?? 0 }, () => {
    const fromMs = next() * endMs;
    return { fromMs, toMs: fromMs + next() * (gaps?.longestMs ?? 0) };
  });
  const track = new Track();
  let shown = 0;
  for (let timeMs = 0; timeMs < endMs; timeMs += pollMs * (0.9 + 0.2 * next())) {
    if (heldUp.some(({ fromMs, toMs }) => timeMs > fromMs && timeMs < toMs)) continue;
    while ((updatesMs[shown] ?? Number.POSITIVE_INFINITY) <= timeMs) shown += 1;
    const atMs = updatesMs[shown - 1] ?? 0;
    const steps = Math.floor(((atMs / 1000) * watts * TICKS_PER_JOULE) / stepTicks);
    track.add(timeMs * 1e6, BigInt(steps * stepTicks) + 12_345n);
  }
  return track;
}

describe('median, quantile and robustSd', () => {
  it('are those of the books', () => {
    expect(median([])).toBeUndefined();
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
    expect(quantile([0, 10], 0.99)).toBeCloseTo(9.9, 10);
    expect(quantile([7], 0.99)).toBe(7);
    expect(robustSd([])).toBeUndefined();
    const next = random(1);
    const values = Array.from({ length: 20_000 }, () => 5 + 2 * normal(next));
    expect(robustSd(values)).toBeGreaterThan(1.94);
    expect(robustSd(values)).toBeLessThan(2.06);
    expect(robustSd([...values, ...Array.from({ length: 500 }, () => 1e9)])).toBeLessThan(2.2);
  });
});

describe('updatePeriod', () => {
  it.each([1, 20, 100])('finds %d ms within 1 %', (periodMs) => {
    for (let seed = 0; seed < 20; seed++) {
      const seconds = periodMs * 0.2;
      const track = record({ periodMs, jitterMs: periodMs * 0.02, pollMs: periodMs / 100, seconds, seed });
      const { periodSeconds } = updatePeriod(track) ?? {};
      expect(Math.abs((periodSeconds ?? 0) / (periodMs / 1000) - 1), `seed ${seed}`).toBeLessThan(0.01);
    }
  });

  it('finds the jitter of the time between two updates within 20 %', () => {
    for (let seed = 0; seed < 20; seed++) {
      const track = record({ periodMs: 1, jitterMs: 0.05, pollMs: 0.004, seconds: 1, seed });
      // Two updates, each with its own.
      const truthSeconds = 0.05e-3 * Math.SQRT2;
      const { jitterSeconds = 0 } = updatePeriod(track) ?? {};
      expect(Math.abs(jitterSeconds / truthSeconds - 1), `seed ${seed}`).toBeLessThan(0.2);
    }
  });

  it('is not misled by a reader that is held up', () => {
    for (let seed = 0; seed < 20; seed++) {
      const gaps = { count: 400, longestMs: 4 };
      const track = record({ periodMs: 1, jitterMs: 0.02, pollMs: 0.005, seconds: 1, gaps, seed });
      const { periodSeconds = 0, jitterSeconds = 1 } = updatePeriod(track) ?? {};
      expect(Math.abs(periodSeconds / 1e-3 - 1), `seed ${seed}`).toBeLessThan(0.01);
      expect(jitterSeconds).toBeLessThan(0.05e-3);
    }
  });

  it('finds a slow counter between looks 20 ms apart within 4 %', () => {
    for (let seed = 0; seed < 20; seed++) {
      for (const periodMs of [90, 100, 110, 250]) {
        const track = record({ periodMs, pollMs: 20, seconds: 2, seed });
        const { periodSeconds = 0 } = bestPeriod(undefined, track) ?? {};
        expect(Math.abs(periodSeconds / (periodMs / 1000) - 1), `${periodMs} ms`).toBeLessThan(0.04);
      }
    }
  });

  it('finds the second of an emulator in two', () => {
    const found = Array.from({ length: 20 }, (_, seed) =>
      bestPeriod(undefined, record({ periodMs: 1000, pollMs: 20, seconds: 2.1, seed })),
    );
    for (const period of found) expect(period?.periodSeconds).toBeCloseTo(1, 1);
  });

  it('says nothing of fewer than two updates, or of a counter that had always moved', () => {
    expect(updatePeriod(new Track())).toBeUndefined();
    expect(updatePeriod(record({ periodMs: 5000, pollMs: 20, seconds: 2, seed: 1 }))).toBeUndefined();
    const tooSeldom = record({ periodMs: 1, pollMs: 20, seconds: 2, seed: 1 });
    expect(bestPeriod(undefined, tooSeldom)).toBeUndefined();
    expect(bestPeriod(undefined, undefined)).toBeUndefined();
  });

  it('takes the tight series of a fast counter, the long one of a slow one', () => {
    const tight = record({ periodMs: 1, pollMs: 0.01, seconds: 0.2, seed: 3 });
    const watched = record({ periodMs: 1, pollMs: 20, seconds: 2, seed: 3 });
    expect(bestPeriod(tight, watched)?.periodSeconds).toBeCloseTo(0.001, 4);
    const few = record({ periodMs: 100, pollMs: 0.01, seconds: 0.25, seed: 4 });
    const long = record({ periodMs: 100, pollMs: 20, seconds: 2, seed: 4 });
    expect(bestPeriod(few, long)?.intervalCount).toBeGreaterThan(10);
  });
});

describe('quantumTicks', () => {
  it('is exact, whatever the power', () => {
    const next = random(7);
    for (let seed = 0; seed < 50; seed++) {
      const stepTicks = 2 ** Math.floor(next() * 12);
      const watts = 5 + 200 * next();
      const track = record({ periodMs: 1, pollMs: 0.05, seconds: 0.5, watts, stepTicks, seed });
      // Where a step is worth more than one update's energy, they come now and then, one at a time.
      expect(quantumTicks([track, undefined]), `seed ${seed}`).toBe(BigInt(stepTicks));
    }
  });

  it('is unknown of a counter that stood still', () => {
    const track = new Track();
    for (let i = 0; i < 10; i++) track.add(i * 1e6, 5n);
    expect(quantumTicks([track])).toBeUndefined();
    expect(stillSeconds(track)).toBeCloseTo(0.009, 9);
    expect(track.updateCount).toBe(0);
  });
});

describe('meanWatts', () => {
  it('is right whatever the phase, and where updates are few', () => {
    for (let seed = 0; seed < 20; seed++) {
      for (const [periodMs, tolerance] of [
        [1, 0.01],
        [100, 0.05],
      ] as const) {
        const track = record({ periodMs, pollMs: 20, seconds: 1, watts: 42, seed });
        const watts = meanWatts(track, 0, 1e9, joules) ?? 0;
        expect(Math.abs(watts / 42 - 1), `${periodMs} ms, seed ${seed}`).toBeLessThan(tolerance);
      }
    }
  });

  it('is not pulled down by a look that comes late', () => {
    // As a meter's opening holds up the first look of the busy second.
    const track = new Track();
    for (const ms of [0, 50, 70, 90, 110, 130]) track.add(ms * 1e6, BigInt(Math.round(ms * 40)));
    expect(meanWatts(track, 0, 1e9, (ticks) => Number(ticks) / 1000)).toBeCloseTo(40, 9);
  });

  it('is unknown for fewer than two updates', () => {
    const track = record({ periodMs: 900, pollMs: 20, seconds: 0.9, seed: 1 });
    expect(meanWatts(track, 0, 0.9e9, joules)).toBeUndefined();
    expect(meanWatts(new Track(), 0, 1, joules)).toBeUndefined();
  });
});

describe('stillSeconds', () => {
  it('is the longest time without an update, the ends included', () => {
    const track = new Track();
    for (const [ms, ticks] of [
      [0, 1n],
      [10, 1n],
      [11, 2n],
      [30, 2n],
      [31, 3n],
      [40, 3n],
    ] as const) {
      track.add(ms * 1e6, ticks);
    }
    expect(stillSeconds(track)).toBeCloseTo(0.019, 9);
    expect(stillSeconds(new Track())).toBe(0);
  });
});

describe('isFrozen', () => {
  it('is a counter that stands still after it moved often, and no slow one', () => {
    for (let seed = 0; seed < 20; seed++) {
      const running = record({ periodMs: 1, pollMs: 20, seconds: 0.4, seed });
      expect(isFrozen(running)).toBe(false);
      for (let ms = 420; ms < 2000; ms += 20) running.add(ms * 1e6, running.lastTicks);
      expect(isFrozen(running)).toBe(true);
      expect(isFrozen(record({ periodMs: 1000, pollMs: 20, seconds: 2.1, seed }))).toBe(false);
      expect(isFrozen(record({ periodMs: 100, pollMs: 20, seconds: 2, seed }))).toBe(false);
    }
    expect(isFrozen(new Track())).toBe(false);
  });
});

describe('isUnresolved', () => {
  it('is a counter that moved at every read', () => {
    const unresolved = (pollMs: number) => {
      const period = updatePeriod(record({ periodMs: 1, pollMs, seconds: 1, seed: 2 }));
      return period === undefined ? undefined : isUnresolved(period);
    };
    expect(unresolved(0.01)).toBe(false);
    expect(unresolved(5)).toBe(true);
  });
});

describe('Track', () => {
  it('counts what it no longer keeps', () => {
    const track = new Track();
    for (let i = 0; i < 60_000; i++) track.add(i, BigInt(i));
    expect(track.updateCount).toBe(59_999);
    expect(track.updates).toHaveLength(50_000);
  });
});
