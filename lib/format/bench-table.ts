// SPDX-License-Identifier: MIT
//
// A benchmark as rows and columns, for formats that have tables.
import type { BenchReport, BenchResult, BenchSummary } from '../bench/types.js';
import { commonUnit, formatDecimals, formatSignificant } from '../core/numbers.js';
import { isEstimated, kindSuffix, ratioText, referenceOf } from './bench-words.js';

export interface BenchTable {
  header: string[];
  rows: string[][];
}

/** One unit for a column, the one of its largest value. */
function column(
  summaries: readonly (BenchSummary | undefined)[],
  quantity: 'duration' | 'energy' | 'power',
  estimated: boolean,
): { unit: string; cells: string[]; plain: (value: number) => string } {
  const [scale, unit] = commonUnit(
    summaries.map((summary) => summary?.mean ?? 0),
    quantity,
  );
  const decimalsOf = (half: number): number =>
    half > 0 ? Math.min(6, Math.max(0, 1 - Math.floor(Math.log10(Number(half.toPrecision(2)))))) : 3;
  const cells = summaries.map((summary) => {
    if (summary === undefined) return '-';
    const { mean, lower, upper, isResolved } = summary;
    if (lower === undefined || upper === undefined) return formatSignificant(mean / scale);
    if (!isResolved && !(estimated && mean > 0)) return `≤ ${formatSignificant(upper / scale, 3)}`;
    if (estimated) {
      const [centre, least, most] = [mean, lower, upper].map((value) => formatSignificant(value / scale, 3));
      return `${centre} (${least} to ${most})`;
    }
    const half = Math.max(mean - lower, upper - mean) / scale;
    const decimals = decimalsOf(half);
    return `${(mean / scale).toFixed(decimals)} ± ${half.toFixed(decimals)}`;
  });
  return { unit, cells, plain: (value) => formatDecimals(value / scale, 3) };
}

/** Command, time, energy, power, and each against the reference. */
export function benchTable(report: BenchReport): BenchTable {
  const { results, comparisons } = report;
  const estimated = isEstimated(report);
  const kind = kindSuffix(report);
  const of = (pick: (result: BenchResult) => BenchSummary | undefined) => results.map(pick);
  const time = column(
    of((result) => result.durationSeconds),
    'duration',
    false,
  );
  const energy = column(
    of((result) => result.energyJoules),
    'energy',
    estimated,
  );
  const hasAbove = results.some(({ aboveIdleJoules }) => aboveIdleJoules !== undefined);
  const above = column(
    of((result) => result.aboveIdleJoules),
    'energy',
    estimated,
  );
  const power = column(
    of((result) => result.powerWatts),
    'power',
    estimated,
  );
  const reference = referenceOf(report);
  const least = report.missing.length > 0 && !estimated ? ', at least' : '';
  const header = [
    'Command',
    `Time [${time.unit}]`,
    `Min [${time.unit}]`,
    `Max [${time.unit}]`,
    `Energy [${energy.unit}]${kind}${least}`,
    ...(hasAbove ? [`Above idle [${above.unit}]${least}`] : []),
    `Power [${power.unit}]${kind}${least}`,
    ...(reference === undefined ? [] : [`Relative energy${kind}`]),
  ];
  const rows = results.map((result, i) => {
    const found = comparisons.find(({ name }) => name === result.name);
    const relative = result.name === reference ? '1' : found === undefined ? '-' : ratioText(found.energy);
    return [
      result.name,
      time.cells[i] ?? '',
      time.plain(result.durationSeconds.min),
      time.plain(result.durationSeconds.max),
      energy.cells[i] ?? '',
      ...(hasAbove ? [above.cells[i] ?? ''] : []),
      power.cells[i] ?? '',
      ...(reference === undefined ? [] : [relative]),
    ];
  });
  return { header, rows };
}

/** What the figures are, in a sentence under the table. */
export function tableNote(report: BenchReport): string {
  const { provenance, missing, results } = report;
  const estimated = isEstimated(report);
  const sentences = [
    'Mean ± 95 % interval.',
    estimated
      ? `Energy and power are estimated, not measured: ${provenance.source}, with the bounds of the model, from idle to full load.`
      : `Energy of the whole machine, measured by ${provenance.source}.`,
    ...(missing.length > 0 && !estimated ? [`At least: ${missing.join(', ')} could not be read.`] : []),
    ...results.flatMap(({ hasFailed, runs }, row) =>
      hasFailed
        ? [
            `Row ${row + 1} is of a command that failed after ${runs.length} run${runs.length === 1 ? '' : 's'}.`,
          ]
        : [],
    ),
  ];
  return `${sentences.join(' ')} microjoule ${report.generator.version}.`;
}
