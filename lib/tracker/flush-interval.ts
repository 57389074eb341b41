// SPDX-License-Identifier: MIT
import { MicrojouleError } from '../core/errors.js';

/** How often a long run's report is written while it goes on, in seconds: what a crash costs at most. */
export const FLUSH_SECONDS = 60;

/** @throws MicrojouleError `ERR_BAD_OPTION` */
export function checkFlushSeconds(seconds: number = FLUSH_SECONDS): number {
  if (typeof seconds === 'number' && seconds >= 0) return seconds;
  throw new MicrojouleError('ERR_BAD_OPTION', `flushSeconds: at least 0 expected, received ${seconds}`, {
    hint: 'For example 60; 0 writes the report at the end only.',
  });
}
