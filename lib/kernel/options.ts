// SPDX-License-Identifier: MIT
import { MicrojouleError } from '../core/errors.js';
import { meterOptionsOf } from '../meter/options.js';
import type { MeasureEnergyOptions } from './types.js';

const TARGET_RATIO = 0.01;
const BUDGET_SECONDS = 3;

function positive(name: string, value: number | undefined, fallback: number): number {
  if (value === undefined) return fallback;
  if (typeof value === 'number' && value > 0 && Number.isFinite(value)) return value;
  throw new MicrojouleError(
    'ERR_BAD_OPTION',
    `${name}: a number above 0 expected, received ${String(value)}`,
    {
      hint: `Leave ${name} out for ${fallback}.`,
    },
  );
}

export function checkFunction(fn: unknown, what: string): void {
  if (typeof fn === 'function') return;
  throw new MicrojouleError('ERR_BAD_OPTION', `${what}: a function expected, received ${String(fn)}`, {
    hint: 'Pass what is to be measured as a function without calling it: measureEnergy(() => work()).',
  });
}

export interface Resolved {
  name: string;
  targetRatio: number;
  budgetSeconds: number;
  random: () => number;
}

/** @throws MicrojouleError `ERR_BAD_OPTION` */
export function resolveOptions<Input>(
  fn: { name: string },
  options: MeasureEnergyOptions<Input>,
  budgetSeconds = BUDGET_SECONDS,
): Resolved {
  if (options.setup !== undefined) checkFunction(options.setup, 'setup');
  // A meter of one's own was opened with them already.
  const own = Object.keys(meterOptionsOf(options));
  if (options.meter !== undefined && own.length > 0) {
    throw new MicrojouleError(
      'ERR_BAD_OPTION',
      `${own.join(', ')}: has no effect on the meter that was given`,
      {
        hint: 'Give these options to openMeter(), or leave meter out.',
      },
    );
  }
  return {
    name: options.name ?? (fn.name || 'the function'),
    targetRatio: positive('targetRatio', options.targetRatio, TARGET_RATIO),
    budgetSeconds: positive('budgetSeconds', options.budgetSeconds, budgetSeconds),
    random: options.random ?? Math.random,
  };
}
