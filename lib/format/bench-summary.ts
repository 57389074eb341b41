// SPDX-License-Identifier: MIT
//
// All commands of a benchmark side by side: bars, and one against the other.
import type { BenchComparison, BenchReport, BenchResult } from '../bench/types.js';
import {
  boundsText,
  isEstimated,
  kindSuffix,
  meanText,
  NO_RATIO,
  ratioText,
  referenceOf,
} from './bench-words.js';
import type { Style } from './text.js';
import { displayWidth, padLeft, padRight, withoutControls, wrap } from './wrap.js';

const IDLE_BLOCK = '░';
const ABOVE_BLOCK = '█';
const GAP = 2;
const LEAST_NAME = 12;
const LEAST_BAR = 10;

/** One line, cut where it is too long. */
function short(text: string, columns: number): string {
  const line = withoutControls(text);
  if (displayWidth(line) <= columns) return line;
  let kept = '';
  for (const character of line) {
    if (displayWidth(kept + character) > columns - 1) break;
    kept += character;
  }
  return `${kept}…`;
}

/** So wide that bars or ratios still have room beside the names. */
function nameColumns(names: readonly string[], width: number, others: number): number {
  const widest = Math.max(...names.map((name) => displayWidth(withoutControls(name))));
  return Math.max(LEAST_NAME, Math.min(widest, width - others));
}

/** The mean energy of each, as a bar of what the idle machine would have used and what came on top. */
export function barLines(report: BenchReport, width: number, style: Style): string[] {
  const { results, idle } = report;
  const estimated = isEstimated(report);
  const figures = results.map(({ energyJoules }) => {
    const bounds = boundsText(energyJoules, 'energy', estimated);
    return energyJoules.isResolved || (estimated && energyJoules.mean > 0)
      ? `${meanText(energyJoules, 'energy', estimated)} ${bounds}`.trim()
      : bounds;
  });
  const figureColumns = Math.max(...figures.map(displayWidth));
  const names = nameColumns(
    results.map(({ name }) => name),
    Math.floor(width / 2),
    figureColumns / 2,
  );
  const room = Math.max(LEAST_BAR, width - 2 - names - figureColumns - 2 * GAP);
  const most = Math.max(...results.map(({ energyJoules }) => energyJoules.mean), Number.MIN_VALUE);
  const legend =
    idle === undefined
      ? ''
      : `: ${IDLE_BLOCK} what the idle machine would have used, ${ABOVE_BLOCK} what came on top`;
  return [
    ...wrap(`Energy of one run${kindSuffix(report)}${legend}`, width).map((line) => style('heading', line)),
    ...results.map((result, i) =>
      [
        `  ${padRight(short(result.name, names), names)}`,
        style('value', padLeft(figures[i] ?? '', figureColumns)),
        barOf(result, Math.round((room * result.energyJoules.mean) / most), style),
      ]
        .join(' '.repeat(GAP))
        .trimEnd(),
    ),
  ];
}

function barOf({ energyJoules, aboveIdleJoules }: BenchResult, length: number, style: Style): string {
  if (!(energyJoules.mean > 0) || (!energyJoules.isResolved && aboveIdleJoules !== undefined)) return '';
  const above =
    aboveIdleJoules === undefined || !(energyJoules.mean > 0)
      ? length
      : Math.min(length, Math.round((length * aboveIdleJoules.mean) / energyJoules.mean));
  return `${style('muted', IDLE_BLOCK.repeat(length - above))}${style('label', ABOVE_BLOCK.repeat(above))}`;
}

export function comparisonLines(report: BenchReport, width: number, style: Style): string[] {
  const { comparisons, results } = report;
  const reference = referenceOf(report);
  if (reference === undefined) return [];
  const hasAbove = comparisons.some(({ aboveIdle }) => aboveIdle !== undefined);
  const header = ['', `energy${kindSuffix(report)}`, ...(hasAbove ? ['above idle'] : []), 'time'];
  const rows = comparisons.map((one) => cellsOf(one, hasAbove));
  const columns = header.map((_, i) =>
    Math.max(...[header, ...rows].map((row) => displayWidth(row[i] ?? ''))),
  );
  const others = columns.slice(1).reduce((sum, column) => sum + column + GAP, 2);
  const names = nameColumns(
    comparisons.map(({ name }) => name),
    width,
    others,
  );
  columns[0] = names;
  const line = (row: readonly string[]): string =>
    `  ${row.map((text, i) => padRight(text, columns[i] ?? 0)).join(' '.repeat(GAP))}`.trimEnd();
  const least = results.every(
    ({ energyJoules, name }) =>
      energyJoules.mean >= (results.find((one) => one.name === reference)?.energyJoules.mean ?? 0) ||
      name === reference,
  );
  const by =
    comparisons[0]?.method === 'pairs'
      ? `${Math.min(...comparisons.map(({ pairCount = 0 }) => pairCount))} pairs of neighbouring runs`
      : 'the means of all runs';
  const has = (test: (text: string) => boolean): boolean => rows.some(([, ...row]) => row.some(test));
  const notes = [
    ...(has((text) => text.endsWith('?')) ? ['? not resolved: chance alone may show as much'] : []),
    ...(has((text) => text === NO_RATIO)
      ? [`${NO_RATIO}: some runs of one of the two are not above nothing, within the noise`]
      : []),
  ];
  return [
    ...wrap(
      `Compared with "${reference}"${least ? ', the least energy' : ''} (× is times as much, ± 95 % interval, from ${by})`,
      width,
    ).map((text) => style('heading', text)),
    style('muted', line(header)),
    ...rows.map(([name = '', ...figures]) => line([short(name, names), ...figures])),
    ...notes.flatMap((note) => wrap(note, width - 2)).map((text) => `  ${style('muted', text)}`),
  ];
}

function cellsOf({ name, energy, aboveIdle, duration }: BenchComparison, hasAbove: boolean): string[] {
  return [
    withoutControls(name),
    ratioText(energy),
    ...(hasAbove ? [aboveIdle === undefined ? '-' : ratioText(aboveIdle)] : []),
    ratioText(duration),
  ];
}
