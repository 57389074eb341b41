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
 * The quantities of one command, by the name of their measure, of which there is a figure. Estimates are measures of their
 * own.
 */
function quantities(report: BenchReport): {
  name: string;
  list: Quantity[];
}[] {
  const estimated = isEstimated(report);
  const prefix = estimated ? 'estimated-' : '';
  const words = estimated ? 'estimated ' : '';
  return report.results.map(({ name, durationSeconds, energyJoules, aboveIdleJoules, powerWatts }) => {
    const list: Quantity[] = [
      // Bencher's own measure of time, in its unit.
      { slug: 'latency', words: 'time', unit: 's', scale: NANOSECONDS_PER_SECOND, of: durationSeconds },
      { slug: `${prefix}energy-joules`, words: `${words}energy`, unit: 'J', scale: 1, of: energyJoules },
      ...(aboveIdleJoules === undefined
        ? []
        : [
            {
              slug: 'energy-above-idle-joules',
              words: 'energy above idle',
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
  const { kind, source } = report.provenance;
  const all = quantities(report).flatMap(({ name, list }) =>
    list
      .filter(({ unit }) => unit !== 'W')
      .map(({ words, unit, of }) => {
        const half =
          of.lower === undefined || of.upper === undefined
            ? undefined
            : Math.max(of.mean - of.lower, of.upper - of.mean);
        const extra = [
          ...(half === undefined ? [] : ['± is the 95 % interval of the mean']),
          ...(unit === 'J' ? [`${kind} by ${source}`] : []),
        ];
        return {
          name: `${name} (${words})`,
          unit,
          value: of.mean,
          ...(half === undefined ? {} : { range: `± ${formatSignificant(half, 2)}` }),
          extra: extra.join('\n'),
        };
      }),
  );
  return `${JSON.stringify(all, null, 2)}\n`;
}
