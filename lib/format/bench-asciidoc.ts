// SPDX-License-Identifier: MIT
import type { BenchReport } from '../bench/types.js';
import { benchTable, tableNote } from './bench-table.js';
import { withoutControls } from './wrap.js';

/** A table in AsciiDoc, with a sentence that says what its figures are. */
export function formatBenchAsciidoc(report: BenchReport): string {
  const { header, rows } = benchTable(report);
  const cell = (text: string): string => withoutControls(text).replaceAll('|', '\\|');
  // As written, in a monospaced face: no formatting mark within has a meaning.
  const code = (text: string): string => `\`+${cell(text)}+\``;
  const lines = [
    `[cols="<${',>'.repeat(header.length - 1)}", options="header"]`,
    '|===',
    header.map((text) => `|${cell(text)}`).join(' '),
    ...rows.flatMap(([name = '', ...figures]) => [
      '',
      `|${code(name)}`,
      ...figures.map((text) => `|${cell(text)}`),
    ]),
    '|===',
    '',
    tableNote(report),
  ];
  return `${lines.join('\n')}\n`;
}
