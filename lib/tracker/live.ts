// SPDX-License-Identifier: MIT
import { MicrojouleError } from '../core/errors.js';
import type { Report } from '../core/report-types.js';

/** What a tracker tells while it runs. */
export interface LiveMeasurement {
  /** From start() until now. */
  total: Report;
  /** Since the last time, or since start(). What all of them come to is the total: see `Recording.lap`. */
  delta: Report;
}

/** CodeCarbon's `measure_power_secs`. */
const DEFAULT_SECONDS = 15;
/** The longest that a timer can wait; a longer one would fire at once. */
const LONGEST_SECONDS = (2 ** 31 - 1) / 1000;

/** @throws MicrojouleError `ERR_BAD_OPTION` */
export function checkInterval(seconds: number = DEFAULT_SECONDS): number {
  if (typeof seconds === 'number' && seconds >= 0.001 && seconds <= LONGEST_SECONDS) return seconds;
  throw new MicrojouleError(
    'ERR_BAD_OPTION',
    `measureEverySeconds must be a number from 0.001 to ${Math.floor(LONGEST_SECONDS)}, not ${String(seconds)}`,
    { hint: 'Leave it out for 15 s.' },
  );
}

/** Calls back. What that throws, or rejects with, becomes a warning of the process, and what it reports on goes on. */
export function guarded(work: () => unknown): void {
  const failed = (error: unknown): void => {
    process.emitWarning(`onMeasure failed: ${String(error)}`, 'MicrojouleWarning');
  };
  try {
    Promise.resolve(work()).catch(failed);
  } catch (error) {
    failed(error);
  }
}

/** Does `work` so often until it is stopped; keeps no process alive. */
export function every(seconds: number, work: () => unknown): { stop(): void } {
  const timer = setInterval(() => guarded(work), seconds * 1000);
  timer.unref();
  return { stop: () => clearInterval(timer) };
}
