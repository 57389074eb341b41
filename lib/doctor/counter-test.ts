// SPDX-License-Identifier: MIT
//
// What a counter's record in the live test says of it. A function of the record alone.
import { formatDuration } from '../core/numbers.js';
import type { Domain, Status } from '../core/vocabulary.js';
import type { CounterDelta } from '../meter/meter.js';
import { ticksToJoules } from '../meter/reading.js';
import type { Compared } from './consistency.js';
import { sumsCores } from './cores.js';
import { ERRORS, granularityOf, shortestRegion } from './resolution.js';
import {
  bestPeriod,
  isFrozen,
  isUnresolved,
  meanWatts,
  type Period,
  quantumTicks,
  stillSeconds,
} from './statistics.js';
import type { Track } from './track.js';

/** No hardware updates RAPL so seldom; QEMU's emulation does, once a second. */
const SELDOM_SECONDS = 0.5;

/** These draw power as long as the machine is on. */
const TIRELESS: ReadonlySet<Domain> = new Set(['package', 'dram', 'gpu']);
/** The same of RAPL. Cores and graphics may rest for seconds, and GPUs say less often what they drew. */
const TIRELESS_RAPL: ReadonlySet<Domain> = new Set(['package', 'dram', 'psys']);

export interface Seen {
  delta: CounterDelta;
  /** By the meter that watched the whole test. */
  watched: Track;
  /** By the one that read its source alone. */
  tight: Track | undefined;
  idleEndNs: number;
  durationSeconds: number;
  isVirtual: boolean;
}

/** What a counter that was never read has to say: it is listed for what the total lacks. */
function untested({ delta, durationSeconds }: Seen): Compared {
  const { id, source, domain, device, die, status, scaleNumerator, scaleDenominator } = delta.counter;
  return {
    id,
    source,
    domain,
    device,
    ...(die === undefined ? {} : { die }),
    status,
    detail: delta.counter.detail || delta.detail,
    inTotal: false,
    moved: false,
    updateCount: 0,
    stillSeconds: durationSeconds,
    scaleNumerator,
    scaleDenominator,
  };
}

/** About a counter that seldom moves, and should not. */
function seldomWords({ delta, isVirtual }: Seen, period: Period | undefined, updateCount: number): string {
  if (!TIRELESS_RAPL.has(delta.counter.domain) || updateCount === 0) return '';
  if (period === undefined ? updateCount > 2 : period.periodSeconds < SELDOM_SECONDS) return '';
  if (isVirtual) {
    return 'updated about once a second, as QEMU emulates RAPL from the host: regions below a second say nothing';
  }
  if (period === undefined) return `updated only ${updateCount === 1 ? 'once' : 'twice'} in the test`;
  return `updated only every ${formatDuration(period.periodSeconds)}`;
}

export function judgeCounter(seen: Seen): Compared {
  const { delta, watched, tight, idleEndNs } = seen;
  const { id, source, domain, device, die, scaleNumerator, scaleDenominator } = delta.counter;
  if (delta.counter.status !== 'ok') return untested(seen);
  const joules = (ticks: bigint): number => ticksToJoules(ticks, scaleNumerator, scaleDenominator);
  const updateCount = Math.max(watched.updateCount, tight?.updateCount ?? 0);
  const moved = updateCount > 0;
  // The time between two updates of a sum is that between two cores, which says nothing of either.
  const isSum = sumsCores(source);
  const period = isSum ? undefined : bestPeriod(tight, watched);
  const movedAtEveryRead = period !== undefined && isUnresolved(period);
  const quantum = quantumTicks([tight, watched]);
  const idleWatts = meanWatts(watched, 0, idleEndNs, joules);
  const busyWatts = meanWatts(watched, idleEndNs, Number.POSITIVE_INFINITY, joules);
  const still = stillSeconds(watched);
  // Graphics that are switched off stand still and are well; what the total adds up never rests.
  const frozen = TIRELESS.has(domain) && isFrozen(watched);
  const status: Status = delta.status === 'ok' && frozen ? 'stale' : delta.status;
  const details = [
    delta.detail,
    frozen
      ? `stood still for ${formatDuration(still)}, though it had moved often before: do not trust it`
      : seldomWords(seen, period, watched.updateCount),
    isSum && moved ? 'the sum of cores that update one after another, so it has no period' : '',
    movedAtEveryRead ? 'moved at every read: it may be updated more often than it can be read' : '',
    status === 'stale' || (status === 'ok' && !moved) ? 'so its energy is unknown, not 0' : '',
  ];
  const test: Compared = {
    id,
    source,
    domain,
    device,
    ...(die === undefined ? {} : { die }),
    status,
    detail: details.filter((part) => part !== '').join('; '),
    inTotal: delta.inTotal && status === 'ok',
    moved,
    updateCount,
    ...(delta.energyJoules === undefined || status !== 'ok' ? {} : { energyJoules: delta.energyJoules }),
    ...(period === undefined
      ? {}
      : { updatePeriodSeconds: period.periodSeconds, resolutionSeconds: period.resolutionSeconds }),
    ...(movedAtEveryRead ? { movedAtEveryRead } : {}),
    ...(period?.jitterSeconds === undefined ? {} : { jitterSeconds: period.jitterSeconds }),
    stillSeconds: still,
    ...(quantum === undefined ? {} : { quantumJoules: joules(quantum) }),
    ...(idleWatts === undefined ? {} : { idleWatts }),
    ...(busyWatts === undefined ? {} : { busyWatts }),
    scaleNumerator,
    scaleDenominator,
  };
  if (!moved || frozen || isSum) return test;
  const region = (errorRatio: number) => shortestRegion(granularityOf(test), errorRatio).regionSeconds;
  return {
    ...test,
    regionSeconds: {
      onePercentSeconds: region(ERRORS.onePercent),
      fivePercentSeconds: region(ERRORS.fivePercent),
    },
  };
}
