// SPDX-License-Identifier: MIT
//
// Figures of a benchmark in words, for every format.
import type { BenchFailure, BenchRatio, BenchReport, BenchSummary } from '../bench/types.js';
import { formatBounds, formatDuration, formatEnergy, formatPower } from '../core/numbers.js';

export type BenchQuantity = 'duration' | 'energy' | 'power';

const FORMATS = { duration: formatDuration, energy: formatEnergy, power: formatPower } as const;

export function amount(value: number, quantity: BenchQuantity): string {
  return FORMATS[quantity](value);
}

/** `3.281 J`; what is not resolved by its bounds: `at most 1.2 mJ`, `1.1 mJ to 2.3 mJ`. */
export function meanText(summary: BenchSummary, quantity: BenchQuantity, isEstimated: boolean): string {
  const { mean, lower = mean, isResolved } = summary;
  if (isResolved || (isEstimated && mean > 0)) return amount(mean, quantity);
  return lower > 0 ? 'not resolved' : 'below noise';
}

/** `± 0.015 J`, `at most 1.2 mJ`; empty for a single time. */
export function boundsText(summary: BenchSummary, quantity: BenchQuantity, isEstimated: boolean): string {
  const { mean, lower, upper, isResolved } = summary;
  if (lower === undefined || upper === undefined) return '';
  if (isResolved || (isEstimated && mean > 0)) return formatBounds(mean, lower, upper, quantity);
  if (!(upper > 0)) return '';
  if (lower > 0) return `${amount(lower, quantity)} to ${amount(upper, quantity)}`;
  return `at most ${amount(upper, quantity)}`;
}

/** In the place of a ratio to, or of, what is not above nothing. */
export const NO_RATIO = 'no ratio';

/** `2.00 ± 0.03 ×`, with a question mark where the two could not be told apart. */
export function ratioText({ ratio, lowerRatio, upperRatio, isResolved }: BenchRatio): string {
  const mark = isResolved ? '' : ' ?';
  const half = (upperRatio - lowerRatio) / 2;
  if (Number.isNaN(ratio)) return NO_RATIO;
  if (!Number.isFinite(half) || !Number.isFinite(ratio)) return 'not known ?';
  if (!(half > 0)) return `${ratio.toFixed(2)} ×${mark}`;
  const decimals = Math.min(6, Math.max(0, 1 - Math.floor(Math.log10(Number(half.toPrecision(2))))));
  return `${ratio.toFixed(decimals)} ± ${half.toFixed(decimals)} ×${mark}`;
}

/** `run 3 of ./a`, `the setup of ./a` */
export function placeOfFailure({ phase, run, name }: BenchFailure): string {
  if (phase === 'run') return `run ${run} of ${name}`;
  if (phase === 'warmup') return `warm-up run ${run} of ${name}`;
  return run === undefined ? `the ${phase} of ${name}` : `the ${phase} of run ${run} of ${name}`;
}

/** What was kept of a command that failed. */
export function keptText({ measuredCount }: BenchFailure): string {
  if (measuredCount === 0) return 'Nothing had been measured of it.';
  return measuredCount === 1
    ? 'One run that was measured before is kept.'
    : `${measuredCount} runs that were measured before are kept.`;
}

export function isEstimated({ provenance }: BenchReport): boolean {
  return provenance.kind !== 'measured';
}

/** `, estimated` where no counter was read: behind the name of every figure. */
export function kindSuffix(report: BenchReport): string {
  return isEstimated(report) ? ', estimated' : '';
}

/** Against what the comparisons are, where there are any. */
export function referenceOf({ comparisons }: BenchReport): string | undefined {
  return comparisons[0]?.reference;
}
