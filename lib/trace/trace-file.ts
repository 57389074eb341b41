// SPDX-License-Identifier: MIT
//
// A stream written to a file so that little is lost, whatever happens to the process or to the disk.
import { closeSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { MicrojouleError } from '../core/errors.js';
import { unwritable } from './unwritable.js';

/** With what comes between two rows, less than a second. */
const FLUSH_MS = 500;
const LARGE_PIECE = 1 << 18;
/** What is kept for a disk that is full; beyond, the trace ends there. */
const MOST_WAITING_BYTES = 16 << 20;

/** A new file, an empty one, or a pipe or device; never one that holds something. */
function openNew(file: string): { descriptor: number; isOurs: boolean } {
  try {
    return { descriptor: openSync(file, 'wx'), isOurs: true };
  } catch (error) {
    const found = statSync(file, { throwIfNoEntry: false });
    // Who opens a folder to add to it is told that it is one.
    if (found === undefined || (found.isFile() && found.size > 0)) throw error;
    return { descriptor: openSync(file, 'a'), isOurs: false };
  }
}

/**
 * A file that lines are added to. They reach the operating system within half a second, so that the end of this process
 * in any way loses no more; a name that ends in `.gz` has them compressed, each half second for itself. While the disk is
 * full they wait in memory.
 */
export class TraceFile {
  readonly file: string;
  readonly #isCompressed: boolean;
  readonly #descriptor: number;
  /** Whether it was not there before. */
  readonly #isOurs: boolean;
  readonly #timer: NodeJS.Timeout;
  #text = '';
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #isOpen = true;
  #problem: MicrojouleError | undefined;

  /** @throws MicrojouleError `ERR_OUTPUT` where it cannot be created, or is there already */
  constructor(file: string) {
    this.file = resolve(file);
    this.#isCompressed = /\.gz$/i.test(file);
    try {
      const { descriptor, isOurs } = openNew(this.file);
      this.#descriptor = descriptor;
      this.#isOurs = isOurs;
    } catch (error) {
      throw unwritable(this.file, error);
    }
    this.#timer = setInterval(() => this.flush(), FLUSH_MS).unref();
  }

  /** What keeps lines from being written, where something does. */
  get problem(): MicrojouleError | undefined {
    return this.#problem;
  }

  /** Adds whole lines. Never throws: what cannot be written is told by {@link problem}. */
  write(lines: string): void {
    if (!this.#isOpen) return;
    this.#text += lines;
    if (this.#text.length >= LARGE_PIECE) this.flush();
  }

  /** Hands everything to the operating system. */
  flush(): void {
    if (!this.#isOpen) return;
    if (this.#text !== '') {
      const bytes = this.#isCompressed ? gzipSync(this.#text) : Buffer.from(this.#text);
      this.#text = '';
      this.#waiting.push(bytes);
      this.#waitingBytes += bytes.length;
    }
    try {
      for (let [bytes] = this.#waiting; bytes !== undefined; [bytes] = this.#waiting) {
        const written = writeSync(this.#descriptor, bytes);
        this.#waitingBytes -= written;
        // What was written in part goes on from there.
        if (written < bytes.length) this.#waiting[0] = bytes.subarray(written);
        else this.#waiting.shift();
      }
      this.#problem = undefined;
    } catch (error) {
      this.#problem = unwritable(this.file, error);
      if (this.#waitingBytes > MOST_WAITING_BYTES) this.#end();
    }
  }

  /** Writes what is left, and closes. A second call does nothing. */
  close(): void {
    this.flush();
    this.#end();
  }

  /** Closes, and removes the file unless it was there before: for a run that never began. */
  abandon(): void {
    this.#end();
    if (!this.#isOurs) return;
    try {
      rmSync(this.file, { force: true });
    } catch {
      // There is nothing in it that anybody misses.
    }
  }

  #end(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    clearInterval(this.#timer);
    this.#waiting = [];
    try {
      closeSync(this.#descriptor);
    } catch (error) {
      this.#problem ??= unwritable(this.file, error);
    }
  }
}
