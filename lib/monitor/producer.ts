// SPDX-License-Identifier: MIT
//
// Rows from a meter at an interval. Nothing is queued here: each record is handed on when it is there.
import { MicrojouleError } from '../core/errors.js';
import { findDisplayControllers } from '../estimate/display-controllers.js';
import { describeOs, describeRuntime, readCpuIdentity, readMemory } from '../estimate/machine.js';
import { unmeteredControllers } from '../measure/components.js';
import { type Meter, openMeter } from '../meter/meter.js';
import { resolveMeterOptions } from '../meter/options.js';
import { StreamTotals } from '../stream/totals.js';
import {
  STREAM_SCHEMA,
  type StreamAbsence,
  type StreamEnd,
  type StreamHeader,
  type StreamRecord,
} from '../stream/types.js';
import { packageVersion } from '../version.js';
import { channelsOf } from './channels.js';
import { type Anchor, clockId, hasJumped, takeAnchor, unixNsAt } from './clock.js';
import { CounterColumns } from './columns.js';
import { type Modelled, modelsFor } from './models.js';
import { checkInterval, type StreamOptions } from './options.js';

export type { StreamOptions } from './options.js';

const NS_PER_MS = 1e6;
/** Below this timers, which are good to a millisecond, come too late too often. */
const SLEPT_INTERVAL_NS = 20e6;
/** Rows that are missing for less than this are counted, not told one by one: timers are no better. */
const TOLD_STALL_NS = 50e6;
/** Boot time that runs away from monotonic time by more than this has seen the machine asleep. */
const SLEEP_NS = 10e6;

/** A stream that runs. It keeps the process alive until it is stopped or its duration is over. */
export interface RunningStream {
  readonly header: StreamHeader;
  /** What it adds up to so far. */
  readonly totals: StreamTotals;
  /** Settles with the end record, after it was handed on. */
  readonly ended: Promise<StreamEnd>;
  /**
   * Takes a row beside those that are due: of this moment, or of the latest sample of a meter that the stream was given,
   * so that who has just read that meter gets the row of the very same reading.
   */
  row(): void;
  /** Takes a last row and ends the stream. Only the first call does something. */
  stop(reason?: StreamEnd['reason']): void;
}

/**
 * Streams the energy of the whole machine: calls `take` with the header and the first row at once, then with each record
 * when it is there, the end record last. What `take` throws ends the stream and rejects `ended`.
 * @throws MicrojouleError `ERR_BAD_OPTION`; `ERR_NO_COUNTERS` where there is nothing to tell: no counter, and no estimates
 */
export function startStream(options: StreamOptions, take: (record: StreamRecord) => void): RunningStream {
  const intervalMs = checkInterval(options);
  const meter = options.meter ?? openMeter(options);
  try {
    return new Producer(meter, intervalMs, options, take);
  } catch (error) {
    if (options.meter === undefined) meter.close();
    throw error;
  }
}

class Producer implements RunningStream {
  readonly header: StreamHeader;
  readonly totals: StreamTotals;
  readonly ended: Promise<StreamEnd>;
  readonly #meter: Meter;
  readonly #ownsMeter: boolean;
  readonly #take: (record: StreamRecord) => void;
  readonly #counters: CounterColumns;
  readonly #counterCount: number;
  readonly #models: Modelled[];
  readonly #startNs: bigint;
  readonly #intervalNs: number;
  readonly #endNs: number;
  #anchor: Anchor;
  /** By how much boot time is ahead of monotonic time. */
  #asleepNs: number;
  /** Rows that came too late for their place, in stalls too short to be told. */
  #lateCount = 0;
  #lastNs = -1;
  /** To sleep on: nobody ever wakes it. */
  readonly #cell: Int32Array | undefined;
  #timer: NodeJS.Timeout | undefined;
  #turn: NodeJS.Immediate | undefined;
  #isStopped = false;
  #settle: { resolve(end: StreamEnd): void; reject(error: unknown): void } | undefined;

  constructor(
    meter: Meter,
    intervalMs: number,
    options: StreamOptions,
    take: (record: StreamRecord) => void,
  ) {
    this.#meter = meter;
    this.#ownsMeter = options.meter === undefined;
    this.#take = take;
    this.#intervalNs = intervalMs * NS_PER_MS;
    if (options.sleeps === true && this.#intervalNs < SLEPT_INTERVAL_NS) {
      this.#cell = new Int32Array(new SharedArrayBuffer(4));
    }
    this.#endNs = (options.durationSeconds ?? Number.POSITIVE_INFINITY) * 1e9;
    const listed = meter.list(meter.read());
    const { columns, absent } = channelsOf(
      listed,
      meter.sources,
      (index) =>
        meter.timing(index).updatePeriodNs ?? options.updatePeriodsNs?.get(meter.counters[index]?.id ?? ''),
    );
    const channels = columns.map(({ channel }) => channel);
    const { sysfs } = resolveMeterOptions(options);
    const modelled = modelsFor(channels, sysfs, options);
    this.#models = options.estimates === false ? [] : modelled;
    channels.push(...this.#models.map(({ channel }) => channel));
    if (channels.length === 0) {
      throw new MicrojouleError('ERR_NO_COUNTERS', 'there is no counter to stream', {
        hint: 'What is missing and how to get it: microjoule doctor. Or leave estimates on.',
      });
    }
    this.#counters = new CounterColumns(meter, columns);
    this.#counterCount = columns.length;
    this.#anchor = takeAnchor();
    meter.sample(true);
    this.#startNs = this.#middleNs();
    this.#asleepNs = this.#bootAheadNs();
    this.header = {
      type: 'header',
      schema: STREAM_SCHEMA,
      generator: { name: 'microjoule', version: packageVersion() },
      clock: {
        id: clockId(),
        monotonicNs: String(this.#startNs),
        unixNs: String(unixNsAt(this.#anchor, this.#startNs)),
        uncertaintyNs: this.#anchor.uncertaintyNs,
      },
      machine: describeMachine(),
      intervalNs: this.#intervalNs,
      channels,
      absent: [...absent, ...absentDevices(meter, sysfs)],
    };
    this.totals = new StreamTotals(this.header);
    this.ended = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    // Who never looks at it has the error from `take` itself at the first rows, and else nothing to do with it.
    this.ended.catch(() => {});
    this.#emit(this.header);
    this.#row(false);
    this.#schedule();
  }

  #middleNs(): bigint {
    const { words } = this.#meter;
    return ((words[0] ?? 0n) + (words[1] ?? 0n)) / 2n;
  }

  #bootAheadNs(): number {
    const { words } = this.#meter;
    return Number((words[2] ?? 0n) - (words[0] ?? 0n));
  }

  #emit(record: StreamRecord): void {
    this.totals.add(record);
    this.#take(record);
  }

  /**
   * The row of the meter's latest sample, and what is to be told before it.
   * @param isExact whether models must be of this very time, too
   */
  #row(isExact: boolean): void {
    const now = this.#middleNs();
    const timeNs = Number(now - this.#startNs);
    if (timeNs <= this.#lastNs) return;
    this.#tellStall(timeNs);
    this.#tellSleep(timeNs);
    this.#tellJump(timeNs, now);
    const energyJoules = new Array<number | null>(this.header.channels.length).fill(null);
    for (const record of this.#counters.take(timeNs, energyJoules)) this.#emit(record);
    for (const [index, model] of this.#models.entries()) {
      energyJoules[this.#counterCount + index] = model.at(timeNs, isExact, (note) =>
        this.#emit({ type: 'note', timeNs, ...note, channels: [model.channel.id] }),
      );
    }
    this.#lastNs = timeNs;
    this.#emit({ type: 'row', timeNs, energyJoules });
  }

  #tellStall(timeNs: number): void {
    if (this.#lastNs < 0) return;
    const place = (ns: number): number => Math.floor(ns / this.#intervalNs + 1e-9);
    const lostRowCount = place(timeNs) - place(this.#lastNs) - 1;
    if (lostRowCount <= 0) return;
    if (timeNs - this.#lastNs < this.#intervalNs + TOLD_STALL_NS) {
      this.#lateCount += lostRowCount;
      return;
    }
    this.#emit({
      type: 'gap',
      fromNs: this.#lastNs,
      toNs: timeNs,
      reason: 'stall',
      energyKept: true,
      lostRowCount,
      detail: 'this program was kept from reading; later rows hold the energy',
    });
  }

  #tellSleep(timeNs: number): void {
    const asleepNs = this.#bootAheadNs();
    const suspendedNs = asleepNs - this.#asleepNs;
    if (suspendedNs < SLEEP_NS || this.#lastNs < 0) return;
    this.#asleepNs = asleepNs;
    this.#emit({
      type: 'gap',
      fromNs: this.#lastNs,
      toNs: timeNs,
      reason: 'suspend',
      // What a counter lost by it is told of that counter.
      energyKept: true,
      suspendedNs,
      detail: 'the machine slept; what it used meanwhile is not metered',
    });
  }

  #tellJump(timeNs: number, now: bigint): void {
    // Since `now` the row's own preparations have passed at most.
    if (this.#lastNs < 0 || !hasJumped(this.#anchor, now, Date.now())) return;
    const anchor = takeAnchor();
    // The process was held up between the sample and the look at the clock.
    if (!hasJumped(this.#anchor, anchor.monotonicNs, Number(anchor.unixNs) / NS_PER_MS)) return;
    this.#anchor = anchor;
    const unixNs = String(unixNsAt(anchor, now));
    this.#emit({ type: 'clock', timeNs, unixNs, uncertaintyNs: anchor.uncertaintyNs });
  }

  /** How long until the next row is due. Places do not move: a late row makes the next one no later. */
  #waitMs(): number {
    const sinceNs = Number(process.hrtime.bigint() - this.#startNs);
    const nextNs = (Math.floor(this.#lastNs / this.#intervalNs + 1e-9) + 1) * this.#intervalNs;
    return (Math.min(nextNs, this.#endNs) - sinceNs) / NS_PER_MS;
  }

  #schedule(): void {
    const cell = this.#cell;
    if (cell === undefined) {
      // A row may be overdue; later versions of Node warn of a negative wait.
      this.#timer = setTimeout(() => this.#wake(), Math.max(0, this.#waitMs()));
      return;
    }
    // Whatever else there is to do has its turn between two rows.
    this.#turn = setImmediate(() => {
      const waitMs = this.#waitMs();
      if (waitMs > 0) Atomics.wait(cell, 0, 0, waitMs);
      this.#wake();
    });
  }

  #wake(): void {
    if (this.#isStopped) return;
    const sinceNs = Number(process.hrtime.bigint() - this.#startNs);
    if (sinceNs >= this.#endNs) {
      this.stop('duration');
      return;
    }
    try {
      // Timers fire up to a millisecond early.
      if (this.#waitMs() <= 0) {
        this.#meter.sample();
        this.#row(false);
      }
      if (!this.#isStopped) this.#schedule();
    } catch (error) {
      this.#fail(error);
    }
  }

  #close(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    clearImmediate(this.#turn);
    if (this.#ownsMeter) this.#meter.close();
  }

  #fail(error: unknown): void {
    this.#close();
    this.#settle?.reject(error);
  }

  row(): void {
    if (this.#isStopped) return;
    try {
      if (this.#ownsMeter) this.#meter.sample();
      this.#row(true);
    } catch (error) {
      this.#fail(error);
    }
  }

  stop(reason: StreamEnd['reason'] = 'stopped'): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    try {
      this.#meter.sample();
      this.#row(true);
      const end = this.#end(reason);
      this.#take(end);
      this.#close();
      this.#settle?.resolve(end);
    } catch (error) {
      this.#fail(error);
    }
  }

  #end(reason: StreamEnd['reason']): StreamEnd {
    const { timeNs, rowCount, lostRowCount, energyJoules, kind, atLeast, channelJoules } = this.totals;
    return {
      type: 'end',
      timeNs,
      reason,
      rowCount,
      lostRowCount: lostRowCount + this.#lateCount,
      ...(energyJoules === undefined || kind === undefined ? {} : { energyJoules, kind }),
      atLeast,
      channelJoules: [...channelJoules],
    };
  }
}

/** GPUs that the PCI bus shows and no counter stands for. */
function absentDevices(meter: Meter, sysfs: string): StreamAbsence[] {
  return unmeteredControllers(findDisplayControllers(sysfs) ?? [], meter.counters).map(
    ({ name, address }) => ({
      source: 'PCI bus',
      status: 'not-found',
      detail: `${name} at ${address} is present, without a counter`,
      inTotal: true,
    }),
  );
}

function describeMachine(): StreamHeader['machine'] {
  const { modelName, threadCount } = readCpuIdentity();
  return {
    os: describeOs(),
    runtime: describeRuntime(),
    ...(modelName === '' ? {} : { cpuModel: modelName }),
    cpuThreadCount: threadCount,
    ramTotalGib: readMemory().ramTotalGib,
  };
}
