// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { Series } from '../../lib/region/series.js';
import { seeded } from '../precision/random.js';

const PERIOD_NS = 1e6;

/** A counter of about 40 W, with some updates missed. */
function fill(series: Series, count: number, seed: number): { joules: number; missedCount: number } {
  const random = seeded(seed);
  let joules = series.latestJoules;
  let ns = series.updateCount === 0 ? 0 : series.latestNs;
  let missedCount = 0;
  for (let i = 0; i < count; ++i) {
    const missed = random() < 0.1 ? 1 + Math.floor(3 * random()) : 0;
    ns += (1 + missed) * PERIOD_NS;
    joules += (1 + missed) * 0.04 * (0.5 + random());
    missedCount += missed;
    series.add(ns - 2000, ns, joules, missed);
  }
  return { joules, missedCount };
}

const ALL = { startNs: Number.NEGATIVE_INFINITY, endNs: Number.POSITIVE_INFINITY };

describe('a series of updates', () => {
  it('gives what was added, in order', () => {
    const series = new Series();
    series.add(0, 10, 0, 0);
    series.add(1000, 1010, 1, 2);
    series.add(2000, 2010, 3, -1);
    expect(series.around(ALL, 0)).toEqual([
      { lowerNs: 0, upperNs: 10, joules: 0 },
      { lowerNs: 1000, upperNs: 1010, joules: 1, missedCount: 2 },
      { lowerNs: 2000, upperNs: 2010, joules: 3, gap: true },
    ]);
    expect(series.latestNs).toBe(2010);
    expect(series.countAfter(500)).toBe(2);
    expect(series.countAfter(1001)).toBe(1);
  });

  it('gives a stretch of time with so many neighbours', () => {
    const series = new Series();
    for (let i = 0; i < 100; ++i) series.add(i * 1000 - 10, i * 1000, i, 0);
    const joules = series.around({ startNs: 20_500, endNs: 30_500 }, 3).map((update) => update.joules);
    expect(joules[0]).toBe(18);
    expect(joules.at(-1)).toBe(33);
    expect(joules).toHaveLength(16);
  });

  it('forgets what is old, never what is asked for', () => {
    const series = new Series();
    for (let round = 0; round < 50; ++round) {
      fill(series, 1000, round);
      const beforeNs = series.latestNs - 500 * PERIOD_NS;
      series.forget(beforeNs, () => []);
      expect(series.around({ startNs: beforeNs, endNs: series.latestNs }, 0).length).toBeGreaterThan(300);
      expect(series.updateCount).toBeLessThan(3000);
    }
    expect(series.addedCount).toBe(50_000);
  });

  it('thins a long region, keeps energy and missed updates, and its edges whole', () => {
    const series = new Series();
    const dense = new Series();
    let missedCount = 0;
    let joules = 0;
    const edgeNs = 300e9;
    for (let round = 0; round < 700; ++round) {
      ({ joules } = fill(series, 1000, round));
      missedCount += fill(dense, 1000, round).missedCount;
      series.forget(0, () => [edgeNs, series.latestNs]);
    }
    const kept = series.around(ALL, 0);
    expect(kept.length).toBeLessThan(1.2 * 2 ** 17);
    expect(kept.at(-1)?.joules).toBe(joules);
    expect(kept.reduce((sum, update) => sum + (update.missedCount ?? 0), 0)).toBe(missedCount);
    for (let i = 1; i < kept.length; ++i) {
      expect((kept[i]?.lowerNs ?? 0) - (kept[i - 1]?.upperNs ?? 0)).toBeGreaterThan(0);
    }
    const edge = { startNs: edgeNs - 0.9e9, endNs: edgeNs + 0.9e9 };
    expect(series.around(edge, 0)).toEqual(dense.around(edge, 0));
  });

  it('never joins what a fall parts', () => {
    const series = new Series();
    for (let i = 0; i < 400_000; ++i) {
      const after = i >= 200_000;
      series.add(i * PERIOD_NS - 100, i * PERIOD_NS, after ? i - 200_000 : i, 0);
      if (i % 1000 === 0) series.forget(0, () => []);
    }
    const kept = series.around(ALL, 0);
    const falls = kept.filter(({ joules }, i) => joules < (kept[i - 1]?.joules ?? 0));
    expect(falls.map(({ joules }) => joules)).toEqual([0]);
    const at = kept.indexOf(falls[0] as (typeof kept)[number]);
    expect(kept[at - 1]?.joules).toBe(199_999);
  });
});
