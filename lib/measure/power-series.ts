// SPDX-License-Identifier: MIT
//
// A report's power over time, and how well its counters' energies are known, from what was seen of the counters.
import type {
  Component,
  Components,
  EnergyBounds,
  PowerChannel,
  PowerSeries,
  PresentKind,
} from '../core/report-types.js';
import type { CounterDelta } from '../meter/meter.js';
import { weakerKind } from '../report/kinds.js';
import type { PowerBins } from './power-bins.js';
import { FIRST_BIN_SECONDS, MOST_BINS } from './power-curve.js';
import type { PowerRecorder } from './power-recorder.js';

/** A chart of fewer intervals tells no more than the mean. */
const FEWEST_INTERVALS = 4;
/** So that a report stays small: far finer than any counter is right. */
const SIGNIFICANT_DIGITS = 6;
const CONFIDENCE_RATIO = 0.95;
/**
 * Half of the interval that holds the difference of two independent delays, each anywhere within a period, with
 * probability 0.95: 1 - sqrt(1 - 0.95) periods.
 */
const HALF_PERIODS = 1 - Math.sqrt(1 - CONFIDENCE_RATIO);
const PARTS = [
  { key: 'cpu', domain: 'package', name: 'CPU' },
  { key: 'gpu', domain: 'gpu', name: 'GPU' },
  { key: 'ram', domain: 'dram', name: 'RAM' },
] as const;
type PartRow = (typeof PARTS)[number];

/** What the energies of a region are made of, as its measurement has them. */
export interface PowerEvidence {
  durationSeconds: number;
  deltas: readonly CounterDelta[];
  components: Components;
}

/** Indices of the counters that the total holds. */
function membersOf(deltas: readonly CounterDelta[], { domain }: PartRow): number[] {
  return deltas.flatMap(({ counter, inTotal }, index) =>
    inTotal && counter.domain === domain ? [index] : [],
  );
}

/** The bins of each curve of a component, or why there are none. */
function binsOf(
  recorder: PowerRecorder,
  { durationSeconds, deltas, components }: PowerEvidence,
  row: PartRow,
): PowerBins[] | string {
  const { kind, energyJoules } = components[row.key];
  if (kind === 'absent' || energyJoules === undefined) return '';
  if (kind === 'measured') {
    const members = membersOf(deltas, row);
    const curves = members.map((index) => recorder.curves.get(index));
    const watched = [...recorder.curves.keys()].filter(
      (index) => deltas[index]?.counter.domain === row.domain,
    );
    if (watched.length !== members.length || curves.includes(undefined)) {
      return `${row.name} is left out: which of its counters can be used changed on the way.`;
    }
    return curves.flatMap((curve, i) => {
      const delta = deltas[members[i] ?? -1];
      if (curve === undefined) return [];
      // What came after it was counted last is not known.
      return [
        delta?.incomplete === true ? curve.bins : curve.until(durationSeconds, delta?.energyJoules ?? 0),
      ];
    });
  }
  if (row.key === 'cpu') {
    if (recorder.cpuCurve === undefined) return `${row.name} is left out: its counter was lost on the way.`;
    return [recorder.cpuCurve.until(durationSeconds, energyJoules)];
  }
  // Memory is estimated by a constant power.
  return [];
}

function rounded(watts: number): number {
  return Number(watts.toPrecision(SIGNIFICANT_DIGITS));
}

function channelOf(
  { key, name }: PartRow,
  { kind, source, powerWatts = 0 }: Component & { kind: PresentKind },
  all: readonly PowerBins[],
  count: number,
): PowerChannel {
  const channel: PowerChannel & Required<Pick<PowerChannel, 'lowestWatts' | 'highestWatts'>> = {
    name,
    component: key,
    kind,
    source,
    powerWatts: [],
    lowestWatts: [],
    highestWatts: [],
  };
  for (let bin = 0; bin < count; ++bin) {
    const parts = all.map((bins) => bins.at(bin));
    const add = (pick: 'powerWatts' | 'lowestWatts' | 'highestWatts'): number | null => {
      if (all.length === 0) return rounded(powerWatts);
      if (parts.includes(undefined)) return null;
      return rounded(parts.reduce((sum, part) => sum + (part?.[pick] ?? 0), 0));
    };
    channel.powerWatts.push(add('powerWatts'));
    channel.lowestWatts.push(add('lowestWatts'));
    channel.highestWatts.push(add('highestWatts'));
  }
  return channel;
}

/** What is known of a component's power: none for a constant one. In words: why it has none. */
export interface PartBins {
  key: keyof Components;
  bins: readonly PowerBins[] | string;
}

/** Power over time of what has energy; undefined where it was too short for it, or nothing has. */
export function seriesOfParts(
  parts: readonly PartBins[],
  components: Components,
  durationSeconds: number,
): PowerSeries | undefined {
  if (durationSeconds < FEWEST_INTERVALS * FIRST_BIN_SECONDS) return undefined;
  const widths = parts.flatMap(({ bins }) =>
    typeof bins === 'string' ? [] : bins.map(({ widthSeconds }) => widthSeconds),
  );
  let widthSeconds = Math.max(FIRST_BIN_SECONDS, ...widths);
  // Constant powers have no bins that widened on the way, and those of a counter that was lost did so until then only.
  while (widthSeconds * MOST_BINS < durationSeconds) widthSeconds *= 2;
  const count = Math.max(1, Math.ceil(durationSeconds / widthSeconds - 1e-9));
  const channels = PARTS.flatMap((row) => {
    const bins = parts.find(({ key }) => key === row.key)?.bins;
    const component = components[row.key];
    if (bins === undefined || typeof bins === 'string' || component.kind === 'absent') return [];
    for (const one of bins) while (one.widthSeconds < widthSeconds) one.widen();
    return [channelOf(row, { ...component, kind: component.kind }, bins, count)];
  });
  if (channels.length === 0) return undefined;
  const kinds = channels.map(({ kind }) => kind);
  const lost = parts.flatMap(({ bins }) => (typeof bins === 'string' && bins !== '' ? [bins] : []));
  return {
    kind: kinds.reduce(weakerKind),
    source: [...new Set(channels.map(({ source }) => source))].join(', '),
    method: 'energy between two looks at the counters, over the time between them',
    detail: [
      channels.map(({ name, kind }) => `${name} is ${kind}`).join(', '),
      '. The range of an interval is that of the looks inside it; what was used before the first look and after the last is spread evenly there.',
      ...lost.map((sentence) => ` ${sentence}`),
    ].join(''),
    edgesSeconds: [
      ...Array.from({ length: count }, (_, bin) => Number((bin * widthSeconds).toFixed(6))),
      durationSeconds,
    ],
    channels,
  };
}

/** The region's power over time; undefined where it was too short for one, or nothing has energy. */
export function powerSeries(recorder: PowerRecorder, evidence: PowerEvidence): PowerSeries | undefined {
  const parts = PARTS.map((row) => ({ key: row.key, bins: binsOf(recorder, evidence, row) }));
  return seriesOfParts(parts, evidence.components, evidence.durationSeconds);
}

/**
 * How well a measured component is known, as far as it is a question of time: each of its counters lags behind by up to
 * one update, at the region's start and at its end. How right the counter itself is, is not in it.
 */
export function timingBounds(
  recorder: PowerRecorder,
  { durationSeconds, deltas, components }: PowerEvidence,
  key: keyof Components,
): EnergyBounds {
  const row = PARTS.find((one) => one.key === key);
  const { kind, energyJoules, atLeast } = components[key];
  if (row === undefined || kind !== 'measured' || energyJoules === undefined || atLeast) return {};
  let half = 0;
  for (const index of membersOf(deltas, row)) {
    const curve = recorder.curves.get(index);
    const longest = curve?.longestSeconds;
    if (deltas[index]?.indicative === true) return {};
    // A slow counter's energy is scaled from an interval of its own.
    if (curve === undefined || longest === undefined || deltas[index]?.counter.blocking !== false) return {};
    const period = Math.min(longest, recorder.periodSeconds(index) ?? longest);
    // Edges are the same for all counters, so they may all err the same way.
    half +=
      HALF_PERIODS * period * curve.until(durationSeconds, deltas[index]?.energyJoules ?? 0).highestWatts;
  }
  return {
    lowerJoules: Math.max(0, energyJoules - half),
    upperJoules: energyJoules + half,
    confidenceRatio: CONFIDENCE_RATIO,
  };
}
