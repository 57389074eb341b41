// SPDX-License-Identifier: MIT
//
// Columns for energy behind those of vitest's benchmark tables, which are text and have no place for more.
import { stripVTControlCharacters } from 'node:util';
import type { BenchmarkEnergy } from './energy.js';
import { amount, boundsOf, hasFigure, marginOf, powerOf, remarkOf } from './words.js';

export const HEAD = ['energy', 'rme', 'power'];
const [RESET, BOLD, YELLOW] = ['\x1b[0m', '\x1b[1m', '\x1b[33m'];

/** Of one operation; `rme` is of the energy. */
export function cellsOf(energy: BenchmarkEnergy | undefined): string[] {
  if (energy === undefined) return ['n/a', 'not measured', 'n/a'];
  if (energy.kind === 'absent') return ['n/a', energy.reason, 'n/a'];
  const { total } = energy;
  if (!hasFigure(energy)) return [boundsOf(total), remarkOf(energy), powerOf(energy)];
  const margin = total.resolved ? `±${marginOf(total)}` : '';
  return [amount(total.energyJoules), [margin, remarkOf(energy)].filter(Boolean).join(' '), powerOf(energy)];
}

export const isColored = (text: string): boolean => stripVTControlCharacters(text) !== text;

/** Where `fastest` or `slowest` begins, behind the table's own columns, with the colour that goes before it. */
function endOfColumns(line: string): number {
  const [word = ''] = /\s{3}(?:fastest|slowest)$/.exec(stripVTControlCharacters(line)) ?? [];
  let end = word === '' ? line.length : line.lastIndexOf(word);
  while (word !== '' && line[end - 1] === 'm' && line.lastIndexOf('\x1b', end) >= 0) {
    end = line.lastIndexOf('\x1b', end - 1);
  }
  return end;
}

/** More columns behind those of a table whose first line is its head. */
export function withColumns(lines: readonly string[], cells: readonly string[][]): string[] {
  const widths = HEAD.map((_, i) => Math.max(...cells.map((row) => (row[i] ?? '').length)));
  return lines.map((line, row) => {
    const text = (cells[row] ?? []).map((cell, i) => `  ${cell.padStart(widths[i] ?? 0)}`).join('');
    const end = endOfColumns(line);
    const color = row === 0 ? BOLD : YELLOW;
    const painted = isColored(line) ? RESET + color + text + RESET : text;
    return line.slice(0, end) + painted + line.slice(end);
  });
}
