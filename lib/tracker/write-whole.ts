// SPDX-License-Identifier: MIT
import { realpathSync, statSync, writeFileSync } from 'node:fs';
import { replaceFile } from './replace-file.js';

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
    const { code } = error as NodeJS.ErrnoException;
    // On a full disk the old one is better than half of the new one.
    if (code === 'ENOSPC' || code === 'EDQUOT') throw error;
    writeFileSync(file, text);
  }
}
