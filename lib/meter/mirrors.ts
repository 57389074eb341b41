// SPDX-License-Identifier: MIT
import { type DomainCounter, interfaceOf, SUMMED } from './domains.js';

/** Two counters that start this close, in joules, are worth a closer look. By chance 1 in 16,000 do at 2^16 J. */
const SUSPICIOUS_JOULES = 2;
/** Two reads of one meter in one pass differ by no more, in ticks. */
const SAME_TICKS = 2n;
/** Of devices that are read one after the other, in joules: 500 W for 0.2 ms. */
const SAME_DEVICE_JOULES = 0.1;
/** Of hardware's own counts, which stood close from the start. */
const MOVING_READS = 3;
/** Of counts that began at open, which are as far apart at each read: two idle sockets may be so for some. */
const MOVING_READS_FROM_OPEN = 12;
/** An update may fall between the reads of the two counters: where those take long, into one read of six. */
const MISSES_ALLOWED = 6;
const MOST_READS = 60;
/** Opening a meter waits no longer, once it has read often enough to tell. */
const MOST_MS = 50;
/** Enough for all matches that are wanted and all misses that are allowed. */
const ENOUGH_READS = MOVING_READS_FROM_OPEN + MISSES_ALLOWED + 2;
/** However busy the machine or slow its sources. */
const MOST_MS_IF_BUSY = 500;
/** A pair that has not moved in so many reads will not tell. */
const MOST_STILL_READS = 10;

/** What `watch` returns: each counter's ticks, undefined where it cannot be read. */
export type Ticks = readonly (bigint | undefined)[];

interface Pair {
  one: number;
  other: number;
  fromOpen: boolean;
  /** By how many ticks two reads of one meter may differ. */
  sameTicks: bigint;
  /** How many matches make them one meter. */
  wanted: number;
  last: { one: bigint; other: bigint } | undefined;
  /** By how many ticks they are apart, and how often again: 0 of hardware's own counts, whatever comes of others. */
  distances: { ticks: bigint; times: number }[];
  matches: number;
  misses: number;
  /** Reads since either moved. */
  still: number;
}

/**
 * Packages that repeat one meter, as a virtual machine shows whose every CPU is a package of its own: their counts are
 * the same and move together. Looks longer, up to MOST_READS times, only while two counts look suspiciously alike.
 * @param openedJoules each counter's own count, where it could be read
 * @param watch reads all counters again, after an update has had the time to come
 * @returns for each counter the index of the first that it repeats, or its own
 */
export function findMirrors(
  counters: readonly DomainCounter[],
  openedJoules: readonly (number | undefined)[],
  watch: () => Ticks,
): number[] {
  const first = counters.map((_, index) => index);
  const pairs = suspects(counters, openedJoules);
  const open = ({ matches, misses, wanted, still }: Pair) =>
    matches < wanted && misses <= MISSES_ALLOWED && still < MOST_STILL_READS;
  const startMs = performance.now();
  const mayRead = (reads: number): boolean => {
    const ms = performance.now() - startMs;
    return reads < MOST_READS && ms < (reads < ENOUGH_READS ? MOST_MS_IF_BUSY : MOST_MS);
  };
  for (let reads = 0; mayRead(reads) && pairs.some(open); reads++) {
    const ticks = watch();
    for (const pair of pairs) {
      const one = ticks[pair.one];
      const other = ticks[pair.other];
      if (one === undefined || other === undefined) continue;
      const { last } = pair;
      if (last !== undefined && one === last.one && other === last.other) {
        pair.still++;
        continue;
      }
      pair.still = 0;
      if (last !== undefined) compare(pair, one - other);
      else if (pair.fromOpen) pair.distances.push({ ticks: one - other, times: 0 });
      pair.last = { one, other };
    }
  }
  for (const { one, other, matches, misses, wanted } of pairs) {
    if (matches >= wanted && misses <= MISSES_ALLOWED) {
      first[other] = Math.min(first[other] ?? other, first[one] ?? one);
    }
  }
  return first;
}

/** Counts one more read. One that an update tore apart says nothing of those before and after it. */
function compare(pair: Pair, distance: bigint): void {
  const reads = pair.matches + pair.misses + 1;
  const found = pair.distances.find(
    ({ ticks }) => distance - ticks <= pair.sameTicks && ticks - distance <= pair.sameTicks,
  );
  if (found !== undefined) found.times++;
  else if (pair.fromOpen) pair.distances.push({ ticks: distance, times: 0 });
  pair.matches = Math.max(...pair.distances.map(({ times }) => times));
  pair.misses = reads - pair.matches;
}

function sameTicksOf({ clock, scaleNumerator, scaleDenominator }: DomainCounter): bigint {
  if (clock !== 'device' || scaleNumerator === undefined || scaleDenominator === undefined) return SAME_TICKS;
  const ticks = BigInt(Math.ceil((SAME_DEVICE_JOULES * Number(scaleDenominator)) / Number(scaleNumerator)));
  return ticks > SAME_TICKS ? ticks : SAME_TICKS;
}

function suspects(counters: readonly DomainCounter[], openedJoules: readonly (number | undefined)[]): Pair[] {
  const pairs: Pair[] = [];
  counters.forEach((counter, other) => {
    if (!SUMMED.has(counter.domain) || counter.domain === 'gpu') return;
    const fromOpen = counter.fromOpen === true;
    for (let one = 0; one < other; one++) {
      const before = counters[one];
      if (before === undefined || before.domain !== counter.domain || before.device === counter.device)
        continue;
      if (interfaceOf(before.id) !== interfaceOf(counter.id)) continue;
      const a = openedJoules[one] ?? Number.NaN;
      const b = openedJoules[other] ?? Number.NaN;
      if (fromOpen ? a >= 0 && b >= 0 : a > 0 && Math.abs(a - b) <= SUSPICIOUS_JOULES) {
        const wanted = fromOpen ? MOVING_READS_FROM_OPEN : MOVING_READS;
        const distances = fromOpen ? [] : [{ ticks: 0n, times: 0 }];
        const seen = { last: undefined, distances, matches: 0, misses: 0, still: 0 };
        pairs.push({ one, other, fromOpen, sameTicks: sameTicksOf(counter), wanted, ...seen });
      }
    }
  });
  return pairs;
}
