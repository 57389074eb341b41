// SPDX-License-Identifier: MIT
//
// A stream as a person watches it: a frame of a terminal, or a line for each interval.
import {
  formatDecimals,
  formatDuration,
  formatEnergy,
  formatMass,
  formatPower,
  formatSignificant,
  withAtLeast,
} from '../core/numbers.js';
import type { Intensity, Location } from '../core/report-types.js';
import { JOULES_PER_KWH } from '../core/units.js';
import type { PowerHistory } from '../stream/power.js';
import type { StreamTotals } from '../stream/totals.js';
import type {
  StreamChannel,
  StreamClockChange,
  StreamGap,
  StreamHeader,
  StreamNote,
} from '../stream/types.js';
import { placeOf } from './labels.js';
import type { Style, StyleName } from './text.js';
import { displayWidth, padLeft, padRight, withoutControls } from './wrap.js';

/** What is shown of a stream at one time. */
export interface MonitorView {
  header: StreamHeader;
  totals: StreamTotals;
  history: PowerHistory;
  intensity: Intensity;
  location: Location;
  /** Power usage effectiveness of the building; the emissions are of energy times this. */
  pueRatio: number;
  /** The latest of what is no row, oldest first. */
  news: readonly (StreamGap | StreamNote | StreamClockChange)[];
}

const NS_PER_SECOND = 1e9;
const SECONDS_PER_HOUR = 3600;
const BARS = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'] as const;
const NAME_COLUMNS = 12;
const NUMBER_COLUMNS = 10;
const SOURCE_COLUMNS = 10;
/** From this width on there is room for the mean, and for the source. */
const WITH_MEAN = 64;
const WITH_SOURCE = 76;
const MOST_NEWS = 3;
const plain: Style = (_, text) => text;

/**
 * The latest points as bars from 0 to the greatest of them, as many as there are columns; a blank where there is none.
 */
export function sparkline(points: readonly (number | undefined)[], columns: number): string {
  const shown = columns > 0 ? points.slice(-columns) : [];
  const most = Math.max(0, ...shown.map((point) => point ?? 0));
  const bars = shown.map((point) => {
    if (point === undefined) return ' ';
    const level = most > 0 ? Math.round((point / most) * (BARS.length - 1)) : 0;
    return BARS[Math.max(0, level)] ?? BARS[0];
  });
  return bars.join('').padStart(Math.max(0, columns));
}

/** Cut to a terminal's width, with a mark where something is missing. */
function cut(text: string, columns: number): string {
  const clean = withoutControls(text);
  if (displayWidth(clean) <= columns) return clean;
  let kept = '';
  let left = columns - 1;
  for (const character of clean) {
    left -= displayWidth(character);
    if (left < 0) break;
    kept += character;
  }
  return `${kept}…`;
}

interface Layout {
  columns: number;
  sparkColumns: number;
  hasMean: boolean;
  hasSource: boolean;
}

function layoutFor(columns: number): Layout {
  const hasMean = columns >= WITH_MEAN;
  const hasSource = columns >= WITH_SOURCE;
  const numbers = (hasMean ? 3 : 2) * (NUMBER_COLUMNS + 1);
  const others = NAME_COLUMNS + 1 + numbers + (hasSource ? SOURCE_COLUMNS + 2 : 0);
  return { columns, sparkColumns: Math.max(0, columns - others - 1), hasMean, hasSource };
}

interface Line {
  name: string;
  points: readonly (number | undefined)[];
  energyJoules: number | null | undefined;
  source: string;
  style: StyleName;
  atLeast?: boolean;
}

function number(text: string): string {
  return padLeft(text, NUMBER_COLUMNS);
}

function toText(line: Line, seconds: number, layout: Layout, style: Style): string {
  const { name, points, energyJoules, source } = line;
  const watts = points.at(-1);
  const known = energyJoules ?? undefined;
  const mean = known === undefined || !(seconds > 0) ? '-' : formatPower(known / seconds);
  const energy = known === undefined ? '-' : `${line.atLeast === true ? '≥ ' : ''}${formatEnergy(known)}`;
  return [
    padRight(cut(name, NAME_COLUMNS), NAME_COLUMNS),
    style(line.style, sparkline(points, layout.sparkColumns)),
    style('value', number(watts === undefined ? '-' : formatPower(watts))),
    ...(layout.hasMean ? [number(mean)] : []),
    number(energy),
    ...(layout.hasSource ? [` ${style(line.style, cut(source, SOURCE_COLUMNS))}`] : []),
  ].join(' ');
}

function heading(layout: Layout): string {
  return [
    ' '.repeat(NAME_COLUMNS),
    ' '.repeat(layout.sparkColumns),
    number('power'),
    ...(layout.hasMean ? [number('mean')] : []),
    number('energy'),
    ...(layout.hasSource ? [' source'] : []),
  ].join(' ');
}

function sourceOf({ kind, source }: StreamChannel): string {
  return kind === 'measured' ? source : kind;
}

function lineOf(view: MonitorView, index: number): Line {
  const channel = view.header.channels[index] as StreamChannel;
  return {
    name: channel.name,
    points: view.history.powerWatts[index] ?? [],
    energyJoules: view.totals.channelJoules[index],
    source: sourceOf(channel),
    style: channel.inTotal ? channel.kind : 'muted',
  };
}

function emissionsOf({ totals, intensity, pueRatio, history }: MonitorView) {
  const gramsPerJoule = (intensity.intensityGramsPerKwh * pueRatio) / JOULES_PER_KWH;
  const watts = history.totalWatts.at(-1);
  return {
    grams: totals.energyJoules === undefined ? undefined : totals.energyJoules * gramsPerJoule,
    gramsPerHour: watts === undefined ? undefined : watts * gramsPerJoule * SECONDS_PER_HOUR,
  };
}

/** `44.18 g/kWh, France (FRA), 2024 (Ember via @tgwf/co2), estimated`. */
function intensityText({ intensity, location, pueRatio }: MonitorView): string {
  const { intensityGramsPerKwh, zone, year, source, kind } = intensity;
  const place = zone === 'WORLD' ? 'world average' : placeOf(location);
  return [
    `${formatSignificant(intensityGramsPerKwh)} g/kWh`,
    source === 'user' ? 'given' : place,
    ...(year === undefined ? [] : [String(year)]),
    ...(source === 'user' ? [] : [source]),
    ...(kind === 'measured' ? [] : [kind]),
    ...(pueRatio === 1 ? [] : [`PUE ${pueRatio}`]),
  ].join(', ');
}

function emissionsLines(view: MonitorView): string[] {
  const { grams, gramsPerHour } = emissionsOf(view);
  const amount = grams === undefined ? 'unknown' : withAtLeast(formatMass(grams), view.totals.atLeast);
  const rate = gramsPerHour === undefined ? '' : `, now ${formatMass(gramsPerHour)}/h`;
  const indent = ' '.repeat(NAME_COLUMNS);
  return [`${padRight('CO2e', NAME_COLUMNS)} ${amount}${rate}`, `${indent} at ${intensityText(view)}`];
}

/** What is no row, in a sentence. */
export function newsText(news: StreamGap | StreamNote | StreamClockChange): string {
  if (news.type === 'note') return `${formatDuration(news.timeNs / NS_PER_SECOND)}: ${news.message}`;
  if (news.type === 'clock') return `${formatDuration(news.timeNs / NS_PER_SECOND)}: the clock was set`;
  const from = formatDuration(news.fromNs / NS_PER_SECOND);
  const to = formatDuration(news.toNs / NS_PER_SECOND);
  const whose = news.channels === undefined ? '' : `${news.channels.join(', ')}, `;
  const lost = news.lostRowCount === undefined ? '' : `, ${news.lostRowCount} rows are missing`;
  return `${from} to ${to}: ${whose}${news.reason}${lost}: ${news.detail}`;
}

/** The lines of one frame, none longer than `columns`, no more than `rows`. */
export function monitorFrame(
  view: MonitorView,
  columns: number,
  rows: number,
  style: Style = plain,
): string[] {
  const { header, totals, history, news } = view;
  const layout = layoutFor(columns);
  const seconds = totals.timeNs / NS_PER_SECOND;
  const text = (line: Line): string => toText(line, seconds, layout, style);
  const indices = header.channels.map((_, index) => index);
  const added = indices.filter((index) => header.channels[index]?.inTotal === true);
  const apart = indices.filter((index) => header.channels[index]?.inTotal !== true);
  const every = formatDecimals(header.intervalNs / NS_PER_SECOND, 3);
  const title = `microjoule monitor  ${formatDuration(seconds)}, every ${every} s`;
  const total: Line = {
    name: 'total',
    points: history.totalWatts,
    energyJoules: totals.energyJoules,
    source: totals.kind ?? 'unknown',
    style: totals.kind ?? 'absent',
    atLeast: totals.atLeast,
  };
  const head = [style('title', cut(title, columns)), '', style('muted', cut(heading(layout), columns))];
  const foot = [
    text(total),
    '',
    ...emissionsLines(view).map((line) => cut(line, columns)),
    ...notCounted(header).map((line) => style('absent', cut(line, columns))),
    ...news.slice(-MOST_NEWS).map((one) => style('warning', cut(newsText(one), columns))),
  ];
  const room = rows - head.length - foot.length;
  const shown = clip(
    added.map((index) => text(lineOf(view, index))),
    room,
    columns,
    style,
  );
  const left = room - shown.length - 2;
  const below =
    apart.length > 0 && left > 0
      ? [
          '',
          style('muted', cut('inside these or overlapping, not added:', columns)),
          ...clip(
            apart.map((index) => text(lineOf(view, index))),
            left,
            columns,
            style,
          ),
        ]
      : [];
  return [...head, ...shown, ...foot.slice(0, 1), ...below, ...foot.slice(1)].slice(0, Math.max(1, rows));
}

/** As many lines as there is room for, the last of them telling of the others. */
function clip(lines: string[], room: number, columns: number, style: Style): string[] {
  if (lines.length <= room) return lines;
  if (room < 1) return [];
  const left = lines.length - room + 1;
  return [...lines.slice(0, room - 1), style('muted', cut(`and ${left} more`, columns))];
}

/** One interval in a line, for a terminal that cannot be redrawn, or for a file. */
export function monitorLine(view: MonitorView): string {
  const { header, totals, history } = view;
  const { grams } = emissionsOf(view);
  const watts = history.totalWatts.at(-1);
  const power = (value: number | undefined): string =>
    padLeft(value === undefined ? '-' : formatPower(value), 9);
  const { energyJoules, atLeast } = totals;
  const energy = energyJoules === undefined ? '-' : withAtLeast(formatEnergy(energyJoules), atLeast);
  const channels = header.channels.map(
    ({ name }, index) => `${name} ${power(history.powerWatts[index]?.at(-1)).trim()}`,
  );
  return withoutControls(
    [
      padLeft(formatDuration(totals.timeNs / NS_PER_SECOND), 13),
      power(watts),
      padLeft(energy, 9),
      padLeft(grams === undefined ? '-' : `${formatMass(grams)} CO2e`, 14),
      ` ${channels.join(', ')}`,
    ].join(' '),
  );
}

/** Why the total is "at least" from the beginning. */
export function notCounted({ absent }: Pick<StreamHeader, 'absent'>): string[] {
  const missing = absent.filter(({ inTotal }) => inTotal === true).map(({ detail }) => detail);
  return missing.length === 0 ? [] : [`not counted: ${missing.join('; ')}`];
}

/** What stands above the lines: where the numbers are from. */
export function monitorIntroduction(view: MonitorView): string {
  const { channels } = view.header;
  const say = (some: StreamChannel[]): string =>
    some
      .map(
        (channel) =>
          `${channel.name} (${channel.kind === 'measured' ? channel.source : `${channel.kind}: ${channel.source}`})`,
      )
      .join(', ');
  const apart = channels.filter(({ inTotal }) => !inTotal);
  return [
    `total: ${say(channels.filter(({ inTotal }) => inTotal)) || 'nothing'}`,
    ...(apart.length > 0 ? [`not added, since they overlap: ${say(apart)}`] : []),
    ...notCounted(view.header),
    `CO2e at ${intensityText(view)}`,
    `${padLeft('time', 13)} ${padLeft('power', 9)} ${padLeft('energy', 9)} ${padLeft('emissions', 14)}  channels`,
  ]
    .map(withoutControls)
    .join('\n');
}
