// SPDX-License-Identifier: MIT
//
// Plain statistics of samples.

export function sum(values: readonly number[]): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}

export function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : sum(values) / values.length;
}

/** Of the sample, with n - 1; 0 for fewer than two. */
export function standardDeviation(values: readonly number[]): number {
  if (values.length < 2) return 0;
  const centre = mean(values);
  let squares = 0;
  for (const value of values) squares += (value - centre) ** 2;
  return Math.sqrt(squares / (values.length - 1));
}

/** Linear between the two nearest; undefined for no values. */
export function quantile(values: readonly number[], ratio: number): number | undefined {
  if (values.length === 0) return undefined;
  const sorted = Float64Array.from(values).sort();
  const position = (sorted.length - 1) * Math.min(1, Math.max(0, ratio));
  const low = Math.floor(position);
  const below = sorted[low] ?? 0;
  return below + ((sorted[low + 1] ?? below) - below) * (position - low);
}

export function median(values: readonly number[]): number | undefined {
  return quantile(values, 0.5);
}
