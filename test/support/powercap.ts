// SPDX-License-Identifier: MIT
import type { MachineEntry } from './machine.js';

/** Range of a counter of 2^-14 J, as nearly every Intel package has it: the kernel's unit is 61035 nJ. */
export const RANGE_61_UJ = '262143328850\n';
/** Range of a server DRAM counter of 15300 nJ. */
export const RANGE_15_UJ = '65712999613\n';

/** Microjoules as the kernel prints a raw count of the given unit. */
export function printed(ticks: number, unitNanojoules = 61_035): string {
  return `${(BigInt(ticks) * BigInt(unitNanojoules)) / 1000n}\n`;
}

/** The three files of one zone, for writeMachine(). */
export function zone(
  path: string,
  name: string,
  energy: string,
  range: string = RANGE_61_UJ,
): Record<string, MachineEntry> {
  const base = `class/powercap/${path}`;
  return {
    [`${base}/name`]: `${name}\n`,
    [`${base}/energy_uj`]: energy,
    [`${base}/max_energy_range_uj`]: range,
  };
}

/** Path of a zone's counter under the root. */
export function energyFile(path: string): string {
  return `class/powercap/${path}/energy_uj`;
}
