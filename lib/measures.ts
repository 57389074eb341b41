// SPDX-License-Identifier: MIT
//
// `microjoule/measure`: the meter, and its readings into measurements of CPU, GPU and memory, estimated where there is no
// counter.

export { type ErrorCode, MicrojouleError } from './core/errors.js';
export type { Measurement } from './core/report-types.js';
export type { EstimateOptions } from './measure/components.js';
export { mergeMeasurements } from './measure/merge.js';
export { missingCounters } from './measure/missing.js';
export {
  type Glimpse,
  type Recording,
  type RecordingOptions,
  startRecording,
} from './measure/recording.js';
export { type CounterDelta, type Meter, openMeter } from './meter/meter.js';
export { childCpuTimes, sourceNames } from './meter/native.js';
export type { MeterOptions } from './meter/options.js';
export { packageVersion } from './version.js';
