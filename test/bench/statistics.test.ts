// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { compareTo } from '../../lib/bench/compare.js';
import { energiesOf, meanIfKnown, outliersOf, type Sample, timesOf } from '../../lib/bench/statistics.js';
import type { BenchSummary } from '../../lib/bench/types.js';
import { estimateOf, normalFrom, randomFrom } from './fixtures.js';

const ROUNDS = 400;
const IDLE_WATTS = 30;
const MEAN_SECONDS = 0.1;

const random = randomFrom(17);
const normal = normalFrom(random);

/** Runs whose time scatters by 5 % and whose power above idle by 2 %. */
function runs(watts: number, count: number): Sample[] {
  return Array.from({ length: count }, (_, round) => {
    const seconds = MEAN_SECONDS * (1 + 0.05 * normal());
    const joules = IDLE_WATTS * seconds + watts * seconds * (1 + 0.02 * normal());
    return { round, seconds, estimate: estimateOf(joules, 1e-3) };
  });
}

/** How often something holds, of all rounds. */
function share(test: () => boolean): number {
  let count = 0;
  for (let i = 0; i < ROUNDS; ++i) if (test()) count += 1;
  return count / ROUNDS;
}

const holds = ({ lower = Number.NaN, upper = Number.NaN }: BenchSummary, truth: number): boolean =>
  lower <= truth && truth <= upper;

/** The idle power as it was measured: wrong by as much as it says. */
const idlePower = () => ({
  powerWatts: IDLE_WATTS + 0.2 * normal(),
  standardUncertaintyWatts: 0.2,
  degreesOfFreedomCount: 100,
});

describe('stated intervals', () => {
  // 95 % less what 400 rounds scatter by, three sigma.
  const LEAST = 0.95 - 3 * Math.sqrt((0.95 * 0.05) / ROUNDS);

  it.each([3, 10, 30])('of %d runs hold the truth as often as they say', (count) => {
    const tally = { time: 0, energy: 0, above: 0, power: 0 };
    for (let i = 0; i < ROUNDS; ++i) {
      const samples = runs(10, count);
      const { energy, aboveIdle, power } = energiesOf(samples, {
        shell: undefined,
        idle: idlePower(),
        random,
      });
      tally.time += holds(timesOf(samples.map(({ seconds }) => seconds)), MEAN_SECONDS) ? 1 : 0;
      tally.energy += holds(energy, 40 * MEAN_SECONDS) ? 1 : 0;
      tally.power += holds(power, 40) ? 1 : 0;
      // Of these very runs: how long they took is no error of the energy's.
      tally.above += aboveIdle !== undefined && holds(aboveIdle, 10 * MEAN_SECONDS) ? 1 : 0;
    }
    for (const [name, value] of Object.entries(tally)) expect(value / ROUNDS, name).toBeGreaterThan(LEAST);
  });

  it.each([
    [10, true],
    [8, true],
    [10, false],
  ])('of ratios from %d runs (in turn: %s) hold the truth, and tell 10 W from 20 W', (count, isInterleaved) => {
    let [total, above, resolved] = [0, 0, 0];
    for (let i = 0; i < ROUNDS; ++i) {
      const idle = idlePower();
      const contestant = (name: string, watts: number) => {
        const samples = runs(watts, count);
        return { name, samples, isTold: samples.map(() => true) };
      };
      const found = compareTo(contestant('a', 10), contestant('b', 20), isInterleaved, {
        shell: undefined,
        idle,
        random,
      });
      if (found?.aboveIdle === undefined) throw new Error('there is no comparison');
      total += found.energy.lowerRatio <= 50 / 40 && 50 / 40 <= found.energy.upperRatio ? 1 : 0;
      above += found.aboveIdle.lowerRatio <= 2 && 2 <= found.aboveIdle.upperRatio ? 1 : 0;
      resolved += found.aboveIdle.isResolved ? 1 : 0;
    }
    expect(total / ROUNDS).toBeGreaterThan(LEAST);
    expect(above / ROUNDS).toBeGreaterThan(LEAST);
    expect(resolved / ROUNDS).toBeGreaterThan(0.99);
  });

  it('tell a command from itself in one of twenty, no more', () => {
    const wrong = share(() => {
      const idle = idlePower();
      const contestant = (name: string) => {
        const samples = runs(10, 10);
        return { name, samples, isTold: samples.map(() => true) };
      };
      return (
        compareTo(contestant('a'), contestant('b'), true, { shell: undefined, idle, random })?.energy
          .isResolved === true
      );
    });
    expect(wrong).toBeLessThan(1 - LEAST);
  });

  it('are wider by what all runs have in common', () => {
    const samples = runs(10, 10);
    const shell = {
      joules: 0.1,
      standardUncertaintyJoules: 0.5,
      standardUncertaintySeconds: 0,
      degreesOfFreedomCount: 4,
    };
    const alone = energiesOf(samples, { shell: undefined, idle: undefined, random }).energy;
    const { energy } = energiesOf(samples, { shell, idle: undefined, random });
    const width = ({ lower = 0, upper = 0 }: BenchSummary): number => upper - lower;
    expect(energy.mean).toBe(alone.mean);
    expect(width(energy)).toBeGreaterThan(2 * 1.96 * 0.5);
  });
});

describe('the shell', () => {
  const LEAST = 0.95 - 3 * Math.sqrt((0.95 * 0.05) / ROUNDS);
  const SHELL = {
    seconds: 0.05,
    joules: 2,
    standardUncertaintySeconds: 0.005,
    standardUncertaintyJoules: 0.05,
  };

  it.each([
    true,
    false,
  ])('is as uncertain in time, power and their ratios as it is (in turn: %s)', (isInterleaved) => {
    const tally = { time: 0, power: 0, duration: 0, alone: 0 };
    for (let i = 0; i < ROUNDS; ++i) {
      const errors = {
        seconds: SHELL.standardUncertaintySeconds * normal(),
        joules: SHELL.standardUncertaintyJoules * normal(),
      };
      const shell = { ...SHELL, degreesOfFreedomCount: 100 };
      // What was taken off is wrong by as much in all runs of both.
      const contestant = (name: string, factor: number) => {
        const samples = Array.from({ length: 10 }, (_, round) => {
          const seconds = factor * MEAN_SECONDS * (1 + 0.005 * normal());
          return {
            round,
            seconds: seconds + errors.seconds,
            estimate: estimateOf(40 * seconds + errors.joules, 1e-3),
          };
        });
        return { name, samples, isTold: samples.map(() => true) };
      };
      const [a, b] = [contestant('a', 1), contestant('b', 3)];
      const times = a.samples.map(({ seconds }) => seconds);
      const { power } = energiesOf(a.samples, { shell, idle: undefined, random });
      const found = compareTo(a, b, isInterleaved, { shell, idle: undefined, random });
      const { lowerRatio = 0, upperRatio = 0 } = found?.duration ?? {};
      tally.time += holds(timesOf(times, shell), MEAN_SECONDS) ? 1 : 0;
      tally.alone += holds(timesOf(times), MEAN_SECONDS) ? 1 : 0;
      tally.power += holds(power, 40) ? 1 : 0;
      tally.duration += lowerRatio <= 3 && 3 <= upperRatio ? 1 : 0;
    }
    const { alone, ...told } = tally;
    for (const [name, value] of Object.entries(told)) expect(value / ROUNDS, name).toBeGreaterThan(LEAST);
    expect(alone / ROUNDS).toBeLessThan(0.5);
  });
});

describe('very many runs', () => {
  it('are no more than a call can take', () => {
    const count = 200_000;
    const seconds = Array.from({ length: count }, (_, i) => 1 + (i % 7));
    expect(timesOf(seconds)).toMatchObject({ min: 1, max: 7 });
  });
});

describe('a single run', () => {
  it('has no standard deviation', () => {
    expect(timesOf([1])).not.toHaveProperty('standardDeviation');
    const { energy, power } = energiesOf(runs(10, 1), { shell: undefined, idle: undefined, random });
    for (const one of [energy, power]) expect(one).not.toHaveProperty('standardDeviation');
  });
});

describe('outliers', () => {
  it.each([
    [[1, 1, 1, 1, 1, 9], [5]],
    [[1, 1.01, 0.99, 1.02, 0.98, 1], []],
    [[1, 1, 1, 1, 1.04], []],
    [
      [5, 1.01, 0.99, 1.02, 0.98, 0.1],
      [0, 5],
    ],
    [[1, 9], []],
  ])('of %j: %j', (values, places) => {
    expect(outliersOf(values)).toEqual(places);
  });
});

describe('a mean of what is known', () => {
  it('is not known where a part is not', () => {
    expect(meanIfKnown([1, 2, 3])).toBe(2);
    expect(meanIfKnown([1, undefined])).toBeUndefined();
    expect(meanIfKnown([])).toBeUndefined();
  });
});
