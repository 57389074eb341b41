// SPDX-License-Identifier: MIT
import { realpathSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { MicrojouleError } from '../core/errors.js';
import { StreamTotals } from '../stream/totals.js';
import type { StreamRecord } from '../stream/types.js';
import { ParquetExport } from './parquet.js';
import { readTrace, type TraceOutcome } from './read-trace.js';
import { TextExport } from './text-export.js';

interface Export {
  take(record: StreamRecord): void;
  close(): void;
  abandon(): void;
}

const MAKERS: readonly [ending: string, make: (file: string) => Export | Promise<Export>][] = [
  ['.parquet', (file) => ParquetExport.create(file)],
  ['.csv', (file) => TextExport.csv(file)],
  ['.jsonl', (file) => TextExport.jsonLines(file)],
];

/** What a trace adds up to. */
export interface TraceSummary extends TraceOutcome {
  totals: StreamTotals;
  /** Stretches of time in which something is missing. */
  gapCount: number;
  /** Rows that were due and are not there, those that no gap tells of among them; as far as known. */
  lostRowCount: number;
  /** Whether it is of a run that ended, of one that was cut off, or of no run. */
  run: 'ended' | 'interrupted' | 'none';
}

function makerOf(file: string): (file: string) => Export | Promise<Export> {
  const found = MAKERS.find(([ending]) => file.toLowerCase().endsWith(ending));
  if (found !== undefined) return found[1];
  const known = MAKERS.map(([ending]) => ending).join(', ');
  throw new MicrojouleError('ERR_BAD_OPTION', `output: "${file}" has no known extension`, {
    hint: `The extension chooses the format: ${known}.`,
  });
}

/** The same for all names of one file: by links, by other ways of writing a path. */
function identityOf(file: string): string {
  const found = statSync(file, { bigint: true, throwIfNoEntry: false });
  if (found !== undefined) return `${found.dev} ${found.ino}`;
  const path = resolve(file);
  try {
    return join(realpathSync(dirname(path)), basename(path));
  } catch {
    // Whoever opens it tells what is wrong with its folder.
    return path;
  }
}

/** An export takes the place of what has its name. */
function refuseSameFiles(trace: string, files: readonly string[]): void {
  const names = new Map<string, string>();
  const identityOfTrace = identityOf(trace);
  for (const file of files) {
    const identity = identityOf(file);
    const other = names.get(identity);
    const problem =
      identity === identityOfTrace
        ? `${file} cannot be its own output`
        : other === file
          ? `${file} was given twice as an output`
          : other !== undefined && `${file} is the same file as ${other}`;
    if (problem) throw new MicrojouleError('ERR_BAD_OPTION', problem, { hint: 'Give another name.' });
    names.set(identity, file);
  }
}

/**
 * Reads a trace once, and writes all that is whole of it into each file, in the format of its extension: `.parquet`,
 * `.csv`, `.jsonl`. A file appears when it is complete; where one cannot be written, none does.
 * @throws MicrojouleError `ERR_BAD_STREAM`, `ERR_BAD_OPTION` for an extension, and for an output that is the trace itself or
 * another output; `ERR_OUTPUT`
 */
export async function exportTrace(trace: string, files: readonly string[]): Promise<TraceSummary> {
  const makers = files.map((file) => ({ file, make: makerOf(file) }));
  refuseSameFiles(trace, files);
  const exports: Export[] = [];
  let totals = new StreamTotals({ channels: [], absent: [] });
  let gapCount = 0;
  let lostRowCount: number | undefined;
  let run: TraceSummary['run'] = 'none';
  try {
    for (const { file, make } of makers) exports.push(await make(file));
    const outcome = await readTrace(trace, (record) => {
      if (record.type === 'report-context') run = 'interrupted';
      else if (record.type === 'report-measurement') {
        if (record.isLast) run = 'ended';
      } else {
        if (record.type === 'header') totals = new StreamTotals(record);
        if (record.type === 'gap') gapCount += 1;
        if (record.type === 'end') lostRowCount = record.lostRowCount;
        totals.add(record);
        for (const one of exports) one.take(record);
      }
    });
    for (const one of exports) one.close();
    return { ...outcome, totals, gapCount, lostRowCount: lostRowCount ?? totals.lostRowCount, run };
  } catch (error) {
    for (const one of exports) one.abandon();
    throw error;
  }
}
