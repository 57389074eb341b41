// SPDX-License-Identifier: MIT
//
// What a run that was cut off had flushed, before the next run takes the file's name.
import { existsSync, renameSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import type { Report } from '../core/report-types.js';
import type { Warning } from '../core/vocabulary.js';
import { fileOf, type OutputFile } from './output.js';
import { readReport } from './read-report.js';

function unfinishedIn(file: string): Report | undefined {
  try {
    const report = readReport(file);
    return report.warnings.some(({ code }) => code === 'unfinished') ? report : undefined;
  } catch {
    // Not there, or no report: what takes its place is told as ever.
    return undefined;
  }
}

/** `run.json` of a run from that time: `run-20260102T030405Z.json`, beside it. */
function nameFor(file: string, startedAt: string): string {
  const extension = extname(file);
  const time = startedAt.replace(/\.\d+/, '').replace(/[-:]/g, '');
  return join(dirname(file), `${basename(file, extension)}-${time}${extension}`);
}

/**
 * Gives the JSON reports of runs that were cut off another name, so that the run which begins now does not replace all that
 * is left of them. @returns what was moved where, with how to add it up; what could not be moved stays
 */
export function keepUnfinished(outputs: readonly OutputFile[]): Warning[] {
  return outputs.map(fileOf).flatMap((file): Warning[] => {
    if (extname(file).toLowerCase() !== '.json') return [];
    const report = unfinishedIn(file);
    if (report === undefined) return [];
    const kept = nameFor(file, report.startedAt);
    if (existsSync(kept)) return [];
    try {
      renameSync(file, kept);
    } catch {
      return [];
    }
    return [
      {
        code: 'unfinished-kept',
        message: `${file} held what a run that was cut off had used until then; it is ${kept} now, and not in this report.`,
        hint: `To add both up: microjoule report ${kept} ${file}`,
      },
    ];
  });
}
