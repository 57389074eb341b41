// SPDX-License-Identifier: MIT
//
// Ratios against lengths, each over decades.
import { axis, figure, frame, line, mark, muted, scale, text } from './svg.mjs';

/** Of all figures, in pixels. */
export const WIDTH = 880;
const LENGTHS = [0.08, 130];
const LENGTH_TICKS = [0.1, 0.3, 1, 3, 10, 30, 100];

/** Whole decades that hold all values, the lowest not at the very edge. */
function decadesOf(values) {
  const low = Math.floor(Math.log10(0.8 * Math.min(...values)));
  const high = Math.ceil(Math.log10(Math.max(...values)));
  return Array.from({ length: high - low + 1 }, (_, i) => 10 ** (low + i));
}
const plain = new Intl.NumberFormat('en-US', { maximumSignificantDigits: 1, useGrouping: false });
/** As long as it need be: toString() would turn to exponents. */
const percent = (ratio) => `${plain.format(100 * ratio)} %`;

/** A plot of ratios against lengths, both by decades, with its legend on the right. */
export function byLengthPlot({ about, label, series }) {
  const area = [124, 78, 620, 400];
  const [left, top, right, bottom] = area;
  const decades = decadesOf(series.flatMap(({ points }) => points.map(([, ratio]) => ratio)));
  const x = scale(LENGTHS, [left, right], true);
  const y = scale([decades[0], decades.at(-1)], [bottom, top], true);
  const named = (value, name) => ({ value, name });
  const parts = [
    axis(
      'x',
      area,
      x,
      LENGTH_TICKS.map((value) => named(value, String(value))),
      'length of the region or call, in update periods of the counter',
    ),
    axis(
      'y',
      area,
      y,
      decades.map((value) => named(value, percent(value))),
      label,
    ),
    frame(area),
  ];
  let row = top + 12;
  for (const { names, shape, colour, points, dashes, isLine = true } of series) {
    const places = points.map(([length, ratio]) => [x(length), y(ratio)]);
    if (isLine) parts.push(line(places, colour, { width: 2, dashes, name: 'series' }));
    if (shape !== undefined) for (const [px, py] of places) parts.push(mark(shape, px, py, colour));
    if (isLine) {
      const across = [
        [right + 18, row],
        [right + 46, row],
      ];
      parts.push(line(across, colour, { width: 2, dashes }));
    }
    if (shape !== undefined) parts.push(mark(shape, right + 32, row, colour, { name: 'key' }));
    for (const [i, name] of names.entries()) {
      parts.push(i === 0 ? text(right + 56, row + 5, name) : muted(right + 56, row + 5 + 17 * i, name));
    }
    row += 20 + 17 * names.length;
  }
  return figure({ width: WIDTH, height: 460, ...about }, ...parts);
}
