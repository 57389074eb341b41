// SPDX-License-Identifier: MIT
import { expect } from 'vitest';
import { createStreamDecoder } from '../../lib/monitor/decoder.js';
import type { StreamEnd, StreamGap, StreamHeader, StreamRecord, StreamRow } from '../../lib/stream/types.js';
import { lineErrors } from '../stream/fixtures.js';

export interface Streamed {
  header: StreamHeader;
  rows: StreamRow[];
  gaps: StreamGap[];
  records: StreamRecord[];
  end: StreamEnd;
}

/** A whole stream, every line of it checked. */
export function decode(text: string): Streamed {
  for (const line of text.trimEnd().split('\n')) expect(lineErrors(line)).toEqual([]);
  const decoder = createStreamDecoder();
  const records = [...decoder.push(text), ...decoder.finish()];
  const rows = records.filter((record) => record.type === 'row');
  const end = records.at(-1);
  if (decoder.header === undefined || end?.type !== 'end') throw new Error('the stream has no end');
  return {
    header: decoder.header,
    rows,
    gaps: records.filter(({ type }) => type === 'gap') as StreamGap[],
    records,
    end,
  };
}
