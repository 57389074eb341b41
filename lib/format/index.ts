// SPDX-License-Identifier: MIT
import type { Report } from '../core/report-types.js';
import { formatHtml } from './html/index.js';
import { formatJson } from './json.js';
import { formatMarkdown } from './markdown.js';
import { formatModelCard } from './model-card.js';
import { formatText } from './text.js';

/** Turns a report into the whole content of a file. Pure. */
export type Formatter = (report: Report) => string;

/** File extension to formatter. `.csv` is not here: a CSV gains a row instead of being written anew. */
export const FORMATTERS: ReadonlyMap<string, Formatter> = new Map([
  ['.md', formatMarkdown],
  ['.html', formatHtml],
  ['.json', formatJson],
  ['.txt', (report) => formatText(report)],
  ['.yaml', formatModelCard],
  ['.yml', formatModelCard],
]);
