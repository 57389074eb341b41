// SPDX-License-Identifier: MIT
import { displayWidth, padRight, withoutControls } from './wrap.js';

/** GitHub wants at least three dashes under a header. */
const SHORTEST_RULE = 3;

/** GitHub makes links of these by itself, with every backslash in them. */
const URL = /(https?:\/\/[\w.~:/?#@!$&'()+,;=%-]+)/;
/** Brackets that make a link, an image or a footnote; others, such as those of citations, make nothing. */
const MARKS = /[\\`*~]|\](?=[([:])|\[(?=\^)/g;
/** What begins a heading, a quotation, an item of a list or of a list of things to do, or a line below a heading. */
const BLOCK = /^(?:#{1,6}(?=\s|$)|>|[-+](?=\s|$)|[-=]+$|\[[ xX]\])/;
const NUMBERED = /^(\d+)([.)])(?=\s|$)/;

/** `text` on one line, as it is to be read. */
export function flat(text: string): string {
  return withoutControls(text).trim();
}

/** Within words underscores mean nothing, and names are easier to read without backslashes. */
function escapeUnderscores(text: string): string {
  return text.replace(/(?<![\p{L}\p{N}_])_+|_+(?![\p{L}\p{N}_])/gu, (run) => '\\_'.repeat(run.length));
}

/** No mark, link or HTML of `text` gets through. */
function escapeSpans(text: string): string {
  const html = (part: string): string => part.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return text
    .split(URL)
    .map((part, index) =>
      index % 2 === 1 ? html(part) : escapeUnderscores(html(part.replace(MARKS, '\\$&'))),
    )
    .join('');
}

/** `text` on one line of prose, which reads as it is: nothing in it is Markdown or HTML. */
export function inline(text: string): string {
  return escapeSpans(flat(text)).replace(BLOCK, '\\$&').replace(NUMBERED, '$1\\$2');
}

/** `text` as the content of one table cell. */
export function cell(text: string): string {
  return escapeSpans(flat(text)).replaceAll('|', '\\|');
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
