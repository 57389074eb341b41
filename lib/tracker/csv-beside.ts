// SPDX-License-Identifier: MIT
//
// Where a CSV file is not ours to change, or cannot be changed now, its rows go into a numbered one beside it.
import { existsSync, realpathSync, statSync } from 'node:fs';
import { extname } from 'node:path';
import { MicrojouleError } from '../core/errors.js';
import { type LockState, lockOf, withFileLock } from './file-lock.js';

/** Where a report went. */
export interface Written {
  /** The file that holds it; another than asked for when that one was not ours to change. */
  file: string;
  /** What a reader should know of that: why it is another file, or in what state the file was. */
  remark?: string;
  /** Names the remark for programs. */
  code?: 'output-elsewhere' | 'output-remark';
}

export type Attempt = { done: true; remark?: string } | { done: false; reason: string };

/** `endless`: a device or a pipe, which has no end to fight about and nothing to replace. */
export type Access = Exclude<LockState, 'busy'> | 'endless';

const MOST_SIBLINGS = 1000;
/** Windows gives the first or the second for a file that another program has open. */
const KEPT_FROM_US: ReadonlySet<string | undefined> = new Set(['EBUSY', 'EPERM', 'EACCES']);

/**
 * Has rows written into a file; where they do not belong into it, or it is not let go of, or may not be written, into the
 * first file beside it where that is not so. `write` gets the file's true name and runs under its lock.
 * @param what for the remark: `the row is`
 * @throws MicrojouleError `ERR_OUTPUT`, and what the file system throws, as for a folder that takes no files
 */
export function writeBeside(
  file: string,
  what: string,
  write: (target: string, access: Access) => Attempt,
): Written {
  const first = tryWrite(file, write);
  if (first.done) {
    return { file, ...(first.remark === undefined ? {} : { remark: first.remark, code: 'output-remark' }) };
  }
  const extension = extname(file);
  for (let n = 1; n < MOST_SIBLINGS; n++) {
    const sibling = `${file.slice(0, file.length - extension.length)}-${n}${extension}`;
    if (!tryWrite(sibling, write).done) continue;
    return {
      file: sibling,
      remark: `${file} ${first.reason}, so it was left as it is; ${what} in ${sibling}`,
      code: 'output-elsewhere',
    };
  }
  throw new MicrojouleError('ERR_OUTPUT', `${file} ${first.reason}, and its numbered siblings likewise`, {
    hint: 'Give another file name.',
  });
}

function tryWrite(file: string, write: (target: string, access: Access) => Attempt): Attempt {
  const known = existsSync(file);
  // A link stays a link, and whoever comes by another name waits for the same lock.
  const target = known ? realpathSync(file) : file;
  if (known && !statSync(target).isFile()) return write(target, 'endless');
  return withFileLock(target, (state) => {
    if (state === 'busy') {
      const reason = `is being written by another program that does not let go of it (${lockOf(target)})`;
      return { done: false, reason };
    }
    const isThere = existsSync(target);
    try {
      return write(target, state);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // What cannot be created could not be beside it either.
      if (!isThere || !KEPT_FROM_US.has(code)) throw error;
      return { done: false, reason: `may not be written, or another program has it open (${code})` };
    }
  });
}
