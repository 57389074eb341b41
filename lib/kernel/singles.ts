// SPDX-License-Identifier: MIT
//
// Calls that are long enough to be told one by one.
import { performance } from 'node:perf_hooks';
import { batchesNeeded, batchMeans } from '../precision/repetition.js';
import { type BatchOptions, type RunBatch, told } from './batches.js';
import type { TimedRegion } from './run.js';
import type { Session } from './session.js';
import { type SetupCall, singleCall } from './sweep.js';

/** Before so many no interval is looked at: stopping at the first narrow one of few would favour those by chance. */
const FIRST_LOOK_COUNT = 10;

/** One call as it ran, told when the counters have moved on. */
export async function tellCall(session: Session, region: TimedRegion): Promise<RunBatch> {
  await session.settle(region.endNs);
  const { total, counters } = session.estimate(region);
  return { estimate: total, callCount: 1, counters, region };
}

/** Calls until their mean is known as well as wanted or the time is over: one at least, with those that were run. */
export async function runSingles<Input>(
  session: Session,
  kernel: SetupCall<Input>,
  before: readonly RunBatch[],
  { deadlineMs, targetRatio, signal }: BatchOptions,
): Promise<RunBatch[]> {
  const runs = [...before];
  let look = FIRST_LOOK_COUNT;
  while (runs.length === 0 || performance.now() < deadlineMs) {
    signal?.throwIfAborted();
    runs.push(await tellCall(session, await singleCall(session, kernel)));
    const good = told(runs);
    if (good.length < look) continue;
    const { uncertaintyJoules, energyJoules } = batchMeans(good);
    if (uncertaintyJoules <= targetRatio * energyJoules) break;
    const needed = batchesNeeded(
      good.map(({ estimate }) => estimate.energyJoules),
      targetRatio,
    );
    look = Math.max(good.length + 1, Math.min(needed, 2 * good.length));
  }
  return runs;
}
