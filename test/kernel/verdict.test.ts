// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { meanOfBatches, told } from '../../lib/kernel/batches.js';
import { uninterrupted } from '../../lib/kernel/sweep.js';
import { perCall, timeDrift } from '../../lib/kernel/verdict.js';
import { energyInWords, joulesInWords, secondsInWords } from '../../lib/kernel/words.js';
import { component } from '../../lib/precision/interval.js';
import type { EnergyEstimate, Method } from '../../lib/precision/types.js';
import { normal, seeded } from '../precision/random.js';

function estimate(energyJoules: number, half = 0.1, method: Method = 'inside-slope'): EnergyEstimate {
  return {
    energyJoules,
    uncertaintyJoules: half,
    standardUncertaintyJoules: half / 2,
    lowerJoules: energyJoules - half,
    upperJoules: energyJoules + half,
    confidenceRatio: 0.95,
    method,
    components: [component('quantisation', half / 2)],
    resolved: energyJoules >= half && method !== 'bound',
    flags: [],
  };
}

describe('an estimate for one call', () => {
  it('is that of many, each figure divided', () => {
    const one = perCall(estimate(8, 2), 4);
    expect(one).toMatchObject({
      energyJoules: 2,
      uncertaintyJoules: 0.5,
      lowerJoules: 1.5,
      upperJoules: 2.5,
    });
    expect(one.components[0]?.standardUncertaintyJoules).toBe(0.25);
    expect(perCall(perCall(estimate(8, 2), 4), 1 / 4)).toEqual(estimate(8, 2));
  });
});

describe('the drift of the time of a call', () => {
  it('compares the last third with the first', () => {
    expect(timeDrift([1, 1, 1, 1, 1, 1])).toBe(0);
    expect(timeDrift([1, 1, 5, 5, 2, 2])).toBeCloseTo(1);
    expect(timeDrift([2, 2, 1, 1, 1, 1])).toBeCloseTo(-0.5);
    expect(timeDrift([1, 9])).toBeUndefined();
  });
});

describe('words for energies', () => {
  it('have the unit that fits and as many digits as are known', () => {
    expect(energyInWords(estimate(6.0432e-3, 5.1e-5))).toBe('6.043 mJ ± 0.051 mJ');
    expect(energyInWords(estimate(12.3, 2.4))).toBe('12.3 J ± 2.4 J');
    expect(joulesInWords(3.2e-9)).toBe('3.20 nJ');
    expect(joulesInWords(4e-7)).toBe('400 nJ');
    expect(secondsInWords(1.01e-4)).toBe('101 µs');
    expect(secondsInWords(2.5)).toBe('2.50 s');
    expect(secondsInWords(4e-9)).toBe('4.00 ns');
  });

  it('never print what is not resolved as a value', () => {
    const unknown = { ...estimate(1, 3, 'bound'), lowerJoules: 0, upperJoules: 4 };
    expect(energyInWords(unknown)).toBe('below the noise, at most 4.00 J');
    expect(energyInWords({ ...unknown, lowerJoules: 0.5 })).toBe('not resolved, between 500 mJ and 4.00 J');
  });
});

describe('calls of a sweep', () => {
  const calls = (...seconds: number[]) =>
    seconds.map((length, i) => ({
      startNs: i * 1e9,
      endNs: (i + length) * 1e9,
      cpuSeconds: length,
      wasInterrupted: length > 0.2,
    }));

  it('that took long while the process was put aside are left out, if they are few', () => {
    const few = calls(...Array.from({ length: 20 }, () => 0.1), 0.5, 0.25);
    expect(uninterrupted(few)).toEqual([...few.slice(0, 20), few[21]]);
    const many = calls(...Array.from({ length: 20 }, () => 0.1), 0.5, 0.5, 0.5);
    expect(uninterrupted(many)).toEqual(many);
    const own = few.map((call) => ({ ...call, wasInterrupted: false }));
    expect(uninterrupted(own)).toEqual(own);
    expect(uninterrupted([])).toEqual([]);
  });
});

describe('batches', () => {
  const batch = (method: Method) => ({ estimate: estimate(1, 0.1, method), callCount: 1 });
  const some = (count: number, method: Method) => Array.from({ length: count }, () => batch(method));

  it('of which only bounds are known are left out, if enough others are there', () => {
    expect(told([...some(6, 'inside-slope'), ...some(5, 'bound')])).toHaveLength(6);
    expect(told([...some(6, 'inside-slope'), ...some(7, 'bound')])).toHaveLength(13);
    expect(told([...some(4, 'inside-slope'), ...some(1, 'bound')])).toHaveLength(5);
  });

  it('that resemble their neighbours have the wider interval of the block bootstrap', () => {
    const random = seeded(7);
    let level = 0;
    const correlated = Array.from({ length: 60 }, () => {
      level = 0.9 * level + normal(random);
      return { estimate: estimate(100 + level), callCount: 1 };
    });
    const plain = meanOfBatches(
      correlated
        .toSorted((a, b) => a.estimate.energyJoules - b.estimate.energyJoules)
        .filter((_, i) => i < 15),
      random,
    );
    expect(plain.flags).not.toContain('correlated');
    const mean = meanOfBatches(correlated, random);
    expect(mean.flags).toContain('correlated');
    const spread = Math.sqrt(
      correlated.reduce((sum, { estimate: one }) => sum + (one.energyJoules - mean.energyJoules) ** 2, 0) /
        59,
    );
    expect(mean.uncertaintyJoules).toBeGreaterThan((1.5 * 2 * spread) / Math.sqrt(60));
  });
});
