// SPDX-License-Identifier: MIT

/** A CPUID model number, or an inclusive range of them. */
export type CpuidModels = readonly (number | readonly [first: number, last: number])[];

/** How a family is recognised. A row may be reachable in several of these ways. */
export interface CpuFamilyMatch {
  /** `named` and `notNamed` part families that share a CPUID; they see the name as `plainModelName` gives it. */
  cpuid?: { vendor: string; family: number; models: CpuidModels; named?: RegExp; notNamed?: RegExp };
  arm?: { implementer: number; parts: readonly number[] };
  /** Used only where neither CPUID nor the Arm part number is known. */
  modelName?: RegExp;
}

/** Power of one hardware thread's share of the package, in watts. */
export interface CpuFamily {
  name: string;
  match: CpuFamilyMatch;
  idleWattsPerThread: number;
  fullWattsPerThread: number;
  /** What kind of figure `fullWattsPerThread` is a share of, e.g. `TDP`. */
  rating: string;
  /** The part, its figures and where they were published. */
  source: string;
}

/** Idle share of full power where no measurement for the family is known. */
export const ASSUMED_IDLE_SHARE = 0.15;

/**
 * Idle over full power, from medians in watts per thread of published SPECpower_ssj2008 results. Those are whole
 * servers at the wall; only the ratio is taken, so that fans and memory do not enter a package estimate.
 */
export const SPECPOWER = {
  skylakeSp: 0.53 / 4.12,
  cascadeLake: 0.58 / 4.03,
  iceLakeSp: 0.79 / 4.22,
  coffeeLake: 1.05 / 5.98,
  zen: 0.74 / 2.31,
  zen2: 0.42 / 1.65,
  zen3: 0.44 / 2.1,
} as const;

/** What a row is computed from. */
export interface Basis {
  part: string;
  ratedWatts: number;
  threadCount: number;
  rating: string;
  published: string;
  idleShare: number;
  idleSource: string;
}

/** A basis from a rated power in watts and the threads that share it. */
export function basis(
  rating: string,
  part: string,
  ratedWatts: number,
  threadCount: number,
  idleShare?: number,
): Basis {
  return {
    part,
    ratedWatts,
    threadCount,
    rating,
    published: 'vendor data sheet',
    idleShare: idleShare ?? ASSUMED_IDLE_SHARE,
    idleSource: idleShare === undefined ? 'assumed idle share' : 'SPECpower_ssj2008 median idle share',
  };
}

/** The usual basis: thermal design power. */
export function tdp(part: string, ratedWatts: number, threadCount: number, idleShare?: number): Basis {
  return basis('TDP', part, ratedWatts, threadCount, idleShare);
}

/** For parts whose vendor publishes what they may draw under full load beside the lower base power. */
export function turbo(part: string, ratedWatts: number, threadCount: number): Basis {
  return basis('maximum turbo power', part, ratedWatts, threadCount);
}

/** A row of the table: `from` spread over its threads. */
export function row(name: string, match: CpuFamilyMatch, from: Basis, modelName?: RegExp): CpuFamily {
  const fullWattsPerThread = from.ratedWatts / from.threadCount;
  const idlePercent = (from.idleShare * 100).toFixed(0);
  return {
    name,
    match: modelName === undefined ? match : { ...match, modelName },
    idleWattsPerThread: fullWattsPerThread * from.idleShare,
    fullWattsPerThread,
    rating: from.rating,
    source:
      `${from.part}, ${from.rating} ${from.ratedWatts} W / ${from.threadCount} threads (${from.published}); ` +
      `${idlePercent} % ${from.idleSource}`,
  };
}
