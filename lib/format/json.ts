// SPDX-License-Identifier: MIT
import { MicrojouleError } from '../core/errors.js';
import type { Report } from '../core/report-types.js';

/**
 * The report as indented JSON with a final newline, at full precision.
 *
 * @throws MicrojouleError `ERR_OUTPUT` when a number is not finite: JSON would silently hold null.
 */
export function formatJson(report: Report): string {
  return `${JSON.stringify(report, rejectNonFinite, 2)}\n`;
}

function rejectNonFinite(key: string, value: unknown): unknown {
  if (typeof value === 'number' && !Number.isFinite(value)) {
    throw new MicrojouleError('ERR_OUTPUT', `The report's "${key}" is ${value}, which JSON cannot hold.`, {
      hint: 'Unless your own code put it there, this is a defect of microjoule; please report it.',
    });
  }
  return value;
}
