// SPDX-License-Identifier: MIT
//
// The estimators against a counter of which the truth is known. `npm run simulate` does the same with more trials.
import { describe, expect, it } from 'vitest';
import { RATES } from './rates.js';
import { REGIMES, shortcomings, slackOf } from './regimes.js';
import { simulate, simulateRate } from './simulate.js';

const TRIALS = 400;

describe.each([...new Set(REGIMES.map(({ group }) => group))])('%s', (group) => {
  const regimes = REGIMES.filter((regime) => regime.group === group);
  it.each(regimes.map((regime) => [regime.name, regime] as const))('%s', (_name, regime) => {
    expect(shortcomings(regime, simulate(regime, TRIALS))).toEqual([]);
  });
});

describe('how often', () => {
  const slack = slackOf(TRIALS);
  it.each(RATES.map((rate) => [rate.name, rate] as const))('%s', (_name, rate) => {
    const [lower, upper] = rate.limits;
    const found = simulateRate(rate, TRIALS);
    expect(found).toBeGreaterThanOrEqual(lower - slack(lower));
    expect(found).toBeLessThanOrEqual(upper + slack(upper));
  });
});

describe('the naive way', () => {
  it('is as wrong as the simulation of it says it must be', () => {
    // -(P1 - P0) / P1 x T / 2 L = -1/4 x 1 / 10.37 for the mean, so the virtual counter is the one of the formulas.
    const regime = REGIMES.find(
      ({ group, name }) => group.includes('period 1 ms') && name === '10.37 periods',
    );
    if (regime === undefined) throw new Error('no such regime');
    const { naiveBiasRatio = 0, naiveRmsRatio = 0 } = simulate(regime, 4000);
    expect(naiveBiasRatio).toBeGreaterThan(-0.0262);
    expect(naiveBiasRatio).toBeLessThan(-0.0218);
    expect(naiveRmsRatio).toBeGreaterThan(0.036);
  });
});
