// SPDX-License-Identifier: MIT
//
// `microjoule/stream`: energy over time as a stream of records, and as the lines that other programs read.
export { createStreamDecoder } from './monitor/decoder.js';
export type { StreamDecoder } from './stream/decode.js';
export { encodeRecord, ticksOf } from './stream/encode.js';
export * from './stream/types.js';
