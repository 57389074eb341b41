// SPDX-License-Identifier: MIT
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { MicrojouleError } from '../core/errors.js';
import type { Report } from '../core/report-types.js';
import { type JsonSchema, schemaProblem } from '../core/schema-check.js';

let schema: JsonSchema | undefined;

/** As traces and streams begin, compressed or not. */
function beginsAsTrace(text: string): boolean {
  return text.startsWith('{"type":"header"') || text.startsWith('\u001f');
}

/**
 * The report in a JSON file that microjoule wrote.
 * @throws MicrojouleError `ERR_BAD_REPORT` when there is no such file, or when it holds something else
 */
export function readReport(file: string): Report {
  let value: unknown;
  let text = '';
  try {
    text = readFileSync(file, 'utf8').replace(/^\uFEFF/, '');
    value = JSON.parse(text);
  } catch (cause) {
    if (beginsAsTrace(text)) {
      throw new MicrojouleError('ERR_BAD_REPORT', `${file} is a trace, or compressed, and no report`, {
        hint: 'A trace is taken as the report of its run where it is a file, not through a pipe: microjoule report run.jsonl',
        cause,
      });
    }
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new MicrojouleError('ERR_BAD_REPORT', `cannot read ${file} as a report (${reason})`, {
      hint: 'Give a file that microjoule run -o report.json wrote.',
      cause,
    });
  }
  schema ??= createRequire(import.meta.url)('../../schema/report.schema.json') as JsonSchema;
  const problem = schemaProblem(value, schema);
  if (problem === undefined) return value as Report;
  throw new MicrojouleError('ERR_BAD_REPORT', `${file} is no report of microjoule: ${problem}`, {
    hint: 'Give a file that microjoule run -o report.json wrote, unchanged. Its "schema" must be microjoule.report/1.',
  });
}
