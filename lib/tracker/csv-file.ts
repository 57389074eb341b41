// SPDX-License-Identifier: MIT
//
// A row into an emissions.csv that may be anybody's: other programs', cut off, or being written to at this moment.
// Nothing that stands in it is lost.
import { closeSync, existsSync, openSync, readFileSync, statSync } from 'node:fs';
import type { Report } from '../core/report-types.js';
import { codecarbonLine } from '../format/codecarbon-csv.js';
import { csvText, findCsvRows, planCsvAppend } from '../format/csv-append.js';
import { type Access, type Attempt, type Written, writeBeside } from './csv-beside.js';
import { addTo, EDGE_BYTES } from './csv-bytes.js';
import { replaceFile } from './replace-file.js';

/** `append`: a row more. `update`: the row of the same run gives way. */
export type OnCsvWrite = 'append' | 'update';

/**
 * Adds the report's row to a CSV file, or replaces the one of the same run. Where the file has other columns, may not be
 * written, or others do not let go of it, the row goes into a file beside it.
 * @throws MicrojouleError `ERR_OUTPUT`, and what the file system throws
 */
export function writeRow(report: Report, file: string, mode: OnCsvWrite): Written {
  return writeBeside(file, 'the row is', (target, access) =>
    mode === 'append' || access === 'endless' || !existsSync(target)
      ? append(report, target)
      : update(report, target, access),
  );
}

function append(report: Report, file: string): Attempt {
  return addTo(file, (edges) => {
    const plan = planCsvAppend(edges);
    if (plan.action === 'foreign') return { reason: differenceOf(plan, "CodeCarbon's emissions.csv") };
    return { text: csvText(plan, report), isBehindCut: plan.action === 'append' && plan.cut === true };
  });
}

function update(report: Report, file: string, access: Access): Attempt {
  const bytes = readFileSync(file);
  // A character a byte: what is not UTF-8 comes back as it was.
  const text = bytes.toString('latin1');
  const rows = findCsvRows(text, 'run_id', Buffer.from(report.runId, 'utf8').toString('latin1'));
  const [row] = rows;
  const plan = planCsvAppend({ head: bytes.toString('utf8', 0, EDGE_BYTES), tail: text.slice(-1) });
  if (row === undefined || plan.action !== 'append') return append(report, file);
  const appended = (why: string): Attempt => {
    const attempt = append(report, file);
    return attempt.done ? { done: true, remark: `${file} ${why}, so a row was added` } : attempt;
  };
  if (rows.length > 1) return appended(`has ${rows.length} rows of run ${report.runId}`);
  if (access !== 'held') return appended('cannot be replaced, as its folder takes no files');
  // A file that is read-only is not to be replaced, although its folder would allow it.
  closeSync(openSync(file, 'r+'));
  const line = Buffer.from(codecarbonLine(report, plan.columns), 'utf8');
  const parts = [bytes.subarray(0, row.start), line, bytes.subarray(row.end)];
  replaceFile(file, Buffer.concat(parts), statSync(file));
  return { done: true };
}

/** Why a file is another's, in words. */
export function differenceOf(
  { missing, extra }: { missing: string[]; extra: string[] },
  whose: string,
): string {
  const list = (label: string, names: string[]) =>
    names.length === 0 ? [] : [`${label} ${names.slice(0, 3).join(', ')}${names.length > 3 ? ', …' : ''}`];
  const difference = [...list('without', missing), ...list('with', extra)].join('; ');
  return `has other columns than ${whose} (${difference})`;
}
