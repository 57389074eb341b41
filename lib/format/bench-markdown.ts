// SPDX-License-Identifier: MIT
import type { BenchReport } from '../bench/types.js';
import { benchTable, tableNote } from './bench-table.js';
import { alignedTable, cell, flat, inline } from './markdown-escape.js';

/** A table in GitHub's Markdown, with a sentence that says what its figures are. */
export function formatBenchMarkdown(report: BenchReport): string {
  const { header, rows } = benchTable(report);
  const code = (text: string): string => {
    // A table's cells end at bars, in code, too.
    const content = flat(text).replaceAll('|', '\\|');
    // A code span ends with as many backticks as it began with.
    const ticks = '`'.repeat(1 + Math.max(0, ...(content.match(/`+/g) ?? []).map((run) => run.length)));
    const pad = content.startsWith('`') || content.endsWith('`') ? ' ' : '';
    return `${ticks}${pad}${content}${pad}${ticks}`;
  };
  const body = rows.map(([name = '', ...figures]) => [code(name), ...figures.map(cell)]);
  const table = alignedTable([header.map(cell), ...body]).split('\n');
  // Numbers to the right.
  const rule = (table[1] ?? '')
    .split('|')
    .map((part, i) => (i < 2 ? part : part.replace(/- $/, ': ')))
    .join('|');
  return `${[table[0], rule, ...table.slice(2)].join('\n')}\n\n${inline(tableNote(report))}\n`;
}
