// SPDX-License-Identifier: MIT
import {
  checkOutput,
  formatJson,
  mergeReports,
  parseModelDetails,
  readReport,
  writeOutputs,
} from '../formats.js';
import { MicrojouleError, packageVersion } from '../measures.js';
import { formatText, type ModelDetails, type Report } from '../reports.js';
import { readTextFile } from './read-file.js';
import { writeStdout } from './stdout.js';
import { complain, styleFor } from './terminal.js';

export interface ReportFlags {
  output?: string[];
  modelCard?: string;
  json?: boolean;
  projectName?: string;
  model?: string;
}

/** Our own failure, as GNU env and timeout have it. */
const OWN_FAILURE = 125;
/** Warnings that nobody should have to look for in a file. */
const TOLD = new Set(['output-elsewhere', 'machine-counted-twice', 'machine-unknown']);

function modelDetails(file: string | undefined): ModelDetails | undefined {
  return file === undefined ? undefined : parseModelDetails(readTextFile(file), file);
}

/** The report in a JSON file, or the one of the run whose trace it is. */
async function reportOf(file: string): Promise<Report> {
  const { isTrace, reportOfTrace } = await import('../traces.js');
  return isTrace(file) ? reportOfTrace(file, Date.now()) : readReport(file);
}

/**
 * `microjoule report`: reports from JSON files, one or several brought together, in any format. Returns the exit code.
 * @throws MicrojouleError for files that are neither reports nor traces, for options, and where stdout cannot be written
 */
export async function runReport(files: readonly string[], flags: ReportFlags): Promise<number> {
  const outputs = flags.output ?? [];
  for (const file of outputs) checkOutput(file);
  const [first, ...others] = await Promise.all(files.map(reportOf));
  if (first === undefined) {
    throw new MicrojouleError('ERR_BAD_OPTION', 'no report was given', {
      hint: 'microjoule report run.json -o report.html',
    });
  }
  const model = modelDetails(flags.model);
  const merged = mergeReports([first, ...others], { generatedAtMs: Date.now(), version: packageVersion() });
  const report: Report = {
    ...merged,
    ...(flags.projectName === undefined ? {} : { projectName: flags.projectName }),
    ...(model === undefined ? {} : { model }),
  };
  const failures = writeOutputs(report, outputs, flags.modelCard);
  for (const { code, message } of report.warnings) if (TOLD.has(code)) complain(message);
  for (const { message, hint } of failures) complain(message, hint);
  if (flags.json === true) await writeStdout(formatJson(report));
  else if (outputs.length === 0 && flags.modelCard === undefined) {
    await writeStdout(formatText(report, styleFor(process.stdout)));
  }
  return failures.length > 0 ? OWN_FAILURE : 0;
}
