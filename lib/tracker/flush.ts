// SPDX-License-Identifier: MIT
import type { Report } from '../core/report-types.js';
import { isCsv, type OutputFile, writeOutputs } from './output.js';

/**
 * Writes the report of a run that goes on, marked as such, to every file that is written anew: `.csv` gains its row at the
 * end only. What cannot be written is told at the end, when it is tried again.
 */
export function flushOutputs(report: Report, files: readonly OutputFile[]): void {
  report.warnings.push({
    code: 'unfinished',
    message: 'The run was still going on when this was written.',
    hint: 'If it is over, it was cut off: this is what it had used until then.',
  });
  writeOutputs(
    report,
    files.filter((file) => !isCsv(file)),
  );
}
