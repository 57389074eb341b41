// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { PowerBins } from '../../lib/measure/power-bins.js';
import { FIRST_BIN_SECONDS, MOST_BINS, PowerCurve } from '../../lib/measure/power-curve.js';
import { seededRandom } from '../report/fixtures.js';

const COUNT = 8;

/** Energy in all bins of a run, where every bin is known. */
function joulesIn(bins: PowerBins, endSeconds: number): number {
  let joules = 0;
  for (let bin = 0; bin * bins.widthSeconds < endSeconds; ++bin) {
    const from = bin * bins.widthSeconds;
    joules += (bins.at(bin)?.powerWatts ?? 0) * (Math.min(endSeconds, from + bins.widthSeconds) - from);
  }
  return joules;
}

describe('PowerBins', () => {
  it('keeps energy and extremes, however often it widens', () => {
    const random = seededRandom(3);
    for (let trial = 0; trial < 200; ++trial) {
      const bins = new PowerBins(0.05, COUNT);
      let [at, joules, lowest, highest] = [0, 0, Number.POSITIVE_INFINITY, 0];
      for (let step = 0; step < 40; ++step) {
        const length = 0.2 * random() ** 3 + 1e-4;
        const watts = 100 * random();
        bins.add(at, at + length, watts * length);
        at += length;
        joules += watts * length;
        lowest = Math.min(lowest, watts);
        highest = Math.max(highest, watts);
      }
      expect(joulesIn(bins, at)).toBeCloseTo(joules, 9);
      const found = Array.from({ length: COUNT }, (_, bin) => bins.at(bin)).filter(
        (bin) => bin !== undefined,
      );
      expect(Math.min(...found.map((bin) => bin.lowestWatts))).toBeCloseTo(lowest, 9);
      expect(Math.max(...found.map((bin) => bin.highestWatts))).toBeCloseTo(highest, 9);
      for (const { lowestWatts, powerWatts, highestWatts } of found) {
        expect(powerWatts).toBeGreaterThan(lowestWatts - 1e-9);
        expect(powerWatts).toBeLessThan(highestWatts + 1e-9);
      }
      expect(bins.highestWatts).toBeCloseTo(highest, 9);
      expect(bins.widthSeconds * COUNT).toBeGreaterThanOrEqual(at);
    }
  });

  it('says nothing of what it was not told', () => {
    const bins = new PowerBins(1, COUNT);
    bins.add(0, 1, 10);
    bins.add(2, 3, 20);
    bins.add(3, 3, 5);
    bins.add(3, 4, Number.NaN);
    bins.add(3, 4, -1);
    bins.add(-2, -1, 5);
    expect([0, 1, 2, 3].map((bin) => bins.at(bin)?.powerWatts)).toEqual([10, undefined, 20, undefined]);
  });

  it('cuts off what was before the run, with its share', () => {
    const bins = new PowerBins(1, COUNT);
    bins.add(-1, 1, 8);
    expect(bins.at(0)?.powerWatts).toBe(4);
    expect(joulesIn(bins, 1)).toBe(4);
  });
});

describe('PowerCurve', () => {
  it('holds the energy of the report, whenever its counter was seen', () => {
    const random = seededRandom(4);
    for (let trial = 0; trial < 100; ++trial) {
      const curve = new PowerCurve();
      const end = 200 * random();
      let [at, joules] = [random(), 1000 * random()];
      const first = joules;
      while (at < end) {
        curve.seen(at, joules);
        at += 0.3 * random() + 1e-3;
        joules += 5 * random();
      }
      const total = joules - first + 10 * random();
      const bins = curve.until(end, total);
      expect(joulesIn(bins, end)).toBeCloseTo(total, 6);
      expect(Math.ceil(end / bins.widthSeconds)).toBeLessThanOrEqual(MOST_BINS);
      expect(bins.widthSeconds).toBeGreaterThanOrEqual(FIRST_BIN_SECONDS);
    }
  });

  it('has no power where the count was lost', () => {
    const curve = new PowerCurve();
    curve.seen(0, 0);
    curve.seen(1, 30);
    curve.broken();
    curve.seen(3, 5);
    curve.seen(4, 15);
    const bins = curve.until(4, Number.NaN);
    const at = (seconds: number) => bins.at(Math.floor(seconds / bins.widthSeconds + 1e-6))?.powerWatts;
    expect([at(0.5), at(1.5), at(2.5), at(3.5)]).toEqual([
      expect.closeTo(30, 9),
      undefined,
      undefined,
      expect.closeTo(10, 9),
    ]);
  });

  it('is even where nothing was seen', () => {
    const bins = new PowerCurve().until(1, 7);
    expect(bins.at(0)?.powerWatts).toBeCloseTo(7, 9);
    expect(joulesIn(bins, 1)).toBeCloseTo(7, 9);
    expect(new PowerCurve().longestSeconds).toBeUndefined();
  });
});
