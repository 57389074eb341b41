// SPDX-License-Identifier: MIT
import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { MicrojouleError } from '../core/errors.js';
import type { Report } from '../core/report-types.js';
import { withModelCard } from '../format/model-card.js';
import type { Written } from './csv-beside.js';
import { replaceFile } from './replace-file.js';

/**
 * Writes the report's emissions into the front matter of a model card, which is made if it is not there. The file is
 * replaced whole or not at all, and keeps its mode. Synchronous.
 * @throws MicrojouleError `ERR_OUTPUT`
 */
export function writeModelCard(report: Report, file: string): Written {
  try {
    // A link stays a link.
    const target = existsSync(file) ? realpathSync(file) : file;
    const known = existsSync(target);
    const before = known ? readFileSync(target, 'utf8') : '';
    const after = withModelCard(before, report, file);
    if (after !== before) replaceFile(target, after, known ? statSync(target) : undefined);
    return { file };
  } catch (error) {
    if (error instanceof MicrojouleError) throw error;
    const code = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new MicrojouleError('ERR_OUTPUT', `cannot write the model card ${resolve(file)} (${code})`, {
      hint: 'Give a file that you may write; its folder must exist.',
      cause: error,
    });
  }
}
