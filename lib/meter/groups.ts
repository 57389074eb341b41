// SPDX-License-Identifier: MIT
import { type DomainCounter, groupMeters, type MeterGroup } from './domains.js';

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
  /** Counters that stood like another at open and have since counted otherwise. */
  readonly #parted = new Set<number>();

  /** @param openedJoules each counter's own count at open, where it could be read */
  constructor(counters: readonly DomainCounter[], openedJoules: readonly (number | undefined)[]) {
    this.#counters = counters;
    this.#openedJoules = openedJoules;
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
    const a = this.#openedJoules[one] ?? Number.NaN;
    const b = this.#openedJoules[other] ?? Number.NaN;
    // Two counts of 0 say nothing.
    return !this.#parted.has(other) && a > 0 && b > 0 && Math.abs(a - b) <= MIRROR_JOULES;
  }
}
