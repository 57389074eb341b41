// SPDX-License-Identifier: MIT
import type { MicrojouleError } from '../measures.js';
import { formatText, type Report } from '../reports.js';
import { writeStdout } from './stdout.js';
import { complain, styleFor } from './terminal.js';

/** What is told in spite of -q: a file is not where it should be, or what the user wrote is not what happens. */
const QUIET_TOO =
  /^(output-(elsewhere|remark)|config-(key-unknown|endpoint-unused|section-missing|unreadable))$/;

export interface ShowOptions {
  json?: boolean;
  quiet?: boolean;
  /** Whether a file that should have held the report does not. */
  anyFailed: boolean;
}

/**
 * Shows the report of a run: JSON on stdout, or text on stderr. What should hold it and does not is no reason to lose it:
 * there is no second chance to measure, so it is on stderr then in spite of `quiet`.
 * @returns why stdout has not the JSON
 */
export async function showReport(
  report: Report,
  { json = false, quiet = false, anyFailed }: ShowOptions,
): Promise<MicrojouleError | undefined> {
  const unwritten = json ? await writeJson(report) : undefined;
  if (unwritten !== undefined || (!json && (!quiet || anyFailed))) writeText(report);
  else if (!json) tellRemarks(report);
  return unwritten;
}

async function writeJson(report: Report): Promise<MicrojouleError | undefined> {
  const { formatJson } = await import('../formats.js');
  try {
    await writeStdout(formatJson(report));
    return undefined;
  } catch (error) {
    return error as MicrojouleError;
  }
}

function writeText(report: Report): void {
  // Failed outputs are told at the very end instead, with what to do.
  const warnings = report.warnings.filter(
    ({ code }) => code !== 'output-failed' && code !== 'endpoint-failed',
  );
  process.stderr.write(`\n${formatText({ ...report, warnings }, styleFor(process.stderr))}`);
}

function tellRemarks({ warnings }: Report): void {
  for (const { code, message } of warnings) {
    if (QUIET_TOO.test(code)) complain(message);
  }
}
