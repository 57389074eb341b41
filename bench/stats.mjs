// SPDX-License-Identifier: MIT

/** The middle value; of an even number of values the mean of the middle two. */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

/**
 * A bound that the median of what the values are drawn from does not exceed, with 95 % confidence: the order statistic of
 * the sign test, which asks nothing of the distribution. Infinity for fewer than five values, which cannot tell.
 */
export function medianUpperBound(values, confidence = 0.95) {
  const sorted = [...values].sort((a, b) => a - b);
  const n = sorted.length;
  // The chance that at most k of n values lie above the median.
  let probability = 0.5 ** n;
  let atMost = 0;
  if (probability > 1 - confidence) return Number.POSITIVE_INFINITY;
  for (let k = 0; k < n; ++k) {
    const next = (probability * (n - k)) / (k + 1);
    if (atMost + probability > 1 - confidence) return sorted[n - k] ?? Number.POSITIVE_INFINITY;
    atMost += probability;
    probability = next;
  }
  return sorted[n - 1];
}

/** Numbers in [0, 1) that are the same in every run: mulberry32. */
export function seeded(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/**
 * How much longer the second of two ways takes, as a ratio less one, block by block: ABBA or BAAB as `random` has it, so
 * that a machine that slows down meanwhile treats both alike, and neither is always in the middle.
 */
export async function abba(first, second, blocks, random) {
  const effects = [];
  for (let block = 0; block < blocks; ++block) {
    const order = random() < 0.5 ? [0, 1, 1, 0] : [1, 0, 0, 1];
    const sums = [0, 0];
    for (const way of order) sums[way] += await [first, second][way]();
    effects.push(sums[1] / sums[0] - 1);
  }
  return effects;
}

/**
 * An interval that holds the true median with a probability of at least 95 %, whatever the distribution: between two
 * of the sorted values (the sign test's). All of them where there are fewer than six.
 */
export function medianInterval(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const n = sorted.length;
  let rank = 0;
  for (let below = 0, term = 0.5 ** n; below + term <= 0.025 && rank < (n - 1) >> 1; ++rank) {
    below += term;
    term = (term * (n - rank)) / (rank + 1);
  }
  const from = Math.max(0, rank - 1);
  return [sorted[from], sorted[n - 1 - from]];
}

/**
 * Runs each way once a round, in an order that turns round every time, so that a machine that slows down or
 * speeds up meanwhile treats all alike. Returns the values by name, one a round.
 */
export function alternate(ways, rounds) {
  const values = Object.fromEntries(Object.keys(ways).map((name) => [name, []]));
  for (let round = 0; round < rounds; ++round) {
    const names = Object.keys(ways);
    if (round % 2 === 1) names.reverse();
    for (const name of names) values[name].push(ways[name]());
  }
  return values;
}

/**
 * One row of a table: median with extremes, and the medians over rounds of the difference from the same round of
 * `base` and of the ratio to the same round of `unity`.
 */
export function row(name, values, unit, base, unity = base) {
  return {
    name,
    unit,
    median: median(values),
    min: Math.min(...values),
    max: Math.max(...values),
    ...(base === undefined || base === values
      ? {}
      : {
          ratio: median(values.map((value, i) => value / unity[i])),
          more: median(values.map((value, i) => value - base[i])),
        }),
  };
}
