// SPDX-License-Identifier: MIT
import type { Report } from '../core/report-types.js';
import {
  CODECARBON_COLUMNS,
  type CodecarbonColumn,
  codecarbonHeader,
  codecarbonLine,
} from './codecarbon-csv.js';
import { papaparse } from './papa.js';

/** What is known of a CSV file that is there already. */
export interface ExistingCsv {
  /** The beginning of the file: at least its whole first line, byte order mark included if it has one. */
  head: string;
  /** The end of the file: at least its last character. May overlap `head`. */
  tail: string;
}

/** How a report gets into a CSV file. */
export type CsvPlan =
  | { action: 'new'; columns: readonly CodecarbonColumn[]; newline: string }
  | {
      action: 'append';
      /** In the order of the file at hand. */
      columns: readonly CodecarbonColumn[];
      newline: string;
      /** What must come before the row: a line break when the file does not end with one. */
      prefix: string;
    }
  | {
      action: 'foreign';
      /** Columns the file lacks. */
      missing: string[];
      /** Columns the file has beyond ours, or twice. */
      extra: string[];
    };

/**
 * Decides how a row gets into a CSV file: `new` (no file, or nothing in it: write header and row),
 * `append` (same set of columns in any order), or `foreign` (other columns: leave the file alone).
 */
export function planCsvAppend(existing: ExistingCsv | undefined): CsvPlan {
  const head = (existing?.head ?? '').replace(/^\uFEFF?[\r\n]*/, '');
  if (existing === undefined || head.trim() === '') {
    return { action: 'new', columns: CODECARBON_COLUMNS, newline: '\n' };
  }
  const names = headerNames(head);
  const columns = names.filter(isColumn);
  const missing = CODECARBON_COLUMNS.filter((column) => !columns.includes(column));
  const extra = names.filter((name, index) => !isColumn(name) || names.indexOf(name) !== index);
  if (missing.length > 0 || extra.length > 0) return { action: 'foreign', missing, extra };
  const newline = /\r\n|\n|\r/.exec(head)?.[0] ?? '\n';
  return { action: 'append', columns, newline, prefix: /[\r\n]$/.test(existing.tail) ? '' : newline };
}

/** The text to write for `plan`: the whole file when `new`, what to add at the end when `append`. */
export function csvText(plan: Exclude<CsvPlan, { action: 'foreign' }>, report: Report): string {
  const before = plan.action === 'new' ? `${codecarbonHeader(plan.columns)}${plan.newline}` : plan.prefix;
  return `${before}${codecarbonLine(report, plan.columns)}${plan.newline}`;
}

function headerNames(head: string): string[] {
  // A name of ours holds no line break, so a header that quotes one is foreign however it is cut.
  const firstLine = head.split(/\r\n|\n|\r/, 1)[0] ?? '';
  const { data } = papaparse().parse<string[]>(firstLine, { delimiter: ',' });
  return data[0] ?? [];
}

function isColumn(name: string): name is CodecarbonColumn {
  return (CODECARBON_COLUMNS as readonly string[]).includes(name);
}
