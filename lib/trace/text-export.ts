// SPDX-License-Identifier: MIT
import { closeSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { csvEncoder } from '../stream/csv.js';
import { encodeRecord } from '../stream/encode.js';
import type { StreamRecord } from '../stream/types.js';
import { unwritable } from './unwritable.js';

const LARGE_PIECE = 1 << 20;

/** Takes a stream's records and leaves a file of their texts, which appears under its name when it is whole. */
export class TextExport {
  readonly #file: string;
  readonly #draft: string;
  readonly #descriptor: number;
  readonly #encode: (record: StreamRecord) => string;
  #text = '';
  #isOpen = true;

  /** @throws MicrojouleError `ERR_OUTPUT` */
  private constructor(file: string, encode: (record: StreamRecord) => string) {
    this.#file = file;
    this.#draft = `${file}.${process.pid}.part`;
    this.#encode = encode;
    try {
      this.#descriptor = openSync(this.#draft, 'w');
    } catch (error) {
      throw unwritable(file, error);
    }
  }

  /** One line a row, as `microjoule monitor --csv` writes them. @throws MicrojouleError `ERR_OUTPUT` */
  static csv(file: string): TextExport {
    return new TextExport(file, csvEncoder());
  }

  /** The stream itself, as `microjoule monitor --jsonl` writes it. @throws MicrojouleError `ERR_OUTPUT` */
  static jsonLines(file: string): TextExport {
    return new TextExport(file, encodeRecord);
  }

  /** @throws MicrojouleError `ERR_OUTPUT` when it cannot be written, as on a full disk */
  take(record: StreamRecord): void {
    this.#text += this.#encode(record);
    if (this.#text.length >= LARGE_PIECE) this.#flush();
  }

  #flush(): void {
    const bytes = Buffer.from(this.#text);
    this.#text = '';
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(this.#descriptor, bytes, at);
    } catch (error) {
      throw unwritable(this.#file, error);
    }
  }

  /** Completes the file. @throws MicrojouleError `ERR_OUTPUT` */
  close(): void {
    this.#flush();
    this.#isOpen = false;
    try {
      closeSync(this.#descriptor);
      renameSync(this.#draft, this.#file);
    } catch (error) {
      throw unwritable(this.#file, error);
    }
  }

  /** Leaves nothing behind. */
  abandon(): void {
    if (this.#isOpen) closeSync(this.#descriptor);
    this.#isOpen = false;
    rmSync(this.#draft, { force: true });
  }
}
