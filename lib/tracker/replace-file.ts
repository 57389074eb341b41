// SPDX-License-Identifier: MIT
import { chmodSync, chownSync, renameSync, rmSync, type Stats, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Where a file is written before it takes its name: in the same folder, so that it only needs to be renamed. */
export function draftOf(file: string): string {
  return join(dirname(file), `.${crypto.randomUUID()}`);
}

/**
 * Writes a file whole or not at all, in place of the one that `old` describes: with its mode, and its owner where that is
 * allowed.
 */
export function replaceFile(file: string, content: string | Uint8Array, old: Stats | undefined): void {
  const draft = draftOf(file);
  try {
    writeFileSync(draft, content, { flag: 'wx', ...(old === undefined ? {} : { mode: old.mode }) });
    if (old !== undefined) {
      keepOwner(draft, old);
      keepMode(draft, old);
    }
    renameSync(draft, file);
  } catch (error) {
    removeQuietly(draft);
    throw error;
  }
}

function keepOwner(file: string, { uid, gid }: Stats): void {
  if (process.getuid === undefined || (uid === process.getuid() && gid === process.getgid?.())) return;
  try {
    chownSync(file, uid, gid);
  } catch {
    // Only root may give files away.
  }
}

/** The mode of a new file is what the umask leaves of it. */
function keepMode(file: string, { mode }: Stats): void {
  try {
    chmodSync(file, mode & 0o7777);
  } catch {
    // Some file systems have modes of their own.
  }
}

export function removeQuietly(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {
    // What could not be created cannot always be removed either.
  }
}
