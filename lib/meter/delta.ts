// SPDX-License-Identifier: MIT
//
// What one counter metered between two readings, whatever the total then holds.
import { formatDuration } from '../core/numbers.js';
import { NANOSECONDS_PER_SECOND } from '../core/units.js';
import type { Domain, Status } from '../core/vocabulary.js';
import type { CounterTiming, NativeCounter } from './native.js';
import { type CounterReading, ticksToJoules } from './reading.js';

/** A counter's energy in a region, or why there is none. */
export interface Found {
  status: Status;
  detail: string;
  energyJoules?: number;
  incomplete?: true;
  indicative?: true;
  method?: string;
}

/** What can be asked about the counter. */
export interface About {
  status(code: number): Status;
  explain(): string;
  timing(): CounterTiming;
}

/** Own intervals that differ more than this from the region's are worth a word. */
const NOTED_RATIO = 0.01;
/**
 * By how many updates, and of a fast counter whose period is not known by how many seconds, a counter's own interval may
 * differ from the region's. What is missing beyond that was not counted.
 */
const LAG_PERIODS = 3;
const LAG_SECONDS = 0.05;
/** The thread that asks slow counters may be late on a busy machine: that much of a region may be carried over. */
const CARRIED_RATIO = 0.02;
/** Regions of fewer updates of a slow counter give an indication only. */
export const LEAST_UPDATES = 10;
/** Reading before and after errs by sd T / (sqrt(6) L): 1 % from 41 updates on. */
export const UPDATES_FOR_ONE_PERCENT = 41;
/** Of GPUs, until the updates of the one at hand were seen; as natively (nvml_update.h). */
const ASSUMED_PERIOD_SECONDS = 0.1;
const OF_GPUS: readonly Domain[] = ['gpu', 'gpu-memory', 'module'];

export function failed(status: Status, detail: string): Found {
  return { status, detail };
}

/** How long a region must be for a slow counter, and of what that follows. */
interface Wanted {
  leastSeconds: number;
  words: string;
}

/** Each end of a region is known to an update, and is as late as the value that is read then. */
function wantedLength(counter: NativeCounter, timing: CounterTiming): Wanted | undefined {
  const { updatePeriodNs = 0, lagNs = 0, isLongestPeriod } = timing;
  const isKnown = updatePeriodNs > 0;
  if (!counter.blocking || !(isKnown || OF_GPUS.includes(counter.domain))) return undefined;
  const period = isKnown ? updatePeriodNs / NANOSECONDS_PER_SECOND : ASSUMED_PERIOD_SECONDS;
  const lag = lagNs / NANOSECONDS_PER_SECOND;
  const every = formatDuration(period);
  const updated = !isKnown
    ? `it is assumed to be updated every ${every}`
    : isLongestPeriod
      ? `it is updated every ${every} or more often, which cannot be seen`
      : `it is updated every ${every}`;
  const late = lag > NOTED_RATIO * period ? `, ${formatDuration(lag)} late` : '';
  const least = LEAST_UPDATES * (period + lag);
  const good = formatDuration(UPDATES_FOR_ONE_PERCENT * (period + lag));
  return {
    leastSeconds: least,
    words: `${updated}${late}, so make the region ${formatDuration(least)} long at least, and ${good} for 1 %`,
  };
}

function methodOf(about: About): { method?: string } {
  const { method } = about.timing();
  return method === undefined ? {} : { method };
}

/** How much of a region a counter's own interval may lack or exceed, in seconds. */
function plausibleLag(counter: NativeCounter, seconds: number, about: About): number {
  const { updatePeriodNs = 0, lagNs = 0 } = about.timing();
  const known = updatePeriodNs / NANOSECONDS_PER_SECOND;
  const periodSeconds = known > 0 || !counter.blocking ? known : ASSUMED_PERIOD_SECONDS;
  const lagSeconds = LAG_PERIODS * periodSeconds + lagNs / NANOSECONDS_PER_SECOND;
  return Math.max(LAG_SECONDS, lagSeconds, counter.blocking ? CARRIED_RATIO * seconds : 0);
}

function stale(counter: NativeCounter, seconds: number, about: About): Found {
  const still = `${counter.origin} did not move in ${seconds.toPrecision(3)} s`;
  const wanted = wantedLength(counter, about.timing());
  if (wanted !== undefined && seconds < wanted.leastSeconds) {
    return failed('stale', `${still}: ${wanted.words}`);
  }
  return failed(
    'stale',
    `${still}: the region is shorter than its update, or it counts nothing on this machine`,
  );
}

/** A part of a region's energy: no time of the rest is known, so nothing is scaled. */
function part(counter: NativeCounter, ticks: bigint, detail: string, about: About): Found {
  return {
    status: 'ok',
    detail,
    energyJoules: ticksToJoules(BigInt.asUintN(64, ticks), counter.scaleNumerator, counter.scaleDenominator),
    incomplete: true,
    ...methodOf(about),
  };
}

/** Whether a count with a time of its own holds nothing but what was used, though gaps may have hidden some. */
function isSure(from: CounterReading, about: About): boolean {
  return from.timeNs !== 0n && (about.timing().jumpBreakCount ?? 0) <= from.breakCount;
}

/** What a slow counter that was lost in the region had counted until then is a part of its energy. */
function untilLost(counter: NativeCounter, from: CounterReading, to: CounterReading, about: About): Found {
  const why = about.explain();
  const status = about.status(to.statusCode);
  const ownSeconds = Number(to.timeNs - from.timeNs) / NANOSECONDS_PER_SECOND;
  if (from.statusCode !== 0 || !isSure(from, about) || !(ownSeconds > 0) || to.ticks === from.ticks) {
    return failed(status, why);
  }
  const detail = `counted for ${ownSeconds.toPrecision(3)} s only, then ${status}: ${why}`;
  return part(counter, to.ticks - from.ticks, detail, about);
}

/** So is what one has counted that could not be read at the start, from when it could on. */
function sinceResumed(counter: NativeCounter, from: CounterReading, to: CounterReading, about: About): Found {
  const why = failed(about.status(from.statusCode), `${counter.origin} could not be read at the start`);
  const { resumedTicks, resumedNs, jumpBreakCount = 0 } = about.timing();
  if (resumedTicks === undefined || resumedNs === undefined || jumpBreakCount > from.breakCount) return why;
  const ownSeconds = Number(to.timeNs - resumedNs) / NANOSECONDS_PER_SECOND;
  if (!(ownSeconds > 0) || !(to.ticks > resumedTicks)) return why;
  const detail = `counted for the last ${ownSeconds.toPrecision(3)} s only: ${why.detail}`;
  return part(counter, to.ticks - resumedTicks, detail, about);
}

/** What it counted before and after a gap is known. */
function acrossBreak(counter: NativeCounter, from: CounterReading, to: CounterReading, about: About): Found {
  const why = about.explain();
  if (!isSure(from, about) || to.ticks === from.ticks) return failed('implausible', why);
  return part(counter, to.ticks - from.ticks, `counted in part only: ${why}`, about);
}

/** @param seconds between the two readings, by their own clock */
export function deltaBetween(
  counter: NativeCounter,
  from: CounterReading | undefined,
  to: CounterReading | undefined,
  seconds: number,
  about: About,
): Found {
  if (from === undefined || to === undefined) return failed('failed', 'not part of both readings');
  if (to.statusCode !== 0) return untilLost(counter, from, to, about);
  if (from.statusCode !== 0) return sinceResumed(counter, from, to, about);
  if (to.breakCount !== from.breakCount) return acrossBreak(counter, from, to, about);
  if (to.ticks === from.ticks) return stale(counter, seconds, about);
  const energyJoules = ticksToJoules(
    // A count that began near 2^64 goes on at 0.
    BigInt.asUintN(64, to.ticks - from.ticks),
    counter.scaleNumerator,
    counter.scaleDenominator,
  );
  const ownSeconds = Number(to.timeNs - from.timeNs) / NANOSECONDS_PER_SECOND;
  if (from.timeNs === 0n || !(ownSeconds > 0)) return { status: 'ok', detail: counter.detail, energyJoules };
  const ownWords = `${ownSeconds.toPrecision(3)} s`;
  const lag = plausibleLag(counter, seconds, about);
  if (seconds - ownSeconds > lag) {
    const why = `its own time stood still for the rest of ${seconds.toPrecision(3)} s`;
    return {
      status: 'ok',
      detail: joined(counter.detail, `counted for ${ownWords} only: ${why}`),
      energyJoules,
      incomplete: true,
      ...methodOf(about),
    };
  }
  const ratio = seconds / ownSeconds;
  const isNoted = Math.abs(ratio - 1) > NOTED_RATIO;
  const wanted = wantedLength(counter, about.timing());
  const isShort = wanted !== undefined && seconds < wanted.leastSeconds;
  const isWide = ownSeconds - seconds > lag;
  const only = isShort ? wanted.words : isWide ? 'its last update before the region was long ago' : '';
  const lateSeconds = (about.timing().lagNs ?? 0) / NANOSECONDS_PER_SECOND;
  const isLate = !isShort && lateSeconds > NOTED_RATIO * seconds;
  return {
    status: 'ok',
    detail: joined(
      counter.detail,
      isNoted ? `read over ${ownWords} of its own, scaled to the region` : '',
      isLate ? `what it tells comes ${formatDuration(lateSeconds)} late` : '',
      only === '' ? '' : `an indication only: ${only}`,
    ),
    energyJoules: energyJoules * ratio,
    ...(only === '' ? {} : { indicative: true }),
    ...methodOf(about),
  };
}

function joined(...parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join('; ');
}
