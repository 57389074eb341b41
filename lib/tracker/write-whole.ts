// SPDX-License-Identifier: MIT
import { realpathSync, statSync, writeFileSync } from 'node:fs';
import { replaceFile } from './replace-file.js';

/**
 * A folder or a file system that takes no other file, or a file that is a mount of its own, as in containers. After any
 * other error, as on a full disk, the old file is better than half of the new one.
 */
const NO_OTHER_FILE: ReadonlySet<string | undefined> = new Set([
  'EACCES',
  'EPERM',
  'EROFS',
  'EXDEV',
  'EBUSY',
]);

/**
 * Writes a file as a whole: until all of it is on its way to the disk, the old one stands. What is no plain file, and
 * what lies in a folder that takes no other file, is written in place. Synchronous, so that it works while the process
 * exits.
 */
export function writeWhole(file: string, text: string): void {
  const old = statSync(file, { throwIfNoEntry: false });
  if (old !== undefined && !old.isFile()) {
    writeFileSync(file, text);
    return;
  }
  try {
    // A link stays one.
    replaceFile(old === undefined ? file : realpathSync(file), text, old);
  } catch (error) {
    if (!NO_OTHER_FILE.has((error as NodeJS.ErrnoException).code)) throw error;
    writeFileSync(file, text);
  }
}
