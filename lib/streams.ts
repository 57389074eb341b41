// SPDX-License-Identifier: MIT
//
// `microjoule/stream`: energy over time as a stream of records, and as the lines that other programs read.
export { type ErrorCode, MicrojouleError } from './core/errors.js';
export {
  type MonitorView,
  monitorFrame,
  monitorIntroduction,
  monitorLine,
  newsText,
  notCounted,
} from './format/monitor.js';
export { createStreamDecoder } from './monitor/decoder.js';
export type { StreamOptions } from './monitor/options.js';
export { type RunningStream, startStream } from './monitor/producer.js';
export { findUpdatePeriods } from './monitor/update-periods.js';
export { StreamWriter } from './monitor/writer.js';
export { csvEncoder } from './stream/csv.js';
export type { StreamDecoder } from './stream/decode.js';
export { encodeRecord, ticksOf } from './stream/encode.js';
export { PowerHistory } from './stream/power.js';
export { StreamTotals } from './stream/totals.js';
export * from './stream/types.js';
