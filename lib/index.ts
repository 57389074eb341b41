// SPDX-License-Identifier: MIT
//
// The meter and the tracker. What they need (region/region-meter.ts; measures.ts, reports.ts, formats.ts) is loaded when a
// meter is opened or a tracker starts: whoever does neither does not pay for it at import.
export { type ErrorCode, MicrojouleError } from './core/errors.js';
export type * from './core/report-types.js';
export type { Domain, Kind, Provenance, Status, Warning } from './core/vocabulary.js';
export { compareEnergy, measureEnergy } from './kernel/on-demand.js';
export type * from './kernel/types.js';
export type { EstimateOptions } from './measure/components.js';
export type { Counter, CounterDelta, Meter, SourceState } from './meter/meter.js';
export type { MeterOptions } from './meter/options.js';
export type { CounterReading, Reading } from './meter/reading.js';
export type { Effect, PairComparison } from './precision/compare.js';
export type * from './precision/types.js';
export { openMeter } from './region/on-demand.js';
export type { RegionHandle } from './region/open-region.js';
export type { RegionMeter } from './region/region-meter.js';
export type { CounterEnergy, RegionEnergy, RegionOptions } from './region/types.js';
export type { ReportOptions } from './tracker/create-report.js';
export type { LiveMeasurement } from './tracker/live.js';
export { OfflineEmissionsTracker, type OfflineTrackerOptions } from './tracker/offline.js';
export type { Task } from './tracker/task.js';
export { EmissionsTracker, type TrackerOptions, trackEmissions } from './tracker/tracker.js';
