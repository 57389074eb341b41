// SPDX-License-Identifier: MIT
//
// What one counter used over time, from what was seen of its count now and then. Pure.
import { PowerBins } from './power-bins.js';

/** Narrower than what looks at the counters, so that nothing is lost by it. */
export const FIRST_BIN_SECONDS = 0.05;
/** Half to all of so many intervals: about as many as a chart has pixels. */
export const MOST_BINS = 800;
const FEWEST_SEEN = 10;

/** Times in seconds since the start of the run, joules since any origin. */
export class PowerCurve {
  readonly #bins = new PowerBins(FIRST_BIN_SECONDS, MOST_BINS);
  #first: number | undefined;
  #last: { seconds: number; joules: number } | undefined;
  #seenJoules = 0;
  #seenCount = 0;
  #longestSeconds = 0;
  #isBroken = false;

  /** The count at a time, where it had just moved. Times must not fall. */
  seen(seconds: number, joules: number): void {
    const last = this.#last;
    this.#first ??= Math.max(0, seconds);
    if (last !== undefined) {
      if (seconds <= last.seconds) return;
      this.#bins.add(last.seconds, seconds, joules - last.joules);
      this.#seenJoules += joules - last.joules;
      this.#longestSeconds = Math.max(this.#longestSeconds, seconds - last.seconds);
    }
    this.#seenCount += 1;
    this.#last = { seconds, joules };
  }

  /** The count does not go on: what was used until the next {@link seen} is not known. */
  broken(): void {
    this.#last = undefined;
    this.#isBroken = true;
  }

  /** The longest time without a movement, in seconds; undefined where too few were seen to tell. */
  get longestSeconds(): number | undefined {
    return this.#seenCount < FEWEST_SEEN ? undefined : this.#longestSeconds;
  }

  /** The power between the first and the latest time at which it was seen. */
  get bins(): PowerBins {
    return this.#bins.copy();
  }

  /**
   * The whole run's power. What the counter used before it was first seen and after it was last is what is missing of the
   * run's energy: with it, the curve holds exactly as much as the report says.
   */
  until(endSeconds: number, energyJoules: number): PowerBins {
    const bins = this.#bins.copy();
    const leadSeconds = this.#first ?? endSeconds;
    const lastSeconds = this.#last?.seconds ?? endSeconds;
    if (this.#isBroken) return bins;
    if (this.#first === undefined || lastSeconds <= leadSeconds) {
      bins.add(0, endSeconds, energyJoules);
      return bins;
    }
    const tailSeconds = Math.max(0, endSeconds - lastSeconds);
    const restJoules = Math.max(0, energyJoules - this.#seenJoules);
    const edgeSeconds = leadSeconds + tailSeconds;
    bins.add(0, leadSeconds, (restJoules * leadSeconds) / edgeSeconds);
    bins.add(lastSeconds, endSeconds, (restJoules * tailSeconds) / edgeSeconds);
    return bins;
  }
}
