// SPDX-License-Identifier: MIT
import { cpus } from 'node:os';

const MILLISECONDS_PER_SECOND = 1000;

/** CPU time since boot, summed over all hardware threads, in seconds. */
export interface CpuTimes {
  busySeconds: number;
  totalSeconds: number;
}

/** Reads the machine's CPU times. All zero where the operating system hides them. */
export function readCpuTimes(): CpuTimes {
  let busyMs = 0;
  let idleMs = 0;
  for (const { times } of cpus()) {
    // Interrupts keep a thread from sleeping. Node leaves out iowait and steal: neither runs on this machine.
    busyMs += times.user + times.nice + times.sys + times.irq;
    idleMs += times.idle;
  }
  return {
    busySeconds: busyMs / MILLISECONDS_PER_SECOND,
    totalSeconds: (busyMs + idleMs) / MILLISECONDS_PER_SECOND,
  };
}

/**
 * Mean share of all hardware threads that were busy between two readings, 0 to 1. Undefined when total time did not
 * advance: the readings were too close, or a thread went offline and took its times along.
 */
export function utilisationBetween(earlier: CpuTimes, later: CpuTimes): number | undefined {
  const totalSeconds = later.totalSeconds - earlier.totalSeconds;
  const busySeconds = later.busySeconds - earlier.busySeconds;
  if (!(totalSeconds > 0) || Number.isNaN(busySeconds)) return undefined;
  return Math.min(1, Math.max(0, busySeconds / totalSeconds));
}
