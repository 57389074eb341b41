// SPDX-License-Identifier: MIT
//
// Rows as an Apache Parquet file: whole numbers, packed as differences. Memory holds one row group, however long it is.
import { closeSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import type { ParquetWriter } from 'hyparquet-writer';
import { ticksOf } from '../stream/encode.js';
import type {
  StreamChannel,
  StreamClockChange,
  StreamEnd,
  StreamGap,
  StreamHeader,
  StreamNote,
  StreamRecord,
} from '../stream/types.js';
import { unwritable } from './unwritable.js';

type Library = typeof import('hyparquet-writer');
type Writer = ReturnType<Library['fileWriter']>;

/** Rows that are packed together: a minute of 1 kHz. */
const GROUP_ROWS = 60_000;
const LARGE_PIECE = 1 << 20;
/** Notes on the rows go into the footer, which is read as a whole. */
const MOST_REMARKS = 10_000;

type Remark = StreamGap | StreamNote | StreamClockChange;

/** A column of one channel: its counter's ticks, or the joules of a model. */
interface Column {
  name: string;
  channel: StreamChannel;
  index: number;
  isTicks: boolean;
  ticks: BigInt64Array;
  joules: Float64Array;
  /** Rows of this group without a value. */
  absent: Set<number>;
}

/** A file that the library writes to in large pieces. */
function pieceWriter(library: Library, descriptor: number): Writer {
  const writer = new library.ByteWriter() as Writer & { index: number };
  writer.flush = () => {
    const bytes = new Uint8Array(writer.buffer, 0, writer.index);
    for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at);
    writer.index = 0;
  };
  const ensure = writer.ensure.bind(writer);
  writer.ensure = (size) => {
    if (writer.index > LARGE_PIECE) writer.flush?.();
    ensure(size);
  };
  writer.finish = () => writer.flush?.();
  return writer;
}

/** Takes a stream's records and leaves a Parquet file, which appears under its name when it is whole. */
export class ParquetExport {
  readonly #file: string;
  readonly #draft: string;
  readonly #descriptor: number;
  readonly #library: Library;
  #parquet: ParquetWriter | undefined;
  #header: StreamHeader | undefined;
  #columns: Column[] = [];
  readonly #times = new BigInt64Array(GROUP_ROWS);
  #rowCount = 0;
  readonly #remarks: Remark[] = [];
  #remarkCount = 0;
  #end: StreamEnd | undefined;
  #isOpen = true;

  private constructor(library: Library, file: string) {
    this.#library = library;
    this.#file = file;
    this.#draft = `${file}.${process.pid}.part`;
    try {
      this.#descriptor = openSync(this.#draft, 'w');
    } catch (error) {
      throw unwritable(file, error);
    }
  }

  /** @throws MicrojouleError `ERR_OUTPUT` */
  static async create(file: string): Promise<ParquetExport> {
    return new ParquetExport(await import('hyparquet-writer'), file);
  }

  /** @throws MicrojouleError `ERR_OUTPUT` when it cannot be written, as on a full disk */
  take(record: StreamRecord): void {
    if (record.type === 'row') this.#row(record.timeNs, record.energyJoules);
    else if (record.type === 'header') this.#begin(record);
    else if (record.type === 'end') this.#end = record;
    else {
      this.#remarkCount += 1;
      if (this.#remarks.length < MOST_REMARKS) this.#remarks.push(record);
    }
  }

  #begin(header: StreamHeader): void {
    this.#header = header;
    this.#columns = header.channels.map((channel, index) => {
      const isTicks = channel.scaleNumerator !== undefined && channel.scaleDenominator !== undefined;
      return {
        name: `${channel.id}_${isTicks ? 'ticks' : 'joules'}`,
        channel,
        index,
        isTicks,
        ticks: new BigInt64Array(isTicks ? GROUP_ROWS : 0),
        joules: new Float64Array(isTicks ? 0 : GROUP_ROWS),
        absent: new Set(),
      };
    });
    this.#try(() => {
      this.#parquet = new this.#library.ParquetWriter({
        writer: pieceWriter(this.#library, this.#descriptor),
        schema: [
          { name: 'microjoule', num_children: 1 + this.#columns.length },
          { name: 'time_ns', type: 'INT64', repetition_type: 'REQUIRED' },
          ...this.#columns.map(({ name, isTicks }) => ({
            name,
            type: isTicks ? ('INT64' as const) : ('DOUBLE' as const),
            repetition_type: 'OPTIONAL' as const,
          })),
        ],
        createdBy: `microjoule ${header.generator.version}`,
      });
    });
  }

  #row(timeNs: number, energyJoules: readonly (number | null)[]): void {
    const row = this.#rowCount;
    this.#times[row] = BigInt(timeNs);
    for (const column of this.#columns) {
      const joules = energyJoules[column.index] ?? null;
      if (joules === null) column.absent.add(row);
      else if (column.isTicks) column.ticks[row] = ticksOf(column.channel, joules) ?? 0n;
      else column.joules[row] = joules;
    }
    this.#rowCount += 1;
    if (this.#rowCount === GROUP_ROWS) this.#group();
  }

  #group(): void {
    const count = this.#rowCount;
    if (count === 0) return;
    const columnData = [
      { name: 'time_ns', data: this.#times.subarray(0, count), encoding: 'DELTA_BINARY_PACKED' as const },
      ...this.#columns.map((column) => ({
        name: column.name,
        data: valuesOf(column, count),
        encoding: column.isTicks ? ('DELTA_BINARY_PACKED' as const) : ('BYTE_STREAM_SPLIT' as const),
      })),
    ];
    this.#try(() => {
      this.#parquet?.write({ columnData, rowGroupSize: count });
    });
    for (const { absent } of this.#columns) absent.clear();
    this.#rowCount = 0;
  }

  /** Completes the file. @throws MicrojouleError `ERR_OUTPUT` */
  close(): void {
    this.#group();
    const parquet = this.#parquet;
    if (parquet === undefined) {
      this.abandon();
      return;
    }
    const known = Object.entries({
      header: this.#header,
      remarks: this.#remarks,
      remarkCount: this.#remarkCount,
      end: this.#end,
    });
    parquet.kvMetadata = known.flatMap(([key, value]) =>
      value === undefined ? [] : [{ key: `microjoule.${key}`, value: JSON.stringify(value) }],
    );
    this.#try(() => {
      parquet.finish();
      this.#isOpen = false;
      closeSync(this.#descriptor);
      renameSync(this.#draft, this.#file);
    });
  }

  /** Leaves nothing behind. */
  abandon(): void {
    if (this.#isOpen) closeSync(this.#descriptor);
    this.#isOpen = false;
    rmSync(this.#draft, { force: true });
  }

  #try(work: () => void): void {
    try {
      work();
    } catch (error) {
      throw unwritable(this.#file, error);
    }
  }
}

function valuesOf(
  { isTicks, ticks, joules, absent }: Column,
  count: number,
): BigInt64Array | Float64Array | unknown[] {
  const values = isTicks ? ticks.subarray(0, count) : joules.subarray(0, count);
  if (absent.size === 0) return values;
  return Array.from<unknown, unknown>(values, (value, row) => (absent.has(row) ? null : value));
}
