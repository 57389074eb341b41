// SPDX-License-Identifier: MIT
//
// Energies as harnesses write their figures.
import { formatSignificant } from '../core/numbers.js';
import { joulesInWords } from '../kernel/words.js';
import type { EnergyEstimate } from '../precision/types.js';
import type { BenchmarkEnergy, KnownEnergy } from './energy.js';

const DIGITS = 3;

/** `4.51 µJ` */
export const amount = (joules: number): string => joulesInWords(joules, DIGITS);

/** Half the width of the 95 % interval, as harnesses write relative margins of error: `1.60%`. */
export function marginOf({ uncertaintyJoules, energyJoules }: EnergyEstimate): string {
  return `${((100 * uncertaintyJoules) / energyJoules).toFixed(2)}%`;
}

/** What must stand beside a figure: that it was not measured, or not all of it. Mostly nothing. */
export function remarkOf(energy: KnownEnergy, part: EnergyEstimate = energy.total): string {
  if (energy.kind !== 'measured') return energy.kind;
  if (energy.missing.length === 0) return '';
  // Bounds are of what was counted.
  return part.resolved ? 'at least' : 'in part';
}

/** Whether there is one figure, of a call in all or of another part of it, and not only bounds. */
export function hasFigure({ kind, total }: KnownEnergy, part: EnergyEstimate = total): boolean {
  return part.resolved || kind !== 'measured';
}

/** Bounds where there is no figure: `< 0.31 µJ`, or `1.2 µJ … 3.4 µJ`. */
export function boundsOf({ lowerJoules, upperJoules }: EnergyEstimate, write = amount): string {
  const upper = write(Math.max(0, upperJoules));
  return lowerJoules > 0 ? `${write(lowerJoules)} … ${upper}` : `< ${upper}`;
}

/** `20.1 W`, the machine's while the operation ran; `n/a` where the energy has no figure. */
export function powerOf(energy: BenchmarkEnergy): string {
  const watts = powerWatts(energy);
  return watts === undefined ? 'n/a' : `${formatSignificant(watts, DIGITS)} W`;
}

export function powerWatts(energy: BenchmarkEnergy): number | undefined {
  if (energy.kind === 'absent' || !hasFigure(energy)) return undefined;
  return energy.total.energyJoules / energy.callSeconds;
}
