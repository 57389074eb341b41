// SPDX-License-Identifier: MIT
import { MicrojouleError } from '../core/errors.js';

const HINTS: Record<string, string> = {
  EEXIST: 'It is there already, and may be all that is left of a run: give another name, or remove it.',
  ENOENT: 'Its folder does not exist: create it first.',
  EACCES: 'Choose a folder you may write to.',
  EPERM: 'Choose a folder you may write to.',
  EROFS: 'The file system is read-only: choose another folder.',
  EISDIR: 'It is a folder: give a file name.',
  ENOSPC: 'The disk is full.',
};

/** The error of a file that cannot be written, with what to do about it. */
export function unwritable(file: string, error: unknown): MicrojouleError {
  const code = (error as NodeJS.ErrnoException).code ?? String(error);
  return new MicrojouleError('ERR_OUTPUT', `cannot write ${file} (${code})`, {
    hint: HINTS[code] ?? 'Choose another file.',
    cause: error,
  });
}
