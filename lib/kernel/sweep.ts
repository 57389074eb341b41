// SPDX-License-Identifier: MIT
//
// Single calls of what cannot be repeated back to back, as each needs its own setup.
//
// Long ones are a region each. Of those shorter than some updates, none can be told alone: they are spread over the
// phases of the counter, the thread spinning in between, and all intervals together tell the energy of one.
import { combine } from '../precision/combine.js';
import { phaseSweep, sweepPhase } from '../precision/phase-sweep.js';
import { median } from '../precision/samples.js';
import type { EnergyEstimate, Region } from '../precision/types.js';
import { updatesAround } from '../region/estimate.js';
import type { Recorded, Recorder } from '../region/recorder.js';
import { MOST_RECORDS } from '../region/series.js';
import type { CounterEnergy } from '../region/types.js';
import type { BatchOptions } from './batches.js';
import { isThenable, secondsOf, type TimedRegion } from './run.js';
import type { Session } from './session.js';
import type { Kernel } from './types.js';

/** Between setup and call, and between call and setup, the thread spins: no update interval holds of both. */
const REST_PERIODS = 1.5;
/** The interval is looked at after so many calls, and then after twice as many: each look may stop by chance. */
const FIRST_LOOK_COUNT = 50;
const MOST_CALLS = 20_000;
/** A sweep's part of what is recorded before that is thinned: some came before it. */
const RECORDED_RATIO = 0.9;
/** A call this much longer than the median was interrupted, unless that happens to many. */
const MOST_MEDIANS = 3;
const MOST_INTERRUPTED_RATIO = 0.1;

/** A call and how it was made ready. */
export interface SetupCall<Input> {
  setup: () => Input | Promise<Input>;
  call: Kernel<Input>;
}

/** Makes ready, rests, calls once. */
async function callOnce<Input>(
  { recorder }: Session,
  { setup, call }: SetupCall<Input>,
  rest: () => void,
): Promise<{ setupRegion: Region; region: TimedRegion; wasInterrupted: boolean }> {
  const setupStartNs = recorder.nowNs();
  const given = setup();
  const input = isThenable(given) ? await given : given;
  const setupRegion = { startNs: setupStartNs, endNs: recorder.nowNs() };
  rest();
  const before = process.resourceUsage();
  const start = process.hrtime.bigint();
  const result = call(input);
  if (isThenable(result)) await result;
  const end = process.hrtime.bigint();
  const after = process.resourceUsage();
  const cpuSeconds =
    (after.userCPUTime + after.systemCPUTime - before.userCPUTime - before.systemCPUTime) / 1e6;
  const region = { startNs: recorder.at(start), endNs: recorder.at(end), cpuSeconds };
  const wasInterrupted = after.involuntaryContextSwitches > before.involuntaryContextSwitches;
  return { setupRegion, region, wasInterrupted };
}

/** One call of a long kernel. */
export async function singleCall<Input>(session: Session, kernel: SetupCall<Input>): Promise<TimedRegion> {
  return (await callOnce(session, kernel, () => undefined)).region;
}

/** The latest update of the slowest counter of the total: its phases are those that calls are spread over. */
function latestOf(recorder: Recorder, fallbackNs: number): number {
  let slowest: Recorded | undefined;
  for (const one of recorder.recorded) {
    const period = one.inTotal ? one.calibration?.periodNs : undefined;
    if (period !== undefined && period > (slowest?.calibration?.periodNs ?? 0)) slowest = one;
  }
  const latest = slowest?.series.latestNs ?? fallbackNs;
  return Number.isFinite(latest) ? latest : fallbackNs;
}

/** The shortest time between two updates: so fast the record fills up. */
function fastestNs({ recorded }: Recorder): number {
  return Math.min(...recorded.flatMap(({ calibration }) => calibration?.periodNs ?? []));
}

/** A call, and whether the process was put aside during it. */
interface Call extends TimedRegion {
  wasInterrupted: boolean;
}

export interface Sweep {
  total: EnergyEstimate;
  counters: CounterEnergy[];
  calls: readonly TimedRegion[];
  /** Calls that were left out. */
  interruptedCount: number;
}

/** Calls at all phases until the interval is as narrow as wanted or the time is over. */
export async function sweep<Input>(
  session: Session,
  kernel: SetupCall<Input>,
  { deadlineMs, targetRatio, signal }: BatchOptions,
): Promise<Sweep> {
  const { recorder, calibration } = session;
  const { periodNs } = calibration;
  const calls: Call[] = [];
  /** Setups and pauses. */
  const others: Region[] = [];
  const whole = { start: process.hrtime.bigint() };
  // A record that is thinned has no intervals that hold a call and nothing of a setup.
  const untilMs = Math.min(
    deadlineMs,
    performance.now() + (RECORDED_RATIO * MOST_RECORDS * fastestNs(recorder)) / 1e6,
  );
  // All calls are told together.
  recorder.kept.add(whole);
  try {
    const rest = (): void => {
      recorder.drain();
      const now = recorder.nowNs();
      // The last update that was seen tells the phase of all that follow.
      const passed = Math.max(0, (now - latestOf(recorder, now)) / periodNs);
      const untilNs = now + (REST_PERIODS + 1 - (passed % 1) + sweepPhase(calls.length)) * periodNs;
      while (recorder.nowNs() < untilNs);
    };
    for (let look = FIRST_LOOK_COUNT; ; look *= 2) {
      // A slow setup may have used up the time before the first: one call is always finished.
      while (calls.length < look && (calls.length === 0 || performance.now() < untilMs)) {
        signal?.throwIfAborted();
        const { region, setupRegion, wasInterrupted } = await callOnce(session, kernel, rest);
        calls.push({ ...region, wasInterrupted });
        others.push(setupRegion);
        const untilNs = recorder.nowNs() + REST_PERIODS * periodNs;
        while (recorder.nowNs() < untilNs);
      }
      const idleFromNs = recorder.nowNs();
      await recorder.settled(calls.at(-1)?.endNs ?? 0);
      const found = evaluate(session, calls, others);
      const { resolved, uncertaintyJoules, energyJoules } = found.total;
      const isNarrow = resolved && uncertaintyJoules <= targetRatio * energyJoules;
      if (isNarrow || calls.length >= MOST_CALLS || performance.now() > untilMs) return found;
      // Nobody spun meanwhile: it is not the power that the calls stand out from.
      others.push({ startNs: idleFromNs, endNs: recorder.nowNs() });
    }
  } finally {
    recorder.kept.delete(whole);
  }
}

/**
 * Without the calls that took much longer than most while the process was put aside: a least-squares fit would hear little
 * but those. A call that is long for reasons of its own, such as a collection of garbage, stays. Where a tenth of all was
 * interrupted, that is how things are here.
 */
export function uninterrupted(calls: readonly Call[]): readonly Call[] {
  const most = MOST_MEDIANS * (median(calls.map(secondsOf)) ?? 0);
  const usual = calls.filter((call) => !call.wasInterrupted || secondsOf(call) <= most);
  return calls.length - usual.length <= MOST_INTERRUPTED_RATIO * calls.length ? usual : calls;
}

function evaluate({ recorder, estimate }: Session, all: readonly Call[], others: readonly Region[]): Sweep {
  const calls = uninterrupted(all);
  const kept = new Set(calls);
  const excluded = [...others, ...all.filter((call) => !kept.has(call))].sort(
    (a, b) => a.startNs - b.startNs,
  );
  const region = { startNs: others[0]?.startNs ?? 0, endNs: all.at(-1)?.endNs ?? 0 };
  const sweepOf = (recorded: Recorded): EnergyEstimate | undefined => {
    if (recorded.calibration === undefined) return undefined;
    return phaseSweep(updatesAround(recorded, region), recorded.calibration, calls, excluded);
  };
  const counters = estimate(region).counters.map((counter) => {
    const recorded = recorder.recordedById.get(counter.id);
    const energy = recorded === undefined ? undefined : sweepOf(recorded);
    const { energy: _, ...rest } = counter;
    return energy === undefined ? rest : { ...rest, energy };
  });
  // What varies from call to call varies in all counters alike.
  const inTotal = counters.flatMap((one) =>
    'energy' in one && one.inTotal && one.energy
      ? [{ ...one.energy, components: one.energy.components.map((part) => ({ ...part, isShared: true })) }]
      : [],
  );
  return {
    total: { ...combine(inTotal), method: 'phase-sweep' },
    counters,
    calls,
    interruptedCount: all.length - calls.length,
  };
}
