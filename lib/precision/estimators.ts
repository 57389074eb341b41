// SPDX-License-Identifier: MIT
//
// Three ways from updates to the energy of a region. docs/methodology.md has the formulas.
import { type Candidate, component } from './interval.js';
import { quantisationVariance, tickVariance } from './noise.js';
import type { Steadiness } from './steadiness.js';
import { hasReset, type Surroundings, type Tick, tickAt } from './surroundings.js';
import type { CounterCalibration, CounterUpdate, PowerEstimate, Region } from './types.js';

/** What all estimators look at. */
export interface Scene {
  series: readonly CounterUpdate[];
  region: Region;
  place: Surroundings;
  calibration: CounterCalibration;
  filterVarianceJoules: number;
  steady: Steadiness | undefined;
}

/** An end longer than this many periods was not observed at all. */
const OBSERVED_PERIODS = 1.5;
/** Powers that differ by more than this many sigma of their noise are two powers. */
const STEP_SIGMAS = 3;
const SQRT3 = Math.sqrt(3);

function tickOf({ series, region, calibration }: Scene, index: number): Tick | undefined {
  return tickAt(series, index, region.startNs, calibration);
}

/** Variances of the errors of the ticks that are used, with the factor each enters by. */
function noiseComponents(
  { calibration, filterVarianceJoules }: Scene,
  uses: readonly { tick: Tick; factor: number; watts: number }[],
): ReturnType<typeof component>[] {
  let squares = 0;
  let timing = 0;
  for (const { tick, factor, watts } of uses) {
    squares += factor ** 2;
    timing += (factor * watts * tick.timingSeconds) ** 2;
  }
  const found = [
    component('quantisation', Math.sqrt(squares * quantisationVariance(calibration))),
    component('edge-timing', Math.sqrt(timing), Number.POSITIVE_INFINITY, true),
  ];
  if (filterVarianceJoules > 0) {
    found.push(component('energy-filter', Math.sqrt(squares * filterVarianceJoules), 8));
  }
  return found;
}

function varies({ isSignificant, edgeJoules }: Steadiness): boolean {
  return isSignificant || edgeJoules.some((joules) => joules > 0);
}

/** E = L (C_b - C_a) / (t_b - t_a) over the first and the last update inside. */
export function insideSlope(scene: Scene): Candidate | undefined {
  const { place, calibration, steady } = scene;
  const [begin, end] = [tickOf(scene, place.first), tickOf(scene, place.last)];
  if (begin === undefined || end === undefined || steady === undefined) return undefined;
  const { lengthSeconds } = place;
  const seconds = end.seconds - begin.seconds;
  const watts = (end.joules - begin.joules) / seconds;
  const stretch = lengthSeconds / seconds;
  const ends = Math.max(0, lengthSeconds - seconds);
  const found: Candidate = {
    energyJoules: watts * lengthSeconds,
    method: 'inside-slope',
    components: noiseComponents(scene, [
      { tick: begin, factor: stretch, watts },
      { tick: end, factor: stretch, watts },
    ]),
    extraJoules: 0,
    flags: [],
  };
  // A wander of variance S per second leaves S ends in the ends, and S ends^2 / seconds in what is carried over.
  found.components.push(
    component(
      'extrapolation',
      steady.wanderWatts * Math.sqrt(ends * stretch),
      steady.isSignificant ? steady.degreesOfFreedomCount : Number.POSITIVE_INFINITY,
      true,
    ),
  );
  for (const joules of steady.edgeJoules.filter((joules) => joules > 0)) {
    found.components.push(component('edge-power', joules / SQRT3, Number.POSITIVE_INFINITY, true));
  }
  if (varies(steady)) found.flags.push('power-varies');

  // Ends that nothing tells of: any power from nothing to twice the mean.
  const periodSeconds = calibration.periodNs / 1e9;
  const unseen = [begin.seconds, lengthSeconds - end.seconds].filter(
    (end) => steady.degreesOfFreedomCount === 0 || end > OBSERVED_PERIODS * periodSeconds,
  );
  for (const seconds of unseen) {
    found.components.push(
      component('edge-power', (watts * Math.max(0, seconds)) / SQRT3, Number.POSITIVE_INFINITY, true),
    );
  }
  if (unseen.length > 0) found.flags.push('steadiness-unknown');
  return found;
}

/**
 * E = C_b - C_a - Ps (s - t_a + t_b - e): the updates around the region, less the time outside it at the power of a
 * thread that waits for the update. Only where the caller did wait, spinning, on both sides.
 */
export function tickAligned(scene: Scene, spin: PowerEstimate): Candidate | undefined {
  const { series, place } = scene;
  const [begin, end] = [tickOf(scene, place.before), tickOf(scene, place.after)];
  if (begin === undefined || end === undefined || hasReset(series, place.before, place.after))
    return undefined;
  const outside = Math.max(0, -begin.seconds) + Math.max(0, end.seconds - place.lengthSeconds);
  const watts = spin.powerWatts;
  return {
    energyJoules: end.joules - begin.joules - watts * outside,
    method: 'tick-aligned',
    components: [
      ...noiseComponents(scene, [
        { tick: begin, factor: 1, watts },
        { tick: end, factor: 1, watts },
      ]),
      component(
        'spin-power',
        Math.hypot(outside * spin.standardUncertaintyWatts, (spin.wanderWatts ?? 0) * Math.sqrt(outside)),
        spin.degreesOfFreedomCount,
      ),
    ],
    extraJoules: 0,
    flags: [],
  };
}

/**
 * E = C(e) - C(s), each linear between the updates around it. A power that steps by dP at the edge makes that wrong by
 * dP x (time before the edge) x (time after it) / interval. Where the powers on both sides differ by more than noise, the
 * whole of it is added to the half-width; where not, it is one of the random parts. Where they differ and explain what was
 * counted across the edge, the power stepped at the edge: what is inside has the power that is inside.
 */
export function interpolation(scene: Scene): Candidate | undefined {
  const { series, place, steady } = scene;
  const { before, first, last, after, lengthSeconds } = place;
  // With a single interval inside, the powers at both edges would be one and the same.
  if (steady === undefined || last < first + 2 || hasReset(series, before - 1, after + 1)) return undefined;
  const edges = [
    { edge: 0, inner: first, deeper: first + 1, near: before, far: before - 1, misfit: 0 },
    { edge: lengthSeconds, inner: last, deeper: last - 1, near: after, far: after + 1, misfit: 1 },
  ];
  const uses: { tick: Tick; factor: number; watts: number }[] = [];
  const noise = (tick: Tick, watts: number): number =>
    tickVariance(tick, watts, scene.calibration, scene.filterVarianceJoules);
  let energyJoules = (tickOf(scene, last)?.joules ?? 0) - (tickOf(scene, first)?.joules ?? 0);
  let known = 0;
  let likely = 0;
  let bridge = 0;
  for (const { edge, ...at } of edges) {
    const [inner, deeper] = [tickOf(scene, at.inner), tickOf(scene, at.deeper)];
    const [near, far] = [tickOf(scene, at.near), tickOf(scene, at.far)];
    if (inner === undefined || deeper === undefined || near === undefined || far === undefined)
      return undefined;
    const slope = (one: Tick, other: Tick): number =>
      (one.joules - other.joules) / (one.seconds - other.seconds);
    const watts = slope(inner, near);
    const interval = Math.abs(inner.seconds - near.seconds);
    if (!(interval > 0 && deeper.seconds !== inner.seconds && far.seconds !== near.seconds)) return undefined;
    const reached = Math.abs(inner.seconds - edge);
    const waited = interval - reached;
    const product = (waited * reached) / interval;
    const [inside, outside] = [slope(inner, deeper), slope(near, far)];
    const variance = (one: Tick, other: Tick, power: number): number =>
      (noise(one, power) + noise(other, power)) / (one.seconds - other.seconds) ** 2 +
      steady.untestedWanderWatts ** 2 / Math.abs(one.seconds - other.seconds);
    const isStep =
      (inside - outside) ** 2 >
      STEP_SIGMAS ** 2 * (variance(inner, deeper, inside) + variance(near, far, outside));
    if (isStep) known += Math.abs(inside - outside) * product;
    if (isStep && (steady.edgeJoules[at.misfit] ?? 0) === 0) {
      const stretch = reached / Math.abs(inner.seconds - deeper.seconds);
      energyJoules += inside * reached;
      uses.push({ tick: inner, factor: 1 + stretch, watts: inside });
      uses.push({ tick: deeper, factor: stretch, watts: inside });
    } else {
      energyJoules += watts * reached;
      uses.push({ tick: inner, factor: waited / interval, watts });
      uses.push({ tick: near, factor: reached / interval, watts });
    }
    // What neither power explains may have happened on either side of the edge.
    known += ((steady.edgeJoules[at.misfit] ?? 0) * Math.max(waited, reached)) / interval;
    if (!isStep) likely += ((inside - outside) * product) ** 2;
    bridge += steady.untestedWanderWatts ** 2 * product;
  }
  return {
    energyJoules,
    method: 'interpolation',
    components: [
      ...noiseComponents(scene, uses),
      component('edge-power', Math.sqrt(likely), Number.POSITIVE_INFINITY, true),
      component('extrapolation', Math.sqrt(bridge), steady.degreesOfFreedomCount, true),
    ],
    extraJoules: known,
    flags: varies(steady) ? ['power-varies'] : [],
  };
}
