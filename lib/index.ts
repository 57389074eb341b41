// SPDX-License-Identifier: MIT
//
// The meter and the tracker. Reports and their formats are in reports.ts, which the tracker loads when it needs
// them: whoever only meters does not pay for them at import.
export { type ErrorCode, MicrojouleError } from './core/errors.js';
export type { Domain, Kind, Provenance, Status, Warning } from './core/vocabulary.js';
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
export type * from './report/types.js';
export type { ReportOptions } from './tracker/create-report.js';
export { EmissionsTracker, type TrackerOptions, trackEmissions } from './tracker/tracker.js';
export { packageVersion } from './version.js';
