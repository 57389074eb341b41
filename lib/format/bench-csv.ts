// SPDX-License-Identifier: MIT
import type { BenchReport, BenchSummary } from '../bench/types.js';
import { isEstimated } from './bench-words.js';
import { papaparse } from './papa.js';

type Cell = [column: string, value: number | undefined];

/** Those of a model are no 95 % interval, and stand in columns of their own. */
function bounds(name: string, unit: string, summary: BenchSummary | undefined, estimated: boolean): Cell[] {
  const { mean, lower, upper } = summary ?? {};
  return [
    [`${name}_mean_${unit}`, mean],
    [`${name}_lower95_${unit}`, estimated ? undefined : lower],
    [`${name}_upper95_${unit}`, estimated ? undefined : upper],
    ...(estimated
      ? ([
          [`${name}_model_lower_${unit}`, lower],
          [`${name}_model_upper_${unit}`, upper],
        ] satisfies Cell[])
      : []),
  ];
}

/**
 * One row a command: hyperfine's columns, in seconds, and behind them energy and power with their units, and the
 * parameters. What is not known is an empty cell. Full precision.
 */
export function formatBenchCsv(report: BenchReport): string {
  const parameters = [...new Set(report.results.flatMap((result) => Object.keys(result.parameters)))];
  const estimated = isEstimated(report);
  const rows = report.results.map((result) => {
    const { durationSeconds: time, energyJoules, aboveIdleJoules, powerWatts } = result;
    const found = report.comparisons.find(({ name }) => name === result.name);
    const pairs: [string, string | number | boolean | undefined][] = [
      ['command', result.name],
      ['mean', time.mean],
      ['stddev', time.standardDeviation],
      ['median', time.median],
      ['user', result.userCpuSeconds],
      ['system', result.systemCpuSeconds],
      ['min', time.min],
      ['max', time.max],
      ['energy_kind', report.provenance.kind],
      ['energy_source', report.provenance.source],
      ...bounds('energy', 'joules', energyJoules, estimated),
      ['energy_stddev_joules', energyJoules.standardDeviation],
      ['energy_min_joules', energyJoules.min],
      ['energy_max_joules', energyJoules.max],
      ['energy_resolved', energyJoules.isResolved],
      ['energy_at_least', report.missing.length > 0],
      ...bounds('above_idle', 'joules', aboveIdleJoules, false),
      ['above_idle_resolved', aboveIdleJoules?.isResolved],
      ...bounds('power', 'watts', powerWatts, estimated),
      ['relative_energy_ratio', Number.isFinite(found?.energy.ratio) ? found?.energy.ratio : undefined],
      ['runs', result.runs.length],
      ['failed', result.hasFailed],
      ...parameters.map((name): [string, string | undefined] => [
        `parameter_${name}`,
        result.parameters[name],
      ]),
    ];
    return pairs;
  });
  const header = rows[0]?.map(([name]) => name) ?? ['command'];
  const values = rows.map((row) => row.map(([, value]) => value ?? ''));
  return `${papaparse().unparse([header, ...values], { newline: '\n' })}\n`;
}
