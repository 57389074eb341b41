// SPDX-License-Identifier: MIT
import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';

const MILLISECONDS_PER_SECOND = 1000;
/** Linux' USER_HZ, which /proc/stat counts in: part of its interface, 100 on all architectures that Node runs on. */
const TICKS_PER_SECOND = 100;

/** CPU time since boot, summed over all hardware threads, in seconds. */
export interface CpuTimes {
  busySeconds: number;
  totalSeconds: number;
}

/** The times of a Linux /proc/stat text (proc(5)), and how many hardware threads it lists; undefined for other text. */
export function parseProcStat(text: string): (CpuTimes & { threadCount: number }) | undefined {
  const fields = /^cpu +(.+)$/m.exec(text)?.[1]?.split(' ').map(Number) ?? [];
  const [user = Number.NaN, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0] = fields;
  // Interrupts keep a thread from sleeping; who waits for I/O lets it sleep; stolen time is another machine's.
  const busyTicks = user + nice + system + irq + softirq;
  const totalTicks = busyTicks + idle + iowait;
  if (Number.isNaN(totalTicks)) return undefined;
  return {
    busySeconds: busyTicks / TICKS_PER_SECOND,
    totalSeconds: totalTicks / TICKS_PER_SECOND,
    threadCount: text.match(/^cpu\d+ /gm)?.length ?? 0,
  };
}

/** This machine's /proc/stat, where there is one. Node's own `cpus()` reads all of /proc/cpuinfo along with it. */
export function readProcStat(): (CpuTimes & { threadCount: number }) | undefined {
  try {
    return parseProcStat(readFileSync('/proc/stat', 'latin1'));
  } catch {
    return undefined;
  }
}

/** Reads the machine's CPU times. All zero where the operating system hides them. */
export function readCpuTimes(): CpuTimes {
  const fromProc = readProcStat();
  if (fromProc !== undefined) return fromProc;
  let busyMs = 0;
  let idleMs = 0;
  for (const { times } of cpus()) {
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
