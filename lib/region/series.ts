// SPDX-License-Identifier: MIT
//
// What one counter did lately: its updates in columns, thinned where nobody needs them all.
import type { CounterUpdate, Region } from '../precision/types.js';

/** Columns of a record. */
const LOWER = 0;
const UPPER = 1;
const JOULES = 2;
/** Updates that were missed before it; -1: something was lost before it, nobody knows how much. */
const MISSED = 3;
const COLUMNS = 4;

const FIRST_CAPACITY = 1024;
/** Two minutes of a millisecond counter, 4 MB. Beyond, the middle of long regions is thinned. */
export const MOST_RECORDS = 1 << 17;
const FEWEST_SPACINGS = 3;
/** Records this close to a time that matters are never thinned. */
const EDGE_NS = 1e9;

/**
 * The updates of one counter, oldest first. Times in nanoseconds since an origin that all series of a recorder share;
 * joules since the first record.
 */
export class Series {
  #data = new Float64Array(FIRST_CAPACITY * COLUMNS);
  #count = 0;
  #spacingNs = 0;
  #addedCount = 0;

  /** How many updates were ever added. */
  get addedCount(): number {
    return this.#addedCount;
  }

  get updateCount(): number {
    return this.#count;
  }

  /** When the latest update was seen; -Infinity without one. */
  get latestNs(): number {
    return this.#count === 0 ? Number.NEGATIVE_INFINITY : this.#at(this.#count - 1, UPPER);
  }

  get latestJoules(): number {
    return this.#count === 0 ? 0 : this.#at(this.#count - 1, JOULES);
  }

  /** @param missedCount updates that were missed before this one; -1 where that is not known */
  add(lowerNs: number, upperNs: number, joules: number, missedCount: number): void {
    const at = this.#count * COLUMNS;
    if (at === this.#data.length) {
      const larger = new Float64Array(2 * this.#data.length);
      larger.set(this.#data);
      this.#data = larger;
    }
    this.#data[at + LOWER] = lowerNs;
    this.#data[at + UPPER] = upperNs;
    this.#data[at + JOULES] = joules;
    this.#data[at + MISSED] = missedCount;
    this.#count += 1;
    this.#addedCount += 1;
  }

  /**
   * Drops what came before a time, and thins what is left where it is too much.
   * @param edgesNs gives times about which every record is kept
   */
  forget(beforeNs: number, edgesNs: () => number[]): void {
    const first = this.#firstAfter(beforeNs);
    // In large steps, so that moving the rest costs little for each record.
    if (first > this.#count / 2) {
      this.#data.copyWithin(0, first * COLUMNS, this.#count * COLUMNS);
      this.#count -= first;
      if (this.#count < MOST_RECORDS / 4) this.#spacingNs = 0;
    }
    if (this.#count <= MOST_RECORDS) return;
    this.#spacingNs = this.#spacingNs === 0 ? 4e6 : this.#spacingNs * 2;
    this.#thin(edgesNs().sort((a, b) => a - b));
  }

  /** Leaves records at least `#spacingNs` apart. What one that goes had missed is told by the next that stays. */
  #thin(edgesNs: readonly number[]): void {
    let kept = 0;
    let keptNs = Number.NEGATIVE_INFINITY;
    let missed = 0;
    let edge = 0;
    for (let i = 0; i < this.#count; ++i) {
      const ns = this.#at(i, UPPER);
      const own = this.#at(i, MISSED);
      missed = missed < 0 || own < 0 ? -1 : missed + own;
      while (edge < edgesNs.length && (edgesNs[edge] ?? 0) < ns - EDGE_NS) edge += 1;
      const isNear = edge < edgesNs.length && (edgesNs[edge] ?? 0) <= ns + EDGE_NS;
      // Across a fall nothing may be joined.
      const falls = i > 0 && this.#at(i, JOULES) < this.#at(i - 1, JOULES);
      const nextFalls = i + 1 < this.#count && this.#at(i + 1, JOULES) < this.#at(i, JOULES);
      const stays = isNear || falls || nextFalls || i + 1 === this.#count || ns - keptNs >= this.#spacingNs;
      if (!stays) continue;
      const to = kept * COLUMNS;
      this.#data.copyWithin(to, i * COLUMNS, (i + 1) * COLUMNS);
      this.#data[to + MISSED] = missed;
      missed = 0;
      kept += 1;
      keptNs = ns;
    }
    this.#count = kept;
  }

  /** The updates in a stretch of time, with so many more on either side where there are. */
  around({ startNs, endNs }: Region, marginCount: number): CounterUpdate[] {
    const from = Math.max(0, this.#firstAfter(startNs) - marginCount);
    const to = Math.min(this.#count, this.#firstAfter(endNs) + marginCount);
    const updates: CounterUpdate[] = [];
    for (let i = from; i < to; ++i) updates.push(this.#update(i));
    return updates;
  }

  /** Mean time between two records, of four at least: updates that were not seen make it longer than the period. */
  get meanSpacingNs(): number | undefined {
    const count = this.#count - 1;
    if (count < FEWEST_SPACINGS) return undefined;
    return (this.#at(count, UPPER) - this.#at(0, UPPER)) / count;
  }

  /** How many updates surely came after a time. */
  countAfter(timeNs: number): number {
    let count = 0;
    for (let i = this.#count - 1; i >= 0 && this.#at(i, LOWER) >= timeNs; --i) count += 1;
    return count;
  }

  #at(record: number, column: number): number {
    return this.#data[record * COLUMNS + column] ?? 0;
  }

  #update(record: number): CounterUpdate {
    const missed = this.#at(record, MISSED);
    const update = {
      lowerNs: this.#at(record, LOWER),
      upperNs: this.#at(record, UPPER),
      joules: this.#at(record, JOULES),
    };
    if (missed < 0) return { ...update, gap: true };
    return missed > 0 ? { ...update, missedCount: missed } : update;
  }

  /** Index of the first record that was seen after a time. */
  #firstAfter(timeNs: number): number {
    let low = 0;
    let high = this.#count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#at(middle, UPPER) > timeNs) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
