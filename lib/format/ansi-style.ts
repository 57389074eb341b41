// SPDX-License-Identifier: MIT
import type { Style, StyleName } from './text.js';

/** SGR pairs. Only the terminal's own palette, so that light and dark themes both stay readable. */
const CODES: Readonly<Record<StyleName, readonly [on: number, off: number]>> = {
  title: [1, 22],
  heading: [1, 22],
  value: [1, 22],
  label: [36, 39],
  measured: [32, 39],
  estimated: [33, 39],
  assumed: [35, 39],
  absent: [2, 22],
  warning: [33, 39],
  muted: [2, 22],
};

/** A {@link Style} of ANSI colours. Whether the terminal wants them is for the caller to know. */
export const ansiStyle: Style = (name, text) => {
  const [on, off] = CODES[name];
  return `\u001b[${on}m${text}\u001b[${off}m`;
};
