// SPDX-License-Identifier: MIT
//
// What must hold for any record and any region, and what single records must give.
import { describe, expect, it } from 'vitest';
import { estimateRegion } from '../../lib/precision/region.js';
import type {
  CounterCalibration,
  CounterUpdate,
  EnergyEstimate,
  PowerEstimate,
  Region,
} from '../../lib/precision/types.js';
import { normal, type Random, seeded } from './random.js';
import { calibrationOf, noisyPower, PowerProfile, RAPL, record, updateTimes } from './virtual-counter.js';

const CALIBRATION = calibrationOf(RAPL);
const SPIN: PowerEstimate = {
  powerWatts: 55,
  standardUncertaintyWatts: 0.5,
  degreesOfFreedomCount: Number.POSITIVE_INFINITY,
};

/** A counter at 60 W that updates every millisecond, on the dot. */
function regular(count: number, watts = 60): CounterUpdate[] {
  return Array.from({ length: count }, (_, i) => ({
    lowerNs: i * 1e6 - 500,
    upperNs: i * 1e6 + 500,
    joules: 5 + (watts * i) / 1000,
  }));
}

const ms = (start: number, end: number): Region => ({ startNs: start * 1e6, endNs: end * 1e6 });

function isSound(estimate: EnergyEstimate): void {
  const { energyJoules, lowerJoules, upperJoules, uncertaintyJoules, standardUncertaintyJoules } = estimate;
  for (const value of [
    energyJoules,
    lowerJoules,
    upperJoules,
    uncertaintyJoules,
    standardUncertaintyJoules,
  ]) {
    expect(Number.isFinite(value)).toBe(true);
    expect(value).toBeGreaterThanOrEqual(0);
  }
  expect(energyJoules).toBeGreaterThan(0);
  expect(lowerJoules).toBeLessThanOrEqual(energyJoules);
  expect(upperJoules).toBeGreaterThanOrEqual(energyJoules);
  for (const { standardUncertaintyJoules: size, degreesOfFreedomCount } of estimate.components) {
    expect(Number.isFinite(size)).toBe(true);
    expect(degreesOfFreedomCount).toBeGreaterThan(0);
  }
}

/** Noisy power around 60 W for 60 periods. */
function recorded(random: Random): CounterUpdate[] {
  const span = { from: 0, to: 0.06 };
  const profile = new PowerProfile(noisyPower({ ...span, step: 0.5e-3, watts: 60, ratio: 0.05 }, random));
  return record(RAPL, profile, updateTimes(RAPL, span.from, span.to, random), random);
}

describe('any region', () => {
  it('of any record, however spoilt, has finite bounds that hold its value', () => {
    const random = seeded(1);
    for (let trial = 0; trial < 1500; ++trial) {
      const series: CounterUpdate[] = [];
      let [time, joules] = [random() * 1e6, random() * 100];
      const count = Math.floor(random() * 12);
      const watts = random() < 0.1 ? 0 : random() * 200;
      for (let i = 0; i < count; ++i) {
        const step = random() < 0.1 ? 0 : random() < 0.1 ? 20e6 : 1e6 + 2e4 * normal(random);
        time += Math.max(0, step);
        joules = random() < 0.05 ? 0 : joules + (watts * step) / 1e9;
        const width = random() < 0.2 ? random() * 1e6 : 1000;
        series.push({
          lowerNs: time - width / 2,
          upperNs: time + width / 2,
          joules,
          ...(random() < 0.1 ? { gap: true } : {}),
          ...(random() < 0.1 ? { missedCount: 1 } : {}),
        });
      }
      const startNs = random() * 2e7 - 4e6;
      const region = { startNs, endNs: startNs + (random() < 0.1 ? 0 : random() ** 2 * 1.2e7) };
      const calibration: CounterCalibration = { ...CALIBRATION, isFiltered: random() < 0.2 };
      isSound(estimateRegion(series, calibration, region, random() < 0.3 ? { aligned: SPIN } : {}));
    }
  });

  it('adds up with its neighbour to the whole', () => {
    const random = seeded(2);
    for (let trial = 0; trial < 200; ++trial) {
      const series = recorded(random);
      const [a, c] = [5 + 10 * random(), 35 + 10 * random()];
      const b = a + (c - a) * random();
      const estimate = (start: number, end: number) => estimateRegion(series, CALIBRATION, ms(start, end));
      const [first, second, whole] = [estimate(a, b), estimate(b, c), estimate(a, c)];
      expect(first.lowerJoules + second.lowerJoules).toBeLessThanOrEqual(whole.upperJoules);
      expect(first.upperJoules + second.upperJoules).toBeGreaterThanOrEqual(whole.lowerJoules);
      const difference = first.energyJoules + second.energyJoules - whole.energyJoules;
      expect(Math.abs(difference)).toBeLessThanOrEqual(
        first.uncertaintyJoules + second.uncertaintyJoules + whole.uncertaintyJoules,
      );
    }
  });

  it('holds what lies inside it', () => {
    const random = seeded(3);
    for (let trial = 0; trial < 200; ++trial) {
      const series = recorded(random);
      const [start, end] = [5 + 10 * random(), 30 + 10 * random()];
      const outer = estimateRegion(series, CALIBRATION, ms(start, end));
      const inner = estimateRegion(series, CALIBRATION, ms(start + 8 * random(), end - 8 * random()));
      expect(inner.lowerJoules).toBeLessThanOrEqual(outer.upperJoules);
      if (outer.resolved && inner.resolved) {
        expect(inner.energyJoules).toBeLessThanOrEqual(outer.energyJoules + outer.uncertaintyJoules);
      }
    }
  });

  it('does not care where time and energy begin', () => {
    const random = seeded(4);
    for (let trial = 0; trial < 100; ++trial) {
      const series = recorded(random);
      const moved = series.map((update) => ({
        lowerNs: update.lowerNs + 2 ** 43,
        upperNs: update.upperNs + 2 ** 43,
        joules: update.joules + 4096,
      }));
      const region = ms(8 + random(), 8 + 30 * random() ** 2 + 1);
      const shifted = { startNs: region.startNs + 2 ** 43, endNs: region.endNs + 2 ** 43 };
      const [here, there] = [
        estimateRegion(series, CALIBRATION, region),
        estimateRegion(moved, CALIBRATION, shifted),
      ];
      expect(there.energyJoules / here.energyJoules).toBeCloseTo(1, 4);
      expect(there.upperJoules / here.upperJoules).toBeCloseTo(1, 4);
      expect(there.method).toBe(here.method);
    }
  });

  it('scales with the energy', () => {
    const random = seeded(5);
    for (let trial = 0; trial < 100; ++trial) {
      const series = recorded(random);
      const scaled = series.map((update) => ({ ...update, joules: update.joules * 8 }));
      const region = ms(8, 8 + 30 * random());
      const one = estimateRegion(series, CALIBRATION, region, { plausibleWatts: 500 });
      const eight = estimateRegion(
        scaled,
        { ...CALIBRATION, quantumJoules: CALIBRATION.quantumJoules * 8 },
        region,
        { plausibleWatts: 4000 },
      );
      for (const key of ['energyJoules', 'uncertaintyJoules', 'lowerJoules', 'upperJoules'] as const) {
        expect(eight[key]).toBeCloseTo(8 * one[key], 9);
      }
    }
  });
});

describe('one region', () => {
  it('of steady power is its power times its length', () => {
    const estimate = estimateRegion(regular(30), CALIBRATION, ms(5.3, 16.7));
    expect(estimate.energyJoules).toBeCloseTo(0.06 * 11.4, 6);
    expect(estimate).toMatchObject({ resolved: true, flags: [] });
    expect(estimate.components.map(({ name }) => name)).toContain('quantisation');
  });

  it('shorter than an update is bounded by those around it, and by what is plausible', () => {
    const estimate = estimateRegion(regular(30), CALIBRATION, ms(5.3, 5.4));
    expect(estimate).toMatchObject({
      method: 'bound',
      resolved: false,
      flags: ['too-short'],
      lowerJoules: 0,
    });
    expect(estimate.upperJoules).toBeCloseTo(0.06, 3);
    expect(estimate.energyJoules).toBeCloseTo(0.006, 3);
    expect(estimateRegion(regular(30), CALIBRATION, ms(5.3, 5.301)).upperJoules).toBeCloseTo(0.001, 9);
  });

  it('after an update, followed by spinning, is resolved', () => {
    // 100 us at 60 W + 900 us at 55 W in the update's interval.
    const series = regular(30, 55).map((update, i) =>
      i > 5 ? { ...update, joules: update.joules + 0.0005 } : update,
    );
    const estimate = estimateRegion(
      series,
      CALIBRATION,
      { startNs: 5e6 + 500, endNs: 5.1e6 + 500 },
      {
        aligned: { ...SPIN, standardUncertaintyWatts: 0.05 },
      },
    );
    expect(estimate).toMatchObject({ method: 'tick-aligned', resolved: true });
    expect(estimate.energyJoules).toBeCloseTo(0.006, 4);
    const poorly = estimateRegion(
      series,
      CALIBRATION,
      { startNs: 5e6 + 500, endNs: 5.1e6 + 500 },
      {
        aligned: { ...SPIN, standardUncertaintyWatts: 5 },
      },
    );
    expect(poorly.resolved).toBe(false);
  });

  it('with nothing recorded has bounds alone', () => {
    const estimate = estimateRegion([], CALIBRATION, ms(0, 10));
    expect(estimate).toMatchObject({ method: 'bound', resolved: false, lowerJoules: 0, upperJoules: 10 });
    expect(estimate.flags).toEqual(expect.arrayContaining(['no-updates', 'too-short']));
    isSound(estimate);
  });

  it('that leaves the record says so, and is less certain', () => {
    const series = regular(30);
    const within = estimateRegion(series, CALIBRATION, ms(10.5, 20.5));
    const before = estimateRegion(series, CALIBRATION, ms(-5.5, 4.5));
    const after = estimateRegion(series, CALIBRATION, ms(24.5, 34.5));
    expect(before.flags).toEqual(expect.arrayContaining(['starts-before-record', 'steadiness-unknown']));
    expect(after.flags).toEqual(expect.arrayContaining(['ends-after-record', 'steadiness-unknown']));
    for (const estimate of [before, after]) {
      expect(estimate.uncertaintyJoules).toBeGreaterThan(20 * within.uncertaintyJoules);
      expect(estimate.upperJoules).toBeGreaterThan(0.6);
    }
    const outside = estimateRegion(series, CALIBRATION, ms(50, 60));
    expect(outside).toMatchObject({ resolved: false, lowerJoules: 0 });
    expect(outside.upperJoules).toBeCloseTo(10, 6);
  });

  it('across a reset is bounded, not resolved', () => {
    const series = regular(30).map((update, i) =>
      i < 15 ? update : { ...update, joules: update.joules - 5.85 },
    );
    const estimate = estimateRegion(series, CALIBRATION, ms(10.5, 20.5));
    expect(estimate).toMatchObject({ method: 'bound', resolved: false });
    expect(estimate.flags).toContain('reset');
    expect(estimate.lowerJoules).toBeGreaterThan(0.4);
    expect(estimate.upperJoules).toBeGreaterThan(0.6);
    isSound(estimate);
    // A reset elsewhere is no business of the region.
    expect(estimateRegion(series, CALIBRATION, ms(1.5, 9.5))).toMatchObject({
      resolved: true,
      flags: ['few-updates'],
    });
  });

  it('with missed updates keeps its energy and says so', () => {
    const series = regular(30)
      .filter((_, i) => i !== 12 && i !== 13)
      .map((update) =>
        update.joules > 5.83 && update.joules < 5.85 ? { ...update, missedCount: 2 } : update,
      );
    const estimate = estimateRegion(series, CALIBRATION, ms(5.3, 20.7));
    expect(estimate.flags).toContain('gap');
    expect(estimate.energyJoules).toBeCloseTo(0.06 * 15.4, 6);
  });

  it('of a counter that may be filtered is wider and says so', () => {
    const filtered = estimateRegion(regular(6), { ...CALIBRATION, isFiltered: true }, ms(1.3, 4.7));
    const plain = estimateRegion(regular(6), CALIBRATION, ms(1.3, 4.7));
    expect(filtered.flags).toContain('energy-filter');
    expect(filtered.uncertaintyJoules).toBeGreaterThan(10 * plain.uncertaintyJoules);
  });

  it('of a counter that stands still uses less than is known, not nothing', () => {
    const estimate = estimateRegion(regular(30, 0), CALIBRATION, ms(5.3, 16.7));
    expect(estimate.resolved).toBe(false);
    isSound(estimate);
    expect(estimate.upperJoules).toBeLessThan(2 * CALIBRATION.quantumJoules);
  });

  it('of more power than is plausible says so', () => {
    const estimate = estimateRegion(regular(30, 3000), CALIBRATION, ms(5.3, 16.7));
    expect(estimate.flags).toContain('implausible');
  });

  it('must end after it begins', () => {
    expect(() => estimateRegion(regular(3), CALIBRATION, ms(2, 1))).toThrow(/end after it starts/);
    expect(() => estimateRegion(regular(3), CALIBRATION, ms(Number.NaN, 1))).toThrow(/end after it starts/);
  });

  it('is wider where the power varied', () => {
    const random = seeded(6);
    const uneven = regular(30).map((update) => ({ ...update, joules: update.joules + 0.004 * random() }));
    const estimate = estimateRegion(uneven, CALIBRATION, ms(5.3, 16.7));
    const even = estimateRegion(regular(30), CALIBRATION, ms(5.3, 16.7));
    expect(estimate.flags).toContain('power-varies');
    expect(estimate.uncertaintyJoules).toBeGreaterThan(10 * even.uncertaintyJoules);
  });
});
