// SPDX-License-Identifier: MIT
//
// Keeps what the sampler sees of all counters, as long as somebody may ask.
import { MicrojouleError } from '../core/errors.js';
import { loadNow } from '../load.js';
import type { Counter, CounterDelta, Meter } from '../meter/meter.js';
import type { MeterOptions } from '../meter/options.js';
import {
  openSampler,
  SAMPLE_FLAGS,
  SAMPLE_HEADER_WORDS,
  SAMPLE_RECORD_WORDS,
  type SampledCounter,
  type Sampler,
} from '../meter/sampler.js';
import type { CounterCalibration } from '../precision/types.js';
import type { Kept } from './open-region.js';
import { Series } from './series.js';
import type { RegionOptions } from './types.js';

const TWO_32 = 2 ** 32;
/** The native ring holds 13 s of five millisecond counters. */
const DRAIN_MS = 250;
/** What is kept when no region is open: regions that begin now ask for what came just before. */
const HISTORY_NS = 3e9;
/** A calibration reads all the time for 0.3 s at most; a busy machine takes its time. */
const CALIBRATION_MS = 1500;
/** The estimators ask for two updates on either side of a region. */
const UPDATES_AFTER = 2;
const UPDATES_BEFORE = 3;
/** A counter that does not update for so many of its periods will not. */
const MOST_PERIODS = 20;
const LEAST_WAIT_NS = 100e6;
const MOST_WAIT_NS = 2e9;

/** A counter that is recorded. */
export interface Recorded {
  readonly sampled: SampledCounter;
  /** The meter's counter of that name. */
  readonly counter: Counter;
  readonly inTotal: boolean;
  readonly series: Series;
  /** What is known of its updates; undefined while it has not updated. */
  calibration: CounterCalibration | undefined;
  /** Whether the sampler may yet find out. */
  isCalibrating: boolean;
}

interface Waiter {
  sinceNs: number;
  giveUpNs: number;
  resolve: () => void;
}

/** One sampler's records in JavaScript. Its times are nanoseconds since it was made, as doubles: exact for 104 days. */
export class Recorder {
  readonly originNs: bigint;
  readonly recorded: readonly Recorded[];
  readonly recordedById: ReadonlyMap<string, Recorded>;
  /** All counters of the meter, and what the total holds. */
  readonly listed: readonly CounterDelta[];
  readonly #meter: Meter;
  readonly #options: MeterOptions;
  #absent: readonly string[] | undefined;
  readonly #sampler: Sampler;
  readonly #words: Uint32Array<SharedArrayBuffer>;
  /** By the sampler's number: its record, joules per tick, and the ticks that its joules count from, in two halves. */
  readonly #byIndex: (Recorded | undefined)[] = [];
  readonly #scales: number[] = [];
  readonly #bases: { high: number; low: number; joules: number }[] = [];
  readonly #originHigh: number;
  readonly #originLow: number;
  /** About whose starts the record is kept. */
  readonly kept = new Set<Kept>();
  /** Called when it closes. */
  readonly closing = new Set<() => void>();
  readonly #waiters = new Set<Waiter>();
  readonly #drainTimer: NodeJS.Timeout;
  #waitTimer: NodeJS.Timeout | undefined;
  #horizonNs = 0;
  #closed = false;

  /**
   * Opens a sampler of what the meter reads, and starts it.
   * @throws MicrojouleError `ERR_NO_COUNTERS`
   */
  constructor(meter: Meter, options: MeterOptions & RegionOptions) {
    this.#meter = meter;
    this.#options = options;
    this.#sampler = openSampler(options);
    this.originNs = process.hrtime.bigint();
    this.#originHigh = Number(this.originNs >> 32n);
    this.#originLow = Number(this.originNs & 0xffffffffn);
    this.#words = new Uint32Array(this.#sampler.samples.words.buffer);
    this.listed = meter.list(meter.opened);
    const known = new Map(this.listed.map((delta) => [delta.counter.id, delta]));
    const recorded: Recorded[] = [];
    this.#sampler.counters().forEach((sampled, index) => {
      const delta = known.get(sampled.id);
      if (delta === undefined) return;
      const { counter, inTotal } = delta;
      const one = {
        sampled,
        counter,
        inTotal,
        series: new Series(),
        calibration: undefined,
        isCalibrating: true,
      };
      recorded.push(one);
      this.#byIndex[index] = one;
      this.#scales[index] = Number(sampled.scaleNumerator) / Number(sampled.scaleDenominator);
    });
    this.recorded = recorded;
    this.recordedById = new Map(recorded.map((one) => [one.counter.id, one]));
    this.#sampler.start();
    this.#drainTimer = setInterval(() => this.drain(), DRAIN_MS).unref();
  }

  /** What draws power and has no counter, in words. Looked for once. */
  absent(): readonly string[] {
    this.#absent ??= loadNow<typeof import('./absent.js')>('region/absent').absentDevices(
      this.#meter,
      this.#options,
    );
    return this.#absent;
  }

  /** Now, in the recorder's time. */
  nowNs(): number {
    return this.at(process.hrtime.bigint());
  }

  /** Whatever updated before this time is recorded, as far as it could be seen. */
  get horizonNs(): number {
    return this.#horizonNs;
  }

  /** A time of `process.hrtime.bigint()` in the recorder's. */
  at(time: bigint): number {
    return Number(time - this.originNs);
  }

  /** Settles when every counter's updates are known, or will not be: at most 1.5 s. */
  async calibrated(): Promise<void> {
    const endMs = performance.now() + CALIBRATION_MS;
    for (;;) {
      this.drain();
      this.refresh();
      const isBusy = this.#sampler.counters().some(({ mode }) => mode === 'calibrating');
      // Counters of idle parts may never move; those of the total do.
      const isKnown = this.recorded.every(
        // A region that begins now asks for what came before it.
        ({ inTotal, calibration, series }) =>
          !inTotal || (calibration !== undefined && series.updateCount >= UPDATES_BEFORE),
      );
      if (this.#closed) return;
      if ((!isBusy && isKnown) || performance.now() > endMs) return this.#sampler.remember();
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  /** Calibrates anew, and settles when that is done. */
  async calibrate(): Promise<void> {
    this.#sampler.calibrate();
    // The threads take the order a moment later, and say so at once.
    const endMs = performance.now() + CALIBRATION_MS;
    const hasBegun = (): boolean => this.#sampler.counters().some(({ mode }) => mode === 'calibrating');
    while (!this.#closed && !hasBegun() && performance.now() < endMs) {
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await this.calibrated();
  }

  /** Takes over what the sampler has found out about its counters by now. */
  refresh(): void {
    if (this.#closed) return;
    this.#sampler.counters().forEach((sampled, index) => {
      const recorded = this.#byIndex[index];
      if (recorded === undefined) return;
      const joulesPerTick = this.#scales[index] ?? 0;
      recorded.calibration =
        calibrationOf(sampled, joulesPerTick) ?? roughCalibration(sampled, joulesPerTick, recorded.series);
      recorded.isCalibrating = sampled.mode === 'calibrating';
    });
  }

  /** Moves what is new from the sampler into the series. Allocates nothing but room for them. */
  drain(): void {
    if (this.#closed) return;
    const room = (this.#words.length / 2 - SAMPLE_HEADER_WORDS) / SAMPLE_RECORD_WORDS;
    for (let count = room; count === room; ) {
      count = this.#sampler.drain();
      for (let record = 0; record < count; ++record) this.#take(record);
    }
    // Word 2 of the header.
    const [low = 0, high = 0] = [this.#words[4], this.#words[5]];
    if (low !== 0 || high !== 0) this.#horizonNs = this.#since(high, low);
    const now = this.nowNs();
    let oldest = now;
    for (const { start } of this.kept) oldest = Math.min(oldest, this.at(start));
    const edges = (): number[] => [...Array.from(this.kept, ({ start }) => this.at(start)), now];
    for (const { series } of this.recorded) series.forget(oldest - HISTORY_NS, edges);
  }

  #since(high: number, low: number): number {
    return (high - this.#originHigh) * TWO_32 + (low - this.#originLow);
  }

  #take(record: number): void {
    const at = 2 * (SAMPLE_HEADER_WORDS + SAMPLE_RECORD_WORDS * record);
    const word = (index: number): number => this.#words[at + index] ?? 0;
    const index = word(0) & 0xffff;
    const recorded = this.#byIndex[index];
    if (recorded === undefined) return;
    const flags = word(0) >>> 16;
    const { series } = recorded;
    let base = this.#bases[index];
    if (base === undefined || (flags & SAMPLE_FLAGS.break) !== 0) {
      // What was counted across a break is not known. A fall tells the estimators so.
      const joules = base === undefined ? 0 : series.latestJoules - 1;
      base = { high: word(7), low: word(6), joules };
      this.#bases[index] = base;
    }
    const ticks = (word(7) - base.high) * TWO_32 + (word(6) - base.low);
    const isLost = (flags & (SAMPLE_FLAGS.gap | SAMPLE_FLAGS.overrun)) !== 0;
    series.add(
      this.#since(word(3), word(2)),
      this.#since(word(5), word(4)),
      base.joules + ticks * (this.#scales[index] ?? 0),
      isLost ? -1 : word(1),
    );
  }

  /**
   * Settles when the counters of the total have updated twice after a time, so that whatever ended there can be told;
   * or when they had every chance to. Keeps the process alive until then.
   */
  settled(sinceNs: number): Promise<void> {
    if (this.#closed) return Promise.resolve();
    let patienceNs = LEAST_WAIT_NS;
    for (const { inTotal, calibration, isCalibrating } of this.recorded) {
      // While the first calibration runs, nobody knows how long an update takes.
      const unknownNs = isCalibrating ? MOST_WAIT_NS : 0;
      const ownNs = calibration === undefined ? unknownNs : MOST_PERIODS * calibration.periodNs;
      if (inTotal) patienceNs = Math.max(patienceNs, Math.min(MOST_WAIT_NS, ownNs));
    }
    return new Promise((resolve) => {
      this.#waiters.add({ sinceNs, giveUpNs: sinceNs + patienceNs, resolve });
      this.#schedule();
    });
  }

  #schedule(): void {
    if (this.#waiters.size === 0 || this.#waitTimer !== undefined) return;
    const periods = this.recorded.map(({ calibration }) => (calibration?.periodNs ?? 0) / 1e6);
    const delayMs = Math.min(50, Math.max(2, ...periods));
    this.#waitTimer = setTimeout(() => {
      this.#waitTimer = undefined;
      this.drain();
      this.refresh();
      const now = this.nowNs();
      for (const waiter of this.#waiters) {
        if (now < waiter.giveUpNs && !this.#hasPassed(waiter.sinceNs)) continue;
        this.#waiters.delete(waiter);
        waiter.resolve();
      }
      this.#schedule();
    }, delayMs);
  }

  #hasPassed(timeNs: number): boolean {
    return this.recorded.every(
      ({ inTotal, series, calibration, isCalibrating }) =>
        !inTotal ||
        // What stands still is not waited for.
        (calibration === undefined ? !isCalibrating : series.countAfter(timeNs) >= UPDATES_AFTER),
    );
  }

  /** Settles what waits with what there is. The series stay. */
  close(): void {
    if (this.#closed) return;
    this.drain();
    this.refresh();
    this.#closed = true;
    clearInterval(this.#drainTimer);
    clearTimeout(this.#waitTimer);
    this.#sampler.close();
    for (const stop of [...this.closing]) stop();
    for (const { resolve } of this.#waiters) resolve();
    this.#waiters.clear();
  }

  get isClosed(): boolean {
    return this.#closed;
  }
}

function calibrationOf(sampled: SampledCounter, joulesPerTick: number): CounterCalibration | undefined {
  const { periodNs, jitterNs, quantumTicks, readMedianNs, bracketNs } = sampled.calibration;
  if (periodNs === undefined) return undefined;
  return {
    periodNs,
    jitterNs: jitterNs ?? 0,
    // Until steps were seen, the hardware's own unit.
    quantumJoules: Number(quantumTicks ?? 1n) * joulesPerTick,
    readCostNs: readMedianNs ?? bracketNs ?? 0,
    isFiltered: sampled.mayBeFiltered,
  };
}

/** Where the machine is too busy for the sampler to know the period: what the record itself tells. */
function roughCalibration(
  sampled: SampledCounter,
  joulesPerTick: number,
  series: Series,
): CounterCalibration | undefined {
  const spanNs = series.meanSpacingNs;
  if (spanNs === undefined) return undefined;
  return {
    periodNs: spanNs,
    jitterNs: 0,
    quantumJoules: Number(sampled.calibration.quantumTicks ?? 1n) * joulesPerTick,
    readCostNs: sampled.calibration.readMedianNs ?? 0,
    isFiltered: sampled.mayBeFiltered,
  };
}

/** What every use of a closed meter gives. */
export function closedError(what: string): MicrojouleError {
  return new MicrojouleError('ERR_METER_CLOSED', `${what}: the meter is closed`, {
    hint: 'End regions before close(), or open another with openMeter().',
  });
}
