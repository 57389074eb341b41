// SPDX-License-Identifier: MIT
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeRecord } from '../../lib/stream/encode.js';
import { gunzipPieces } from '../../lib/trace/gunzip.js';
import { readTrace } from '../../lib/trace/read-trace.js';
import { seededRandom } from '../report/fixtures.js';
import { channel, header } from '../stream/fixtures.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'microjoule-gunzip-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const ROWS_PER_PIECE = 7;

/** A trace as half seconds of it are written: the header with the first. */
function piecesOf(count: number): Buffer[] {
  const random = seededRandom(51);
  return Array.from({ length: count }, (_, piece) => {
    const rows = Array.from({ length: ROWS_PER_PIECE }, (_, index) => {
      const at = piece * ROWS_PER_PIECE + index;
      return encodeRecord({ type: 'row', timeNs: at * 1e8 + 1, energyJoules: [at + random()] });
    });
    const head = piece === 0 ? encodeRecord(header([channel('p')])) : '';
    return gzipSync(head + rows.join(''));
  });
}

async function read(bytes: Buffer) {
  const file = join(folder, 'run.jsonl.gz');
  writeFileSync(file, bytes);
  let rowCount = 0;
  const { problem } = await readTrace(file, (record) => {
    if (record.type === 'row') rowCount += 1;
  });
  return { rowCount, problem };
}

describe('a compressed trace', () => {
  it('is read whole', async () => {
    expect(await read(Buffer.concat(piecesOf(300)))).toEqual({ rowCount: 300 * ROWS_PER_PIECE });
  });

  it('gives every row before a damaged piece, and none of that or behind it', async () => {
    const random = seededRandom(52);
    for (let trial = 0; trial < 25; trial++) {
      const pieces = piecesOf(40);
      const broken = 1 + Math.floor(38 * random());
      const piece = pieces[broken] as Buffer;
      // Behind its beginning, which tells where pieces are.
      const at = 10 + Math.floor((piece.length - 10) * random());
      piece[at] = (piece[at] as number) ^ (1 << Math.floor(8 * random()));
      const { rowCount, problem } = await read(Buffer.concat(pieces));
      expect([trial, rowCount]).toEqual([trial, broken * ROWS_PER_PIECE]);
      expect(problem).toContain('damaged');
    }
  });

  it('tells of bytes between two pieces that are none, as a power cut leaves them', async () => {
    const pieces = piecesOf(20);
    const bytes = Buffer.concat([...pieces.slice(0, 8), Buffer.alloc(512), ...pieces.slice(8)]);
    expect(await read(bytes)).toEqual({
      rowCount: 8 * ROWS_PER_PIECE,
      problem: expect.stringContaining('damaged'),
    });
  });

  it('gives what a cut piece holds, wherever it is cut', async () => {
    const pieces = piecesOf(3);
    const whole = Buffer.concat(pieces);
    const two = whole.length - (pieces[2] as Buffer).length;
    for (let length = two; length <= whole.length; length += 9) {
      const { rowCount } = await read(whole.subarray(0, length));
      expect(rowCount).toBeGreaterThanOrEqual(2 * ROWS_PER_PIECE);
    }
  });
});

it('gives the same in whatever portions it comes, of one piece and of many', async () => {
  const random = seededRandom(53);
  const text = Buffer.from(Array.from({ length: 40_000 }, () => Math.floor(256 * random())));
  for (const bytes of [
    gzipSync(text),
    Buffer.concat([gzipSync(text.subarray(0, 9)), gzipSync(text.subarray(9))]),
  ]) {
    for (const size of [1, 2, 3, 1000, bytes.length]) {
      const portions = async function* () {
        const to = size < 4 ? 5000 : bytes.length;
        for (let at = 0; at < to; at += size) yield bytes.subarray(at, Math.min(to, at + size));
        if (to < bytes.length) yield bytes.subarray(to);
      };
      const all: Buffer[] = [];
      for await (const piece of gunzipPieces(portions())) all.push(piece);
      expect(Buffer.concat(all).equals(text)).toBe(true);
    }
  }
}, 60_000);
