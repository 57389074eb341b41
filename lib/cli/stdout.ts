// SPDX-License-Identifier: MIT
import { fstatSync, writeSync } from 'node:fs';
import { MicrojouleError } from '../measures.js';

/** A reader that goes away (| head) has what it wanted. */
const READER_IS_GONE = new Set(['EPIPE', 'ECONNRESET', 'EOF', 'ERR_STREAM_DESTROYED']);

const HINTS: Record<string, string> = {
  ENOSPC: 'The disk is full. Make room, or send the output elsewhere.',
  EFBIG: 'A file may not become so large here: see ulimit -f.',
};

function unwritable(error: NodeJS.ErrnoException): MicrojouleError {
  return new MicrojouleError('ERR_OUTPUT', `cannot write to stdout (${error.code ?? error.message})`, {
    hint: HINTS[error.code ?? ''] ?? 'Send the output elsewhere.',
    cause: error,
  });
}

/** Node's own stream for files takes a write of which the disk had room for a part as whole. */
function writeFile(bytes: Buffer): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(process.stdout.fd, bytes, at);
}

function writeStream(text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(text, (error) => (error ? reject(error) : resolve()));
  });
}

function isFile(): boolean {
  // Node's stream on Windows owns what it writes to, and there a disk takes all of a write or nothing.
  if (process.platform === 'win32') return false;
  const found = fstatSync(process.stdout.fd);
  return found.isFile() || (found.isCharacterDevice() && !process.stdout.isTTY);
}

/**
 * Writes to stdout, whole. That a reader has gone is no failure.
 * @throws MicrojouleError `ERR_OUTPUT`, as on a full disk
 */
export async function writeStdout(text: string): Promise<void> {
  try {
    if (isFile()) writeFile(Buffer.from(text));
    else await writeStream(text);
  } catch (error) {
    if (!READER_IS_GONE.has((error as NodeJS.ErrnoException).code ?? '')) {
      throw unwritable(error as NodeJS.ErrnoException);
    }
  }
}
