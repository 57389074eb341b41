// SPDX-License-Identifier: MIT
import { seeded } from './random.js';
import type { Rate } from './rates.js';
import type { Regime } from './regimes.js';
import { type Summary, summarise } from './tally.js';

/** A seed of its own for every name, so that regimes can be run one by one. */
function seedOf(name: string, seed: number): number {
  let hash = seed;
  for (const character of name) {
    hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193) ^ (hash >>> 15);
  }
  return hash;
}

export function simulate(regime: Regime, trialCount: number, seed = 1): Summary {
  const random = seeded(seedOf(`${regime.group} ${regime.name}`, seed));
  return summarise(Array.from({ length: trialCount * (regime.trialFactor ?? 1) }, () => regime.run(random)));
}

export function simulateRate(rate: Rate, trialCount: number, seed = 1): number {
  const random = seeded(seedOf(rate.name, seed));
  let count = 0;
  for (let trial = 0; trial < trialCount; ++trial) count += rate.run(random) ? 1 : 0;
  return count / trialCount;
}
