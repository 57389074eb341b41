// SPDX-License-Identifier: MIT
//
// A lock between processes for the moment of a write: a file of its own beside the one that is written, since Node knows
// no flock(). Synchronous, because reports are written while processes exit.
import { closeSync, lstatSync, openSync, readFileSync, readlinkSync, writeSync } from 'node:fs';
import { hostname } from 'node:os';
import { removeQuietly } from './replace-file.js';

/** `impossible` where no lock can be made (a folder that takes no files), `busy` when others held it all the time. */
export type LockState = 'held' | 'impossible' | 'busy';

/** A lock of nobody knows whom that stays the same for so long has been left behind: it is held for milliseconds. */
const ABANDONED_MS = 2000;
/** A process that exits cannot wait for ever. */
const PATIENCE_MS = 10_000;
const LONGEST_PAUSE_MS = 16;

/** The lock file of a file. */
export function lockOf(file: string): string {
  return `${file}.lock`;
}

/**
 * Does `work` while no other process does the like for `file`. What died with the lock in hand is overcome: at once where
 * its process can be seen to be gone, after two seconds (by a clock that never steps) where nothing can be seen of it. A
 * process that lives is waited for.
 */
export function withFileLock<T>(file: string, work: (state: LockState) => T): T {
  const lock = lockOf(file);
  const startMs = performance.now();
  let seen = '';
  let seenSinceMs = startMs;
  for (let pauseMs = 1; ; pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2)) {
    const mine = tryLock(lock);
    if (mine === 'impossible') return work('impossible');
    if (mine !== 'taken') {
      try {
        return work('held');
      } finally {
        // Not somebody else's who took it for abandoned.
        if (identityOf(lock) === mine) removeQuietly(lock);
      }
    }
    const identity = identityOf(lock) ?? '';
    const nowMs = performance.now();
    if (identity !== seen) [seen, seenSinceMs] = [identity, nowMs];
    // It may be gone by now.
    const owner = identity === '' ? 'alive' : lookAtOwner(lock);
    const abandoned = owner === 'unknown' && nowMs - seenSinceMs > ABANDONED_MS;
    if (owner === 'dead' || abandoned) takeAway(lock, identity);
    if (nowMs - startMs > PATIENCE_MS && identityOf(lock) !== undefined) return work('busy');
    pause(pauseMs * (0.5 + Math.random()));
  }
}

function tryLock(lock: string): string | 'taken' | 'impossible' {
  try {
    const descriptor = openSync(lock, 'wx');
    try {
      writeSync(descriptor, ownName());
    } catch {
      // A full disk has no room for the name; the lock is the file.
    } finally {
      closeSync(descriptor);
    }
    return identityOf(lock) ?? 'taken';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EEXIST' ? 'taken' : 'impossible';
  }
}

/** One lock file, told from the next of the same name; of a link itself, which is in the way even where it leads nowhere. */
function identityOf(lock: string): string | undefined {
  try {
    const { ino, mtimeNs, birthtimeNs } = lstatSync(lock, { bigint: true });
    return `${ino} ${mtimeNs} ${birthtimeNs}`;
  } catch {
    return undefined;
  }
}

/** Numbers of processes mean something within a machine, and there within a container. */
function ownName(): string {
  let space = '';
  try {
    space = readlinkSync('/proc/self/ns/pid');
  } catch {
    // Not Linux.
  }
  return `${process.pid} ${startOf('self')} ${space} ${hostname()}`;
}

/** When a process began, in the kernel's ticks since boot (field 22 of proc(5)); empty where that cannot be known. */
function startOf(pid: string): string {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}

function lookAtOwner(lock: string): 'alive' | 'dead' | 'unknown' {
  try {
    const [pid = '', start = '', ...place] = readFileSync(lock, 'utf8').split(' ');
    const [, , ...here] = ownName().split(' ');
    if (!/^\d+$/.test(pid) || place.join(' ') !== here.join(' ')) return 'unknown';
    if (!runs(Number(pid))) return 'dead';
    // The number may be another process's by now.
    const startNow = startOf(pid);
    if (start === '' || startNow === '') return 'unknown';
    return startNow === start ? 'alive' : 'dead';
  } catch {
    return 'unknown';
  }
}

function runs(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ESRCH') return false;
    // Another user's.
    if (code === 'EPERM') return true;
    throw error;
  }
}

/** Removes a lock that was left behind, if it is still that one: of several that try, one at a time looks. */
function takeAway(lock: string, identity: string): void {
  const guard = `${lock}.guard`;
  try {
    closeSync(openSync(guard, 'wx'));
  } catch {
    const left = identityOf(guard);
    pause(LONGEST_PAUSE_MS);
    // It is held for microseconds.
    if (left !== undefined && identityOf(guard) === left) removeQuietly(guard);
    return;
  }
  if (identityOf(lock) === identity) removeQuietly(lock);
  removeQuietly(guard);
}

function pause(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}
