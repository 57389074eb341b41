// SPDX-License-Identifier: MIT
//
// The file of tasks that CodeCarbon has beside each emissions.csv: `emissions_<experiment>_<run>.csv`.
import { closeSync, existsSync, openSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { MicrojouleError } from '../core/errors.js';
import type { Report } from '../core/report-types.js';
import type { Warning } from '../core/vocabulary.js';
import { codecarbonTaskHeader, codecarbonTaskLine, TASK_COLUMNS } from '../format/codecarbon-csv.js';
import { type ExistingCsv, planCsvAppend } from '../format/csv-append.js';
import { type Access, type Attempt, writeBeside } from './csv-beside.js';
import { type Addition, addTo, EDGE_BYTES } from './csv-bytes.js';
import { differenceOf } from './csv-file.js';
import { fileOf, isCsv, type OutputFile, unwritable, type WriteOptions } from './output.js';
import { replaceFile } from './replace-file.js';

/** A program may have a task a request, for weeks. */
const MOST_LINES = 1000;

export interface TaskFile {
  /** A task that ended. It is written when there are many, at a flush, or at the end. Never throws. */
  add(task: Report): void;
  /** Writes what there is. What cannot be written is a warning of the report, and is tried again. */
  flush(report: Report): void;
  /** Writes the rest. What could not be written becomes a warning of the report. */
  finish(report: Report): void;
}

/** The file of tasks in one folder; by the name that was asked for, as links become known only when it is written. */
interface TaskFolder {
  folder: string;
  /** What it still lacks. */
  lines: string[];
  /** Whether tasks of this run stand in it already. */
  begun: boolean;
  /** It could not be written when there was no more room for what it lacks. */
  failed: boolean;
}

/**
 * @param outputs all outputs of the tracker: each folder with a CSV among them has a file of tasks, once there is one
 * @param options with `update` the tasks take the place of those of an earlier run of the same names; otherwise they stand
 * behind them
 */
export function openTaskFile(
  outputs: readonly OutputFile[],
  { onCsvWrite = 'append' }: WriteOptions = {},
): TaskFile {
  const names = new Set(outputs.filter(isCsv).map((output) => dirname(fileOf(output))));
  const folders = [...names].map(
    (folder): TaskFolder => ({ folder, lines: [], begun: false, failed: false }),
  );
  const warnings = new Map<string, Warning>();
  let name: string | undefined;

  const warn = (warning: Warning): unknown => warnings.set(warning.message, warning);

  /** What went wrong, if something did: then nothing of it was written. */
  function write(into: TaskFolder, fileName: string): Warning | undefined {
    if (into.lines.length === 0) return undefined;
    const path = join(into.folder, fileName);
    try {
      const { remark, code } = writeBeside(path, 'the tasks are', (target, access) => {
        const attempt =
          onCsvWrite === 'update' && !into.begun
            ? replace(target, access, into.lines)
            : add(target, into.lines);
        if (attempt.done) into.begun = true;
        return attempt;
      });
      if (remark !== undefined) warn({ code: code ?? 'output-remark', message: `${remark}.` });
    } catch (error) {
      const { message, hint } = error instanceof MicrojouleError ? error : unwritable(path, error);
      return { code: 'output-failed', message, ...(hint === undefined ? {} : { hint }) };
    }
    into.lines = [];
    return undefined;
  }

  function writeAll(some: readonly TaskFolder[], failed: (warning: Warning, into: TaskFolder) => void): void {
    if (name === undefined) return;
    for (const into of some) {
      const warning = write(into, name);
      if (warning !== undefined) failed(warning, into);
    }
  }

  return {
    add(task) {
      let line: string;
      try {
        name ??= fileName(task);
        line = codecarbonTaskLine(task);
      } catch (error) {
        warn({ code: 'output-failed', message: `The task "${task.task}" makes no row: ${String(error)}.` });
        return;
      }
      for (const into of folders) if (!into.failed) into.lines.push(line);
      const full = folders.filter(({ lines }) => lines.length >= MOST_LINES);
      writeAll(full, (warning, into) => {
        warn(warning);
        into.failed = true;
        into.lines = [];
      });
    },
    flush(report) {
      writeAll(folders, (warning) => report.warnings.push(warning));
    },
    finish(report) {
      writeAll(folders, warn);
      report.warnings.push(...warnings.values());
      warnings.clear();
    },
  };
}

function additionTo(edges: ExistingCsv | undefined, lines: readonly string[]): Addition {
  const plan = planCsvAppend(edges, TASK_COLUMNS);
  if (plan.action === 'foreign') return { reason: differenceOf(plan, "CodeCarbon's files of tasks") };
  if (plan.columns.some((column, i) => column !== TASK_COLUMNS[i])) {
    return { reason: "has CodeCarbon's columns in another order" };
  }
  const { newline } = plan;
  const before = plan.action === 'new' ? `${codecarbonTaskHeader()}${newline}` : plan.prefix;
  const text = before + lines.map((line) => line + newline).join('');
  return { text, isBehindCut: plan.action === 'append' && plan.cut === true };
}

function add(file: string, lines: readonly string[]): Attempt {
  return addTo(file, (edges) => additionTo(edges, lines));
}

/** Takes the place of a file of tasks; never of one of another kind. */
function replace(file: string, access: Access, lines: readonly string[]): Attempt {
  if (access === 'endless' || !existsSync(file)) return add(file, lines);
  const head = readFileSync(file, 'utf8').slice(0, EDGE_BYTES);
  const kind = additionTo({ head, tail: '\n' }, lines);
  if ('reason' in kind) return { done: false, reason: kind.reason };
  if (access === 'held') {
    // A file that is read-only is not to be replaced, although its folder would allow it.
    closeSync(openSync(file, 'r+'));
    const all = additionTo(undefined, lines);
    if ('text' in all) replaceFile(file, all.text, statSync(file));
    return { done: true };
  }
  const attempt = add(file, lines);
  if (!attempt.done) return attempt;
  return {
    done: true,
    remark: `${file} cannot be replaced, as its folder takes no files, so tasks were added`,
  };
}

function fileName({ experimentName, runId }: Report): string {
  // Users choose the names, and no name is to lead out of the folder.
  const inName = (text: string) => text.replace(/[\p{Cc}/\\:*?"<>|]/gu, '_');
  return `emissions_${inName(experimentName ?? 'base')}_${inName(runId)}.csv`;
}
