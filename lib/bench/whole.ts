// SPDX-License-Identifier: MIT
//
// Which counters told which runs. Runs of different counters are sums of different things.
import type { Sample } from './statistics.js';

/** A run, and what was not told of it. */
export interface RawSample extends Omit<Sample, 'lacking'> {
  /** As in a `Reading`. */
  missing: readonly string[];
  stopped: readonly string[];
}

/** What no run was told by: nothing of the total of any. */
export function neverTold(samples: readonly RawSample[]): string[] {
  const [first, ...rest] = samples;
  return (first?.missing ?? []).filter((id) => rest.every(({ missing }) => missing.includes(id)));
}

/** What each run lacks of what others have. */
export function withLacking(samples: readonly RawSample[], never: readonly string[]): Sample[] {
  return samples.map(({ missing, stopped, ...sample }) => ({
    ...sample,
    lacking: [...missing.filter((id) => !never.includes(id)), ...stopped],
  }));
}

/** `run 3`, `runs 3, 5 to 9`; numbers from 1. */
function runsInWords(places: readonly number[]): string {
  const stretches: [first: number, last: number][] = [];
  for (const place of places) {
    const open = stretches.at(-1);
    if (open !== undefined && open[1] === place - 1) open[1] = place;
    else stretches.push([place, place]);
  }
  const words = stretches.map(([first, last]) =>
    first === last ? `${first + 1}` : `${first + 1} to ${last + 1}`,
  );
  return `run${places.length === 1 ? '' : 's'} ${words.join(', ')}`;
}

/** `perf:energy-ram:0 in runs 9 to 20`; undefined where no run lacks any. */
export function lackingInWords(samples: readonly Sample[]): string | undefined {
  const ids = [...new Set(samples.flatMap(({ lacking = [] }) => lacking))];
  if (ids.length === 0) return undefined;
  return ids
    .map(
      (id) =>
        `${id} in ${runsInWords(samples.flatMap(({ lacking = [] }, i) => (lacking.includes(id) ? [i] : [])))}`,
    )
    .join(', ');
}
