// SPDX-License-Identifier: MIT
import { MicrojouleError } from '../core/errors.js';
import { type JsonSchema, schemaProblem } from '../core/schema-check.js';
import { STREAM_SCHEMA, type StreamHeader, type StreamRecord, type StreamRow } from './types.js';

const KNOWN: ReadonlySet<unknown> = new Set(['header', 'gap', 'note', 'clock', 'end']);

/**
 * Reads a stream as it comes, in pieces of any size, and checks it: every record against the schema, times that ascend,
 * values that never fall. A last line that was cut is told, not an error.
 */
export class StreamDecoder {
  /** The first record, once it came. */
  header: StreamHeader | undefined;
  /** Whether the end record came. */
  isEnded = false;
  /** Whether the last line was cut. Known after {@link finish}. */
  isCut = false;
  readonly #definitions: unknown;
  #rest = '';
  #lineCount = 0;
  #lastNs = Number.NEGATIVE_INFINITY;
  #highest: number[] = [];

  /** @param schema the content of `microjoule/stream.schema.json` */
  constructor(schema: JsonSchema) {
    this.#definitions = (schema as { $defs?: unknown }).$defs;
  }

  /**
   * The records that are whole by now. Those of a type that this version does not know are left out.
   * @throws MicrojouleError `ERR_BAD_STREAM`, with the number of the line
   */
  push(text: string): StreamRecord[] {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    const records: StreamRecord[] = [];
    for (const line of lines) {
      this.#lineCount += 1;
      if (line.trim() === '') continue;
      const record = this.#decode(parse(line) ?? this.#fail('it is not JSON'));
      if (record !== undefined) records.push(record);
    }
    return records;
  }

  /**
   * Nothing more comes. A last line without an end counts if it is whole.
   * @throws MicrojouleError `ERR_BAD_STREAM` as {@link push} does, and when there was not even a header
   */
  finish(): StreamRecord[] {
    const line = this.#rest;
    this.#rest = '';
    const records: StreamRecord[] = [];
    if (line.trim() !== '') {
      this.#lineCount += 1;
      const value = parse(line);
      const record = value === undefined ? undefined : this.#decode(value);
      this.isCut = value === undefined;
      if (record !== undefined) records.push(record);
    }
    if (this.header === undefined) this.#fail('there is no header');
    return records;
  }

  #decode(value: unknown): StreamRecord | undefined {
    if (this.isEnded) this.#fail('it comes after the end record');
    if (Array.isArray(value)) return this.#row(value);
    const type = (value as { type?: unknown }).type;
    if (this.header === undefined && type !== 'header') this.#fail('the first line must be a header');
    if (!KNOWN.has(type)) {
      return typeof type === 'string' ? undefined : this.#fail('it has no type');
    }
    const problem = schemaProblem(value, { $ref: `#/$defs/${type}`, $defs: this.#definitions });
    if (problem !== undefined) this.#fail(problem);
    const record = value as StreamRecord;
    if (record.type === 'header') {
      if (this.header !== undefined) this.#fail('there is a header already');
      this.header = record;
      this.#highest = record.channels.map(() => 0);
    }
    if (record.type === 'end') {
      if (record.channelJoules.length !== this.#highest.length)
        this.#fail('it does not have a value a channel');
      this.isEnded = true;
    }
    return record;
  }

  #row(value: unknown[]): StreamRow {
    if (this.header === undefined) this.#fail('the first line must be a header');
    const [timeNs, ...energyJoules] = value as [number, ...(number | null)[]];
    if (energyJoules.length !== this.#highest.length) {
      this.#fail(`${this.#highest.length} values expected after the time, found ${energyJoules.length}`);
    }
    if (!Number.isSafeInteger(timeNs) || timeNs < 0) this.#fail('the time must be a whole number');
    if (timeNs <= this.#lastNs) this.#fail('its time is not after the last one');
    this.#lastNs = timeNs;
    for (const [index, joules] of energyJoules.entries()) {
      if (joules === null) continue;
      if (typeof joules !== 'number' || !Number.isFinite(joules)) {
        this.#fail(`value ${index} is neither a number nor null`);
      }
      if (joules < (this.#highest[index] ?? 0)) this.#fail(`value ${index} is less than it was`);
      this.#highest[index] = joules;
    }
    return { type: 'row', timeNs, energyJoules };
  }

  #fail(problem: string): never {
    throw new MicrojouleError('ERR_BAD_STREAM', `line ${this.#lineCount} of the stream: ${problem}`, {
      hint: `Give what microjoule monitor --jsonl wrote, unchanged. Its "schema" must be ${STREAM_SCHEMA}.`,
    });
  }
}

/** An object or an array, or undefined for what is not whole. */
function parse(line: string): object | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
