// SPDX-License-Identifier: MIT
//
// What a counter of a described machine can have counted between two readings.
import type { Reading } from '../../lib/meter/reading.js';
import type { VirtualMachine } from '../support/virtual-machine.js';
import type { Meter } from './description.js';
import { joulesBetween } from './model.js';

/** powercap's unit of server memory against the true one: 15300 nJ for 2^-16 J. */
const KERNEL_DRAM_RATIO = 15_300e-9 * 2 ** 16;

/** The longest time from one update to the next: a period, and jitter on both. It is a sum of 12, so at most 6 of its sd. */
export function longestUpdateNs({ updateNs, jitterNs }: Meter): bigint {
  return updateNs + 12n * jitterNs;
}

/** The meters of this name, one or several parts: `package-0-die-1`, `core-0` of `core-0-0` and `core-0-1`. */
export function getMeters(machine: VirtualMachine, name: string): Meter[] {
  const exact = machine.description.meters.get(name);
  if (exact !== undefined) return [exact];
  const [, domain = '', device = ''] = /^(\w+)-(\d+)$/.exec(name) ?? [];
  return machine.meters(domain, Number(device));
}

/** By how much more than the truth the kernel prints of a zone, for good: 1 almost everywhere. */
export function extraRatio({ description }: VirtualMachine, id: string): number {
  const zone = description.zones.find(({ folder }) => id === `powercap:${folder}`);
  return zone?.unitNj === 15_300n && zone.meter.esu === 16n ? KERNEL_DRAM_RATIO : 1;
}

/** A range of energies, in joules. */
export interface Possible {
  least: number;
  most: number;
}

/**
 * What meters can have counted between two readings: their true energy, within one update, one count and the noise at
 * each end.
 */
export function possibleJoules(
  machine: VirtualMachine,
  meters: readonly Meter[],
  from: Reading,
  to: Reading,
): Possible {
  const epochNs = machine.epochNs();
  const possible = { least: 0, most: 0 };
  for (const meter of meters) {
    const joules = (fromNs: bigint, toNs: bigint) => joulesBetween(meter, fromNs - epochNs, toNs - epochNs);
    const updateNs = longestUpdateNs(meter);
    const countJoules = meter.unitNj === 0n ? 2 ** -Number(meter.esu) : Number(meter.unitNj) * 1e-9;
    const blurJoules = countJoules + 2 * 6 * Number(meter.noiseNj) * 1e-9;
    possible.least += Math.max(0, joules(from.afterNs, to.beforeNs - updateNs) - blurJoules);
    possible.most += joules(from.beforeNs - updateNs, to.afterNs) + blurJoules;
  }
  return possible;
}
