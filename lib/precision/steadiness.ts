// SPDX-License-Identifier: MIT
//
// Whether the power was steady, from the updates inside a region and those next to it.
//
// The counter tells the energy between the first and the last update inside exactly; the two ends, up to a period each,
// must be inferred, and that is as good as the power was steady. Two things show how steady it was: the spread of
// the intervals inside, and whether the intervals that straddle the edges hold what the power inside and the power
// outside explain together. What exceeds the counter's own noise is taken for a wandering power: white noise of so much
// variance per second.
import { chiSquareLimit, ONE_SIDED } from './distributions.js';
import { tickVariance } from './noise.js';
import type { Surroundings, Tick } from './surroundings.js';
import { hasReset, tickAt } from './surroundings.js';
import type { CounterCalibration, CounterUpdate, Region } from './types.js';

/** An edge that is off by more than this many sigma of everything else is a change of power of its own. */
const EDGE_SIGMAS = 3;
/**
 * A scatter that noise shows in 10 % of cases counts as a wander. With so few degrees of freedom it must be rarer, 5 %:
 * most of the scatter is then in the edges, whose misfits share the errors of the slope itself, and counting both would
 * claim less than is known.
 */
const FEW_DEGREES = 3;

export interface Steadiness {
  /** Standard deviation of the mean power over one second; 0 where noise alone may well show as much. */
  wanderWatts: number;
  /** The same, untested: what the scatter exceeds the noise's expectation by, if at all. */
  untestedWanderWatts: number;
  degreesOfFreedomCount: number;
  /** Whether the wander exceeds what the noise alone shows in 1 % of cases. */
  isSignificant: boolean;
  /** What the straddling intervals hold that neither the power inside nor that outside explains: start, end. */
  edgeJoules: [start: number, end: number];
}

interface Misfit {
  misfitJoules: number;
  /** Variance of the misfit from the counter's noise. */
  noise: number;
  /** How many seconds of wander the misfit gathers. */
  gathered: number;
}

/** The straddling interval against P outside x time outside + P inside x time inside. */
function edgeMisfit(
  inner: Tick,
  near: Tick,
  far: Tick,
  edgeSeconds: number,
  inside: { powerWatts: number; seconds: number; noise: number },
  noiseOf: (tick: Tick, powerWatts: number) => number,
): Misfit | undefined {
  const outsideSeconds = Math.abs(near.seconds - far.seconds);
  const outsideWatts = Math.abs(near.joules - far.joules) / outsideSeconds;
  const waited = Math.abs(edgeSeconds - near.seconds);
  const reached = Math.abs(inner.seconds - edgeSeconds);
  if (!(outsideSeconds > 0)) return undefined;
  const misfitJoules =
    Math.abs(inner.joules - near.joules) - outsideWatts * waited - inside.powerWatts * reached;
  const [outer, inner1] = [waited / outsideSeconds, reached / inside.seconds];
  return {
    misfitJoules,
    noise:
      (1 + inner1) ** 2 * noiseOf(inner, inside.powerWatts) +
      (1 + outer) ** 2 * noiseOf(near, outsideWatts) +
      outer ** 2 * noiseOf(far, outsideWatts) +
      inner1 ** 2 * inside.noise,
    gathered: waited + reached + outer * waited + inner1 * reached,
  };
}

export function steadiness(
  series: readonly CounterUpdate[],
  region: Region,
  place: Surroundings,
  calibration: CounterCalibration,
  filterVarianceJoules: number,
): Steadiness | undefined {
  const { before, first, last, after, lengthSeconds } = place;
  const tick = (index: number): Tick | undefined => tickAt(series, index, region.startNs, calibration);
  const [begin, end] = [tick(first), tick(last)];
  if (begin === undefined || end === undefined || last <= first) return undefined;
  const seconds = end.seconds - begin.seconds;
  if (!(seconds > 0)) return undefined;
  const powerWatts = (end.joules - begin.joules) / seconds;
  const noiseOf = (of: Tick, watts: number): number =>
    tickVariance(of, watts, calibration, filterVarianceJoules);

  // Inside: the intervals against their own mean.
  const count = last - first;
  let squares = 0;
  let noises = 0;
  let previous = begin;
  for (let i = first + 1; i <= last; ++i) {
    const now = tick(i) ?? previous;
    squares += (now.joules - previous.joules - powerWatts * (now.seconds - previous.seconds)) ** 2;
    noises += noiseOf(previous, powerWatts) + noiseOf(now, powerWatts);
    previous = now;
  }
  noises *= 1 - 1 / count ** 2;
  let gathered = (seconds * (count - 1)) / count;
  let degrees = count - 1;
  const insideWander = degrees > 0 ? Math.max(0, squares - noises) / gathered : 0;

  // The edges.
  const edgeJoules: [number, number] = [0, 0];
  const edges = [
    { inner: begin, near: tick(before), far: tick(before - 1), edge: 0, from: before - 1, to: first },
    { inner: end, near: tick(after), far: tick(after + 1), edge: lengthSeconds, from: last, to: after + 1 },
  ];
  for (const { inner, near, far, edge, from, to } of edges) {
    if (near === undefined || far === undefined || hasReset(series, from, to)) continue;
    const noise = noiseOf(inner === begin ? end : begin, powerWatts);
    const misfit = edgeMisfit(inner, near, far, edge, { powerWatts, seconds, noise }, noiseOf);
    if (misfit === undefined) continue;
    const expected = misfit.noise + insideWander * misfit.gathered;
    if (count >= 3 && misfit.misfitJoules ** 2 > EDGE_SIGMAS ** 2 * expected) {
      edgeJoules[inner === begin ? 0 : 1] = Math.abs(misfit.misfitJoules);
      continue;
    }
    squares += misfit.misfitJoules ** 2;
    noises += misfit.noise;
    gathered += misfit.gathered;
    degrees += 1;
  }
  const exceeds = (z: number): boolean =>
    degrees > 0 && squares > (noises * chiSquareLimit(degrees, z)) / degrees;
  const excess = degrees > 0 ? Math.sqrt(Math.max(0, squares - noises) / gathered) : 0;
  return {
    wanderWatts: exceeds(degrees <= FEW_DEGREES ? ONE_SIDED.fivePercent : ONE_SIDED.tenPercent) ? excess : 0,
    untestedWanderWatts: excess,
    degreesOfFreedomCount: degrees,
    isSignificant: exceeds(ONE_SIDED.onePercent),
    edgeJoules,
  };
}
