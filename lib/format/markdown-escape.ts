// SPDX-License-Identifier: MIT
import { displayWidth, padRight, withoutControls } from './wrap.js';

/** GitHub wants at least three dashes under a header. */
const SHORTEST_RULE = 3;

/** `text` on one line of prose: no line break and no HTML from outside gets through. */
export function inline(text: string): string {
  return withoutControls(text).trim().replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}

/** `text` as the content of one table cell. */
export function cell(text: string): string {
  return inline(text).replaceAll('\\', '\\\\').replaceAll('|', '\\|');
}

/** A table of escaped cells, the first row its header, columns aligned so that the raw text reads well too. */
export function alignedTable(rows: readonly (readonly string[])[]): string {
  const [header = [], ...body] = rows;
  const widths = header.map((_, column) =>
    Math.max(SHORTEST_RULE, ...rows.map((cells) => displayWidth(cells[column] ?? ''))),
  );
  const line = (cells: readonly string[]) =>
    `| ${widths.map((width, column) => padRight(cells[column] ?? '', width)).join(' | ')} |`;
  return [line(header), line(widths.map((width) => '-'.repeat(width))), ...body.map(line)].join('\n');
}

/** A table of plain cells; they are escaped here. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  return alignedTable([header, ...rows].map((cells) => cells.map(cell)));
}
