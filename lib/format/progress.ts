// SPDX-License-Identifier: MIT
import { formatEnergy, formatMass, formatPower } from '../core/numbers.js';
import { joulesToKwh } from '../core/units.js';
import type { Kind } from '../core/vocabulary.js';

/** What a run has used so far. */
export interface Progress {
  durationSeconds: number;
  energyJoules: number;
  /** The worst that went into it. */
  kind: Kind;
  /** True when a part that is known to be there could not be read. */
  atLeast: boolean;
}

const SECONDS_PER_MINUTE = 60;
const MINUTES_PER_HOUR = 60;

/** `42 s`, `3 min 05 s`, `2 h 07 min`. */
function elapsed(durationSeconds: number): string {
  const seconds = Math.floor(durationSeconds);
  const minutes = Math.floor(seconds / SECONDS_PER_MINUTE);
  const two = (count: number): string => String(count).padStart(2, '0');
  if (minutes === 0) return `${seconds} s`;
  if (minutes < MINUTES_PER_HOUR) return `${minutes} min ${two(seconds % SECONDS_PER_MINUTE)} s`;
  return `${Math.floor(minutes / MINUTES_PER_HOUR)} h ${two(minutes % MINUTES_PER_HOUR)} min`;
}

/**
 * A run so far, in one line: time, energy, mean power, emissions.
 * @param gramsPerKwh of all the energy: carbon intensity times PUE
 */
export function formatProgress(
  { durationSeconds, energyJoules, kind, atLeast }: Progress,
  gramsPerKwh: number,
): string {
  const parts = [
    elapsed(durationSeconds),
    `${atLeast ? 'at least ' : ''}${formatEnergy(energyJoules)} ${kind}`,
    ...(durationSeconds > 0 ? [`mean ${formatPower(energyJoules / durationSeconds)}`] : []),
    `${formatMass(joulesToKwh(energyJoules) * gramsPerKwh)} CO2eq`,
  ];
  return parts.join(', ');
}
