// SPDX-License-Identifier: MIT
//
// Power over time in bounded memory. Pure.

/** Power in one stretch of time. */
export interface PowerBin {
  /** Mean over the part of it that is known, in watts. */
  powerWatts: number;
  lowestWatts: number;
  highestWatts: number;
}

const JOULES = 0;
const SECONDS = 1;
const LOWEST = 2;
const HIGHEST = 3;
const COLUMNS = 4;

/**
 * Energy over time in bins of one width, from time 0 on. When it would take more bins than there may be, each two become
 * one: their energies add up and the extremes stay, however long it lasts.
 */
export class PowerBins {
  readonly #mostCount: number;
  #widthSeconds: number;
  #data: Float64Array;

  /** @param mostCount the most bins there will be; even */
  constructor(firstWidthSeconds: number, mostCount: number) {
    this.#widthSeconds = firstWidthSeconds;
    this.#mostCount = mostCount;
    this.#data = emptyBins(mostCount);
  }

  get widthSeconds(): number {
    return this.#widthSeconds;
  }

  /** Adds what was used between two times, evenly. Times before 0 are cut off with their share. */
  add(fromSeconds: number, toSeconds: number, joules: number): void {
    const lengthSeconds = toSeconds - fromSeconds;
    if (!(lengthSeconds > 0) || !(toSeconds > 0) || !Number.isFinite(joules) || joules < 0) return;
    while (toSeconds > this.#widthSeconds * this.#mostCount) this.widen();
    const watts = joules / lengthSeconds;
    let atSeconds = Math.max(0, fromSeconds);
    let bin = Math.min(this.#mostCount - 1, Math.floor(atSeconds / this.#widthSeconds));
    while (atSeconds < toSeconds && bin < this.#mostCount) {
      const endSeconds = Math.min(toSeconds, (bin + 1) * this.#widthSeconds);
      if (endSeconds > atSeconds) this.#put(bin, endSeconds - atSeconds, watts);
      atSeconds = Math.max(atSeconds, endSeconds);
      bin += 1;
    }
  }

  #put(bin: number, seconds: number, watts: number): void {
    const at = bin * COLUMNS;
    const data = this.#data;
    data[at + JOULES] = (data[at + JOULES] ?? 0) + watts * seconds;
    data[at + SECONDS] = (data[at + SECONDS] ?? 0) + seconds;
    data[at + LOWEST] = Math.min(data[at + LOWEST] ?? watts, watts);
    data[at + HIGHEST] = Math.max(data[at + HIGHEST] ?? watts, watts);
  }

  /** Makes each two bins one. */
  widen(): void {
    const old = this.#data;
    this.#data = emptyBins(this.#mostCount);
    for (let bin = 0; bin < this.#mostCount; ++bin) {
      const [from, to] = [bin * COLUMNS, (bin >> 1) * COLUMNS];
      if (old[from + SECONDS] === 0) continue;
      this.#data[to + JOULES] = (this.#data[to + JOULES] ?? 0) + (old[from + JOULES] ?? 0);
      this.#data[to + SECONDS] = (this.#data[to + SECONDS] ?? 0) + (old[from + SECONDS] ?? 0);
      this.#data[to + LOWEST] = Math.min(this.#data[to + LOWEST] ?? 0, old[from + LOWEST] ?? 0);
      this.#data[to + HIGHEST] = Math.max(this.#data[to + HIGHEST] ?? 0, old[from + HIGHEST] ?? 0);
    }
    this.#widthSeconds *= 2;
  }

  /** A bin; undefined where nothing is known of it. */
  at(bin: number): PowerBin | undefined {
    const at = bin * COLUMNS;
    const seconds = this.#data[at + SECONDS] ?? 0;
    if (!(seconds > 0)) return undefined;
    return {
      powerWatts: (this.#data[at + JOULES] ?? 0) / seconds,
      lowestWatts: this.#data[at + LOWEST] ?? 0,
      highestWatts: this.#data[at + HIGHEST] ?? 0,
    };
  }

  /** The most power in any stretch that was added, in watts; 0 without one. */
  get highestWatts(): number {
    let highest = 0;
    for (let bin = 0; bin < this.#mostCount; ++bin)
      highest = Math.max(highest, this.at(bin)?.highestWatts ?? 0);
    return highest;
  }

  copy(): PowerBins {
    const copy = new PowerBins(this.#widthSeconds, this.#mostCount);
    copy.#data.set(this.#data);
    return copy;
  }
}

function emptyBins(count: number): Float64Array {
  const data = new Float64Array(count * COLUMNS);
  for (let at = 0; at < data.length; at += COLUMNS) {
    data[at + LOWEST] = Number.POSITIVE_INFINITY;
    data[at + HIGHEST] = Number.NEGATIVE_INFINITY;
  }
  return data;
}
