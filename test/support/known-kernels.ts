// SPDX-License-Identifier: MIT
//
// Two kernels of known energy, for the plug-ins of harnesses.
import { expect } from 'vitest';
import type { KnownEnergy } from '../../lib/harness/energy.js';
import { TELL } from './kernel-machine.js';

export interface Told {
  energy: KnownEnergy;
  truthJoules: number;
}
/** By the kernels' names. */
export type Try = Record<'short' | 'long', Told>;

const TRIES = 3;

/**
 * For scripts: measures both kernels up to three times.
 * @param body of an async function of `kernels`, functions by name, that returns energies by name
 */
export function knownKernels(body: string): string {
  return `${TELL}
    const measure = async (kernels) => { ${body} };
    const tries = [];
    for (let i = 0; i < ${TRIES}; ++i) {
      const told = { short: tell(load.kernel(0.3)), long: tell(load.kernel(1.5)) };
      // Harnesses ask a function for its number of arguments.
      const energies = await measure({ short: () => told.short.told(), long: () => told.long.told() });
      const one = {};
      for (const [name, { truth }] of Object.entries(told)) {
        one[name] = { energy: energies[name], truthJoules: truth(energies[name]).total };
      }
      tries.push(one);
      // As good as it gets: the next would say the same.
      const isGood = ({ energy: { total }, truthJoules }) =>
        Math.abs(total.energyJoules / truthJoules - 1) < 0.01 &&
        total.lowerJoules <= truthJoules && truthJoules <= total.upperJoules;
      if (Object.values(one).every(isGood)) break;
    }
    return tries;`;
}

/** That of each kernel a try is within 5 %, and the stated interval of one holds the truth. */
export function expectKnown(tries: readonly Try[]): void {
  for (const name of ['short', 'long'] as const) {
    const all = tries.map((one) => one[name]);
    const seen = JSON.stringify(all.map(({ energy, truthJoules }) => [energy.summary, truthJoules]));
    const errors = all.map(({ energy, truthJoules }) =>
      Math.abs(energy.total.energyJoules / truthJoules - 1),
    );
    expect(Math.min(...errors), seen).toBeLessThan(0.05);
    const held = all.filter(
      ({ energy: { total }, truthJoules }) =>
        total.lowerJoules <= truthJoules && truthJoules <= total.upperJoules,
    );
    expect(held.length, seen).toBeGreaterThanOrEqual(1);
    for (const { energy } of all) {
      expect(energy.kind).toBe('measured');
      expect(energy.provenance).toMatchObject({ source: 'perf', method: 'batches' });
      expect(energy.name).toBe(name);
    }
  }
}

/** Whether the last try has figures to write, and not bounds alone: the machine may keep everything waiting. */
export function hasFigures(tries: readonly Try[]): boolean {
  const last = tries.at(-1);
  return last !== undefined && Object.values(last).every(({ energy }) => energy.total.resolved);
}
