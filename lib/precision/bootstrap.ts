// SPDX-License-Identifier: MIT
//
// Intervals for means of values that are not independent of their neighbours.
import { MicrojouleError } from '../core/errors.js';
import { student95 } from './distributions.js';
import { mean, standardDeviation } from './samples.js';

const RESAMPLES = 1000;
/** Fewer blocks than this say nothing of their own spread. */
const FEWEST_BLOCKS = 5;

export interface BootstrapOptions {
  /** Uniform numbers in [0, 1): the caller's, so that a result can be repeated. */
  random: () => number;
  /** Values that are resampled together. Default: long enough for the correlation that the values show. */
  blockCount?: number;
  resampleCount?: number;
}

export interface MeanInterval {
  /** In the unit of the values. */
  mean: number;
  standardDeviation: number;
  /** 95 %: in the unit of the values. */
  interval: readonly [lower: number, upper: number];
  blockCount: number;
}

/**
 * How many neighbours say what one independent value says: 1 + 2 x the correlations up to the first that is within
 * noise (1.96 / sqrt n), at least 1.
 */
export function correlationLength(values: readonly number[]): number {
  const count = values.length;
  const centre = mean(values);
  const deviations = values.map((value) => value - centre);
  let variance = 0;
  for (const value of deviations) variance += value * value;
  if (!(variance > 0)) return 1;
  let total = 1;
  for (let lag = 1; lag < count / 4; ++lag) {
    let product = 0;
    for (let i = lag; i < count; ++i) product += (deviations[i] ?? 0) * (deviations[i - lag] ?? 0);
    const correlation = product / variance;
    if (correlation < 1.96 / Math.sqrt(count)) break;
    total += 2 * correlation;
  }
  return total;
}

/**
 * The mean of a sequence by the circular block bootstrap: blocks of neighbours are drawn with replacement, and the
 * spread of the means of such sequences is the standard deviation of the mean. The interval uses Student's t of the
 * number of blocks, which the plain percentiles of a bootstrap lack.
 */
export function blockBootstrap(values: readonly number[], options: BootstrapOptions): MeanInterval {
  const { random, resampleCount = RESAMPLES } = options;
  const count = values.length;
  if (count < 2) throw new MicrojouleError('ERR_BAD_OPTION', 'a bootstrap needs at least two values');
  const most = Math.max(2, Math.floor(count / 2));
  const wanted =
    options.blockCount ?? Math.floor(count / Math.max(1, Math.cbrt(count) * correlationLength(values)));
  const blockCount = Math.min(most, Math.max(2, Math.min(FEWEST_BLOCKS, most), wanted));
  const length = Math.max(1, Math.floor(count / blockCount));
  // Sums of all blocks, the last of which go round to the start.
  const sums: number[] = [];
  for (let start = 0; start < count; ++start) {
    let total = 0;
    for (let i = 0; i < length; ++i) total += values[(start + i) % count] ?? 0;
    sums.push(total);
  }
  const means: number[] = [];
  for (let resample = 0; resample < resampleCount; ++resample) {
    let total = 0;
    for (let block = 0; block < blockCount; ++block) total += sums[Math.floor(random() * count)] ?? 0;
    means.push(total / (blockCount * length));
  }
  const centre = mean(values);
  // Blocks about their own mean spread less than about the true one.
  const spread = standardDeviation(means) * Math.sqrt(blockCount / (blockCount - 1));
  const half = spread * student95(blockCount - 1);
  return {
    mean: centre,
    standardDeviation: spread,
    interval: [centre - half, centre + half],
    blockCount,
  };
}
