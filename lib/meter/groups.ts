// SPDX-License-Identifier: MIT
import { type DomainCounter, groupMeters, type MeterGroup } from './domains.js';
import { findMirrors, type Ticks } from './mirrors.js';

/** Two updates of a millisecond at 1000 W. That two meters stand so close by chance is 1 in 16,000 at 2^16 J. */
const MIRROR_JOULES = 2;
/** What two reads of one meter, moments apart, may differ by in a region. */
const MIRROR_RATIO = 0.01;

/**
 * Which counters are one physical meter: settled from their counts at open, and undone for good when a region shows
 * two to differ.
 */
export class MeterGroups {
  /** One a counter, in the counters' order. */
  all: readonly MeterGroup[] = [];
  readonly #counters: readonly DomainCounter[];
  readonly #openedJoules: readonly (number | undefined)[];
  readonly #mirrorOf: readonly number[];
  /** Counters that stood like another at open and have since counted otherwise. */
  readonly #parted = new Set<number>();

  /**
   * @param openedJoules each counter's own count at open, where it could be read
   * @param watch reads all counters again, after an update has had the time to come
   */
  constructor(
    counters: readonly DomainCounter[],
    openedJoules: readonly (number | undefined)[],
    watch: () => Ticks,
  ) {
    this.#counters = counters;
    this.#openedJoules = openedJoules;
    this.#mirrorOf = findMirrors(counters, openedJoules, watch);
    this.#group();
  }

  /** Parts what a region shows to be two meters. @param joules each counter's energy in it, where it has one */
  part(joules: readonly (number | undefined)[]): void {
    const before = this.#parted.size;
    this.all.forEach(({ first }, index) => {
      const one = joules[this.#counters.findIndex((counter) => counter.id === first)];
      const other = joules[index];
      if (one === undefined || other === undefined) return;
      if (Math.abs(one - other) > MIRROR_JOULES + MIRROR_RATIO * one) this.#parted.add(index);
    });
    if (this.#parted.size > before) this.#group();
  }

  #group(): void {
    this.all = groupMeters(this.#counters, (one, other) => this.#agree(one, other));
  }

  #agree(one: number, other: number): boolean {
    if (this.#parted.has(other)) return false;
    if (this.#counters[one]?.device !== this.#counters[other]?.device) {
      return this.#mirrorOf[other] === this.#mirrorOf[one];
    }
    const a = this.#openedJoules[one] ?? Number.NaN;
    const b = this.#openedJoules[other] ?? Number.NaN;
    // Two counts of 0 say nothing, nor do those that began at open.
    const counts = a > 0 && b > 0 && this.#counters[other]?.fromOpen !== true;
    return counts && Math.abs(a - b) <= MIRROR_JOULES;
  }
}
