// SPDX-License-Identifier: MIT
export { type ErrorCode, MicrojouleError } from './core/errors.js';
export type { Domain, Kind, Provenance, Status, Warning } from './core/vocabulary.js';
export { ansiStyle } from './format/ansi-style.js';
export { formatCounters } from './format/counters.js';
export { FORMATTERS, type Formatter } from './format/index.js';
export { formatJson } from './format/json.js';
export { formatMarkdown } from './format/markdown.js';
export { formatText, type Style, type StyleName } from './format/text.js';
export { childCpuTimes } from './measure/child-cpu.js';
export type { EstimateOptions } from './measure/components.js';
export { mergeMeasurements } from './measure/merge.js';
export { missingCounters } from './measure/missing.js';
export {
  type Glimpse,
  type Recording,
  type RecordingOptions,
  startRecording,
} from './measure/recording.js';
export {
  type Counter,
  type CounterDelta,
  type Meter,
  openMeter,
  type SourceState,
} from './meter/meter.js';
export type { MeterOptions } from './meter/options.js';
export type { CounterReading, Reading } from './meter/reading.js';
export { parseModelDetails } from './report/model.js';
export type * from './report/types.js';
export {
  createReport,
  planReport,
  type ReportOptions,
  type ReportPlan,
} from './tracker/create-report.js';
export { checkOutput, outputExtensions, type Written, writeReport } from './tracker/output.js';
export { EmissionsTracker, type TrackerOptions, trackEmissions } from './tracker/tracker.js';
export { packageVersion } from './version.js';
