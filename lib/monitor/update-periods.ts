// SPDX-License-Identifier: MIT
import { setTimeout as wait } from 'node:timers/promises';
import { MicrojouleError } from '../core/errors.js';
import type { MeterOptions } from '../meter/options.js';
import { openSampler, type Sampler } from '../meter/sampler.js';

/** A calibration reads all the time for 0.3 s at most, and begins when its thread does. */
const MOST_WAIT_MS = 500;
const LOOK_MS = 20;

/**
 * Finds out how often the fast counters update, by id and in nanoseconds: reads them all the time for some 0.3 s. What
 * does not move in that time is left out, as are sources that may block.
 * @throws MicrojouleError `ERR_BAD_OPTION`
 */
export async function findUpdatePeriods(options: MeterOptions = {}): Promise<ReadonlyMap<string, number>> {
  let sampler: Sampler;
  try {
    sampler = openSampler(options);
  } catch (error) {
    // Without the addon there is nothing to find out.
    if (error instanceof MicrojouleError && error.code === 'ERR_NO_COUNTERS') return new Map();
    throw error;
  }
  try {
    sampler.start();
    const endMs = performance.now() + MOST_WAIT_MS;
    for (;;) {
      const counters = sampler.counters();
      const isDone = counters.every(
        ({ mode, calibration }) => mode !== 'calibrating' && calibration.periodNs !== undefined,
      );
      if (isDone || performance.now() > endMs) {
        return new Map(
          counters.flatMap(({ id, calibration }) =>
            calibration.periodNs === undefined ? [] : [[id, Math.round(calibration.periodNs)] as const],
          ),
        );
      }
      await wait(LOOK_MS);
    }
  } finally {
    sampler.close();
  }
}
