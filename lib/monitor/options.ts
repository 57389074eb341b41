// SPDX-License-Identifier: MIT
import { MicrojouleError } from '../core/errors.js';
import type { EstimateOptions } from '../measure/components.js';
import type { Meter } from '../meter/meter.js';
import type { MeterOptions } from '../meter/options.js';

const LEAST_INTERVAL_MS = 1;
const MOST_INTERVAL_MS = 3_600_000;

export interface StreamOptions extends MeterOptions, EstimateOptions {
  /** Time between two rows in milliseconds, 1 to 3,600,000; 1000 by default. */
  intervalMs?: number | undefined;
  /** Ends the stream after so many seconds. Default: it goes on until it is stopped. */
  durationSeconds?: number | undefined;
  /** Whether models stand in for a CPU or memory without counters, as in reports; true by default. */
  estimates?: boolean | undefined;
  /**
   * For a program that does nothing else: at intervals under 20 ms the thread sleeps until the next row is due, for up to
   * so long at a time, where timers would leave out every fifth row of a millisecond. False by default.
   */
  sleeps?: boolean | undefined;
  /** What is known of the counters' update periods, by id and in nanoseconds, for the header: {@link findUpdatePeriods}. */
  updatePeriodsNs?: ReadonlyMap<string, number> | undefined;
  /** A meter to use; it is not closed. Default: one of the stream's own. */
  meter?: Meter | undefined;
}

/** The interval in milliseconds. @throws MicrojouleError `ERR_BAD_OPTION` */
export function checkInterval({ intervalMs = 1000, durationSeconds }: StreamOptions): number {
  if (!(Number.isFinite(intervalMs) && intervalMs >= LEAST_INTERVAL_MS && intervalMs <= MOST_INTERVAL_MS)) {
    throw new MicrojouleError(
      'ERR_BAD_OPTION',
      `intervalMs: from ${LEAST_INTERVAL_MS} to ${MOST_INTERVAL_MS} expected, received ${intervalMs}`,
      { hint: 'For example 100, or 1 for the fastest. --interval of the command is in seconds.' },
    );
  }
  if (durationSeconds !== undefined && !(Number.isFinite(durationSeconds) && durationSeconds > 0)) {
    throw new MicrojouleError(
      'ERR_BAD_OPTION',
      `durationSeconds: above 0 expected, received ${durationSeconds}`,
      {
        hint: 'Leave it out to go on until stop().',
      },
    );
  }
  return intervalMs;
}
