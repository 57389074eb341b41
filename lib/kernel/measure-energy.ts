// SPDX-License-Identifier: MIT
//
// The energy of one call of a function.
import { MicrojouleError } from '../core/errors.js';
import type { Warning } from '../core/vocabulary.js';
import { overBaseline } from '../precision/baseline.js';
import { median } from '../precision/samples.js';
import type { EnergyEstimate, PowerEstimate, Region } from '../precision/types.js';
import { missingOf } from '../region/estimate.js';
import type { CounterEnergy } from '../region/types.js';
import { Baselines } from './baselines.js';
import { countersOfBatches, meanOfBatches, type RunBatch, runBatches, told } from './batches.js';
import { estimateEnergy } from './estimated.js';
import { GarbageWatch } from './garbage.js';
import { checkFunction, type Resolved, resolveOptions } from './options.js';
import {
  isThenable,
  type Runner,
  runnerOf,
  secondsOf,
  type TimedRegion,
  type WarmUp,
  warmUp,
} from './run.js';
import { openSession, type Session } from './session.js';
import { runSingles, tellCall } from './singles.js';
import { type SetupCall, singleCall, sweep } from './sweep.js';
import type { Kernel, KernelEnergy, MeasureEnergyOptions, StopSignal } from './types.js';
import { perCall, timeDrift, warningsOf } from './verdict.js';
import { energyInWords, secondsInWords } from './words.js';

/** Parts of the budget. */
const WARM_UP_SHARE = 0.2;
/** A first call this long leaves no time for another. */
const LONG_CALL_SHARE = 0.5;
const LEAST_SHARE = 0.2;
const LEAST_SECONDS = 0.5;
/** Below this part of the time a function that is awaited is said to wait. */
const BUSY_RATIO = 0.8;
/** Calls this long, in periods, are told one by one. */
const SINGLE_PERIODS = 3;

/** What was run and counted. */
interface Measured {
  total: EnergyEstimate;
  counters: CounterEnergy[];
  /** Calls, or batches of them, in order. */
  regions: { region: TimedRegion; callCount: number }[];
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
    if (!isMissing) throw error;
    if (options.allowEstimates !== true) throw offeringEstimates(error);
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

function offeringEstimates(error: MicrojouleError): MicrojouleError {
  const estimates = 'Or pass allowEstimates: true for a model of the CPU instead of a measurement.';
  return new MicrojouleError('ERR_NO_COUNTERS', error.message, {
    hint: `${error.hint ?? ''} ${estimates}`.trim(),
    cause: error,
  });
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

  // The first call says whether it is async, and may be all there is time for.
  let isAsync = false;
  const looked = (input: Input): unknown => {
    const result = fn(input);
    isAsync = isThenable(result);
    return result;
  };
  let region = await singleCall(session, { ...kernel, call: looked });
  const longSeconds = LONG_CALL_SHARE * budgetSeconds;
  // A slow first call may be slow because it is the first.
  if (secondsOf(region) > longSeconds && (performance.now() - startMs) / 1000 < budgetSeconds) {
    region = await singleCall(session, kernel);
  }
  const isLong = secondsOf(region) > longSeconds;
  // Its record is kept for a few seconds only.
  const long = isLong ? [await tellCall(session, region)] : [];
  signal?.throwIfAborted();

  // Loops call without an argument; with a setup each call has its own.
  const runner = runnerOf(fn as () => unknown, isAsync);
  const warm = isLong
    ? { callCount: 0, durationSeconds: 0, isStable: false, callSeconds: secondsOf(region) }
    : await warmUpKernel(session, runner, setup === undefined ? undefined : kernel, region, {
        mostSeconds: WARM_UP_SHARE * budgetSeconds,
        signal,
      });
  const baselines = new Baselines(session, budgetSeconds, isAsync, isLong);
  const watchedMs = performance.now();
  await baselines.watch(signal);
  // The second watch takes as long as the first.
  const watchMs = Math.min(performance.now() - watchedMs, 500 * budgetSeconds);
  const rules = { targetRatio, deadlineMs: startMs + 1000 * budgetSeconds - watchMs, random, signal };

  const isShort = warm.callSeconds * 1e9 < SINGLE_PERIODS * session.calibration.periodNs;
  let measured: Measured;
  if (isLong || (setup !== undefined && !isShort)) {
    measured = ofBatches(await runSingles(session, kernel, long, rules), 'single-calls', random);
  } else if (setup !== undefined) {
    const { total, counters, calls, interruptedCount } = await sweep(session, kernel, rules);
    const regions = calls.map((call) => ({ region: call, callCount: 1 }));
    measured = { total, counters, regions, method: 'phase-sweep', lostCount: interruptedCount };
  } else {
    const batches = await runBatches(session, runner, warm.callSeconds, {
      ...rules,
      leastSeconds: leastOf(budgetSeconds),
    });
    measured = ofBatches(batches, 'batches', random);
  }
  await baselines.watch(signal);

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
  // What mostly waits uses less than a loop that spins: the difference would say nothing of the work.
  const cpuSeconds = regions.reduce((sum, { region }) => sum + region.cpuSeconds, 0);
  const isWaiting = isAsync && cpuSeconds < BUSY_RATIO * seconds;
  const marginal = emptyLoop === undefined || isWaiting ? undefined : above(emptyLoop, 'marginal');
  const garbageCollection = await garbage.stop(regions.map(({ region }) => region));
  const timeDriftRatio = timeDrift(regions.map(({ region, callCount: calls }) => secondsOf(region) / calls));
  const base = {
    name,
    provenance: { ...session.provenance, method },
    total,
    ...(active === undefined ? {} : { active }),
    ...(marginal === undefined ? {} : { marginal }),
    counters,
    missing: [...missingOf(counters), ...session.recorder.absent()],
    callSeconds,
    callCount,
    batchCount: regions.length,
    lostBatchCount: lostCount,
    ...(idle === undefined ? {} : { idle }),
    ...(emptyLoop === undefined ? {} : { emptyLoop }),
    warmUp: { callCount: warm.callCount, durationSeconds: warm.durationSeconds, isStable: warm.isStable },
    garbageCollection,
    ...(timeDriftRatio === undefined ? {} : { timeDriftRatio }),
  };
  const warnings: Warning[] = warningsOf(base, {
    targetRatio,
    budgetSeconds,
    tookSeconds: (performance.now() - startMs) / 1000,
    baselineSeconds: baselines.neededSeconds,
    isLong,
    isWaiting,
  });
  return { ...base, warnings, summary: summaryOf(base) };
}

/** Warm-up, also of calls that each need a setup: the time of a call is then without it. */
async function warmUpKernel<Input>(
  session: Session,
  runner: Runner,
  kernel: SetupCall<Input> | undefined,
  first: Region,
  { mostSeconds, signal }: { mostSeconds: number; signal: StopSignal | undefined },
): Promise<WarmUp> {
  if (kernel === undefined) return warmUp(runner, secondsOf(first), mostSeconds, signal);
  const calls: number[] = [];
  const run = async (callCount: number): Promise<void> => {
    for (let i = 0; i < callCount; ++i) calls.push(secondsOf(await singleCall(session, kernel)));
  };
  const warm = await warmUp({ isAsync: true, run }, secondsOf(first), mostSeconds, signal);
  return { ...warm, callSeconds: median(calls.slice(-warm.callCount / 2)) ?? warm.callSeconds };
}

/** The 95 % are of the time that was measured: a moment would not stand for the function's usual ways. */
function leastOf(budgetSeconds: number): number {
  return Math.min(LEAST_SECONDS, LEAST_SHARE * budgetSeconds);
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
