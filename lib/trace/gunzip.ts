// SPDX-License-Identifier: MIT
//
// Compressed pieces one behind the other, each a gzip file of its own: damage in one costs none of those before it.
import { createGunzip } from 'node:zlib';

/** How a piece begins: RFC 1952, 2.3.1. */
const BEGINNING = Buffer.from([0x1f, 0x8b, 0x08]);
/** A piece's checksum stands at its end; what is larger, as of other programs, is given before it is known. */
const MOST_HELD_BYTES = 1 << 20;

interface Part {
  bytes: Buffer;
  /** Whether a piece begins here, or compressed bytes look as if one did. */
  begins: boolean;
}

/** The bytes, cut wherever a piece may begin. */
async function* partsOf(source: AsyncIterable<Buffer>): AsyncGenerator<Part> {
  let rest = Buffer.alloc(0);
  let begins = true;
  for await (const bytes of source) {
    const all = Buffer.concat([rest, bytes]);
    let from = 0;
    // A beginning may lie across two reads.
    for (let at = all.indexOf(BEGINNING, begins ? 1 : 0); at !== -1; at = all.indexOf(BEGINNING, at + 1)) {
      if (at > from) yield { bytes: all.subarray(from, at), begins };
      from = at;
      begins = true;
    }
    const to = Math.max(from, all.length - (BEGINNING.length - 1));
    if (to > from) {
      yield { bytes: all.subarray(from, to), begins };
      begins = false;
    }
    rest = Buffer.from(all.subarray(to));
  }
  if (rest.length > 0) yield { bytes: rest, begins };
}

/** An engine whose output of each write is there when the write is over. */
function openEngine() {
  const engine = createGunzip();
  let output: Buffer[] = [];
  let error: Error | undefined;
  let isOver = false;
  engine.on('data', (bytes: Buffer) => output.push(bytes));
  let settle = (): void => {};
  engine.on('error', (reason) => {
    error = reason;
    settle();
  });
  engine.on('end', () => {
    isOver = true;
    settle();
  });
  const done = async (start: () => void): Promise<void> => {
    await new Promise<void>((resolve) => {
      settle = resolve;
      start();
    });
    // Output and end come with the next turn at the latest.
    await new Promise((resolve) => setImmediate(resolve));
  };
  return {
    /** @returns whether a piece ended and is followed by what is none. @throws Error of zlib */
    async write(bytes: Buffer): Promise<boolean> {
      await done(() => engine.write(bytes, () => settle()));
      if (error !== undefined) throw error;
      return isOver;
    },
    /** @throws Error `Z_BUF_ERROR` in mid-piece */
    async end(): Promise<void> {
      await done(() => engine.end());
      if (error !== undefined) throw error;
    },
    take(): Buffer {
      const taken = Buffer.concat(output);
      output = [];
      return taken;
    },
    close: () => engine.destroy(),
  };
}

/**
 * What compressed pieces hold, in order. A piece is given when its checksum is right; of the last one, when it is cut off,
 * what there is.
 * @throws Error of zlib, behind all that is whole
 */
export async function* gunzipPieces(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const engine = openEngine();
  let held = Buffer.alloc(0);
  let pieceBytes = 0;
  let tail = Buffer.alloc(0);
  /** A damaged piece may take the next one for its own bytes: it has ended where its length stands (RFC 1952, 2.3.1). */
  const hasEnded = (): boolean => tail.length === 4 && tail.readUInt32LE() === pieceBytes % 2 ** 32;
  try {
    for await (const { bytes, begins } of partsOf(source)) {
      const isNext = begins && hasEnded();
      if ((isNext || held.length > MOST_HELD_BYTES) && held.length > 0) {
        yield held;
        held = Buffer.alloc(0);
      }
      if (isNext) pieceBytes = 0;
      const isOver = await engine.write(bytes);
      const output = engine.take();
      held = Buffer.concat([held, output]);
      pieceBytes += output.length;
      tail = Buffer.concat([tail, bytes.subarray(-4)]).subarray(-4);
      if (isOver) {
        yield held;
        throw Object.assign(new Error('bytes that are not compressed'), { code: 'Z_DATA_ERROR' });
      }
    }
    if (held.length > 0) yield held;
    await engine.end();
    const rest = engine.take();
    if (rest.length > 0) yield rest;
  } finally {
    engine.close();
  }
}
