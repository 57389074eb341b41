// SPDX-License-Identifier: MIT
//
// What a trace of a run holds beside its stream: what a report needs. Readers of streams skip both.
import type { Measurement } from '../core/report-types.js';
import type { ReportContext } from '../report/build.js';

/** What a report says beside its measurement. `generatedAtMs` is that of reading it back. */
export interface ContextRecord {
  type: 'report-context';
  context: Omit<ReportContext, 'generatedAtMs'>;
}

/** What was measured until then. The last one of a run that ended holds all of it. */
export interface MeasurementRecord {
  type: 'report-measurement';
  /** In the stream's time: that of the row before it, which is of the same reading. */
  timeNs: number;
  /** Whether the run ended with it. */
  isLast: boolean;
  measurement: Measurement;
}

export type ReportRecord = ContextRecord | MeasurementRecord;

/** As its line, the line's end included. */
export function encodeReportRecord(record: ReportRecord): string {
  return `${JSON.stringify(record)}\n`;
}

/** How each begins, so that a reader need not parse all others for them. */
const BEGINNING = /^\{"type":"report-(?:context|measurement)"/;

/** The record of a line; undefined for lines that are none. @throws SyntaxError for a line that was cut */
export function decodeReportRecord(line: string): ReportRecord | undefined {
  return BEGINNING.test(line) ? (JSON.parse(line) as ReportRecord) : undefined;
}
