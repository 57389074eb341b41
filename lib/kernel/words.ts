// SPDX-License-Identifier: MIT
//
// Energies in words.
import { formatSignificant } from '../core/numbers.js';
import type { EnergyEstimate } from '../precision/types.js';

const PREFIXES: readonly [number, string][] = [
  [1, 'J'],
  [1e-3, 'mJ'],
  [1e-6, 'µJ'],
  [1e-9, 'nJ'],
  [1e-12, 'pJ'],
];

function scaleOf(joules: number): readonly [number, string] {
  return PREFIXES.find(([size]) => Math.abs(joules) >= size) ?? [1e-12, 'pJ'];
}

export function joulesInWords(joules: number, digits = 3): string {
  const [size, unit] = scaleOf(joules);
  return `${formatSignificant(joules / size, digits)} ${unit}`;
}

/** `6.04 mJ ± 0.05 mJ`; what is not resolved, by its bounds. */
export function energyInWords(estimate: EnergyEstimate): string {
  const { energyJoules, uncertaintyJoules, upperJoules, lowerJoules, resolved } = estimate;
  if (!resolved) {
    return lowerJoules > 0
      ? `not resolved, between ${joulesInWords(lowerJoules)} and ${joulesInWords(upperJoules)}`
      : `below the noise, at most ${joulesInWords(Math.max(0, upperJoules))}`;
  }
  const [size, unit] = scaleOf(energyJoules);
  const half = uncertaintyJoules / size;
  // As many decimals as the uncertainty's second digit has.
  const decimals = half > 0 ? Math.min(6, Math.max(0, 1 - Math.floor(Math.log10(half)))) : 3;
  return `${(energyJoules / size).toFixed(decimals)} ${unit} ± ${half.toFixed(decimals)} ${unit}`;
}

export function secondsInWords(seconds: number): string {
  const [size, unit] =
    seconds >= 1 ? [1, 's'] : seconds >= 1e-3 ? [1e-3, 'ms'] : seconds >= 1e-6 ? [1e-6, 'µs'] : [1e-9, 'ns'];
  return `${formatSignificant(seconds / (size as number), 3)} ${unit}`;
}
