// SPDX-License-Identifier: MIT
import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { createStreamDecoder } from '../../lib/monitor/decoder.js';
import { StreamWriter } from '../../lib/monitor/writer.js';
import { encodeRecord } from '../../lib/stream/encode.js';
import { StreamTotals } from '../../lib/stream/totals.js';
import type { StreamGap, StreamRecord, StreamRow } from '../../lib/stream/types.js';
import { seededRandom } from '../report/fixtures.js';
import { channel, header, lineErrors } from '../stream/fixtures.js';

/** Takes text only while it is told to. */
class Reader extends Writable {
  text = '';
  #reads = true;
  #release: (() => void) | undefined;

  constructor() {
    super({ decodeStrings: false });
  }

  set reads(reads: boolean) {
    this.#reads = reads;
    if (!reads) return;
    this.#release?.();
    this.#release = undefined;
  }

  override _write(chunk: string, _: string, done: () => void): void {
    this.text += chunk;
    if (this.#reads) done();
    else this.#release = done;
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const row = (timeNs: number): StreamRow => ({ type: 'row', timeNs, energyJoules: [timeNs / 16384] });

describe('a reader that does not keep up', () => {
  it('costs no more than some memory, loses no energy, and is told what it missed', async () => {
    const random = seededRandom(5);
    for (let round = 0; round < 30; ++round) {
      const reader = new Reader();
      const writer = new StreamWriter(reader, encodeRecord, 200);
      const totals = new StreamTotals(header([channel('a')]));
      const write = (record: StreamRecord): void => {
        totals.add(record);
        writer.write(record);
      };
      write(header([channel('a')]));
      let timeNs = 0;
      write(row(0));
      const waiting: number[] = [];
      for (let step = 0; step < 300; ++step) {
        if (random() < 0.05) reader.reads = random() < 0.5;
        if (random() < 0.3) await turn();
        timeNs += 16384;
        if (random() < 0.05) write({ type: 'note', timeNs, code: 'a-note', message: '' });
        write(row(timeNs));
        waiting.push(reader.writableLength);
      }
      const { rowCount, lostRowCount, channelJoules } = totals;
      const end = { type: 'end', timeNs, reason: 'stopped', rowCount, lostRowCount, channelJoules } as const;
      write({ ...end, atLeast: false });
      reader.reads = true;
      await turn();
      // The limit, and what one catching up may add: what was kept of notes, a gap and a row.
      expect(Math.max(...waiting)).toBeLessThan(4000);

      for (const line of reader.text.trimEnd().split('\n')) expect(lineErrors(line)).toEqual([]);
      const decoder = createStreamDecoder();
      const records = decoder.push(reader.text);
      expect(decoder.isEnded).toBe(true);
      const rows = records.filter((record) => record.type === 'row');
      const gaps = records.filter((record): record is StreamGap => record.type === 'gap');
      const missing = gaps.reduce((sum, gap) => sum + (gap.lostRowCount ?? 0), 0);
      // Each row is there or counted, in a gap that spans its place, and the last one is there.
      expect(rows.length + missing).toBe(301);
      expect(records.at(-1)).toMatchObject({ rowCount: rows.length, lostRowCount: missing });
      expect(rows.at(-1)?.energyJoules).toEqual(channelJoules);
      const seen = new Set(rows.map((one) => one.timeNs));
      for (let at = 0; at <= timeNs; at += 16384) {
        if (seen.has(at)) continue;
        expect(gaps.some(({ fromNs, toNs, reason }) => reason === 'reader' && fromNs < at && at < toNs)).toBe(
          true,
        );
      }
      const notes = records.filter(({ type }) => type === 'note');
      expect(notes.length).toBe(reader.text.split('a-note').length - 1);
    }
  });

  it('is told that energy is lost however much else it has missed', async () => {
    const reader = new Reader();
    const writer = new StreamWriter(reader, encodeRecord, 200);
    const totals = new StreamTotals(header([channel('a'), channel('b')]));
    writer.write(header([channel('a'), channel('b')]));
    reader.reads = false;
    for (let i = 0; i < 20; i++) writer.write({ ...row(i + 1), energyJoules: [i, i] });
    const lost = 1200;
    for (let i = 0; i < 1500; i++) {
      writer.write({
        type: 'gap',
        fromNs: 100 + i,
        toNs: 101 + i,
        reason: i === lost ? 'break' : 'unreadable',
        energyKept: i !== lost,
        channels: ['b'],
        detail: 'made up',
      });
    }
    reader.reads = true;
    await turn();
    writer.write({ ...row(5000), energyJoules: [30, 30] });
    await turn();
    for (const line of reader.text.trimEnd().split('\n')) expect(lineErrors(line)).toEqual([]);
    const records = createStreamDecoder().push(reader.text);
    for (const record of records) totals.add(record);
    expect(totals.atLeast).toBe(true);
    const told = records.filter((record) => record.type === 'gap' && record.reason === 'unreadable').length;
    expect(told).toBeGreaterThanOrEqual(1000);
    expect(records.filter(({ type }) => type === 'note')).toMatchObject([
      { code: 'reader-too-slow', message: expect.stringContaining(`${1500 - told} gaps`) },
    ]);
  });
});
