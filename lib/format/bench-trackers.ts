// SPDX-License-Identifier: MIT
//
// For services that follow a figure from commit to commit.
import type { BenchReport, BenchSummary } from '../bench/types.js';
import { formatSignificant } from '../core/numbers.js';
import { isEstimated } from './bench-words.js';

const NANOSECONDS_PER_SECOND = 1e9;

interface Quantity {
  slug: string;
  words: string;
  unit: string;
  scale: number;
  of: BenchSummary;
}

/** A tracker has no place for "at most": of what is not resolved, a point would be a zero or a guess. Times are known. */
function isTold({ unit, of }: Quantity, estimated: boolean): boolean {
  return unit === 's' || of.isResolved || (estimated && of.mean > 0);
}

/**
 * The quantities of each command that went well, by the name of their measure, of which there is a figure. Estimates are
 * measures of their own, and so is what lacks a part.
 */
function quantities(report: BenchReport): {
  name: string;
  list: Quantity[];
}[] {
  const estimated = isEstimated(report);
  // What lacks a part would be a step in the line of the whole.
  const isLeast = !estimated && report.missing.length > 0;
  const prefix = estimated ? 'estimated-' : isLeast ? 'at-least-' : '';
  const words = estimated ? 'estimated ' : isLeast ? 'at least ' : '';
  const whole = report.results.filter(({ hasFailed }) => !hasFailed);
  return whole.map(({ name, durationSeconds, energyJoules, aboveIdleJoules, powerWatts }) => {
    const list: Quantity[] = [
      // Bencher's own measure of time, in its unit.
      { slug: 'latency', words: 'time', unit: 's', scale: NANOSECONDS_PER_SECOND, of: durationSeconds },
      { slug: `${prefix}energy-joules`, words: `${words}energy`, unit: 'J', scale: 1, of: energyJoules },
      ...(aboveIdleJoules === undefined
        ? []
        : [
            {
              slug: `${prefix}energy-above-idle-joules`,
              words: `${words}energy above idle`,
              unit: 'J',
              scale: 1,
              of: aboveIdleJoules,
            },
          ]),
      { slug: `${prefix}power-watts`, words: `${words}power`, unit: 'W', scale: 1, of: powerWatts },
    ];
    return { name, list: list.filter((one) => isTold(one, estimated)) };
  });
}

/**
 * Bencher Metric Format: each measure with the bounds of its 95 % interval. `latency` is in nanoseconds, as Bencher has
 * it; the others carry their unit. What is not resolved is left out.
 */
export function formatBenchBmf(report: BenchReport): string {
  const all = quantities(report).map(({ name, list }) => [
    name,
    Object.fromEntries(
      list.map(({ slug, scale, of }) => [
        slug,
        {
          value: of.mean * scale,
          ...(of.lower === undefined ? {} : { lower_value: Math.min(of.lower, of.mean) * scale }),
          ...(of.upper === undefined ? {} : { upper_value: Math.max(of.upper, of.mean) * scale }),
        },
      ]),
    ),
  ]);
  return `${JSON.stringify(Object.fromEntries(all), null, 2)}\n`;
}

/**
 * github-action-benchmark's `customSmallerIsBetter`. Power is left out, as less of it is not better, and so is what is not
 * resolved.
 */
export function formatBenchGithub(report: BenchReport): string {
  const { missing } = report;
  const { kind, source } = report.provenance;
  const all = quantities(report).flatMap(({ name, list }) =>
    list
      .filter(({ unit }) => unit !== 'W')
      .map(({ words, unit, of }) => {
        const isModel = unit === 'J' && isEstimated(report);
        const { mean, lower = mean, upper = mean } = of;
        const hasBounds = of.lower !== undefined && of.upper !== undefined;
        const half = formatSignificant(Math.max(mean - lower, upper - mean), 2);
        const range = isModel
          ? `${formatSignificant(lower, 3)} to ${formatSignificant(upper, 3)}`
          : `± ${half}`;
        const meaning = isModel
          ? 'the range is what the model gives from idle to full load'
          : '± is the 95 % interval of the mean';
        const extra = [
          ...(hasBounds ? [meaning] : []),
          ...(unit === 'J' ? [`${kind} by ${source}`] : []),
          ...(unit === 'J' && !isModel && missing.length > 0
            ? [`at least: ${missing.join(', ')} could not be read`]
            : []),
        ];
        return {
          name: `${name} (${words})`,
          unit,
          value: of.mean,
          ...(hasBounds ? { range } : {}),
          extra: extra.join('\n'),
        };
      }),
  );
  return `${JSON.stringify(all, null, 2)}\n`;
}
