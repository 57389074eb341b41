// SPDX-License-Identifier: MIT
//
// The energy of what is marked with `performance.mark()` and `performance.measure()`.
import { type PerformanceEntry, PerformanceObserver, performance } from 'node:perf_hooks';
import { type Kept, settleRegion } from './open-region.js';
import type { Recorder } from './recorder.js';
import type { RegionEnergy } from './types.js';

const NS_PER_MS = 1e6;
/** The latest marks, about which the record is kept whole. */
const MOST_MARKS = 64;
const OFFSET_TRIES = 20;

/** What to add to a time of `performance.now()`, in nanoseconds, for the recorder's: the tightest of some brackets. */
function offsetNs(recorder: Recorder): number {
  let narrowest = Number.POSITIVE_INFINITY;
  let offset = 0;
  for (let i = 0; i < OFFSET_TRIES; ++i) {
    const before = recorder.nowNs();
    const now = performance.now() * NS_PER_MS;
    const after = recorder.nowNs();
    if (after - before >= narrowest) continue;
    narrowest = after - before;
    offset = (before + after) / 2 - now;
  }
  return offset;
}

export function observeMeasures(
  recorder: Recorder,
  callback: (energy: RegionEnergy) => void,
  failed: (error: Error) => void,
): { stop(): void } {
  const offset = offsetNs(recorder);
  const marks: Kept[] = [];
  const take = (entry: PerformanceEntry): void => {
    const startNs = entry.startTime * NS_PER_MS + offset;
    const kept = { start: recorder.originNs + BigInt(Math.round(startNs)) };
    recorder.kept.add(kept);
    if (entry.entryType === 'mark') {
      marks.push(kept);
      const old = marks.length > MOST_MARKS ? marks.shift() : undefined;
      if (old !== undefined) recorder.kept.delete(old);
      return;
    }
    const region = { startNs, endNs: startNs + entry.duration * NS_PER_MS };
    settleRegion(recorder, entry.name, region)
      .then(callback)
      .catch((error: unknown) => failed(error instanceof Error ? error : new Error(String(error))))
      .finally(() => recorder.kept.delete(kept));
  };
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) take(entry);
  });
  observer.observe({ entryTypes: ['mark', 'measure'] });
  const disconnect = (): void => {
    observer.disconnect();
    for (const mark of marks) recorder.kept.delete(mark);
    recorder.closing.delete(disconnect);
  };
  recorder.closing.add(disconnect);
  return {
    stop(): void {
      for (const entry of observer.takeRecords()) take(entry);
      disconnect();
    },
  };
}
