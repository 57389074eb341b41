// SPDX-License-Identifier: MIT
//
// Energy among the lines that mitata prints. It gives no place for more columns, so that the lines of each result are
// counted as they come, and one more follows them.
import type { BenchmarkEnergy } from './energy.js';
import { amount, boundsOf, hasFigure, powerOf, remarkOf } from './words.js';

export type Print = (line: string) => unknown;

/** What is looked at of a result of mitata. */
export interface SeenRun {
  error?: unknown;
  stats?: { gc?: unknown; heap?: unknown; counters?: unknown; energy?: BenchmarkEnergy } | undefined;
}
export interface SeenTrial {
  runs: readonly SeenRun[];
  style: { compact: boolean };
}

const [RESET, BOLD, YELLOW, CYAN, MAGENTA, GRAY] = [0, 1, 33, 36, 35, 90].map((code) => `\x1b[${code}m`);
const WIDTH = 9;
/** The column where mitata's averages end, if its heading was not seen. */
const LEGEND = 28;
const COUNTER_LINES = 2;

/** How many lines mitata writes for a result, as its format `mitata` does. */
function linesOf({ error, stats }: SeenRun, isCompact: boolean): number {
  if (error !== undefined || isCompact) return 1;
  const memory = stats?.gc !== undefined || stats?.heap !== undefined ? 1 : 0;
  return 2 + memory + (stats?.counters === undefined ? 0 : COUNTER_LINES);
}

/** `4.51 µJ/iter`, or why there is none. */
function averageOf(energy: BenchmarkEnergy): string {
  if (energy.kind === 'absent') return `n/a (${energy.reason})`;
  const remark = remarkOf(energy);
  const figure = hasFigure(energy) ? amount(energy.total.energyJoules) : boundsOf(energy.total);
  return `${figure.padStart(WIDTH)}/iter${remark === '' ? '' : ` (${remark})`}`;
}

/** `energy(4.44 µJ … 4.58 µJ)   4.51 µJ/iter   20.1 W`, under mitata's `(min … max)`. */
export function energyLine(energy: BenchmarkEnergy, legend: number, colors: boolean): string {
  const paint = (codes: (string | undefined)[], text: string): string =>
    colors ? codes.join('') + text + RESET : text;
  const average = averageOf(energy);
  if (energy.kind === 'absent' || !hasFigure(energy)) {
    return `${' '.repeat(Math.max(0, legend - 14))}${paint([GRAY], 'energy')} ${average}`;
  }
  const [lower, upper] = [energy.total.lowerJoules, energy.total.upperJoules].map((joules) =>
    amount(joules).padStart(WIDTH),
  );
  return [
    ' '.repeat(Math.max(0, legend - 14)),
    paint([GRAY], 'energy('),
    paint([CYAN], lower ?? ''),
    paint([GRAY], ' … '),
    paint([MAGENTA], upper ?? ''),
    paint([GRAY], ')'),
    ' ',
    paint([BOLD, YELLOW], average),
    ' ',
    paint([GRAY], powerOf(energy).padStart(WIDTH)),
  ].join('');
}

/** Passes lines on, each result's energy behind them; of a Markdown table, as one more column. */
export class EnergyLines {
  readonly #print: Print;
  readonly #format: string;
  readonly #hasColors: () => boolean;
  #legend = LEGEND;
  /** Results whose lines are still to come, in order. */
  #waiting: { energy: BenchmarkEnergy | undefined; left: number; all: number }[] = [];
  #rows = 0;

  constructor(print: Print, format: string, hasColors: () => boolean) {
    this.#print = print;
    this.#format = format;
    this.#hasColors = hasColors;
  }

  /** A trial is about to be printed. */
  expect({ runs, style }: SeenTrial): void {
    for (const run of runs) {
      const all = linesOf(run, style.compact);
      this.#waiting.push({ energy: run.stats?.energy, left: all, all });
    }
  }

  line(text: string): void {
    if (this.#format === 'markdown') this.#markdown(text);
    else this.#print(text);
    if (this.#format === 'mitata') this.#follow(text);
  }

  /** Counts a line of mitata's own format, and prints the energy after the last of a result. */
  #follow(text: string): void {
    const heading = text.indexOf(' avg (min');
    if (heading > 0) this.#legend = heading + 1;
    const [run] = this.#waiting;
    // A blank line stands between results.
    if (run === undefined || (text === '' && run.left === run.all)) return;
    run.left -= 1;
    if (run.left > 0) return;
    this.#waiting.shift();
    if (run.energy !== undefined) this.#print(energyLine(run.energy, this.#legend, this.#hasColors()));
  }

  #markdown(text: string): void {
    if (!text.startsWith('| ')) {
      this.#rows = 0;
      this.#print(text);
      return;
    }
    const row = this.#rows++;
    if (row === 0) this.#print(`${text} ${'energy'.padStart(2 + 14)} |`);
    else if (row === 1) this.#print(`${text} ${'-'.repeat(2 + 14)} |`);
    else {
      const energy = this.#waiting.shift()?.energy;
      this.#print(energy === undefined ? text : `${text} \`${averageOf(energy).trim().padStart(14)}\` |`);
    }
  }
}
