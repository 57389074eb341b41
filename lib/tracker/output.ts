// SPDX-License-Identifier: MIT
import {
  closeSync,
  existsSync,
  fstatSync,
  linkSync,
  openSync,
  readSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, extname, join, resolve } from 'node:path';
import { MicrojouleError } from '../core/errors.js';
import type { Report } from '../core/report-types.js';
import { csvText, type ExistingCsv, planCsvAppend } from '../format/csv-append.js';
import { FORMATTERS } from '../format/index.js';
import { writeModelCard } from './model-card-file.js';

/** Where a report went. */
export interface Written {
  /** The file that holds it; another than asked for when that one was not ours to change. */
  file: string;
  /** Why it is another file. */
  remark?: string;
}

const EDGE_BYTES = 65_536;
const MOST_SIBLINGS = 1000;

/** The file name extensions a report can be written to. */
export function outputExtensions(): string[] {
  return [...FORMATTERS.keys(), '.csv'];
}

/**
 * Checks an output file's name before the work starts.
 * @throws MicrojouleError `ERR_BAD_OPTION`
 */
export function checkOutput(file: unknown): void {
  if (typeof file === 'string' && outputExtensions().includes(extname(file).toLowerCase())) return;
  throw new MicrojouleError('ERR_BAD_OPTION', `output: "${String(file)}" has no known extension`, {
    hint: `The extension chooses the format: ${outputExtensions().join(', ')} (a row of emissions.csv).`,
  });
}

/**
 * Writes the report into a file, in the format its extension names; `.csv` gains a row. A CSV file with other
 * columns is left as it is and the row goes beside it. Synchronous, so that it works while the process exits.
 * @throws MicrojouleError `ERR_BAD_OPTION`, `ERR_OUTPUT`
 */
export function writeReport(report: Report, file: string): Written {
  checkOutput(file);
  const extension = extname(file).toLowerCase();
  const format = FORMATTERS.get(extension);
  try {
    if (format === undefined) return appendRow(report, file);
    writeFileSync(file, format(report));
    return { file };
  } catch (error) {
    if (error instanceof MicrojouleError) throw error;
    throw unwritable(file, error);
  }
}

/**
 * Writes the report into every file that can be written, and into the model card if one is named. Where a row went instead and what could not be written
 * become warnings of the report, which the files written later carry.
 * @returns the failures
 */
export function writeOutputs(
  report: Report,
  files: readonly string[],
  modelCard?: string,
): MicrojouleError[] {
  const failures: MicrojouleError[] = [];
  const isRow = (file: string) => extname(file).toLowerCase() === '.csv';
  const rows = files.filter(isRow).map((file) => () => writeReport(report, file));
  const others = files.filter((name) => !isRow(name)).map((file) => () => writeReport(report, file));
  const card = modelCard === undefined ? [] : [() => writeModelCard(report, modelCard)];
  // Rows and cards first: they have no room for warnings, the others do.
  for (const write of [...rows, ...card, ...others]) {
    try {
      const { remark }: Written = write();
      if (remark !== undefined) report.warnings.push({ code: 'output-elsewhere', message: `${remark}.` });
    } catch (error) {
      const failure = error as MicrojouleError;
      const { message, hint } = failure;
      failures.push(failure);
      report.warnings.push({ code: 'output-failed', message, ...(hint === undefined ? {} : { hint }) });
    }
  }
  return failures;
}

function unwritable(file: string, error: unknown): MicrojouleError {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  const hints: Record<string, string> = {
    ENOENT: 'Its folder does not exist: create it first.',
    EACCES: 'Choose a folder you may write to.',
    EPERM: 'Choose a folder you may write to.',
    EROFS: 'The file system is read-only: choose another folder.',
    EISDIR: 'It is a folder: give a file name.',
    ENOSPC: 'The disk is full.',
  };
  return new MicrojouleError('ERR_OUTPUT', `cannot write ${resolve(file)} (${code || String(error)})`, {
    hint: hints[code] ?? 'Choose another file.',
    cause: error,
  });
}

function readAt(descriptor: number, position: number, length: number): string {
  const buffer = Buffer.alloc(length);
  return buffer.toString('utf8', 0, readSync(descriptor, buffer, 0, length, position));
}

function appendRow(report: Report, file: string): Written {
  const row = tryAppend(report, file);
  if (row.done) return { file };
  const extension = extname(file);
  for (let n = 1; n < MOST_SIBLINGS; n++) {
    const sibling = `${file.slice(0, -extension.length)}-${n}${extension}`;
    if (!tryAppend(report, sibling).done) continue;
    return {
      file: sibling,
      remark: `${file} has other columns than CodeCarbon's emissions.csv (${row.difference}), so it was left as it is; the row is in ${sibling}`,
    };
  }
  throw new MicrojouleError('ERR_OUTPUT', `${file} and its numbered siblings have other columns`, {
    hint: 'Give another file name.',
  });
}

/**
 * Begins a CSV file with header and row, unless there is one by now. It appears with both in it: of several runs
 * that end at once, one writes the header.
 */
function tryCreate(report: Report, file: string): boolean {
  const plan = planCsvAppend(undefined);
  if (plan.action === 'foreign') return false;
  const text = csvText(plan, report);
  const draft = join(dirname(file), `.${crypto.randomUUID()}`);
  try {
    writeFileSync(draft, text, { flag: 'wx' });
    linkSync(draft, file);
    return true;
  } catch {
    // It is there by now, or the file system has no hard links; the next attempt tells which.
  } finally {
    removeQuietly(draft);
  }
  try {
    writeFileSync(file, text, { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function removeQuietly(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {
    // What could not be created cannot always be removed either.
  }
}

/** One write in append mode, so that rows of runs at the same time do not mix. */
function tryAppend(report: Report, file: string): { done: true } | { done: false; difference: string } {
  if (!existsSync(file) && tryCreate(report, file)) return { done: true };
  const descriptor = openSync(file, 'a+');
  try {
    const { size } = fstatSync(descriptor);
    const existing: ExistingCsv | undefined =
      size === 0
        ? undefined
        : {
            head: readAt(descriptor, 0, Math.min(size, EDGE_BYTES)),
            tail: readAt(descriptor, Math.max(0, size - 1), 1),
          };
    const plan = planCsvAppend(existing);
    if (plan.action === 'foreign') {
      const list = (label: string, names: string[]) =>
        names.length === 0
          ? []
          : [`${label} ${names.slice(0, 3).join(', ')}${names.length > 3 ? ', …' : ''}`];
      return {
        done: false,
        difference: [...list('without', plan.missing), ...list('with', plan.extra)].join('; '),
      };
    }
    writeFileSync(descriptor, csvText(plan, report));
    return { done: true };
  } finally {
    closeSync(descriptor);
  }
}
