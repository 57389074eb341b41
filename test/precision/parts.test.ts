// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { meanPower, overBaseline } from '../../lib/precision/baseline.js';
import { blockBootstrap, correlationLength } from '../../lib/precision/bootstrap.js';
import { combine } from '../../lib/precision/combine.js';
import { blockOrder, comparePairs, type PairBlock } from '../../lib/precision/compare.js';
import {
  chiSquareLimit,
  effectiveDegrees,
  ONE_SIDED,
  student95,
  studentTwoSided,
} from '../../lib/precision/distributions.js';
import { phaseSweep, sweepPhase } from '../../lib/precision/phase-sweep.js';
import { estimateRegion } from '../../lib/precision/region.js';
import { batchesNeeded, batchMeans, repetitionPlan } from '../../lib/precision/repetition.js';
import type { CounterUpdate, EnergyEstimate } from '../../lib/precision/types.js';
import { seeded } from './random.js';
import { calibrationOf, RAPL } from './virtual-counter.js';

const CALIBRATION = calibrationOf(RAPL);

function regular(count: number, watts = 60): CounterUpdate[] {
  return Array.from({ length: count }, (_, i) => ({
    lowerNs: i * 1e6 - 500,
    upperNs: i * 1e6 + 500,
    joules: (watts * i) / 1000,
  }));
}

const region = { startNs: 5.3e6, endNs: 16.7e6 };
const estimate = (watts = 60): EnergyEstimate => estimateRegion(regular(30, watts), CALIBRATION, region);

describe('distributions', () => {
  it('have the quantiles of the tables', () => {
    for (const [degrees, t] of [
      [1, 12.7062],
      [2, 4.30265],
      [5, 2.57058],
      [9, 2.26216],
      [30, 2.04227],
      [1e9, 1.95996],
    ] as const) {
      expect(student95(degrees)).toBeCloseTo(t, 4);
    }
    expect(studentTwoSided(2.26216, 9)).toBeCloseTo(0.05, 5);
    expect(chiSquareLimit(10, ONE_SIDED.onePercent)).toBeCloseTo(23.209, 1);
    expect(chiSquareLimit(2, ONE_SIDED.fivePercent)).toBeCloseTo(5.991, 0);
  });

  it('combine degrees of freedom as Welch and Satterthwaite do', () => {
    const share = (size: number, degrees: number) => ({
      standardUncertaintyJoules: size,
      degreesOfFreedomCount: degrees,
    });
    expect(effectiveDegrees([share(1, 4), share(1, 4)])).toBeCloseTo(8, 9);
    expect(effectiveDegrees([share(1, 4), share(3, Number.POSITIVE_INFINITY)])).toBeCloseTo(400, 9);
    expect(effectiveDegrees([])).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('combine', () => {
  it('adds energies, and uncertainties between their root sum of squares and their sum', () => {
    const [one, two] = [estimate(60), estimate(30)];
    const total = combine([one, two]);
    expect(total.energyJoules).toBeCloseTo(one.energyJoules + two.energyJoules, 12);
    expect(total.uncertaintyJoules).toBeLessThan(one.uncertaintyJoules + two.uncertaintyJoules);
    expect(total.uncertaintyJoules).toBeGreaterThan(
      0.99 * Math.hypot(one.uncertaintyJoules, two.uncertaintyJoules),
    );
    expect(total).toMatchObject({ method: 'combined', resolved: true });
  });

  it('of one is that one', () => {
    const one = estimate();
    expect(combine([one]).uncertaintyJoules).toBeCloseTo(one.uncertaintyJoules, 9);
    expect(combine([one]).method).toBe(one.method);
  });

  it('adds bounds where one has no more than bounds', () => {
    const short = estimateRegion(regular(30, 2), CALIBRATION, { startNs: 5.3e6, endNs: 5.4e6 });
    const total = combine([estimate(), short]);
    expect(total.upperJoules).toBeCloseTo(estimate().upperJoules + short.upperJoules, 12);
    // Nothing beside the other's energy.
    expect(total).toMatchObject({ method: 'combined', resolved: true });
    const long = estimateRegion(regular(30, 40), CALIBRATION, { startNs: 5.1e6, endNs: 6.4e6 });
    expect(long.method).toBe('bound');
    expect(combine([estimate(), long])).toMatchObject({ method: 'bound', resolved: false });
    expect(combine([short, short]).resolved).toBe(false);
    expect(combine([])).toMatchObject({ energyJoules: 0, resolved: false });
  });
});

describe('baselines', () => {
  it('are the mean power between updates', () => {
    const windows = [region, { startNs: 18.2e6, endNs: 25.1e6 }];
    const power = meanPower(regular(30, 20), CALIBRATION, windows);
    expect(power?.powerWatts).toBeCloseTo(20, 9);
    expect(power?.standardUncertaintyWatts).toBeLessThan(0.01);
    expect(meanPower(regular(30), CALIBRATION, [{ startNs: 0, endNs: 5e5 }])).toBeUndefined();
  });

  it('leave what was used above them', () => {
    const idle = { powerWatts: 20, standardUncertaintyWatts: 0.1, degreesOfFreedomCount: 50 };
    const active = overBaseline(estimate(), region, idle, 'active');
    expect(active.energyJoules).toBeCloseTo(40 * 0.0114, 6);
    expect(active.uncertaintyJoules).toBeGreaterThan(1.96 * 0.1 * 0.0114);
    expect(active.resolved).toBe(true);
    const none = overBaseline(estimate(), region, { ...idle, powerWatts: 60.02 }, 'active');
    expect(none).toMatchObject({ resolved: false, lowerJoules: 0 });
    expect(none.upperJoules).toBeGreaterThan(0);
    const marginal = overBaseline(estimate(), region, { ...idle, powerWatts: 65 }, 'marginal');
    expect(marginal.energyJoules).toBeCloseTo(-5 * 0.0114, 6);
    expect(marginal.resolved).toBe(true);
    expect(marginal.flags).not.toContain('below-idle');
  });

  it.each([
    [60.0001, false],
    [60.02, false],
    [65, true],
    [600, true],
  ])('of %d W are never above the machine by nothing, certainly', (powerWatts, isBelowIdle) => {
    const idle = { powerWatts, standardUncertaintyWatts: 0.1, degreesOfFreedomCount: 50 };
    const { resolved, lowerJoules, energyJoules, upperJoules, uncertaintyJoules, flags } = overBaseline(
      estimate(),
      region,
      idle,
      'active',
    );
    expect(resolved).toBe(false);
    expect(lowerJoules).toBe(0);
    expect(energyJoules).toBeGreaterThan(0);
    expect(upperJoules).toBeGreaterThan(energyJoules);
    expect(uncertaintyJoules).toBeGreaterThanOrEqual(upperJoules - energyJoules);
    expect(flags.includes('below-idle')).toBe(isBelowIdle);
  });
});

describe('repetition', () => {
  it('is planned so that the target can be met', () => {
    const plan = repetitionPlan(CALIBRATION, 60, 1e-4, 0.01, 10);
    expect(plan).toMatchObject({ callsPerBatchCount: 30, batchCount: 10, limit: 'period', isFeasible: true });
    const fine = repetitionPlan(CALIBRATION, 1, 1e-4, 0.0001, 10);
    expect(fine.limit).toBe('quantum');
    expect(fine.expectedRatio).toBeLessThan(0.0002);
    expect(repetitionPlan(CALIBRATION, 60, 1, 0.01, 60)).toMatchObject({
      callsPerBatchCount: 1,
      limit: 'one-call',
    });
    expect(repetitionPlan(CALIBRATION, 60, 1e-4, 0.01, 0.01)).toMatchObject({
      limit: 'budget',
      isFeasible: false,
    });
    expect(() => repetitionPlan(CALIBRATION, 0, 1, 1, 1)).toThrow(/powerWatts must be a positive number/);
  });

  it('asks for as many batches as their spread needs', () => {
    expect(batchesNeeded([1, 1, 1], 0.01)).toBe(2);
    expect(batchesNeeded([0.9, 1.1, 0.95, 1.05, 1], 0.01)).toBeGreaterThan(200);
  });

  it('gives the mean of its batches with their spread', () => {
    const batches = [59, 60, 61, 60, 60].map((watts) => ({ estimate: estimate(watts), callCount: 10 }));
    const mean = batchMeans(batches);
    expect(mean.energyJoules).toBeCloseTo(0.06 * 1.14, 6);
    // s = sqrt(1/2) W, t of 4 degrees.
    expect(mean.uncertaintyJoules).toBeCloseTo(((Math.SQRT1_2 * 2.77645) / Math.sqrt(5)) * 0.00114, 5);
    expect(batchMeans(batches.slice(0, 1)).flags).toContain('few-repetitions');
    expect(() => batchMeans([])).toThrow(/at least one batch/);
  });
});

describe('the bootstrap', () => {
  it('repeats with the same numbers, and sees correlation', () => {
    const values = Array.from({ length: 100 }, (_, i) => Math.sin(i / 8));
    const of = (seed: number) => blockBootstrap(values, { random: seeded(seed) });
    expect(of(1)).toEqual(of(1));
    expect(correlationLength(values)).toBeGreaterThan(5);
    expect(of(1).standardDeviation).toBeGreaterThan(
      2 * blockBootstrap(values, { random: seeded(1), blockCount: 50 }).standardDeviation,
    );
    expect(correlationLength([1, 1, 1])).toBe(1);
    expect(() => blockBootstrap([1], { random: seeded(1) })).toThrow(/two values/);
  });
});

describe('a sweep', () => {
  it('spreads its phases', () => {
    const phases = Array.from({ length: 20 }, (_, i) => sweepPhase(i)).sort((a, b) => a - b);
    const gaps = phases.slice(1).map((phase, i) => phase - (phases[i] ?? 0));
    expect(Math.max(...gaps)).toBeLessThan(0.1);
  });

  it('does not find that a call takes nothing, where it seems to take less', () => {
    const calls = Array.from({ length: 20 }, (_, i) => ({
      startNs: (3 * i + 2 + sweepPhase(i)) * 1e6,
      endNs: (3 * i + 2 + sweepPhase(i)) * 1e6 + 10,
    }));
    let joules = 0;
    const updates = regular(70).map((update, i) => {
      joules += i % 3 === 0 && i > 0 && i < 62 ? 0.059 : 0.06;
      return { ...update, joules };
    });
    const found = phaseSweep(updates, CALIBRATION, calls);
    expect(found).toMatchObject({ resolved: false, lowerJoules: 0 });
    expect(found.upperJoules).toBeGreaterThanOrEqual(CALIBRATION.quantumJoules / 20);
    expect(found.energyJoules).toBeGreaterThan(0);
    expect(found.energyJoules).toBeLessThan(found.upperJoules);
  });

  it('says when calls stand at one phase, are few, or cannot be told from what is around them', () => {
    const calls = Array.from({ length: 5 }, (_, i) => ({
      startNs: (3 * i + 2.2) * 1e6,
      endNs: (3 * i + 2.3) * 1e6,
    }));
    const sweep = phaseSweep(regular(30), CALIBRATION, calls);
    expect(sweep.flags).toEqual(expect.arrayContaining(['phases-not-spread', 'few-repetitions']));
    expect(sweep).toMatchObject({ resolved: false, lowerJoules: 0, callCount: 5 });
    expect(sweep.upperJoules).toBeGreaterThan(0.006);
    const nothing = phaseSweep([], CALIBRATION, calls);
    expect(nothing.resolved).toBe(false);
    expect(Number.isFinite(nothing.upperJoules)).toBe(true);
    expect(() => phaseSweep([], CALIBRATION, [])).toThrow(/needs calls/);
  });
});

describe('a comparison', () => {
  const block = (a: number, b: number, wobble: number): PairBlock => ({
    aJoules: [a + wobble, a - wobble / 2],
    bJoules: [b, b + wobble / 3],
  });
  const blocks = (a: number, b: number, count = 10): PairBlock[] =>
    Array.from({ length: count }, (_, i) => block(a, b, 0.02 * Math.sin(1 + 7 * i)));

  it('finds an effect and says it in words', () => {
    const found = comparePairs(blocks(0.88, 1));
    expect(found.resolved).toBe(true);
    expect(found.verdict).toMatch(/^a uses 1[12]\.\d+ % ± 0\.\d+ % less than b$/);
    expect(found.ratio).toBeCloseTo(0.88, 2);
    expect(found.differenceJoules).toBeCloseTo(-0.12, 2);
    expect(comparePairs(blocks(1, 0.5), { names: ['new', 'old'] }).verdict).toMatch(
      /^new uses .* more than old$/,
    );
  });

  it('is the same the other way round', () => {
    const [there, back] = [
      comparePairs(blocks(0.88, 1)),
      comparePairs(blocks(0.88, 1).map(({ aJoules, bJoules }) => ({ aJoules: bJoules, bJoules: aJoules }))),
    ];
    expect(there.ratio * back.ratio).toBeCloseTo(1, 12);
    expect(there.lowerRatio * back.upperRatio).toBeCloseTo(1, 12);
  });

  it('does not resolve what is within the noise, or too few blocks', () => {
    expect(comparePairs(blocks(1, 1.0005)).verdict).toMatch(/^not resolved: a and b differ by less than/);
    expect(comparePairs(blocks(0.5, 1, 5)).verdict).toMatch(/^not resolved: 5 blocks/);
    expect(() => comparePairs(blocks(1, 1, 1))).toThrow(/two blocks/);
    expect(() => comparePairs(blocks(1, 1, 20))).toThrow(/random numbers/);
    const same = comparePairs(Array.from({ length: 8 }, () => block(1, 1, 0)));
    expect(same).toMatchObject({ resolved: false, studentChanceRatio: 1, signFlipChanceRatio: 1 });
  });

  it.each([
    [-1, 0.001, 'less'],
    [1, -0.001, 'more'],
    [1, 0, 'more'],
    [-1, -2, 'more'],
  ])('has a difference of %d and %d, and no ratio', (a, b, direction) => {
    const found = comparePairs(blocks(a, b));
    for (const one of [found.ratio, found.lowerRatio, found.upperRatio]) expect(one).toBeNaN();
    expect(found.differenceJoules).toBeCloseTo(a - b, 1);
    expect(found).toMatchObject({ resolved: true, verdict: `a uses ${direction} than b` });
    expect(comparePairs(blocks(0.88, 1), { selfBlocks: blocks(a, b) }).verdict).toMatch(
      /against itself differs,/,
    );
  });

  it('believes nothing on a machine that differs from itself', () => {
    const found = comparePairs(blocks(0.88, 1), { selfBlocks: blocks(0.95, 1) });
    expect(found.selfCheck?.resolved).toBe(true);
    expect(found).toMatchObject({ resolved: false });
    expect(found.verdict).toMatch(/against itself differs by/);
    expect(comparePairs(blocks(0.88, 1), { selfBlocks: blocks(1, 1.0005) }).resolved).toBe(true);
  });

  it('draws orders by chance', () => {
    const random = seeded(1);
    const orders = Array.from({ length: 100 }, () => blockOrder(random));
    expect(orders.filter((order) => order === 'ABBA').length).toBeGreaterThan(30);
    expect(orders.filter((order) => order === 'BAAB').length).toBeGreaterThan(30);
  });
});
