// SPDX-License-Identifier: MIT
import { extname, resolve } from 'node:path';
import { MicrojouleError } from '../core/errors.js';
import type { Report } from '../core/report-types.js';
import { FORMATTERS } from '../format/index.js';
import type { Written } from './csv-beside.js';
import { type OnCsvWrite, writeRow } from './csv-file.js';
import { writeModelCard } from './model-card-file.js';
import { writeWhole } from './write-whole.js';

export interface WriteOptions {
  /** What a `.csv` gains when it has a row of the same run: another, or this one in its place. Default: `append`. */
  onCsvWrite?: OnCsvWrite | undefined;
}

/** A file whose extension is its format, or one whose format is said: an extension, such as `csv`. */
export type OutputFile = string | { file: string; format: string };

/** Where an output is. */
export function fileOf(output: OutputFile): string {
  return typeof output === 'string' ? output : output.file;
}

/** The extension that names its format, with its dot. */
function formatOf(output: OutputFile): string {
  const extension = typeof output === 'string' ? extname(output) : `.${output.format}`;
  return extension.toLowerCase();
}

/** The same output wherever the working directory goes. */
export function resolveOutput(output: OutputFile): OutputFile {
  return typeof output === 'string' ? resolve(output) : { ...output, file: resolve(output.file) };
}

/** The file name extensions a report can be written to. */
export function outputExtensions(): string[] {
  return [...FORMATTERS.keys(), '.csv'];
}

/**
 * Checks an output before the work starts.
 * @throws MicrojouleError `ERR_BAD_OPTION`
 */
export function checkOutput(output: unknown): void {
  const extensions = outputExtensions();
  if (typeof output === 'string') {
    if (extensions.includes(formatOf(output))) return;
    throw new MicrojouleError('ERR_BAD_OPTION', `output: "${output}" has no known extension`, {
      hint: `The extension chooses the format: ${extensions.join(', ')} (a row of emissions.csv).`,
    });
  }
  const { file, format } = (output ?? {}) as Record<string, unknown>;
  if (
    typeof file === 'string' &&
    typeof format === 'string' &&
    extensions.includes(formatOf({ file, format }))
  )
    return;
  throw new MicrojouleError(
    'ERR_BAD_OPTION',
    `output: ${JSON.stringify(output)} is no file with a known format`,
    {
      hint: `Give a file name, or { file, format } with a format of ${extensions.map((one) => one.slice(1)).join(', ')}.`,
    },
  );
}

/** @throws MicrojouleError `ERR_BAD_OPTION` */
export function checkWriteOptions({ onCsvWrite = 'append' }: WriteOptions): void {
  if (['append', 'update'].includes(onCsvWrite)) return;
  throw new MicrojouleError(
    'ERR_BAD_OPTION',
    `onCsvWrite must be append or update, not ${String(onCsvWrite)}`,
    {
      hint: '"update" replaces the row of the same run; the default, "append", adds one.',
    },
  );
}

/**
 * Writes the report into a file, in the format that it names; `.csv` gains a row. A CSV file with other
 * columns is left as it is and the row goes beside it. Synchronous, so that it works while the process exits.
 * @throws MicrojouleError `ERR_BAD_OPTION`, `ERR_OUTPUT`
 */
export function writeReport(report: Report, output: OutputFile, options: WriteOptions = {}): Written {
  checkOutput(output);
  checkWriteOptions(options);
  const file = fileOf(output);
  const format = FORMATTERS.get(formatOf(output));
  try {
    if (format === undefined) return writeRow(report, file, options.onCsvWrite ?? 'append');
    writeWhole(file, format(report));
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
  files: readonly OutputFile[],
  modelCard?: string,
  options: WriteOptions = {},
): MicrojouleError[] {
  const rows = files.filter(isCsv).map((file) => () => writeReport(report, file, options));
  const others = files.filter((file) => !isCsv(file)).map((file) => () => writeReport(report, file));
  const card = modelCard === undefined ? [] : [() => writeModelCard(report, modelCard)];
  // Rows and cards first: they have no room for warnings, the others do.
  const failures: MicrojouleError[] = [];
  for (const write of [...rows, ...card, ...others]) {
    try {
      const { remark, code = 'output-elsewhere' } = write();
      if (remark !== undefined) report.warnings.push({ code, message: `${remark}.` });
    } catch (error) {
      const failure = error as MicrojouleError;
      const { message, hint } = failure;
      failures.push(failure);
      report.warnings.push({ code: 'output-failed', message, ...(hint === undefined ? {} : { hint }) });
    }
  }
  return failures;
}

/** Whether a file gains rows instead of being written anew. */
export function isCsv(output: OutputFile): boolean {
  return formatOf(output) === '.csv';
}

/** The error of a file that cannot be written, with what to do. */
export function unwritable(file: string, error: unknown): MicrojouleError {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  const hints: Record<string, string> = {
    ENOENT: 'Its folder does not exist: create it first.',
    EACCES: 'Choose a file and a folder you may write to.',
    EPERM: 'Choose a file and a folder you may write to.',
    EROFS: 'The file system is read-only: choose another folder.',
    EISDIR: 'It is a folder: give a file name.',
    ENOSPC: 'The disk is full.',
    EDQUOT: 'Your quota of the disk is used up.',
    EFBIG: 'The file may not grow any further: see ulimit -f.',
  };
  return new MicrojouleError('ERR_OUTPUT', `cannot write ${resolve(file)} (${code || String(error)})`, {
    hint: hints[code] ?? 'Choose another file.',
    cause: error,
  });
}
