// SPDX-License-Identifier: MIT
//
// What the process hears of beside the report, of which an emissions.csv has no warnings.
import type { Warning } from '../core/vocabulary.js';

/** A file or a server lacks what it should have. */
const OF_OUTPUTS: ReadonlySet<string> = new Set(['output-failed', 'output-elsewhere', 'endpoint-failed']);
/** What the user wrote is not what happens. */
const OF_OPTIONS: ReadonlySet<string> = new Set([
  'option-unknown',
  'config-key-unknown',
  'config-endpoint-unused',
  'config-section-missing',
  'config-unreadable',
]);

const told = new Set<string>();

export function inOneLine({ message, hint }: Pick<Warning, 'message' | 'hint'>): string {
  if (hint === undefined) return message;
  return `${/[.!?]$/.test(message) ? message : `${message}.`} ${hint}`;
}

/** Whether a warning is one that the process hears of when its report is written. */
export function isOfOutputs({ code }: Warning): boolean {
  return OF_OUTPUTS.has(code);
}

export function tell(warning: Warning): void {
  process.emitWarning(inOneLine(warning), 'MicrojouleWarning');
}

/** Tells what options and configuration have that is not used, each once in a process. */
export function tellOfOptions(warnings: readonly Warning[]): void {
  for (const warning of warnings) {
    if (!OF_OPTIONS.has(warning.code) || told.has(warning.message)) continue;
    told.add(warning.message);
    tell(warning);
  }
}
