// SPDX-License-Identifier: MIT
//
// A run's trace while it is recorded: the stream, and now and then what was measured until then, for a report.
import type { MicrojouleError } from '../core/errors.js';
import type { Measurement } from '../core/report-types.js';
import { type StreamOptions, startStream } from '../monitor/producer.js';
import { encodeRecord } from '../stream/encode.js';
import type { StreamRecord } from '../stream/types.js';
import { type ContextRecord, encodeReportRecord } from './records.js';
import type { TraceFile } from './trace-file.js';

/** Rows tell what came after the latest measurement, so measurements become rare: at these times, then each minute. */
const FIRST_MEASUREMENT_MS = 250;
const MOST_MEASUREMENT_MS = 60_000;

export interface TraceRunOptions extends StreamOptions {
  /** Opened before the run, so that what is wrong with it is told in time. */
  file: TraceFile;
  /** What its report says beside the measurement. */
  context: ContextRecord['context'];
  /** The run so far, as read now from `meter`. */
  measurement(): Measurement;
}

export interface RunningTrace {
  /** Takes the last row. Call it when the run's energy has been read. */
  halt(): void;
  /** Completes and closes the file. @returns what kept lines from being written, where something did */
  finish(measurement: Measurement): MicrojouleError | undefined;
  /** Ends a trace of a run that never began, and leaves no file. */
  abandon(): void;
}

/** @throws MicrojouleError as {@link startStream} */
export function startTrace({ file, context, measurement, ...options }: TraceRunOptions): RunningTrace {
  let last: StreamRecord[] | undefined;
  const stream = startStream(options, (record) => {
    if (last !== undefined) last.push(record);
    else file.write(encodeRecord(record));
    if (record.type === 'header') file.write(encodeReportRecord({ type: 'report-context', context }));
  });
  const measure = (isLast: boolean, result: Measurement): void => {
    // Rows go on from where the measurement ends: without one of its own reading, what came since the last would count twice.
    if (!isLast) stream.row();
    const { timeNs } = stream.totals;
    // The rows have the power over time.
    const { series, ...rest } = result;
    const kept = isLast ? result : rest;
    file.write(encodeReportRecord({ type: 'report-measurement', timeNs, isLast, measurement: kept }));
  };
  file.flush();
  let everyMs = FIRST_MEASUREMENT_MS;
  const again = (): void => {
    measure(false, measurement());
    everyMs = Math.min(2 * everyMs, MOST_MEASUREMENT_MS);
    timer = setTimeout(again, everyMs).unref();
  };
  let timer = setTimeout(again, everyMs).unref();
  return {
    halt() {
      clearTimeout(timer);
      if (last !== undefined) return;
      last = [];
      stream.stop();
    },
    finish(result) {
      this.halt();
      const [end] = last?.splice(-1) ?? [];
      for (const record of last ?? []) file.write(encodeRecord(record));
      measure(true, result);
      if (end !== undefined) file.write(encodeRecord(end));
      file.close();
      return file.problem;
    },
    abandon() {
      this.halt();
      file.abandon();
    },
  };
}
