// SPDX-License-Identifier: MIT
//
// What this process and its children use of the machine, by the operating system's own accounts.
import { readdirSync, readFileSync } from 'node:fs';
import { platform } from 'node:os';
import { BYTES_PER_GIB } from '../core/units.js';

const MICROSECONDS_PER_SECOND = 1_000_000;
/** Linux' USER_HZ, as in utilisation.ts. */
const TICKS_PER_SECOND = 100;
const BYTES_PER_KIB = 1024;

/** Which children are in a usage: those that run, too; those that ended; none. */
export type ChildrenCounted = 'all' | 'ended' | 'none';

export interface ProcessUsage {
  /** CPU time since the process began, children included as far as `children` says. Children that end stay in it. */
  cpuSeconds: number;
  /** The process's own part of that. */
  ownCpuSeconds: number;
  /** Resident memory. What processes share counts for each of them. */
  residentGib: number;
  children: ChildrenCounted;
}

/** What /proc/<pid>/stat says of one process (proc(5)). */
export interface ProcessStat {
  pid: number;
  parentPid: number;
  cpuSeconds: number;
  /** Of children that ended and were waited for, and of theirs. */
  endedCpuSeconds: number;
}

/** A line of /proc/<pid>/stat; undefined for other text. */
export function parseProcessStat(text: string): ProcessStat | undefined {
  // The name may hold anything, brackets and blanks included.
  const end = text.lastIndexOf(')');
  const pid = Number(text.slice(0, text.indexOf(' ')));
  const fields = text.slice(end + 2).split(' ');
  // From field 3 on: state, ppid, ...; utime is field 14.
  const [parentPid, user, system, endedUser, endedSystem] = [1, 11, 12, 13, 14].map((index) =>
    Number(fields[index] ?? Number.NaN),
  ) as [number, number, number, number, number];
  const cpuSeconds = (user + system) / TICKS_PER_SECOND;
  const endedCpuSeconds = (endedUser + endedSystem) / TICKS_PER_SECOND;
  if (end === -1 || Number.isNaN(pid + parentPid + cpuSeconds + endedCpuSeconds)) return undefined;
  return { pid, parentPid, cpuSeconds, endedCpuSeconds };
}

/** The processes below one, at any depth. */
export function descendantsOf(pid: number, all: readonly ProcessStat[]): ProcessStat[] {
  const childrenOf = new Map<number, ProcessStat[]>();
  for (const one of all) childrenOf.set(one.parentPid, [...(childrenOf.get(one.parentPid) ?? []), one]);
  const found: ProcessStat[] = [];
  // Reads at different moments may show a circle, where a number was given again.
  const seen = new Set([pid]);
  for (const open = [pid]; ; ) {
    const next = open.pop();
    if (next === undefined) return found;
    for (const child of childrenOf.get(next) ?? []) {
      if (seen.has(child.pid)) continue;
      seen.add(child.pid);
      found.push(child);
      open.push(child.pid);
    }
  }
}

/** The `VmRSS` of a /proc/<pid>/status text in GiB; kernel threads and the dead have none. */
export function parseResidentGib(text: string): number {
  const kib = /^VmRSS:\s*(\d+) kB$/m.exec(text)?.[1];
  return kib === undefined ? 0 : (Number(kib) * BYTES_PER_KIB) / BYTES_PER_GIB;
}

function readProc(file: string): string | undefined {
  try {
    return readFileSync(`/proc/${file}`, 'latin1');
  } catch {
    return undefined;
  }
}

function readAllProcesses(): ProcessStat[] {
  try {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .flatMap((name) => parseProcessStat(readProc(`${name}/stat`) ?? '') ?? []);
  } catch {
    return [];
  }
}

/**
 * Reads what this process has used so far, all its threads included. Children that run are found on Linux alone.
 * @param ended CPU seconds of children that ended, by the operating system's own account, where it is known
 */
export function readProcessUsage(ended: number | undefined): ProcessUsage {
  const { user, system } = process.cpuUsage();
  const ownCpuSeconds = (user + system) / MICROSECONDS_PER_SECOND;
  const ownGib = process.memoryUsage.rss() / BYTES_PER_GIB;
  const all = platform() === 'linux' ? readAllProcesses() : [];
  const self = all.find(({ pid }) => pid === process.pid);
  if (self === undefined) {
    return {
      cpuSeconds: ownCpuSeconds + (ended ?? 0),
      ownCpuSeconds,
      residentGib: ownGib,
      children: ended === undefined ? 'none' : 'ended',
    };
  }
  const below = descendantsOf(process.pid, all);
  const ofChildren = below.reduce((sum, child) => sum + child.cpuSeconds + child.endedCpuSeconds, 0);
  return {
    cpuSeconds: ownCpuSeconds + (ended ?? self.endedCpuSeconds) + ofChildren,
    ownCpuSeconds,
    residentGib: below.reduce(
      (sum, { pid }) => sum + parseResidentGib(readProc(`${pid}/status`) ?? ''),
      ownGib,
    ),
    children: 'all',
  };
}
