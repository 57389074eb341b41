// SPDX-License-Identifier: MIT
import type { Report } from '../core/report-types.js';
import { formatJson } from './json.js';
import { formatMarkdown } from './markdown.js';

/** Turns a report into the whole content of a file. Pure. */
export type Formatter = (report: Report) => string;

/** File extension to formatter. `.csv` is not here: a CSV gains a row instead of being written anew. */
export const FORMATTERS: ReadonlyMap<string, Formatter> = new Map([
  ['.md', formatMarkdown],
  ['.json', formatJson],
]);
