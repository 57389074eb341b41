// SPDX-License-Identifier: MIT
//
// Whether a uses less energy than b, from blocks that a drift of the machine cannot fool.
import { MicrojouleError } from '../core/errors.js';
import { formatSignificant } from '../core/numbers.js';
import { student95, studentTwoSided } from './distributions.js';
import { mean, standardDeviation, sum } from './samples.js';

/** Up to so many blocks all sign patterns are tried; beyond, a sample of them. */
const MOST_EXACT_BLOCKS = 14;
const SAMPLED_PATTERNS = 4000;
/** With fewer blocks there are too few patterns of signs to tell 5 % by. */
const FEWEST_BLOCKS = 8;
const LEVEL = 0.05;

/** ABBA or BAAB: the energies of a's two runs and of b's two, each in order. The order itself no longer matters. */
export interface PairBlock {
  readonly aJoules: readonly [number, number];
  readonly bJoules: readonly [number, number];
}

export interface Effect {
  /** a less b, in joules a run. */
  differenceJoules: number;
  lowerJoules: number;
  upperJoules: number;
  /** a over b, with its bounds; NaN where the energies of a block are not above nothing: the difference alone is known then. */
  ratio: number;
  lowerRatio: number;
  upperRatio: number;
  confidenceRatio: 0.95;
  /** How often chance alone shows as much, by Student's t and by flipping signs. */
  studentChanceRatio: number;
  signFlipChanceRatio: number;
  blockCount: number;
  resolved: boolean;
}

export interface PairComparison extends Effect {
  /** In words: `a uses 12 % ± 3 % less than b`, or `not resolved: ...`. */
  verdict: string;
  /** The same test on blocks in which both were the same thing; undefined where none were given. */
  selfCheck: Effect | undefined;
}

export interface CompareOptions {
  names?: readonly [a: string, b: string];
  /** Blocks of b, the reference, against itself. If those differ, so may anything. */
  selfBlocks?: readonly PairBlock[];
  /** Uniform numbers in [0, 1), needed beyond 14 blocks. */
  random?: () => number;
}

/** Orders of blocks, each drawn by chance, so that no rhythm of the machine is in step with them. */
export function blockOrder(random: () => number): 'ABBA' | 'BAAB' {
  return random() < 0.5 ? 'ABBA' : 'BAAB';
}

/** How often random signs give a mean at least as far from zero. */
function signFlipChance(values: readonly number[], random: (() => number) | undefined): number {
  const count = values.length;
  const observed = Math.abs(sum(values)) * (1 - 1e-12);
  const flipped = (negative: (i: number) => boolean): number => {
    let total = 0;
    for (let i = 0; i < count; ++i) total += negative(i) ? -(values[i] ?? 0) : (values[i] ?? 0);
    return Math.abs(total);
  };
  let extreme = 0;
  if (count <= MOST_EXACT_BLOCKS) {
    const patterns = 2 ** count;
    for (let pattern = 0; pattern < patterns; ++pattern) {
      if (flipped((i) => ((pattern >> i) & 1) === 1) >= observed) extreme += 1;
    }
    return extreme / patterns;
  }
  if (random === undefined) {
    throw new MicrojouleError(
      'ERR_BAD_OPTION',
      `more than ${MOST_EXACT_BLOCKS} blocks need a source of random numbers`,
    );
  }
  for (let i = 0; i < SAMPLED_PATTERNS; ++i) {
    if (flipped(() => random() < 0.5) >= observed) extreme += 1;
  }
  return (extreme + 1) / (SAMPLED_PATTERNS + 1);
}

function pairedEffect(blocks: readonly PairBlock[], random: (() => number) | undefined): Effect {
  const count = blocks.length;
  if (count < 2) throw new MicrojouleError('ERR_BAD_OPTION', 'a comparison needs at least two blocks');
  const differences = blocks.map(({ aJoules, bJoules }) => (sum(aJoules) - sum(bJoules)) / 2);
  // The logarithm makes "a over b" and "b over a" one result. It needs energies above nothing.
  const isPositive = blocks.every(({ aJoules, bJoules }) => sum(aJoules) > 0 && sum(bJoules) > 0);
  const ratios = isPositive
    ? blocks.map(({ aJoules, bJoules }) => Math.log(sum(aJoules) / sum(bJoules)))
    : [];
  const t = student95(count - 1);
  const spread = (values: readonly number[]): number => standardDeviation(values) / Math.sqrt(count);
  const differenceJoules = mean(differences);
  const half = t * spread(differences);
  const tested = isPositive ? ratios : differences;
  const [centre, error] = [mean(tested), spread(tested)];
  const ratio = isPositive ? Math.exp(mean(ratios)) : Number.NaN;
  const factor = Math.exp(t * error);
  const studentChanceRatio =
    error > 0 ? studentTwoSided(Math.abs(centre) / error, count - 1) : centre === 0 ? 1 : 0;
  const signFlipChanceRatio = signFlipChance(tested, random);
  return {
    differenceJoules,
    lowerJoules: differenceJoules - half,
    upperJoules: differenceJoules + half,
    ratio,
    lowerRatio: ratio / factor,
    upperRatio: ratio * factor,
    confidenceRatio: 0.95,
    studentChanceRatio,
    signFlipChanceRatio,
    blockCount: count,
    resolved: count >= FEWEST_BLOCKS && studentChanceRatio < LEVEL && signFlipChanceRatio < LEVEL,
  };
}

function percent(ratio: number, digits = 2): string {
  return `${formatSignificant(100 * ratio, digits)} %`;
}

function inWords(effect: Effect, self: Effect | undefined, [a, b]: readonly [string, string]): string {
  if (self?.resolved) {
    const by = Number.isFinite(self.ratio) ? ` by ${percent(Math.abs(self.ratio - 1))}` : '';
    return `not resolved: ${b} against itself differs${by}, so the machine was not steady enough`;
  }
  if (effect.blockCount < FEWEST_BLOCKS) {
    return `not resolved: ${effect.blockCount} blocks, of which at least ${FEWEST_BLOCKS} are needed`;
  }
  if (!effect.resolved) {
    if (!Number.isFinite(effect.upperRatio)) return `not resolved: ${a} and ${b} are within the noise`;
    const most = Math.max(effect.upperRatio - 1, 1 - effect.lowerRatio);
    return `not resolved: ${a} and ${b} differ by less than ${percent(most)}`;
  }
  const direction = (Number.isFinite(effect.ratio) ? effect.ratio < 1 : effect.differenceJoules < 0)
    ? 'less'
    : 'more';
  if (!Number.isFinite(effect.upperRatio)) return `${a} uses ${direction} than ${b}`;
  const half = (effect.upperRatio - effect.lowerRatio) / 2;
  // As many decimals for the effect as the uncertainty has.
  const decimals = Math.max(0, Math.min(6, 1 - Math.floor(Math.log10(100 * half))));
  const size =
    half > 0
      ? (100 * Math.abs(effect.ratio - 1)).toFixed(decimals)
      : formatSignificant(100 * Math.abs(effect.ratio - 1));
  return `${a} uses ${size} % ± ${half > 0 ? (100 * half).toFixed(decimals) : '0'} % ${direction} than ${b}`;
}

/**
 * a against b over ABBA and BAAB blocks: d = (A1 - B1 - B2 + A2) / 2 of each block is free of a linear drift. 95 %
 * interval by Student's t over the blocks; resolved where flipping signs agrees, which assumes no distribution.
 */
export function comparePairs(blocks: readonly PairBlock[], options: CompareOptions = {}): PairComparison {
  const { names = ['a', 'b'], selfBlocks, random } = options;
  const effect = pairedEffect(blocks, random);
  const selfCheck = selfBlocks === undefined ? undefined : pairedEffect(selfBlocks, random);
  const verdict = inWords(effect, selfCheck, names);
  return { ...effect, resolved: effect.resolved && selfCheck?.resolved !== true, verdict, selfCheck };
}
