// SPDX-License-Identifier: MIT
import type { StreamRow } from './types.js';

const NS_PER_SECOND = 1e9;
/** More than the widest terminal has columns. */
const MOST_POINTS = 512;

/** Power of each channel over the latest while, one point for each row that it is given. */
export class PowerHistory {
  /** For each channel its points in watts, oldest first; `undefined` where one of the two rows had no value. */
  readonly powerWatts: (number | undefined)[][];
  /** The sum of the channels that are in the total. */
  readonly totalWatts: (number | undefined)[] = [];
  readonly #inTotal: readonly boolean[];
  #last: StreamRow | undefined;

  /** @param inTotal of each channel */
  constructor(inTotal: readonly boolean[]) {
    this.#inTotal = inTotal;
    this.powerWatts = inTotal.map(() => []);
  }

  add(row: StreamRow): void {
    const last = this.#last;
    this.#last = row;
    if (last === undefined) return;
    const seconds = (row.timeNs - last.timeNs) / NS_PER_SECOND;
    let total: number | undefined;
    let isWhole = true;
    for (const [index, points] of this.powerWatts.entries()) {
      const [from, to] = [last.energyJoules[index] ?? null, row.energyJoules[index] ?? null];
      const watts = from === null || to === null || !(seconds > 0) ? undefined : (to - from) / seconds;
      push(points, watts);
      if (this.#inTotal[index] !== true) continue;
      if (watts === undefined) isWhole = false;
      else total = (total ?? 0) + watts;
    }
    // Without one of them the sum would look like a fall.
    push(this.totalWatts, isWhole ? total : undefined);
  }
}

function push(points: (number | undefined)[], watts: number | undefined): void {
  points.push(watts);
  if (points.length > MOST_POINTS) points.shift();
}
