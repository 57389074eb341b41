// SPDX-License-Identifier: MIT
import { NANOSECONDS_PER_SECOND } from '../core/units.js';

/** Ticks of a counter into joules, exactly where a double can hold it. The one place that scales. */
export function ticksToJoules(ticks: bigint, scaleNumerator: bigint, scaleDenominator: bigint): number {
  const numerator = ticks * scaleNumerator;
  const whole = numerator / scaleDenominator;
  const rest = numerator - whole * scaleDenominator;
  return Number(whole) + Number(rest) / Number(scaleDenominator);
}

/** One counter at one instant. */
export interface CounterReading {
  /** Extended to 64 bits natively: never wraps. The last good value while the counter cannot be read. */
  ticks: bigint;
  /** CLOCK_MONOTONIC (process.hrtime) in nanoseconds; 0 where the pass's own times hold. */
  timeNs: bigint;
  /** Index into the addon's list of statuses; 0 is `ok`. */
  statusCode: number;
  /** How often continuity was lost since open. An interval in which this grows has no energy. */
  breakCount: number;
}

/** All counters of a meter, copied out of its buffer. */
export interface Reading {
  /** CLOCK_MONOTONIC before and after the pass over the fast counters. */
  beforeNs: bigint;
  afterNs: bigint;
  /** Runs on while the machine sleeps. */
  bootNs: bigint;
  counters: CounterReading[];
}

/** Copies a reading out of the words that native code wrote (layout: native/meter.h). */
export function decodeReading(words: BigUint64Array, headerWords: number, counterWords: number): Reading {
  const at = (index: number) => words[index] ?? 0n;
  const counters: CounterReading[] = [];
  for (let i = headerWords; i + counterWords <= words.length; i += counterWords) {
    const state = at(i + 2);
    counters.push({
      ticks: at(i),
      timeNs: at(i + 1),
      statusCode: Number(state & 0xffffffffn),
      breakCount: Number(state >> 32n),
    });
  }
  return { beforeNs: at(0), afterNs: at(1), bootNs: at(2), counters };
}

/** Seconds from one pass to another, from the middle of each. */
export function secondsBetween(start: Reading, end: Reading): number {
  const doubled = end.beforeNs + end.afterNs - start.beforeNs - start.afterNs;
  return Number(doubled) / 2 / NANOSECONDS_PER_SECOND;
}
