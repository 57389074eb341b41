// SPDX-License-Identifier: MIT
//
// A trace read back, in pieces: however long it is, memory holds one of them. What is whole is given, however it ends.
import { once } from 'node:events';
import { closeSync, createReadStream, openSync, readSync, statSync } from 'node:fs';
import { StringDecoder } from 'node:string_decoder';
import { MicrojouleError } from '../core/errors.js';
import { createStreamDecoder } from '../monitor/decoder.js';
import { STREAM_SCHEMA, type StreamHeader, type StreamRecord } from '../stream/types.js';
import { gunzipPieces } from './gunzip.js';
import { decodeReportRecord, type ReportRecord } from './records.js';

/** How a trace ended. */
export interface TraceOutcome {
  header: StreamHeader;
  /** Whether the stream's end record came: nothing is missing at its end. */
  isEnded: boolean;
  /** What is wrong with its end, in words; absent when nothing is. */
  problem?: string;
}

const BEGINNING = '{"type":"header"';

type Take = (record: StreamRecord | ReportRecord) => void;

/**
 * Whether a file begins as a trace or a stream does; a report begins otherwise. False for what is no regular file: looking
 * at the beginning of a pipe would take it away. Never throws.
 */
export function isTrace(file: string): boolean {
  try {
    if (!statSync(file).isFile()) return false;
    const descriptor = openSync(file, 'r');
    try {
      const bytes = Buffer.alloc(BEGINNING.length);
      const length = readSync(descriptor, bytes);
      return isGzip(bytes.subarray(0, length)) || bytes.toString('latin1', 0, length) === BEGINNING;
    } finally {
      closeSync(descriptor);
    }
  } catch {
    return false;
  }
}

function isGzip(beginning: Buffer): boolean {
  return beginning.length >= 2 && beginning[0] === 0x1f && beginning[1] === 0x8b;
}

function unreadable(file: string, error: unknown): MicrojouleError {
  const reason = error instanceof Error ? error.message : String(error);
  return new MicrojouleError('ERR_BAD_STREAM', `cannot read ${file} as a trace (${reason})`, {
    hint: 'Give a file that microjoule run --trace FILE wrote.',
    cause: error,
  });
}

/** Pieces of the text; what a compressed trace that was cut holds comes before the error. */
async function* piecesOf(file: string): AsyncGenerator<string> {
  const bytes = createReadStream(file, { highWaterMark: 1 << 18 });
  // A pipe cannot be read twice: its beginning is put back.
  await once(bytes, 'readable');
  const beginning = bytes.read() as Buffer | null;
  if (beginning !== null) bytes.unshift(beginning);
  if (beginning === null || !isGzip(beginning)) {
    for await (const piece of bytes.setEncoding('utf8')) yield piece as string;
    return;
  }
  // A character may lie across two pieces.
  const decoder = new StringDecoder('utf8');
  for await (const piece of gunzipPieces(bytes)) yield decoder.write(piece);
  yield decoder.end();
}

/**
 * Gives each record of a trace, or of any stream, in its order: `.gz` or not, whole or cut off. What comes after a
 * damaged line is not given.
 * @throws MicrojouleError `ERR_BAD_STREAM` when it cannot be read or has no header that this version knows; what `take`
 * throws
 */
export async function readTrace(file: string, take: Take): Promise<TraceOutcome> {
  const decoder = createStreamDecoder();
  let rest = '';
  let problem: string | undefined;

  let thrown: unknown;
  const give: Take = (record) => {
    try {
      take(record);
    } catch (error) {
      thrown = error;
      throw error;
    }
  };

  /** Line by line, so that what stands before a damaged one is given. */
  const push = (text: string): void => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (decoder.header === undefined) checkVersion(line);
      const report = decodeReportRecord(line);
      // An empty line in place of one of ours keeps the decoder's count of lines.
      for (const record of decoder.push(report === undefined ? `${line}\n` : '\n')) give(record);
      if (report !== undefined) give(report);
    }
  };

  try {
    for await (const piece of piecesOf(file)) push(piece);
    const isCut = rest !== '';
    try {
      push('\n');
    } catch (error) {
      if (thrown !== undefined || !isCut || decoder.header === undefined) throw error;
      problem = 'its last line was cut';
    }
  } catch (error) {
    if (thrown !== undefined) throw error;
    if (decoder.header === undefined) throw unreadable(file, error);
    problem = describe(error);
  }
  const { header, isEnded } = decoder;
  if (header === undefined) throw unreadable(file, new Error('it is empty'));
  return { header, isEnded, ...(problem === undefined ? {} : { problem }) };
}

/** Other versions may look otherwise, too; that it is one is what to say of them. */
function checkVersion(line: string): void {
  const [, schema] = /"schema":"(microjoule\.stream\/[^"]*)"/.exec(line) ?? [];
  if (schema === undefined || schema === STREAM_SCHEMA) return;
  throw new Error(`it is ${schema}; this version of microjoule reads ${STREAM_SCHEMA}`);
}

/** A piece of a compressed file that ends too early is how a crash looks there. */
function describe(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'Z_BUF_ERROR') return 'its last piece was cut';
  if (error instanceof MicrojouleError) return message;
  if (error instanceof SyntaxError || code?.startsWith('Z_') === true)
    return `what follows is damaged (${message})`;
  throw error;
}
