// SPDX-License-Identifier: MIT
//
// `microjoule/meter`: the meter with its regions, by itself. The main module loads it when the first meter is opened.
export { type ErrorCode, MicrojouleError } from './core/errors.js';
export type { Counter, CounterDelta, Meter, SourceState } from './meter/meter.js';
export type { MeterOptions } from './meter/options.js';
export type { CounterReading, Reading } from './meter/reading.js';
export type { RegionHandle } from './region/open-region.js';
export { openMeter, type RegionMeter } from './region/region-meter.js';
export type { CounterEnergy, RegionEnergy, RegionOptions } from './region/types.js';
