// SPDX-License-Identifier: MIT
//
// The power over time of several runs, one after the other. Associative, up to where thinning begins.
import type { PowerChannel, PowerSeries } from '../core/report-types.js';
import { weakerKind } from './kinds.js';
import { listed } from './merge-context.js';

/** Beyond, each two intervals become one: so many are more than a screen shows. */
const MOST_INTERVALS = 4000;
/** Times of day are in milliseconds, and set by other clocks: runs may seem to overlap by this much. */
const TOLERANCE_SECONDS = 0.1;
/** Less is how doubles add up. */
const LEAST_GAP_SECONDS = 1e-6;

const LISTS = ['powerWatts', 'lowestWatts', 'highestWatts'] as const;
type List = (typeof LISTS)[number];

/** A run's series, and when it began after the first run's. */
export interface SeriesPart {
  series: PowerSeries;
  offsetSeconds: number;
}

/** Every channel's values in one interval, by the channel's name. */
interface Interval {
  fromSeconds: number;
  toSeconds: number;
  values: Map<string, Partial<Record<List, number>>>;
}

function intervalsOf({ series, offsetSeconds }: SeriesPart): Interval[] {
  const { edgesSeconds, channels } = series;
  return edgesSeconds.slice(1).flatMap((edge, index) => {
    const values: Interval['values'] = new Map();
    for (const channel of channels) {
      const powerWatts = channel.powerWatts[index];
      if (powerWatts === null || powerWatts === undefined) continue;
      const lowestWatts = channel.lowestWatts?.[index] ?? powerWatts;
      const highestWatts = channel.highestWatts?.[index] ?? powerWatts;
      values.set(channel.name, { powerWatts, lowestWatts, highestWatts });
    }
    if (values.size === 0) return [];
    return [
      { fromSeconds: offsetSeconds + (edgesSeconds[index] ?? 0), toSeconds: offsetSeconds + edge, values },
    ];
  });
}

/** With what lies between filled by intervals of which nothing is known; undefined where two overlap. */
function inOrder(intervals: readonly Interval[]): Interval[] | undefined {
  const sorted = [...intervals].sort((one, other) => one.fromSeconds - other.fromSeconds);
  const all: Interval[] = [];
  let atSeconds = 0;
  for (const interval of sorted) {
    const gapSeconds = interval.fromSeconds - atSeconds;
    if (gapSeconds < -TOLERANCE_SECONDS || interval.toSeconds <= atSeconds) return undefined;
    if (gapSeconds > LEAST_GAP_SECONDS) {
      all.push({ fromSeconds: atSeconds, toSeconds: interval.fromSeconds, values: new Map() });
      atSeconds = interval.fromSeconds;
    }
    all.push({ ...interval, fromSeconds: atSeconds });
    atSeconds = interval.toSeconds;
  }
  return all;
}

function joined(one: Interval, other: Interval): Interval {
  const [a, b] = [one.toSeconds - one.fromSeconds, other.toSeconds - other.fromSeconds];
  const values: Interval['values'] = new Map();
  for (const [name, first] of one.values) {
    const second = other.values.get(name);
    if (second === undefined) continue;
    values.set(name, {
      powerWatts: ((first.powerWatts ?? 0) * a + (second.powerWatts ?? 0) * b) / (a + b),
      lowestWatts: Math.min(first.lowestWatts ?? 0, second.lowestWatts ?? 0),
      highestWatts: Math.max(first.highestWatts ?? 0, second.highestWatts ?? 0),
    });
  }
  return { fromSeconds: one.fromSeconds, toSeconds: other.toSeconds, values };
}

/** Each two intervals as one, where they know the same channels. */
function thinned(intervals: readonly Interval[]): Interval[] {
  const out: Interval[] = [];
  for (let i = 0; i < intervals.length; ++i) {
    const [one, other] = [intervals[i], intervals[i + 1]];
    if (one === undefined) continue;
    const same =
      other?.values.size === one.values.size &&
      [...one.values.keys()].every((name) => other.values.has(name));
    if (same && other !== undefined) {
      out.push(joined(one, other));
      i += 1;
    } else out.push(one);
  }
  return out;
}

/** The power over the time of all runs; undefined where runs overlap, so that their times cannot be put in one row. */
export function mergeSeries(parts: readonly SeriesPart[]): PowerSeries | undefined {
  let intervals = inOrder(parts.flatMap(intervalsOf));
  if (intervals === undefined || intervals.length === 0) return undefined;
  while (intervals.length > MOST_INTERVALS) {
    const fewer = thinned(intervals);
    if (fewer.length > 0.75 * intervals.length) break;
    intervals = fewer;
  }
  const all = parts.flatMap(({ series }) => series.channels);
  const names = [...new Set(all.map(({ name }) => name))];
  const found = intervals;
  const channels = names.map((name): PowerChannel => {
    const own = all.filter((channel) => channel.name === name);
    const component = own[0]?.component;
    const list = (key: List) => found.map(({ values }) => values.get(name)?.[key] ?? null);
    return {
      name,
      ...(component === undefined ? {} : { component }),
      kind: own.map(({ kind }) => kind).reduce(weakerKind),
      source: listed(own.map(({ source }) => source)),
      powerWatts: list('powerWatts'),
      lowestWatts: list('lowestWatts'),
      highestWatts: list('highestWatts'),
    };
  });
  const ofParts = parts.map(({ series }) => series);
  return {
    kind: ofParts.map(({ kind }) => kind).reduce(weakerKind),
    source: listed(ofParts.map(({ source }) => source)),
    method: listed(ofParts.map(({ method }) => method)),
    detail: listed(
      ofParts.map(({ detail }) => detail),
      ' ',
    ),
    edgesSeconds: [found[0]?.fromSeconds ?? 0, ...found.map(({ toSeconds }) => toSeconds)].map((seconds) =>
      Number(seconds.toFixed(6)),
    ),
    channels,
  };
}
