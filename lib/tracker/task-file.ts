// SPDX-License-Identifier: MIT
//
// The file of tasks that CodeCarbon has beside each emissions.csv: `emissions_<experiment>_<run>.csv`.
import { appendFileSync, existsSync, realpathSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { MicrojouleError } from '../core/errors.js';
import type { Report } from '../core/report-types.js';
import { codecarbonTaskHeader, codecarbonTaskLine } from '../format/codecarbon-csv.js';
import { isCsv, unwritable } from './output.js';
import { replaceFile } from './replace-file.js';

/** A program may have a task a request, for weeks. */
const MOST_LINES = 1000;

export interface TaskFile {
  /** A task that ended. It is written when there are many, or at the end. */
  add(task: Report): void;
  /** Writes the rest. What could not be written becomes a warning of the report. */
  finish(report: Report): void;
}

/** @param outputs all files of the tracker: each folder with a `.csv` among them has a file of tasks, once there is one */
export function openTaskFile(outputs: readonly string[]): TaskFile {
  const folders = [...new Set(outputs.filter(isCsv).map((file) => dirname(file)))];
  const failures = new Map<string, MicrojouleError>();
  let name: string | undefined;
  let lines: string[] = [];
  let hasBegun = false;

  function writeInto(folder: string, file: string, text: string): void {
    const path = join(folder, file);
    if (failures.has(path)) return;
    try {
      if (hasBegun) {
        appendFileSync(path, text);
        return;
      }
      const target = existsSync(path) ? realpathSync(path) : path;
      const old = existsSync(target) ? statSync(target) : undefined;
      replaceFile(target, `${codecarbonTaskHeader()}\n${text}`, old);
    } catch (error) {
      failures.set(path, unwritable(path, error));
    }
  }

  function write(): void {
    if (name === undefined || lines.length === 0) return;
    const text = lines.map((line) => `${line}\n`).join('');
    for (const folder of folders) writeInto(folder, name, text);
    hasBegun = true;
    lines = [];
  }

  return {
    add(task) {
      if (folders.length === 0) return;
      name ??= fileName(task);
      lines.push(codecarbonTaskLine(task));
      if (lines.length >= MOST_LINES) write();
    },
    finish(report) {
      write();
      for (const { message, hint } of failures.values()) {
        report.warnings.push({ code: 'output-failed', message, ...(hint === undefined ? {} : { hint }) });
      }
    },
  };
}

function fileName({ experimentName, runId }: Report): string {
  // Users choose the names, and no name is to lead out of the folder.
  const inName = (text: string) => text.replace(/[\p{Cc}/\\:*?"<>|]/gu, '_');
  return `emissions_${inName(experimentName ?? 'base')}_${inName(runId)}.csv`;
}
