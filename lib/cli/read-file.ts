// SPDX-License-Identifier: MIT
import { readFileSync } from 'node:fs';
import { MicrojouleError } from '../measures.js';

/** The text of a file with model details. @throws MicrojouleError `ERR_BAD_MODEL` when it cannot be read */
export function readTextFile(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new MicrojouleError('ERR_BAD_MODEL', `cannot read ${file} (${(error as Error).message})`, {
      hint: 'Give a JSON file with the model details.',
      cause: error,
    });
  }
}
