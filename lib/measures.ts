// SPDX-License-Identifier: MIT
//
// `microjoule/measure`: readings into measurements of CPU, GPU and memory, estimated where there is no counter.

export type { Measurement } from './core/report-types.js';
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
