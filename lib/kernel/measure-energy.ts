// SPDX-License-Identifier: MIT
//
// The energy of one call of a function.
import { MicrojouleError } from '../core/errors.js';
import type { Warning } from '../core/vocabulary.js';
import { overBaseline } from '../precision/baseline.js';
import { batchMeans } from '../precision/repetition.js';
import type { EnergyEstimate, PowerEstimate, Region } from '../precision/types.js';
import { missingOf } from '../region/estimate.js';
import type { CounterEnergy } from '../region/types.js';
import { Baselines } from './baselines.js';
import { countersOfBatches, meanOfBatches, type RunBatch, runBatches, told } from './batches.js';
import { estimateEnergy } from './estimated.js';
import { GarbageWatch } from './garbage.js';
import { checkFunction, type Resolved, resolveOptions } from './options.js';
import { isThenable, type Runner, runnerOf, secondsOf, type WarmUp, warmUp } from './run.js';
import { openSession, type Session } from './session.js';
import { singleCall, sweep } from './sweep.js';
import type { Kernel, KernelEnergy, MeasureEnergyOptions } from './types.js';
import { perCall, timeDrift, warningsOf } from './verdict.js';
import { energyInWords, secondsInWords } from './words.js';

/** Parts of the budget. */
const WARM_UP_SHARE = 0.2;
const BASELINE_SHARE = 0.05;
/** A first call this long leaves no time for another. */
const LONG_CALL_SHARE = 0.5;
/** Calls this long, in periods, are told one by one. */
const SINGLE_PERIODS = 3;

/** What was run and counted. */
interface Measured {
  total: EnergyEstimate;
  counters: CounterEnergy[];
  /** Calls, or batches of them, in order. */
  regions: { region: Region; callCount: number }[];
  method: 'batches' | 'single-calls' | 'phase-sweep';
  /** Batches of which only bounds are known. */
  lostCount: number;
}

/**
 * Measures the energy of one call: warms up, watches the idle machine and an empty loop, and repeats the call until the
 * interval is as narrow as `targetRatio` or the budget is spent. Nothing else should run meanwhile: it is the machine
 * that is metered. A function that returns a promise is awaited.
 * @throws MicrojouleError `ERR_BAD_OPTION`; `ERR_NO_COUNTERS` with what to do about it, unless `allowEstimates`;
 *   what the function itself throws
 */
export async function measureEnergy<Input = unknown>(
  fn: Kernel<Input>,
  options: MeasureEnergyOptions<Input> = {},
): Promise<KernelEnergy> {
  checkFunction(fn, 'measureEnergy');
  const resolved = resolveOptions(fn, options);
  options.signal?.throwIfAborted();
  let session: Session;
  try {
    session = await openSession(options as MeasureEnergyOptions);
  } catch (error) {
    const isMissing = error instanceof MicrojouleError && error.code === 'ERR_NO_COUNTERS';
    if (!isMissing || options.allowEstimates !== true) throw error;
    return estimateEnergy(fn, options, resolved);
  }
  const garbage = new GarbageWatch(session.recorder);
  try {
    return await measure(session, garbage, fn, options, resolved);
  } finally {
    garbage.close();
    session.close();
  }
}

async function measure<Input>(
  session: Session,
  garbage: GarbageWatch,
  fn: Kernel<Input>,
  options: MeasureEnergyOptions<Input>,
  resolved: Resolved,
): Promise<KernelEnergy> {
  const { budgetSeconds, targetRatio, random, name } = resolved;
  const startMs = performance.now();
  const { setup, signal } = options;
  const kernel = { setup: setup ?? ((): Input => undefined as Input), call: fn };

  // The first call says whether it is async, and is all there is time for where it is very long.
  let isAsync = false;
  const looked = (input: Input): unknown => {
    const result = fn(input);
    isAsync = isThenable(result);
    return result;
  };
  const firstRegion = await singleCall(session, { ...kernel, call: looked });
  const firstSeconds = secondsOf(firstRegion);
  const isLong = firstSeconds > LONG_CALL_SHARE * budgetSeconds;

  // Loops call without an argument; with a setup each call has its own.
  const runner = runnerOf(fn as () => unknown, isAsync);
  let warm: WarmUp = {
    callCount: 1,
    durationSeconds: firstSeconds,
    isStable: false,
    callSeconds: firstSeconds,
  };
  if (!isLong) {
    const runs: Runner = setup === undefined ? runner : setupRunner(session, kernel);
    warm = await warmUp(runs, firstSeconds, WARM_UP_SHARE * budgetSeconds);
  }
  signal?.throwIfAborted();
  const baselines = new Baselines(session, isLong ? 0 : BASELINE_SHARE * budgetSeconds, isAsync);
  await baselines.watch();
  const windowSeconds = (performance.now() - startMs) / 1000 - warm.durationSeconds;
  const deadlineMs =
    startMs + 1000 * Math.max(0, budgetSeconds - Math.min(windowSeconds, 0.2 * budgetSeconds));
  const rules = { targetRatio, deadlineMs, random, signal };

  const isSingle = setup !== undefined;
  const isSwept = isSingle && warm.callSeconds * 1e9 < SINGLE_PERIODS * session.calibration.periodNs;
  let measured: Measured;
  if (isLong) {
    await session.settle(firstRegion.endNs);
    measured = ofBatches(
      [{ ...session.estimate(firstRegion), region: firstRegion }].map(asBatch),
      'single-calls',
      random,
    );
  } else if (isSwept) {
    const { total, counters, calls, interruptedCount } = await sweep(session, kernel, rules);
    measured = {
      total,
      counters,
      regions: calls.map((region) => ({ region, callCount: 1 })),
      method: 'phase-sweep',
      lostCount: interruptedCount,
    };
  } else if (isSingle) {
    const runs: RunBatch[] = [];
    do {
      signal?.throwIfAborted();
      const region = await singleCall(session, kernel);
      await session.settle(region.endNs);
      runs.push(asBatch({ ...session.estimate(region), region }));
    } while (performance.now() < deadlineMs && !isNarrow(runs, targetRatio));
    measured = ofBatches(runs, 'single-calls', random);
  } else {
    const batches = await runBatches(session, runner, warm.callSeconds, rules);
    measured = ofBatches(batches, 'batches', random);
  }
  await baselines.watch();

  const { regions, total, counters, method, lostCount } = measured;
  const callCount = regions.reduce((sum, one) => sum + one.callCount, 0);
  const seconds = regions.reduce((sum, { region }) => sum + secondsOf(region), 0);
  const callSeconds = seconds / callCount;
  const { idle, emptyLoop } = baselines;
  const above = (power: PowerEstimate, kind: 'active' | 'marginal'): EnergyEstimate =>
    perCall(
      overBaseline(perCall(total, 1 / callCount), { startNs: 0, endNs: seconds * 1e9 }, power, kind),
      callCount,
    );
  const active = idle === undefined ? undefined : above(idle, 'active');
  const marginal = emptyLoop === undefined ? undefined : above(emptyLoop, 'marginal');
  const garbageCollection = await garbage.stop(regions.map(({ region }) => region));
  const timeDriftRatio = timeDrift(regions.map(({ region, callCount: calls }) => secondsOf(region) / calls));
  const base = {
    name,
    provenance: { ...session.provenance, method },
    total,
    ...(active === undefined ? {} : { active }),
    ...(marginal === undefined ? {} : { marginal }),
    counters,
    missing: missingOf(counters),
    callSeconds,
    callCount,
    batchCount: regions.length,
    lostBatchCount: lostCount,
    ...(idle === undefined ? {} : { idle }),
    ...(emptyLoop === undefined ? {} : { emptyLoop }),
    warmUp: { callCount: warm.callCount, durationSeconds: warm.durationSeconds, isStable: warm.isStable },
    garbageCollection,
    timeDriftRatio,
  };
  const warnings: Warning[] = warningsOf(base, { targetRatio, budgetSeconds, isLong });
  return { ...base, warnings, summary: summaryOf(base) };
}

/** Warm-up of calls that each need a setup. */
function setupRunner<Input>(
  session: Session,
  kernel: { setup: () => Input | Promise<Input>; call: Kernel<Input> },
): Runner {
  return {
    isAsync: true,
    run: async (callCount) => {
      for (let i = 0; i < callCount; ++i) await singleCall(session, kernel);
    },
  };
}

function asBatch({
  total,
  counters,
  region,
}: {
  total: EnergyEstimate;
  counters: CounterEnergy[];
  region: Region;
}): RunBatch {
  return { estimate: total, callCount: 1, counters, region };
}

const FEWEST_SINGLE = 5;

function isNarrow(runs: readonly RunBatch[], targetRatio: number): boolean {
  if (runs.length < FEWEST_SINGLE) return false;
  const { uncertaintyJoules, energyJoules } = batchMeans(runs);
  return uncertaintyJoules <= targetRatio * energyJoules;
}

function ofBatches(batches: RunBatch[], method: Measured['method'], random: () => number): Measured {
  const good = told(batches);
  return {
    total: meanOfBatches(good, random),
    counters: countersOfBatches(good, random),
    regions: good.map(({ region, callCount }) => ({ region, callCount })),
    method,
    lostCount: batches.length - good.length,
  };
}

/** `parse: 6.04 mJ ± 0.05 mJ a call of 101 µs; 3.02 mJ ± 0.06 mJ above idle, ...` */
export function summaryOf(
  result: Pick<KernelEnergy, 'name' | 'total' | 'active' | 'marginal' | 'callSeconds' | 'missing'>,
): string {
  const { name, total, active, marginal, callSeconds, missing } = result;
  const least = missing.length > 0 ? 'at least ' : '';
  const parts = [
    `${name}: ${least}${energyInWords(total)} a call of ${secondsInWords(callSeconds)}`,
    ...(active === undefined ? [] : [`above idle ${energyInWords(active)}`]),
    ...(marginal === undefined ? [] : [`above an empty loop ${energyInWords(marginal)}`]),
  ];
  return parts.join('; ');
}
