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
  /** Whether the file ends inside of a quoted cell: it has an odd number of quotes. */
  quoteIsOpen?: boolean;
}

/** How a report gets into a CSV file. */
export type CsvPlan<Column extends string = CodecarbonColumn> =
  | { action: 'new'; columns: readonly Column[]; newline: string }
  | {
      action: 'append';
      /** In the order of the file at hand. */
      columns: readonly Column[];
      newline: string;
      /** What must come before the row: a line break when the file does not end with one. */
      prefix: string;
      /** There when the file ends in the middle of a row: whoever wrote it was cut off. */
      cut?: true;
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
export function planCsvAppend(existing: ExistingCsv | undefined): CsvPlan;
export function planCsvAppend<Column extends string>(
  existing: ExistingCsv | undefined,
  known: readonly Column[],
): CsvPlan<Column>;
export function planCsvAppend(
  existing: ExistingCsv | undefined,
  known: readonly string[] = CODECARBON_COLUMNS,
): CsvPlan<string> {
  const head = (existing?.head ?? '').replace(/^\uFEFF?[\r\n]*/, '');
  if (existing === undefined || head.trim() === '') {
    return { action: 'new', columns: known, newline: '\n' };
  }
  const names = headerNames(head);
  const isColumn = (name: string) => known.includes(name);
  const columns = names.filter(isColumn);
  const missing = known.filter((column) => !columns.includes(column));
  const extra = names.filter((name, index) => !isColumn(name) || names.indexOf(name) !== index);
  if (missing.length > 0 || extra.length > 0) return { action: 'foreign', missing, extra };
  const newline = /\r\n|\n|\r/.exec(head)?.[0] ?? '\n';
  const { tail, quoteIsOpen = false } = existing;
  const ended = /[\r\n]$/.test(tail);
  // A quote that nobody closed would swallow the row.
  const prefix = quoteIsOpen ? `"${newline}` : ended ? '' : newline;
  const cut = quoteIsOpen || (!ended && lastLineIsShort(tail, columns.length));
  return { action: 'append', columns, newline, prefix, ...(cut ? { cut } : {}) };
}

/** The text to write for `plan`: the whole file when `new`, what to add at the end when `append`. */
export function csvText(plan: Exclude<CsvPlan, { action: 'foreign' }>, report: Report): string {
  const before = plan.action === 'new' ? `${codecarbonHeader(plan.columns)}${plan.newline}` : plan.prefix;
  return `${before}${codecarbonLine(report, plan.columns)}${plan.newline}`;
}

/** Where a row stands in a text: its own characters, without the line break behind them. */
export interface RowSpan {
  start: number;
  end: number;
}

/**
 * The rows whose `column` holds `value`, in a text that is a header and rows. Any encoding will do in which commas, quotes
 * and line breaks are themselves.
 */
export function findCsvRows(text: string, column: CodecarbonColumn, value: string): RowSpan[] {
  const [header, ...rows] = rowSpans(text);
  if (header === undefined) return [];
  const cellsOf = ({ start, end }: RowSpan) =>
    papaparse().parse<string[]>(text.slice(start, end), { delimiter: ',' }).data[0] ?? [];
  // The byte order mark may be one character or, byte by byte, three.
  const names = cellsOf(header).map((name) => name.replace(/^(?:\uFEFF|\u00EF\u00BB\u00BF)/, ''));
  const index = names.indexOf(column);
  // Most rows need no parsing.
  const written = value.replaceAll('"', '""');
  return rows.filter(
    (row) => text.slice(row.start, row.end).includes(written) && cellsOf(row)[index] === value,
  );
}

/** All lines that hold something; a line break between quotes is none. */
function rowSpans(text: string): RowSpan[] {
  const spans: RowSpan[] = [];
  const mark = /["\r\n]/g;
  let start = 0;
  let quoted = false;
  const endAt = (end: number) => {
    if (end > start) spans.push({ start, end });
    start = end + 1;
  };
  for (let found = mark.exec(text); found !== null; found = mark.exec(text)) {
    if (found[0] === '"') quoted = !quoted;
    else if (!quoted) endAt(found.index);
  }
  endAt(text.length);
  return spans;
}

function lastLineIsShort(tail: string, columnCount: number): boolean {
  const lastLine = /(?:^|[\r\n])([^\r\n]*)$/.exec(tail)?.[1] ?? '';
  // Without its beginning nothing can be said of it.
  if (lastLine.length === tail.length) return false;
  return (papaparse().parse<string[]>(lastLine, { delimiter: ',' }).data[0]?.length ?? 0) < columnCount;
}

function headerNames(head: string): string[] {
  // A name of ours holds no line break, so a header that quotes one is foreign however it is cut.
  const firstLine = head.split(/\r\n|\n|\r/, 1)[0] ?? '';
  const { data } = papaparse().parse<string[]>(firstLine, { delimiter: ',' });
  return data[0] ?? [];
}
