// SPDX-License-Identifier: MIT
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
import { afterAll, describe, expect, it } from 'vitest';
import { encodeRecord, ticksOf } from '../../lib/stream/encode.js';
import type { StreamRecord } from '../../lib/stream/types.js';
import { ParquetExport } from '../../lib/trace/parquet.js';
import { readTrace } from '../../lib/trace/read-trace.js';
import { encodeReportRecord, type ReportRecord } from '../../lib/trace/records.js';
import { TraceFile } from '../../lib/trace/trace-file.js';
import { seededRandom } from '../report/fixtures.js';
import { channel, header, randomStream } from '../stream/fixtures.js';

const folder = mkdtempSync(path.join(os.tmpdir(), 'microjoule-trace-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let fileCount = 0;
const newFile = (ending: string): string => path.join(folder, `${++fileCount}${ending}`);

const measurement = { type: 'report-measurement', timeNs: 5, isLast: false, measurement: {} } as ReportRecord;

async function read(file: string) {
  const records: (StreamRecord | ReportRecord)[] = [];
  const outcome = await readTrace(file, (record) => records.push(record));
  return { records, outcome };
}

describe('a trace', () => {
  it.each(['.jsonl', '.jsonl.gz'])('reads back as it was written, as %s', async (ending) => {
    const random = seededRandom(31);
    for (let round = 0; round < 30; ++round) {
      const written = randomStream(random);
      const file = newFile(ending);
      const trace = new TraceFile(file);
      for (const [index, record] of written.entries()) {
        trace.write(encodeRecord(record));
        if (index === 0) trace.write(encodeReportRecord(measurement));
        if (random() < 0.2) trace.flush();
      }
      trace.close();
      expect(trace.problem).toBeUndefined();
      const { records, outcome } = await read(file);
      expect(records).toEqual([written[0], measurement, ...written.slice(1)]);
      expect(outcome.isEnded).toBe(written.at(-1)?.type === 'end');
      expect(outcome.problem).toBeUndefined();
      // Any program that knows gzip can read it.
      const text = ending.endsWith('.gz')
        ? gunzipSync(readFileSync(file)).toString()
        : readFileSync(file, 'utf8');
      expect(text.trimEnd().split('\n')).toHaveLength(written.length + 1);
    }
  });

  it.each([
    '.jsonl',
    '.jsonl.gz',
  ])('gives what is whole of one that was cut anywhere, as %s', async (ending) => {
    const random = seededRandom(32);
    const rows: StreamRecord[] = Array.from({ length: 200 }, (_, i) => ({
      type: 'row',
      timeNs: i * 1e6,
      energyJoules: [i / 16384, null],
    }));
    const all = [header([channel('a'), channel('b')]), ...rows];
    // In pieces, as a trace is flushed.
    const pieces: Buffer[] = [];
    for (let at = 0; at < all.length; at += 40) {
      const text = Buffer.from(
        all
          .slice(at, at + 40)
          .map(encodeRecord)
          .join(''),
      );
      pieces.push(ending.endsWith('.gz') ? gzipSync(text) : text);
    }
    const whole = Buffer.concat(pieces);
    const [first = Buffer.alloc(0)] = pieces;
    for (let round = 0; round < 60; ++round) {
      const length = first.length + Math.floor(random() * (whole.length - first.length));
      const file = newFile(ending);
      writeFileSync(file, whole.subarray(0, length));
      const { records, outcome } = await read(file);
      expect(records).toEqual(all.slice(0, records.length));
      let wholePieces = 0;
      for (let at = 0; at + (pieces[wholePieces]?.length ?? Number.NaN) <= length; ) {
        at += pieces[wholePieces++]?.length ?? 0;
      }
      expect(records.length).toBeGreaterThanOrEqual(Math.min(all.length, 40 * wholePieces));
      expect(outcome.isEnded).toBe(false);
      if (outcome.problem !== undefined) expect(outcome.problem).toMatch(/last (line|piece) was cut/);
    }
  });

  it('gives what stands before damage in its middle, and says where that is', async () => {
    const file = newFile('.jsonl');
    const row = encodeRecord({ type: 'row', timeNs: 1, energyJoules: [0.5] });
    writeFileSync(file, `${encodeRecord(header([channel('a')]))}${row}\0\0\0\n[2,0.75]\n`);
    const { records, outcome } = await read(file);
    expect(records).toHaveLength(2);
    expect(outcome.problem).toContain('line 3');
  });

  it('is refused where it is none, of another version, or not there', async () => {
    const head = encodeRecord(header([channel('a')]));
    for (const [text, message] of [
      ['', /it is empty/],
      ['{"type":"header","schema":"micro', /line 1|header/],
      [head.replace('microjoule.stream/1', 'microjoule.stream/2'), /microjoule\.stream\/1/],
      ['[1,2]\n', /first line must be a header/],
      ['total,12\n', /line 1/],
    ] as const) {
      const file = newFile('.jsonl');
      writeFileSync(file, text);
      await expect(read(file)).rejects.toMatchObject({
        code: 'ERR_BAD_STREAM',
        message: expect.stringMatching(message),
        hint: expect.stringMatching(/\w/),
      });
    }
    await expect(read(path.join(folder, 'none'))).rejects.toMatchObject({ code: 'ERR_BAD_STREAM' });
    await expect(read(folder)).rejects.toMatchObject({ code: 'ERR_BAD_STREAM' });
  });

  it('passes on what its taker throws', async () => {
    const file = newFile('.jsonl');
    writeFileSync(file, encodeRecord(header([])));
    const error = new Error('full');
    await expect(
      readTrace(file, () => {
        throw error;
      }),
    ).rejects.toBe(error);
  });
});

describe('the file of a trace', () => {
  it('never replaces one that holds something, and takes an empty one', () => {
    const file = newFile('.jsonl');
    writeFileSync(file, 'all that is left of a run\n');
    expect(() => new TraceFile(file)).toThrow(
      expect.objectContaining({ code: 'ERR_OUTPUT', hint: expect.stringContaining('give another name') }),
    );
    expect(readFileSync(file, 'utf8')).toBe('all that is left of a run\n');
    const empty = newFile('.jsonl');
    writeFileSync(empty, '');
    const trace = new TraceFile(empty);
    trace.write('a\n');
    trace.close();
    trace.close();
    trace.write('b\n');
    expect(readFileSync(empty, 'utf8')).toBe('a\n');
  });

  it('that is abandoned is gone, unless it was there before', () => {
    const [ours, theirs] = [newFile('.jsonl'), newFile('.jsonl')];
    writeFileSync(theirs, '');
    for (const file of [ours, theirs]) {
      const trace = new TraceFile(file);
      trace.write('a\n');
      trace.abandon();
      trace.write('b\n');
      trace.close();
    }
    expect(existsSync(ours)).toBe(false);
    expect(readFileSync(theirs, 'utf8')).toBe('');
  });

  it('says what is wrong with where it shall be', () => {
    for (const file of [path.join(folder, 'none', 'a.jsonl'), folder]) {
      expect(() => new TraceFile(file)).toThrow(
        expect.objectContaining({ code: 'ERR_OUTPUT', hint: expect.stringMatching(/folder/) }),
      );
    }
  });

  it.skipIf(process.platform !== 'linux')(
    'goes on without the disk, and says so (needs /dev/full: Linux)',
    () => {
      const trace = new TraceFile('/dev/full');
      trace.write('a\n');
      trace.flush();
      expect(trace.problem).toMatchObject({ code: 'ERR_OUTPUT', hint: 'The disk is full.' });
      for (let i = 0; i < 80; ++i) trace.write(`${'x'.repeat(1 << 18)}\n`);
      trace.close();
      expect(trace.problem?.message).toContain('ENOSPC');
    },
  );

  it('is on its way within half a second', async () => {
    const file = newFile('.jsonl');
    const trace = new TraceFile(file);
    trace.write('a\n');
    await expect.poll(() => readFileSync(file, 'utf8'), { timeout: 5000 }).toBe('a\n');
    trace.close();
  });
});

describe('the Parquet file of a trace', () => {
  async function rowsOf(file: string) {
    const buffer = await asyncBufferFromFile(file);
    return { rows: await parquetReadObjects({ file: buffer }), metadata: await parquetMetadataAsync(buffer) };
  }

  it('holds every value of every row, exactly, and what the stream says of them', async () => {
    const random = seededRandom(33);
    for (let round = 0; round < 40; ++round) {
      const records = randomStream(random);
      const [head] = records;
      if (head?.type !== 'header') throw new Error('there is no header');
      // A model has no ticks.
      if (random() < 0.5 && head.channels[0] !== undefined) {
        const { scaleNumerator: _, scaleDenominator: __, resolutionJoules: ___, ...model } = head.channels[0];
        head.channels[0] = model;
      }
      const file = newFile('.parquet');
      const parquet = await ParquetExport.create(file);
      for (const record of records) parquet.take(record);
      parquet.close();
      const { rows, metadata } = await rowsOf(file);
      const expected = records.flatMap((record) =>
        record.type === 'row'
          ? [
              Object.fromEntries([
                ['time_ns', BigInt(record.timeNs)],
                ...head.channels.map((one, i) => {
                  const joules = record.energyJoules[i] ?? null;
                  if (one.scaleNumerator === undefined) return [`${one.id}_joules`, joules];
                  return [`${one.id}_ticks`, joules === null ? null : ticksOf(one, joules)];
                }),
              ]),
            ]
          : [],
      );
      expect(rows.map((row) => ({ ...row }))).toEqual(expected);
      const kept = new Map(
        metadata.key_value_metadata?.map(({ key, value }) => [key, JSON.parse(value ?? '')]),
      );
      expect(kept.get('microjoule.header')).toEqual(head);
      expect(kept.get('microjoule.remarks')).toEqual(
        records.filter(({ type }) => ['gap', 'note', 'clock'].includes(type)),
      );
      expect(kept.get('microjoule.end')).toEqual(records.find(({ type }) => type === 'end'));
    }
  });

  it('holds every value in groups of rows, with those that are unknown in any of them', async () => {
    const count = 130_000;
    const { scaleNumerator: _, scaleDenominator: __, resolutionJoules: ___, ...model } = channel('m');
    const file = newFile('.parquet');
    const parquet = await ParquetExport.create(file);
    parquet.take(header([channel('a'), model]));
    const isUnknown = (at: number): boolean => at >= 70_000 && at < 70_500;
    for (let at = 0; at < count; at++) {
      parquet.take({
        type: 'row',
        timeNs: 1e6 * at,
        energyJoules: [isUnknown(at) ? null : at / 16384, at / 3],
      });
    }
    parquet.close();
    const { rows, metadata } = await rowsOf(file);
    expect(metadata.row_groups.length).toBeGreaterThan(2);
    expect(rows).toHaveLength(count);
    const wrong = rows.filter(
      ({ time_ns, a_ticks, m_joules }, at) =>
        time_ns !== BigInt(1e6 * at) ||
        a_ticks !== (isUnknown(at) ? null : BigInt(at)) ||
        m_joules !== at / 3,
    );
    expect(wrong).toEqual([]);
  });

  it('is complete, or not there', async () => {
    const file = newFile('.parquet');
    const parquet = await ParquetExport.create(file);
    parquet.take(header([channel('a')]));
    parquet.take({ type: 'row', timeNs: 0, energyJoules: [0] });
    parquet.abandon();
    expect(readdirSync(folder).filter((name) => name.startsWith(path.basename(file)))).toEqual([]);
    await expect(ParquetExport.create(path.join(folder, 'none', 'a.parquet'))).rejects.toMatchObject({
      code: 'ERR_OUTPUT',
      hint: expect.stringContaining('folder'),
    });
  });

  it('is small: a tenth of an hour of ten counters a millisecond takes a tenth of 60 MB at most', async () => {
    const random = seededRandom(34);
    const count = 60_000;
    const channels = Array.from({ length: 10 }, (_, i) => channel(`package-${i}`));
    const file = newFile('.parquet');
    const parquet = await ParquetExport.create(file);
    parquet.take(header(channels));
    const ticks = channels.map(() => 0);
    for (let row = 0; row < count; ++row) {
      // 20 to 200 W with a tenth of noise.
      const energyJoules = ticks.map((before, i) => {
        ticks[i] = before + Math.round((20 * (i + 1) * (0.9 + 0.2 * random()) * 16384) / 1000);
        return (ticks[i] ?? 0) / 16384;
      });
      parquet.take({ type: 'row', timeNs: row * 1e6 + Math.round(1e5 * random()), energyJoules });
    }
    parquet.close();
    const bytes = readFileSync(file).length;
    const { metadata } = await rowsOf(file);
    expect(metadata.num_rows).toBe(BigInt(count));
    expect((bytes / count) * 3_600_000).toBeLessThan(60e6);
  });
});
