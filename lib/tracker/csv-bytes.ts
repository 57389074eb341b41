// SPDX-License-Identifier: MIT
//
// Lines at the end of a CSV file: all of them or none, and nothing that stands in it is touched.
import {
  closeSync,
  existsSync,
  fstatSync,
  ftruncateSync,
  linkSync,
  openSync,
  readSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import type { ExistingCsv } from '../format/csv-append.js';
import type { Attempt } from './csv-beside.js';
import { draftOf, removeQuietly } from './replace-file.js';

/** As much of a file as tells what it is. */
export const EDGE_BYTES = 65_536;
const QUOTE = 0x22;

/** What is to stand at a file's end, or why that is not its place. */
export type Addition = { text: string; isBehindCut: boolean } | { reason: string };

/**
 * One write at the end, so that rows of programs that know nothing of the lock do not mix with it either.
 * @param additionTo called with what is known of the file; with `undefined` where there is nothing in it
 */
export function addTo(file: string, additionTo: (edges: ExistingCsv | undefined) => Addition): Attempt {
  if (!existsSync(file)) {
    const first = additionTo(undefined);
    if ('text' in first && create(file, first.text)) return { done: true };
  }
  const descriptor = openSync(file, 'a+');
  try {
    const { size } = fstatSync(descriptor);
    const addition = additionTo(size === 0 ? undefined : edgesOf(descriptor, size));
    if ('reason' in addition) return { done: false, reason: addition.reason };
    writeOrNothing(descriptor, addition.text, size);
    if (!addition.isBehindCut) return { done: true };
    return {
      done: true,
      remark: `${file} ended in the middle of a row, which was left so; the new row stands on a line of its own`,
    };
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Begins a CSV file with header and rows, unless there is one by now. It appears with all in it: of several programs that
 * end at once, one writes the header.
 */
function create(file: string, text: string): boolean {
  const draft = draftOf(file);
  try {
    writeFileSync(draft, text, { flag: 'wx' });
    linkSync(draft, file);
    return true;
  } catch {
    // It is there by now, or the file system has no hard links or no room; the next attempt tells which.
  } finally {
    removeQuietly(draft);
  }
  let descriptor: number;
  try {
    descriptor = openSync(file, 'wx');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
  try {
    writeOrNothing(descriptor, text, 0);
  } catch (error) {
    removeQuietly(file);
    throw error;
  } finally {
    closeSync(descriptor);
  }
  return true;
}

/** Writes at the end, behind `size` bytes. When the disk is full in the middle of it, the beginning is taken back. */
function writeOrNothing(descriptor: number, text: string, size: number): void {
  const bytes = Buffer.from(text, 'utf8');
  let written = 0;
  try {
    while (written < bytes.length) written += writeSync(descriptor, bytes, written);
  } catch (error) {
    try {
      // Unless somebody else wrote behind it.
      if (written > 0 && fstatSync(descriptor).size === size + written) ftruncateSync(descriptor, size);
    } catch {
      // The error that is told is the first.
    }
    throw error;
  }
}

function edgesOf(descriptor: number, size: number): { head: string; tail: string; quoteIsOpen: boolean } {
  const length = Math.min(size, EDGE_BYTES);
  return {
    head: readAt(descriptor, 0, length).toString('utf8'),
    tail: readAt(descriptor, size - length, length).toString('utf8'),
    quoteIsOpen: countQuotes(descriptor, size) % 2 === 1,
  };
}

function readAt(descriptor: number, position: number, length: number): Buffer {
  const buffer = Buffer.alloc(length);
  return buffer.subarray(0, readSync(descriptor, buffer, 0, length, position));
}

function countQuotes(descriptor: number, size: number): number {
  let count = 0;
  for (let position = 0; position < size; position += EDGE_BYTES) {
    const bytes = readAt(descriptor, position, Math.min(EDGE_BYTES, size - position));
    for (let at = bytes.indexOf(QUOTE); at !== -1; at = bytes.indexOf(QUOTE, at + 1)) count++;
  }
  return count;
}
