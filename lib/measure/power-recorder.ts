// SPDX-License-Identifier: MIT
//
// Looks at the counters while a region is measured, for its power over time. The sampler's thread sees the fast ones
// also while the script keeps JavaScript busy; slow ones and the CPU's utilisation are asked by a timer.
import { NANOSECONDS_PER_SECOND } from '../core/units.js';
import { type CpuPowerModel, cpuPowerWatts } from '../estimate/cpu.js';
import { type CpuTimes, readCpuTimes, utilisationBetween } from '../estimate/utilisation.js';
import type { Meter } from '../meter/meter.js';
import type { MeterOptions } from '../meter/options.js';
import { type Reading, ticksToJoules } from '../meter/reading.js';
import { openSampler, SAMPLE_FLAGS, type Sampler } from '../meter/sampler.js';
import { PowerCurve } from './power-curve.js';

/** The sampler's rate: a chart needs no more, and it costs next to nothing. */
const SAMPLER_HZ = 20;
const TICK_MS = 250;
/** Counts of CPU time move every 10 ms: less than this tells too little. */
const LEAST_UTILISATION_SECONDS = 0.2;

/** A counter of the meter, by its index in readings. */
interface Watched {
  index: number;
  curve: PowerCurve;
  /** Asked by the timer; otherwise the sampler sees it. */
  slow: boolean;
  ticks: bigint;
  breakCount: number;
}

export interface PowerRecorderOptions extends MeterOptions {
  meter: Meter;
  /** Of the CPU, for where it has no counter. */
  cpuModel: CpuPowerModel;
}

/** Takes down what the counters of the total do, from the reading that it begins at until it is stopped. */
export class PowerRecorder {
  /** By the counter's index: what is in the total when it starts. */
  readonly curves = new Map<number, PowerCurve>();
  /** Of the estimated CPU; undefined where a counter measures it. */
  readonly cpuCurve: PowerCurve | undefined;
  readonly #meter: Meter;
  #startNs = 0n;
  readonly #cpuModel: CpuPowerModel;
  readonly #watched: Watched[] = [];
  readonly #bySample: (Watched | undefined)[] = [];
  #sampler: Sampler | undefined;
  #cpuTimes: CpuTimes | undefined;
  #cpuSeconds = 0;
  #cpuJoules = 0;
  readonly #timer: NodeJS.Timeout;

  /** Opens what it needs, which takes time; {@link begin} comes in the same turn of the event loop. */
  constructor({ meter, cpuModel, ...options }: PowerRecorderOptions) {
    this.#meter = meter;
    this.#cpuModel = cpuModel;
    const members = meter.list(meter.read());
    members.forEach(({ inTotal }, index) => {
      if (!inTotal) return;
      const curve = new PowerCurve();
      this.curves.set(index, curve);
      this.#watched.push({ index, curve, slow: true, ticks: 0n, breakCount: 0 });
    });
    if (!members.some(({ inTotal, counter }) => inTotal && counter.domain === 'package')) {
      this.cpuCurve = new PowerCurve();
      this.cpuCurve.seen(0, 0);
    }
    this.#sampler = this.#startSampler(options);
    this.#timer = setInterval(() => this.look(), TICK_MS).unref();
  }

  /** The region begins, or began, at this reading; `startTimes` are of about the same time. Once. */
  begin(start: Reading, startTimes: CpuTimes): void {
    this.#startNs = (start.beforeNs + start.afterNs) / 2n;
    this.#cpuTimes = startTimes;
    for (const watched of this.#watched) {
      const at = start.counters[watched.index];
      if (at === undefined || at.statusCode !== 0) continue;
      watched.ticks = at.ticks;
      watched.breakCount = at.breakCount;
      if (watched.slow) {
        watched.curve.seen(this.#timeOf(start, watched.index), this.#scaled(watched.index, at.ticks));
      }
    }
  }

  /** A sampler of the counters that are watched and that it can read. Without one the timer asks them all. */
  #startSampler(options: MeterOptions): Sampler | undefined {
    if (this.#watched.length === 0) return undefined;
    let sampler: Sampler | undefined;
    try {
      sampler = openSampler({ ...options, rateHz: SAMPLER_HZ, track: false });
      sampler.counters().forEach(({ id, origin }, number) => {
        const found = this.#watched.find(({ index }) => {
          const counter = this.#meter.counters[index];
          return counter?.id === id && counter.origin === origin;
        });
        if (found === undefined) return;
        found.slow = false;
        this.#bySample[number] = found;
      });
      sampler.start();
      return sampler;
    } catch {
      // The timer sees them, too, if less well.
      for (const watched of this.#watched) watched.slow = true;
      this.#bySample.length = 0;
      sampler?.close();
      return undefined;
    }
  }

  /** Takes down what is new. Never throws: a chart is no reason to end what it shows. */
  look(): void {
    try {
      this.#drain();
      if (this.#watched.some(({ slow }) => slow)) this.#take(this.#meter.read());
      this.#lookAtCpu();
    } catch {
      clearInterval(this.#timer);
    }
  }

  #drain(): void {
    const sampler = this.#sampler;
    if (sampler === undefined) return;
    const { samples } = sampler;
    const room = (samples.words.length - 4) / 4;
    for (let count = room; count === room; ) {
      count = sampler.drain();
      for (let record = 0; record < count; ++record) {
        const watched = this.#bySample[samples.counter(record)];
        // The sampler begins before the region does.
        if (watched === undefined || samples.upperNs(record) < this.#startNs) continue;
        if ((samples.flags(record) & SAMPLE_FLAGS.break) !== 0) watched.curve.broken();
        watched.curve.seen(
          this.#seconds(samples.upperNs(record)),
          this.#scaled(watched.index, samples.ticks(record)),
        );
      }
    }
  }

  #take(reading: Reading): void {
    for (const watched of this.#watched) {
      const at = reading.counters[watched.index];
      if (!watched.slow || at === undefined || at.statusCode !== 0) continue;
      if (at.breakCount !== watched.breakCount) watched.curve.broken();
      else if (at.ticks === watched.ticks) continue;
      watched.breakCount = at.breakCount;
      watched.ticks = at.ticks;
      watched.curve.seen(this.#timeOf(reading, watched.index), this.#scaled(watched.index, at.ticks));
    }
  }

  #lookAtCpu(): void {
    if (this.cpuCurve === undefined || this.#cpuTimes === undefined) return;
    const nowSeconds = this.#seconds(process.hrtime.bigint());
    if (nowSeconds - this.#cpuSeconds < LEAST_UTILISATION_SECONDS) return;
    const times = readCpuTimes();
    const ratio = utilisationBetween(this.#cpuTimes, times);
    if (ratio === undefined) return;
    this.#cpuJoules += cpuPowerWatts(this.#cpuModel, ratio) * (nowSeconds - this.#cpuSeconds);
    this.#cpuSeconds = nowSeconds;
    this.#cpuTimes = times;
    this.cpuCurve.seen(nowSeconds, this.#cpuJoules);
  }

  #seconds(timeNs: bigint): number {
    return Number(timeNs - this.#startNs) / NANOSECONDS_PER_SECOND;
  }

  /** A counter's own time where it has one, else the pass's. */
  #timeOf(reading: Reading, index: number): number {
    const own = reading.counters[index]?.timeNs ?? 0n;
    return this.#seconds(own === 0n ? (reading.beforeNs + reading.afterNs) / 2n : own);
  }

  #scaled(index: number, ticks: bigint): number {
    const counter = this.#meter.counters[index];
    return counter === undefined
      ? Number.NaN
      : ticksToJoules(ticks, counter.scaleNumerator, counter.scaleDenominator);
  }

  /** How long a counter may take from one update to the next, in seconds; undefined where nothing tells. */
  periodSeconds(index: number): number | undefined {
    const { updatePeriodNs } = this.#meter.timing(index);
    const known =
      updatePeriodNs ?? this.#meter.counters[index]?.updatePeriodNs ?? this.#sampledPeriodNs(index);
    return known === undefined ? undefined : known / NANOSECONDS_PER_SECOND;
  }

  #sampledPeriodNs(index: number): number | undefined {
    const number = this.#bySample.findIndex((watched) => watched?.index === index);
    return number < 0 ? undefined : this.#sampler?.counters()[number]?.calibration.periodNs;
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#sampler?.close();
    this.#sampler = undefined;
  }
}
