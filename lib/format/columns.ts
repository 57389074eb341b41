// SPDX-License-Identifier: MIT
//
// Paragraphs and labelled text within a terminal's width.
import type { Style, StyleName } from './text.js';
import { padRight, wrap } from './wrap.js';

export const COLUMNS = 80;
export const LABEL_COLUMNS = 14;

export function paragraph(text: string, indent: number): string[] {
  return wrap(text, COLUMNS - indent).map((line) => ' '.repeat(indent) + line);
}

/** A label with text hanging to its right. */
export function hang(
  label: string,
  text: string,
  name: StyleName,
  style: Style,
  columns = LABEL_COLUMNS,
): string[] {
  const [first = '', ...more] = wrap(text, COLUMNS - columns);
  const indent = ' '.repeat(columns);
  return [`${style(name, padRight(label, columns))}${first}`, ...more.map((line) => indent + line)];
}
