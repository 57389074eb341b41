// SPDX-License-Identifier: MIT
//
// The power of the idle machine, and of a thread that calls an empty function.
import { meanPower } from '../precision/baseline.js';
import type { PowerEstimate, Region } from '../precision/types.js';
import { updatesAround } from '../region/estimate.js';
import { type Runner, runnerOf, secondsOf, timed, wait } from './run.js';
import type { Session } from './session.js';
import type { BaselinePower, StopSignal } from './types.js';

/** As with regions, ten updates say little of how steady the power is. */
const WANTED_PERIODS = 25;
/** With fewer, Student's t says next to nothing. */
const FEWEST_PERIODS = 10;
const LONGEST_SECONDS = 0.25;
/** Parts of the budget for each of the four windows: where the counters are fast, and at most. */
const SHARE = 0.05;
const MOST_SHARE = 0.125;
const CALLS_AT_ONCE = 1000;

/** What idling and empty calls drew, in windows before and after what is measured. */
export class Baselines {
  readonly #session: Session;
  readonly #seconds: number;
  readonly #empty: Runner;
  readonly #idle: Tally = { watts: [] };
  readonly #loop: Tally = { watts: [] };

  /** The budget that would do, where it is too small for so slow a counter: then nothing is watched. */
  readonly neededSeconds: number | undefined;

  /** @param isLong whether the time is up anyway */
  constructor(session: Session, budgetSeconds: number, isAsync: boolean, isLong: boolean) {
    const periodSeconds = session.calibration.periodNs / 1e9;
    const usual = isLong ? 0 : Math.min(LONGEST_SECONDS, SHARE * budgetSeconds);
    const most = MOST_SHARE * budgetSeconds;
    this.#session = session;
    this.#seconds = Math.min(most, Math.max(WANTED_PERIODS * periodSeconds, usual));
    this.neededSeconds =
      most < FEWEST_PERIODS * periodSeconds ? (FEWEST_PERIODS * periodSeconds) / MOST_SHARE : undefined;
    this.#empty = runnerOf(isAsync ? async () => undefined : () => undefined, isAsync);
  }

  /** One window of each. */
  async watch(signal?: StopSignal): Promise<void> {
    signal?.throwIfAborted();
    if (this.neededSeconds !== undefined) return;
    const { recorder } = this.#session;
    const idleFrom = recorder.nowNs();
    await wait(this.#seconds);
    const idle = { startNs: idleFrom, endNs: recorder.nowNs() };
    signal?.throwIfAborted();
    await this.#loopFor(0.1 * this.#seconds);
    const loop = await this.#loopFor(this.#seconds);
    await this.#session.settle(loop.endNs);
    this.#add(this.#idle, idle);
    this.#add(this.#loop, loop);
  }

  async #loopFor(seconds: number): Promise<Region> {
    const { recorder } = this.#session;
    const startNs = recorder.nowNs();
    let region: Region;
    do region = await timed(this.#empty, CALLS_AT_ONCE, recorder);
    while (region.endNs < startNs + seconds * 1e9);
    return { startNs, endNs: region.endNs };
  }

  /** The records are there now, and later no more. */
  #add(tally: Tally, window: Region): void {
    const found = powerIn(this.#session, window);
    if (found !== undefined) tally.watts.push(found);
  }

  get idle(): BaselinePower | undefined {
    return meanOf(this.#idle.watts);
  }

  get emptyLoop(): BaselinePower | undefined {
    return meanOf(this.#loop.watts);
  }
}

/** The power in one stretch of doing one thing. */
export interface IdleWindow {
  power: PowerEstimate;
  durationSeconds: number;
  /** Counters of the total that had told nothing yet, and are not in it. */
  missing: readonly string[];
}

interface Tally {
  watts: IdleWindow[];
}

/** The total's power in a stretch that has just settled. */
function powerIn({ recorder }: Session, window: Region): IdleWindow | undefined {
  const counted = recorder.recorded.flatMap((recorded) =>
    recorded.inTotal && recorded.calibration !== undefined
      ? [{ recorded, calibration: recorded.calibration }]
      : [],
  );
  const powers = counted.flatMap(
    ({ recorded, calibration }) => meanPower(updatesAround(recorded, window), calibration, [window]) ?? [],
  );
  // A sum that lacks one of them would be too low.
  if (powers.length === 0 || powers.length < counted.length) return undefined;
  const missing = recorder.recorded.flatMap(({ inTotal, calibration, counter }) =>
    inTotal && calibration === undefined ? [counter.id] : [],
  );
  return { power: sumOf(powers), durationSeconds: secondsOf(window), missing };
}

/** Waits for so long, at least 25 updates, and tells what the machine drew meanwhile; nothing once aborted. */
export async function idleWindow(
  session: Session,
  seconds: number,
  signal?: AbortSignal,
): Promise<IdleWindow | undefined> {
  const { recorder, calibration } = session;
  const startNs = recorder.nowNs();
  await wait(Math.max(seconds, (WANTED_PERIODS * calibration.periodNs) / 1e9), signal);
  if (signal?.aborted === true) return undefined;
  const window = { startNs, endNs: recorder.nowNs() };
  await session.settle(window.endNs);
  return powerIn(session, window);
}

/** Over counters. What made one of them wander moved the others, too: at worst their errors add up. */
function sumOf(powers: readonly PowerEstimate[]): PowerEstimate {
  const total = (of: (power: PowerEstimate) => number): number =>
    powers.reduce((sum, power) => sum + of(power), 0);
  return {
    powerWatts: total(({ powerWatts }) => powerWatts),
    standardUncertaintyWatts: total(({ standardUncertaintyWatts }) => standardUncertaintyWatts),
    degreesOfFreedomCount: Math.min(...powers.map(({ degreesOfFreedomCount }) => degreesOfFreedomCount)),
    wanderWatts: total(({ wanderWatts }) => wanderWatts ?? 0),
  };
}

/** Of those that lack least: sums of different counters have no mean. */
function alike(windows: readonly IdleWindow[]): readonly IdleWindow[] {
  const least = Math.min(...windows.map(({ missing }) => missing.length));
  return windows.filter(({ missing }) => missing.length === least);
}

/** Over the first two windows. Where those differ by more than each is uncertain, the machine drifts, and their difference counts. */
export function meanOf(windows: readonly IdleWindow[]): BaselinePower | undefined {
  const [first, second] = alike(windows);
  if (first === undefined) return undefined;
  if (second === undefined) return { ...first.power, durationSeconds: first.durationSeconds };
  const [a, b] = [first.power, second.power];
  const own = Math.hypot(a.standardUncertaintyWatts, b.standardUncertaintyWatts) / 2;
  const difference = Math.abs(a.powerWatts - b.powerWatts);
  // A drift from one to the other passes the mean: uniform between the two.
  const drift = difference > 4 * own ? difference / Math.sqrt(12) : 0;
  return {
    powerWatts: (a.powerWatts + b.powerWatts) / 2,
    standardUncertaintyWatts: Math.hypot(own, drift),
    degreesOfFreedomCount: drift > 0 ? 1 : Math.min(a.degreesOfFreedomCount, b.degreesOfFreedomCount),
    wanderWatts: Math.max(a.wanderWatts ?? 0, b.wanderWatts ?? 0),
    durationSeconds: first.durationSeconds + second.durationSeconds,
  };
}
