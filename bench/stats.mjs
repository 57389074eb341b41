// SPDX-License-Identifier: MIT

/** The middle value; of an even number of values the mean of the middle two. */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
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
