// SPDX-License-Identifier: MIT
//
// How much of the measured time the garbage collector took.
import { PerformanceObserver, performance } from 'node:perf_hooks';
import type { Region } from '../precision/types.js';
import type { Recorder } from '../region/recorder.js';

/** Watches collections until stopped. */
export class GarbageWatch {
  readonly #recorder: Recorder;
  readonly #collections: Region[] = [];
  readonly #observer: PerformanceObserver;

  constructor(recorder: Recorder) {
    this.#recorder = recorder;
    this.#observer = new PerformanceObserver((list) => this.#take(list.getEntries()));
    this.#observer.observe({ entryTypes: ['gc'] });
  }

  #take(entries: readonly { startTime: number; duration: number }[]): void {
    // A microsecond of difference between two clock reads does not matter here.
    const offsetNs = this.#recorder.nowNs() - performance.now() * 1e6;
    for (const { startTime, duration } of entries) {
      const startNs = startTime * 1e6 + offsetNs;
      this.#collections.push({ startNs, endNs: startNs + duration * 1e6 });
    }
  }

  /** Ends the watch. Collections within the regions, and their part of the regions' time. */
  async stop(
    regions: readonly Region[],
  ): Promise<{ count: number; durationSeconds: number; timeRatio: number }> {
    // Entries are handed over in a later turn of the event loop.
    await new Promise((resolve) => setImmediate(resolve));
    this.#take(this.#observer.takeRecords());
    this.#observer.disconnect();
    let [count, ns, total] = [0, 0, 0];
    for (const region of regions) {
      total += region.endNs - region.startNs;
      for (const { startNs, endNs } of this.#collections) {
        const overlap = Math.min(endNs, region.endNs) - Math.max(startNs, region.startNs);
        if (overlap <= 0) continue;
        count += 1;
        ns += overlap;
      }
    }
    return { count, durationSeconds: ns / 1e9, timeRatio: total > 0 ? ns / total : 0 };
  }

  close(): void {
    this.#observer.disconnect();
  }
}
