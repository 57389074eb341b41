// SPDX-License-Identifier: MIT
//
// A stream into something that may take it more slowly than it comes, or stop taking it.
import type { Writable } from 'node:stream';
import type { StreamGap, StreamRecord, StreamRow } from '../stream/types.js';

/** What waits for the reader before rows are left out: a second or more of the fastest stream. */
const MOST_WAITING_BYTES = 1 << 18;
/** What is told besides rows is kept while the reader is away, this much of it. */
const MOST_KEPT = 1000;

/**
 * Writes records with bounded memory: while the reader of `output` does not take what is there, rows are left out, and a
 * gap tells so once it reads again. Energy is not lost by it, since rows are cumulative.
 */
export class StreamWriter {
  readonly #output: Writable;
  readonly #encode: (record: StreamRecord) => string;
  readonly #mostBytes: number;
  /** The latest row that was written. */
  #writtenNs = 0;
  #skipped: { count: number; last: StreamRow } | undefined;
  #skippedCount = 0;
  #kept: StreamRecord[] = [];
  /** What there was no more room for: how many, and what of it has energy that is lost. */
  #untoldCount = 0;
  #untoldNs = 0;
  #lost: StreamGap | undefined;

  /** @param encode a record as text; empty for what the format has no place for */
  constructor(output: Writable, encode: (record: StreamRecord) => string, mostBytes = MOST_WAITING_BYTES) {
    this.#output = output;
    this.#encode = encode;
    this.#mostBytes = mostBytes;
  }

  write(record: StreamRecord): void {
    const isEnd = record.type === 'end';
    if (!isEnd && this.#output.writableLength > this.#mostBytes) {
      if (record.type === 'row') {
        this.#skipped = { count: (this.#skipped?.count ?? 0) + 1, last: record };
        this.#skippedCount += 1;
      } else this.#keep(record);
      return;
    }
    this.#catchUp(record.type === 'row' ? record.timeNs : undefined);
    const { rowCount = 0, lostRowCount = 0 } = isEnd ? record : {};
    this.#put(
      isEnd
        ? {
            ...record,
            rowCount: rowCount - this.#skippedCount,
            lostRowCount: lostRowCount + this.#skippedCount,
          }
        : record,
    );
    if (record.type === 'row') this.#writtenNs = record.timeNs;
  }

  /** What was left out and what was kept, the latest row of it with it where none follows. */
  #catchUp(nextRowNs: number | undefined): void {
    const skipped = this.#skipped;
    this.#skipped = undefined;
    for (const record of this.#kept) this.#put(record);
    this.#kept = [];
    this.#tellUntold();
    if (skipped === undefined) return;
    const isKept = nextRowNs === undefined;
    const lostRowCount = skipped.count - (isKept ? 1 : 0);
    if (isKept) this.#skippedCount -= 1;
    const gap: StreamGap = {
      type: 'gap',
      fromNs: this.#writtenNs,
      toNs: nextRowNs ?? skipped.last.timeNs,
      reason: 'reader',
      energyKept: true,
      lostRowCount,
      detail: 'the reader did not take them in time; later rows hold the energy',
    };
    if (lostRowCount > 0) this.#put(gap);
    if (!isKept) return;
    this.#put(skipped.last);
    this.#writtenNs = skipped.last.timeNs;
  }

  /** Without lost energy its reader would take the sum for whole: all of it in one gap, where there is no more room. */
  #keep(record: Exclude<StreamRecord, StreamRow>): void {
    if (this.#kept.length < MOST_KEPT) {
      this.#kept.push(record);
      return;
    }
    if (record.type === 'header' || record.type === 'end') return;
    this.#untoldCount += 1;
    this.#untoldNs = record.type === 'gap' ? record.toNs : record.timeNs;
    if (record.type !== 'gap' || record.energyKept) return;
    const { channels: _, ...lost } = this.#lost ?? record;
    const channels = mergeChannels(this.#lost, record);
    const { lostRowCount: __, suspendedNs: ___, ...rest } = lost;
    this.#lost = { ...rest, toNs: record.toNs, ...(channels === undefined ? {} : { channels }) };
  }

  #tellUntold(): void {
    if (this.#lost !== undefined) this.#put(this.#lost);
    if (this.#untoldCount > 0) {
      this.#put({
        type: 'note',
        timeNs: this.#untoldNs,
        code: 'reader-too-slow',
        message: `${this.#untoldCount} gaps and notes are left out, since the reader did not take them in time; lost energy is told`,
      });
    }
    this.#lost = undefined;
    this.#untoldCount = 0;
  }

  #put(record: StreamRecord): void {
    const text = this.#encode(record);
    if (text !== '') this.#output.write(text);
  }
}

/** Of two gaps; undefined for all. */
function mergeChannels(one: StreamGap | undefined, other: StreamGap): string[] | undefined {
  if (one === undefined) return other.channels;
  if (one.channels === undefined || other.channels === undefined) return undefined;
  return [...new Set([...one.channels, ...other.channels])];
}
