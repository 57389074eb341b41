// SPDX-License-Identifier: MIT
//
// A row into an emissions.csv that may be anybody's: other programs', cut off, or being written to at this moment.
// Nothing that stands in it is lost.
import {
  closeSync,
  existsSync,
  fstatSync,
  ftruncateSync,
  linkSync,
  openSync,
  readFileSync,
  readSync,
  realpathSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { extname } from 'node:path';
import { MicrojouleError } from '../core/errors.js';
import type { Report } from '../core/report-types.js';
import { codecarbonLine } from '../format/codecarbon-csv.js';
import { csvText, findCsvRows, planCsvAppend } from '../format/csv-append.js';
import { type LockState, lockOf, withFileLock } from './file-lock.js';
import { draftOf, removeQuietly, replaceFile } from './replace-file.js';

/** `append`: a row more. `update`: the row of the same run gives way. */
export type OnCsvWrite = 'append' | 'update';

/** Where a report went. */
export interface Written {
  /** The file that holds it; another than asked for when that one was not ours to change. */
  file: string;
  /** What a reader should know of that: why it is another file, or in what state the file was. */
  remark?: string;
  /** Names the remark for programs. */
  code?: 'output-elsewhere' | 'output-remark';
}

const EDGE_BYTES = 65_536;
const MOST_SIBLINGS = 1000;
const QUOTE = 0x22;

type Attempt = { done: true; remark?: string } | { done: false; reason: string };

/**
 * Adds the report's row to a CSV file, or replaces the one of the same run. Where the file has other columns, or others do
 * not let go of it, the row goes into a file beside it.
 * @throws MicrojouleError `ERR_OUTPUT`, and what the file system throws
 */
export function writeRow(report: Report, file: string, mode: OnCsvWrite): Written {
  const first = tryWrite(report, file, mode);
  if (first.done) {
    return { file, ...(first.remark === undefined ? {} : { remark: first.remark, code: 'output-remark' }) };
  }
  const extension = extname(file);
  for (let n = 1; n < MOST_SIBLINGS; n++) {
    const sibling = `${file.slice(0, -extension.length)}-${n}${extension}`;
    if (!tryWrite(report, sibling, mode).done) continue;
    return {
      file: sibling,
      remark: `${file} ${first.reason}, so it was left as it is; the row is in ${sibling}`,
      code: 'output-elsewhere',
    };
  }
  throw new MicrojouleError('ERR_OUTPUT', `${file} ${first.reason}, and its numbered siblings likewise`, {
    hint: 'Give another file name.',
  });
}

function tryWrite(report: Report, file: string, mode: OnCsvWrite): Attempt {
  const known = existsSync(file);
  // A link stays a link, and whoever comes by another name waits for the same lock.
  const target = known ? realpathSync(file) : file;
  // Devices and pipes have no end to fight about.
  if (known && !statSync(target).isFile()) return append(report, target);
  return withFileLock(target, (state: LockState) => {
    if (state === 'busy') {
      const reason = `is being written by another program that does not let go of it (${lockOf(target)})`;
      return { done: false, reason };
    }
    if (mode === 'append' || !existsSync(target)) return append(report, target);
    return update(report, target, state);
  });
}

/** One write at the end, so that rows of programs that know nothing of the lock do not mix with it either. */
function append(report: Report, file: string): Attempt {
  if (!existsSync(file) && create(report, file)) return { done: true };
  const descriptor = openSync(file, 'a+');
  try {
    const { size } = fstatSync(descriptor);
    const plan = planCsvAppend(size === 0 ? undefined : edgesOf(descriptor, size));
    if (plan.action === 'foreign') return { done: false, reason: differenceOf(plan) };
    writeOrNothing(descriptor, csvText(plan, report), size);
    if (plan.action === 'new' || plan.cut !== true) return { done: true };
    return {
      done: true,
      remark: `${file} ended in the middle of a row, which was left so; the new row stands on a line of its own`,
    };
  } finally {
    closeSync(descriptor);
  }
}

function update(report: Report, file: string, state: LockState): Attempt {
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
  if (state !== 'held') return appended('cannot be replaced, as its folder takes no files');
  // A file that is read-only is not to be replaced, although its folder would allow it.
  closeSync(openSync(file, 'r+'));
  const line = Buffer.from(codecarbonLine(report, plan.columns), 'utf8');
  const parts = [bytes.subarray(0, row.start), line, bytes.subarray(row.end)];
  replaceFile(file, Buffer.concat(parts), statSync(file));
  return { done: true };
}

/**
 * Begins a CSV file with header and row, unless there is one by now. It appears with both in it: of several programs that
 * end at once, one writes the header.
 */
function create(report: Report, file: string): boolean {
  const plan = planCsvAppend(undefined);
  if (plan.action === 'foreign') return false;
  const text = csvText(plan, report);
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

function differenceOf({ missing, extra }: { missing: string[]; extra: string[] }): string {
  const list = (label: string, names: string[]) =>
    names.length === 0 ? [] : [`${label} ${names.slice(0, 3).join(', ')}${names.length > 3 ? ', …' : ''}`];
  const difference = [...list('without', missing), ...list('with', extra)].join('; ');
  return `has other columns than CodeCarbon's emissions.csv (${difference})`;
}
