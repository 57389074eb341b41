// SPDX-License-Identifier: MIT
//
// `microjoule/trace`: runs recorded in full, in a file that survives a crash; read back, exported, reported on.
export { formatTrace, type TraceFacts } from './format/trace.js';
export { exportTrace, type TraceSummary } from './trace/export.js';
export { isTrace, readTrace, type TraceOutcome } from './trace/read-trace.js';
export type { ContextRecord, MeasurementRecord, ReportRecord } from './trace/records.js';
export { reportOfTrace } from './trace/report-of-trace.js';
export { TraceFile } from './trace/trace-file.js';
export { type RunningTrace, startTrace, type TraceRunOptions } from './trace/trace-run.js';
