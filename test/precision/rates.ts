// SPDX-License-Identifier: MIT
//
// How often a statement about many values is made or true.
import { blockBootstrap } from '../../lib/precision/bootstrap.js';
import { comparePairs, type PairBlock } from '../../lib/precision/compare.js';
import { normal, type Random } from './random.js';

export interface Rate {
  name: string;
  /** Where the rate must lie. */
  limits: readonly [lower: number, upper: number];
  run: (random: Random) => boolean;
}

/** Blocks of two things, the second a part dearer, on a machine that gets warmer all the time. */
function blocks(count: number, effect: number, random: Random): PairBlock[] {
  return Array.from({ length: count }, (_, block) => {
    const run = (place: number, factor: number): number =>
      factor * (1 + 0.005 * (4 * block + place) + 0.02 * normal(random));
    const [dear, cheap] = [1 + effect, 1];
    return random() < 0.5
      ? { aJoules: [run(0, cheap), run(3, cheap)], bJoules: [run(1, dear), run(2, dear)] }
      : { aJoules: [run(1, cheap), run(2, cheap)], bJoules: [run(0, dear), run(3, dear)] };
  });
}

function correlated(count: number, rho: number, random: Random): number[] {
  let now = normal(random) / Math.sqrt(1 - rho * rho);
  return Array.from({ length: count }, () => {
    const value = 10 + now;
    now = rho * now + normal(random);
    return value;
  });
}

export const RATES: readonly Rate[] = [
  ...[8, 12, 20].map(
    (count): Rate => ({
      name: `a against a found different, ${count} blocks`,
      limits: [0.03, 0.07],
      run: (random) => comparePairs(blocks(count, 0, random), { random }).resolved,
    }),
  ),
  ...[8, 20].map(
    (count): Rate => ({
      name: `interval of the ratio covers a 5 % effect, ${count} blocks`,
      limits: [0.93, 0.97],
      run: (random) => {
        const { lowerRatio, upperRatio } = comparePairs(blocks(count, 0.05, random), { random });
        return lowerRatio <= 1 / 1.05 && 1 / 1.05 <= upperRatio;
      },
    }),
  ),
  {
    name: 'a 5 % effect found, 12 blocks of 2 % noise',
    limits: [0.95, 1],
    run: (random) => comparePairs(blocks(12, 0.05, random), { random }).resolved,
  },
  ...(
    [
      [50, 0],
      [100, 0.5],
      [400, 0.8],
    ] as const
  ).map(
    ([count, rho]): Rate => ({
      name: `bootstrap covers the mean of ${count} values, neighbours correlated by ${rho}`,
      limits: [0.93, 0.985],
      run: (random) => {
        const [lower, upper] = blockBootstrap(correlated(count, rho, random), {
          random,
          resampleCount: 200,
        }).interval;
        return lower <= 10 && 10 <= upper;
      },
    }),
  ),
];
