// SPDX-License-Identifier: MIT
//
// Each command against the reference: by pairs of neighbouring runs where they ran in turn, otherwise by means.
import { comparePairs } from '../precision/compare.js';
import { effectiveDegrees, student95 } from '../precision/distributions.js';
import { mean, standardDeviation } from '../precision/samples.js';
import type { PowerEstimate } from '../precision/types.js';
import type { Common, Sample } from './statistics.js';
import type { BenchComparison, BenchRatio } from './types.js';

const FEWEST_PAIRS = 2;
/** Of what is not above nothing. */
const NO_RATIO: BenchRatio = {
  ratio: Number.NaN,
  lowerRatio: Number.NaN,
  upperRatio: Number.NaN,
  isResolved: false,
};

/** One of those compared. */
export interface Contestant {
  name: string;
  samples: readonly Sample[];
  isTold: readonly boolean[];
}

interface Shared {
  shell: Common | undefined;
  idle: PowerEstimate | undefined;
  random: () => number;
}

/** A ratio whose logarithm is wrong by so much more, at 95 %. */
function widened({ ratio, lowerRatio, upperRatio, isResolved }: BenchRatio, half: number): BenchRatio {
  if (!(half > 0) || !Number.isFinite(upperRatio) || !(lowerRatio > 0)) {
    return { ratio, lowerRatio, upperRatio, isResolved };
  }
  const own = Math.log(upperRatio / ratio);
  const factor = Math.exp(Math.hypot(own, half));
  const [lower, upper] = [ratio / factor, ratio * factor];
  return { ratio, lowerRatio: lower, upperRatio: upper, isResolved: isResolved && (lower > 1 || upper < 1) };
}

/** Over pairs; undefined where there are too few. */
function paired(
  pairs: readonly (readonly [a: number, b: number])[],
  random: () => number,
): BenchRatio | undefined {
  if (pairs.length < FEWEST_PAIRS) return undefined;
  // One run of each is a block of its own here; the order of blocks is mirrored from each to the next.
  const blocks = pairs.map(([a, b]) => ({ aJoules: [a, a] as const, bJoules: [b, b] as const }));
  const { ratio, lowerRatio, upperRatio, resolved } = comparePairs(blocks, { random });
  // What all runs were corrected with may be all of a difference that is no ratio.
  return { ratio, lowerRatio, upperRatio, isResolved: resolved && Number.isFinite(ratio) };
}

/** Over means of runs that followed one another. The logarithm of a ratio errs as its parts do, relatively. */
function unpaired(a: readonly number[], b: readonly number[]): BenchRatio | undefined {
  const [centreA, centreB] = [mean(a), mean(b)];
  if (a.length < 2 || b.length < 2) return undefined;
  if (!(centreA > 0) || !(centreB > 0)) return NO_RATIO;
  const share = (values: readonly number[], centre: number) => ({
    standardUncertaintyJoules: standardDeviation(values) / Math.sqrt(values.length) / centre,
    degreesOfFreedomCount: values.length - 1,
  });
  const shares = [share(a, centreA), share(b, centreB)];
  const size = Math.hypot(...shares.map(({ standardUncertaintyJoules }) => standardUncertaintyJoules));
  const factor = Math.exp(student95(effectiveDegrees(shares)) * size);
  const ratio = centreA / centreB;
  const [lowerRatio, upperRatio] = [ratio / factor, ratio * factor];
  return { ratio, lowerRatio, upperRatio, isResolved: lowerRatio > 1 || upperRatio < 1 };
}

const seconds = (sample: Sample): number => sample.seconds;
const joules = (sample: Sample): number => sample.estimate.energyJoules;

/** The runs of both that were told, by rounds. */
function pairsOf(a: Contestant, b: Contestant, needsEnergy: boolean): (readonly [Sample, Sample])[] {
  const isUsed = ({ isTold }: Contestant, i: number): boolean => !needsEnergy || isTold[i] === true;
  const byRound = new Map(b.samples.flatMap((sample, i) => (isUsed(b, i) ? [[sample.round, sample]] : [])));
  return a.samples.flatMap((sample, i) => {
    const other = byRound.get(sample.round);
    return isUsed(a, i) && other !== undefined ? [[sample, other] as const] : [];
  });
}

/** Undefined where there are too few runs to say anything. */
export function compareTo(
  reference: Contestant,
  other: Contestant,
  isInterleaved: boolean,
  { shell, idle, random }: Shared,
): BenchComparison | undefined {
  const ratioOf = (value: (sample: Sample) => number, needsEnergy: boolean): BenchRatio | undefined => {
    const pairs = pairsOf(other, reference, needsEnergy);
    if (isInterleaved)
      return paired(
        pairs.map(([a, b]) => [value(a), value(b)] as const),
        random,
      );
    const used = ({ samples, isTold }: Contestant): number[] =>
      samples.filter((_, i) => !needsEnergy || isTold[i] === true).map(value);
    return unpaired(used(other), used(reference));
  };
  /** What all runs were corrected with is wrong in both, and more so, relatively, in the smaller one. */
  const commonHalf = (
    value: (sample: Sample) => number,
    { size, degrees, of }: { size: number; degrees: number; of: (sample: Sample) => number },
  ): number => {
    const relative = ({ samples }: Contestant): number => mean(samples.map(of)) / mean(samples.map(value));
    return student95(degrees) * size * Math.abs(relative(other) - relative(reference));
  };
  const shellHalf = (
    value: (sample: Sample) => number,
    size: number = shell?.standardUncertaintyJoules ?? 0,
  ): number =>
    shell === undefined ? 0 : commonHalf(value, { size, degrees: shell.degreesOfFreedomCount, of: () => 1 });
  const energy = ratioOf(joules, true);
  const duration = ratioOf(seconds, false);
  if (energy === undefined || duration === undefined) return undefined;
  const above = (sample: Sample): number => joules(sample) - (idle?.powerWatts ?? 0) * sample.seconds;
  const aboveRatio = idle === undefined ? undefined : ratioOf(above, true);
  const idleHalf =
    idle === undefined
      ? 0
      : commonHalf(above, {
          size: idle.standardUncertaintyWatts,
          degrees: idle.degreesOfFreedomCount,
          of: seconds,
        });
  return {
    name: other.name,
    reference: reference.name,
    energy: widened(energy, shellHalf(joules)),
    ...(aboveRatio === undefined
      ? {}
      : { aboveIdle: widened(aboveRatio, Math.hypot(idleHalf, shellHalf(above))) }),
    duration: widened(duration, shellHalf(seconds, shell?.standardUncertaintySeconds)),
    ...(isInterleaved
      ? { method: 'pairs' as const, pairCount: pairsOf(other, reference, true).length }
      : { method: 'means' as const }),
  };
}
