// SPDX-License-Identifier: MIT
import { createRequire } from 'node:module';
import type { JsonSchema } from '../core/schema-check.js';
import { StreamDecoder } from '../stream/decode.js';

let schema: JsonSchema | undefined;

/** A decoder of one stream, with the schema that ships with the package. */
export function createStreamDecoder(): StreamDecoder {
  schema ??= createRequire(import.meta.url)('../../schema/stream.schema.json') as JsonSchema;
  return new StreamDecoder(schema);
}
