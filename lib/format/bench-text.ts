// SPDX-License-Identifier: MIT
//
// A benchmark for a terminal.
import type { BenchFailure, BenchReport, BenchResult, BenchSummary } from '../bench/types.js';
import { formatDuration, formatPower, withAtLeast } from '../core/numbers.js';
import type { Warning } from '../core/vocabulary.js';
import { barLines, comparisonLines } from './bench-summary.js';
import {
  amount,
  type BenchQuantity,
  boundsText,
  isEstimated,
  keptText,
  kindSuffix,
  meanText,
  placeOfFailure,
} from './bench-words.js';
import type { Style } from './text.js';
import { displayWidth, padLeft, padRight, withoutControls, wrap } from './wrap.js';

const plain: Style = (_, text) => text;
const LEAST_COLUMNS = 72;
const MOST_COLUMNS = 160;

/** The report for a terminal so wide, with a final newline. */
export function formatBenchText(report: BenchReport, columns = 80, style: Style = plain): string {
  const width = Math.min(MOST_COLUMNS, Math.max(LEAST_COLUMNS, columns));
  const blocks = [
    ...report.results.map((result, index) => resultLines(report, result, index, width, style)),
    ...report.failures.map((failure) => failureLines(failure, width, style)),
    report.results.length > 1 ? barLines(report, width, style) : [],
    comparisonLines(report, width, style),
    factLines(report, width, style),
    report.warnings.flatMap((warning) => warningLines(warning, width, style, '')),
  ];
  return `${blocks
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`;
}

interface Row {
  label: string;
  summary: BenchSummary;
  quantity: BenchQuantity;
}

function resultLines(
  report: BenchReport,
  result: BenchResult,
  index: number,
  width: number,
  style: Style,
): string[] {
  const { durationSeconds, energyJoules, aboveIdleJoules, powerWatts, runs } = result;
  const estimated = isEstimated(report);
  const kind = kindSuffix(report);
  const rows: Row[] = [
    { label: 'Time', summary: durationSeconds, quantity: 'duration' },
    { label: `Energy${kind}`, summary: energyJoules, quantity: 'energy' },
    ...(aboveIdleJoules === undefined
      ? []
      : [{ label: '  above idle', summary: aboveIdleJoules, quantity: 'energy' as const }]),
    { label: `Power${kind}`, summary: powerWatts, quantity: 'power' },
  ];
  const least = !estimated && report.missing.length > 0;
  const cells = rows.map(({ label, summary, quantity }) => [
    label,
    withAtLeast(
      meanText(summary, quantity, estimated),
      least && quantity !== 'duration' && summary.isResolved,
    ),
    boundsText(summary, quantity, estimated),
    runs.length > 1 && (summary.isResolved || estimated) ? rangeText(summary, quantity) : '',
  ]);
  const header = ['', 'mean', estimated ? 'interval' : '95 % interval', runs.length > 1 ? 'min … max' : ''];
  const widths = header.map((_, column) =>
    Math.max(...[header, ...cells].map((row) => displayWidth(row[column] ?? ''))),
  );
  const line = (
    [label = '', mean = '', bounds = '', range = '']: string[],
    paint: (text: string) => string,
  ): string =>
    [
      `  ${style('label', padRight(label, widths[0] ?? 0))}`,
      paint(padLeft(mean, widths[1] ?? 0)),
      padRight(bounds, widths[2] ?? 0),
      range,
    ]
      .join('  ')
      .trimEnd();
  const title = wrap(`Benchmark ${index + 1}: ${result.name}`, width);
  return [
    ...title.map((text) => style('title', text)),
    ...(result.name === result.commandLine
      ? []
      : hang(`  ${result.commandLine}`, width).map((text) => style('muted', text))),
    style(
      'muted',
      line(header, (text) => text),
    ),
    ...cells.map((row) => line(row, (text) => style('value', text))),
    ...wrap(noteOf(report, result), width - 2).map((text) => `  ${text}`),
    ...result.warnings.flatMap((warning) => warningLines(warning, width, style, '  ')),
  ];
}

/** Of runs that took less than the shell alone nothing is known but that. */
function rangeText({ min, max }: BenchSummary, quantity: BenchQuantity): string {
  return min > 0
    ? `${amount(min, quantity)} … ${amount(max, quantity)}`
    : `up to ${amount(Math.max(0, max), quantity)}`;
}

/** `10 runs; user 1.2 ms, system 0.9 ms; energy measured by perf` */
function noteOf(report: BenchReport, { runs, userCpuSeconds, systemCpuSeconds }: BenchResult): string {
  const cpu =
    userCpuSeconds === undefined || systemCpuSeconds === undefined
      ? 'user and system time not known'
      : `user ${formatDuration(userCpuSeconds)}, system ${formatDuration(systemCpuSeconds)}`;
  const { kind, source } = report.provenance;
  return `${runs.length} run${runs.length === 1 ? '' : 's'}; ${cpu}; energy ${kind} by ${source}`;
}

function hang(text: string, width: number): string[] {
  return wrap(text, width - 2).map((line) => `  ${line}`);
}

function failureLines(failure: BenchFailure, width: number, style: Style): string[] {
  const { message, stderrLines, commandLine, name } = failure;
  const what = commandLine === name ? '' : ` (${commandLine})`;
  return [
    ...wrap(`Failed: ${placeOfFailure(failure)}${what}: ${message}.`, width).map((line) =>
      style('warning', line),
    ),
    ...hang(keptText(failure), width),
    ...(stderrLines.length === 0 ? [] : ['  The last that it wrote to stderr:']),
    ...stderrLines.map((line) => `    ${withoutControls(line)}`),
  ];
}

function warningLines({ message, hint }: Warning, width: number, style: Style, indent: string): string[] {
  const text = `Warning: ${message}.${hint === undefined ? '' : ` ${hint}`}`;
  return wrap(text, width - indent.length).map((line) => `${indent}${style('warning', line)}`);
}

function factLines({ idle, shell, provenance, results }: BenchReport, width: number, style: Style): string[] {
  if (results.length === 0) return [];
  const isMeasured = provenance.kind === 'measured';
  const facts = [
    isMeasured
      ? 'Energies are of the whole machine while a run lasts.'
      : `Energies are estimated, not measured; their intervals are what the model gives from idle to full load. ${provenance.detail}`,
    ...(idle === undefined
      ? []
      : [
          `Idle, it drew ${formatPower(idle.powerWatts)} (watched for ${formatDuration(idle.durationSeconds)}).`,
        ]),
    ...(shell === undefined
      ? []
      : [
          `Starting the shell (${shell.command}) alone takes ${formatDuration(shell.durationSeconds.mean)} and ${amount(shell.energyJoules.mean, 'energy')}${isMeasured ? '' : ' (estimated)'}: both are taken off every run.`,
        ]),
  ];
  return wrap(facts.join(' '), width).map((line) => style('muted', line));
}
