// SPDX-License-Identifier: MIT
//
// Resident memory over time: children come and go between the ends of a region, and only a look in between sees them.
import { readProcessUsage } from '../estimate/process-usage.js';

/** Looks are close at first, as commands may be short, and then rare: each goes through all processes, 0.1 ms for one. */
const FIRST_MS = 50;
const LONGEST_MS = 5000;

let users = 0;
let timer: NodeJS.Timeout | undefined;
let gibSeconds = 0;
let last: { atMs: number; residentGib: number } | undefined;

/** A look at memory: what its integral over time has come to. */
export interface ResidentMark {
  atMs: number;
  /** Resident memory, in GiB, times the seconds that it was so. */
  residentGibSeconds: number;
}

/** Adds a look to the record, with straight lines from one to the next. */
export function markResident(residentGib: number): ResidentMark {
  const atMs = performance.now();
  if (last !== undefined) gibSeconds += ((last.residentGib + residentGib) / 2) * ((atMs - last.atMs) / 1000);
  last = { atMs, residentGib };
  return { atMs, residentGibSeconds: gibSeconds };
}

/** The mean between two looks; undefined where no time lies between them. */
export function meanResidentGib(from: ResidentMark, to: ResidentMark): number | undefined {
  const seconds = (to.atMs - from.atMs) / 1000;
  return seconds > 0 ? (to.residentGibSeconds - from.residentGibSeconds) / seconds : undefined;
}

/** Looks from time to time until what it returns is called, once. Keeps no process alive. */
export function watchResident(): () => void {
  users++;
  look(FIRST_MS);
  let stopped = false;
  return () => {
    if (stopped) return;
    stopped = true;
    users--;
    if (users > 0) return;
    clearTimeout(timer);
    timer = undefined;
    // What happens until somebody looks again is not of any region.
    last = undefined;
  };
}

function look(afterMs: number): void {
  clearTimeout(timer);
  timer = setTimeout(() => {
    markResident(readProcessUsage(undefined).residentGib);
    look(Math.min(LONGEST_MS, afterMs * 2));
  }, afterMs);
  timer.unref();
}
