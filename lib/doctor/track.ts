// SPDX-License-Identifier: MIT
//
// What one counter was seen to do: its updates, each with the time in which it fell. Only changes are kept, so that
// a second of tight reading takes little memory.

/** An update of a counter. It was seen after `earliestNs`, when the old count was read, and before `latestNs`. */
export interface Update {
  earliestNs: number;
  latestNs: number;
  /** When it fell, by the device's own word. */
  ownNs?: number;
  ticks: bigint;
}

/** Updates beyond these are counted, not kept: 20 times what RAPL does in a test. */
const MOST_UPDATES = 50_000;

export class Track {
  readonly updates: Update[] = [];
  sampleCount = 0;
  updateCount = 0;
  firstNs: number | undefined;
  lastNs = 0;
  #ticks = 0n;
  #firstTicks = 0n;

  /**
   * A reading of the counter that was `ok`, in order of time.
   * @param timeNs when it was read
   * @param ownNs the time that the device gives with the count
   */
  add(timeNs: number, ticks: bigint, ownNs?: number): void {
    if (this.firstNs === undefined) {
      this.firstNs = timeNs;
      this.#firstTicks = ticks;
    } else if (ticks !== this.#ticks) {
      this.updateCount += 1;
      if (this.updates.length < MOST_UPDATES) {
        const own = ownNs === undefined ? {} : { ownNs };
        this.updates.push({ earliestNs: this.lastNs, latestNs: timeNs, ...own, ticks });
      }
    }
    this.#ticks = ticks;
    this.lastNs = timeNs;
    this.sampleCount += 1;
  }

  /** The count at the first reading. */
  get firstTicks(): bigint {
    return this.#firstTicks;
  }

  /** The count at the last reading. */
  get lastTicks(): bigint {
    return this.#ticks;
  }
}
