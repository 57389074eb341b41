// SPDX-License-Identifier: MIT
//
// The updates of fast counters as the native sampler records them: who saw which count when. What they mean is for
// others to say.
import { MicrojouleError } from '../core/errors.js';
import { readCalibrations, writeCalibrations } from './calibration-cache.js';
import { mayBeFiltered, readEnergyFilter } from './energy-filter.js';
import { loadAddon, type NativeSampledCounter, type NativeSampler, type SamplerThread } from './native.js';
import { type MeterOptions, resolveMeterOptions } from './options.js';

export type { SamplerThread } from './native.js';

/** One counter that is sampled, by its number in records; with what is known of its updates by now. */
export interface SampledCounter extends NativeSampledCounter {
  /** Whether Intel's energy filter may add noise to every update: short regions are less certain then. */
  mayBeFiltered: boolean;
}

/** How to sample, and where counters are looked for. */
export interface SamplerOptions extends MeterOptions {
  /**
   * How often to read counters that are not followed, in reads a second, 1 to 10,000; 1000 by default. All samplers of
   * the process share their threads, which read as often as any of them wants.
   */
  rateHz?: number;
  /**
   * Whether to find single updates of counters that update every 10 ms or more often: a prediction says when the next
   * one is due, and only then is the counter read again and again. Begins with a calibration, which reads all the time
   * for up to 0.3 s. True by default; otherwise every counter is read at the fixed rate.
   */
  track?: boolean;
}

/** Words before the first record of a drained buffer. */
export const SAMPLE_HEADER_WORDS = 4;
/** Words of a record. */
export const SAMPLE_RECORD_WORDS = 4;

/** Bits of {@link Samples.flags}. */
export const SAMPLE_FLAGS = {
  /** Updates before this one were not seen, or did not move the count: {@link Samples.missedCount}. */
  missed: 1,
  /** The counter could not be read for a while before, or the sampler was stopped. */
  gap: 2,
  /** The count does not go on from the last record's: the energy between them is not known. */
  break: 4,
  /** This reader was too slow: records of this counter before this one were lost. */
  overrun: 8,
  /**
   * How many updates were missed is not known yet: the read came so late and so near to the next one that this may have
   * come, or the period is not known. What was left out is counted with the next record without this flag.
   */
  unsure: 16,
  /**
   * Beside `unsure`: it will never be known, as the thread was away for too long or the counter did not keep to its period.
   * The number is the likeliest, and later ones do not make up for it.
   */
  uncounted: 32,
} as const;

/**
 * Drained records, read in place: `record` counts from 0 to what {@link Sampler.drain} returned. Times are those of
 * `process.hrtime`, in nanoseconds. The records of a counter come in order; those of different packages do not.
 */
export class Samples {
  /** Header and records, in shared memory: see docs/architecture.md. */
  readonly words: BigUint64Array<SharedArrayBuffer>;

  /** @param capacityCount room for so many records a drain */
  constructor(capacityCount: number) {
    const length = SAMPLE_HEADER_WORDS + SAMPLE_RECORD_WORDS * capacityCount;
    this.words = new BigUint64Array(new SharedArrayBuffer(length * 8));
  }

  #at(record: number, word: number): bigint {
    return this.words[SAMPLE_HEADER_WORDS + SAMPLE_RECORD_WORDS * record + word] ?? 0n;
  }

  /** Records that this reader lost so far, as it drained too rarely. */
  get lostCount(): number {
    return Number(this.words[1]);
  }

  /**
   * Whatever updated before this time has been drained, as far as it could be seen at all; 0 while nothing has been
   * read. A counter with no record after a time before this one has not updated in between.
   */
  get horizonNs(): bigint {
    return this.words[2] ?? 0n;
  }

  /** The index of its counter in {@link Sampler.counters}. */
  counter(record: number): number {
    return Number(this.#at(record, 0) & 0xffffn);
  }
  /** See {@link SAMPLE_FLAGS}. */
  flags(record: number): number {
    return Number((this.#at(record, 0) >> 16n) & 0xffffn);
  }
  /** Updates between the last record of this counter and this one, by its period: at least so many. */
  missedCount(record: number): number {
    return Number(this.#at(record, 0) >> 32n);
  }
  /**
   * The update came later: the last read that saw the old count began then, or the device's own time tells more closely.
   */
  lowerNs(record: number): bigint {
    return this.#at(record, 1);
  }
  /** The update came before: the first read that saw the new count ended then, or likewise. */
  upperNs(record: number): bigint {
    return this.#at(record, 2);
  }
  /** The new count, extended to 64 bits. Only differences mean anything, and not across a break. */
  ticks(record: number): bigint {
    return this.#at(record, 3);
  }
}

/** An open sampler. Close it when done; the event loop is never kept alive by it. */
export interface Sampler {
  /** Every counter that is sampled: those that can be read, of sources that never block. A fresh copy at each call. */
  counters(): SampledCounter[];
  /** Its threads, one for each CPU package. */
  threads(): SamplerThread[];
  /** Where {@link drain} puts records. */
  readonly samples: Samples;
  /** Starts to sample: threads run while any sampler of the process is started. Does nothing when started. */
  start(): void;
  stop(): void;
  /**
   * Keeps what is known of the counters by now for the next process: docs/architecture.md says where. Does nothing when that
   * process would know no more. So does {@link close}.
   */
  remember(): void;
  /** Calibrates every counter anew, for all samplers of the process: reads all the time for up to 0.3 s. */
  calibrate(): void;
  /**
   * Moves new records into {@link samples} and returns their number. As many as there is room for: where it is full,
   * call again. Allocates nothing.
   * @throws MicrojouleError `ERR_METER_CLOSED`
   */
  drain(): number;
  close(): void;
}

/** @throws MicrojouleError `ERR_BAD_OPTION` */
export function checkRate(rateHz: unknown): void {
  if (typeof rateHz === 'number' && rateHz >= 1 && rateHz <= 10_000) return;
  throw new MicrojouleError('ERR_BAD_OPTION', `rateHz: from 1 to 10000 expected, received ${rateHz}`, {
    hint: 'For example 1000.',
  });
}

/** Periods that differ by less are one. */
const SAME_PERIOD_RATIO = 0.01;
/** Room for what five counters of a millisecond record in 0.8 s. */
const DEFAULT_CAPACITY = 4096;

/**
 * Opens a sampler of all fast counters. It is not started. Counters that cannot be read are left out; a meter says why.
 * @param capacityCount records that one drain can give
 * @throws MicrojouleError `ERR_BAD_OPTION`; `ERR_NO_COUNTERS` without the addon
 */
export function openSampler(options: SamplerOptions = {}, capacityCount = DEFAULT_CAPACITY): Sampler {
  const { rateHz = 1000, track = true, ...rest } = options;
  checkRate(rateHz);
  const resolved = resolveMeterOptions(rest);
  const loaded = loadAddon();
  if (loaded.addon === undefined) throw new MicrojouleError('ERR_NO_COUNTERS', loaded.detail);
  const known = track ? readCalibrations(resolved) : [];
  return new NativeBackedSampler(
    new loaded.addon.NativeSampler({ ...resolved, rateHz, track, known }),
    capacityCount,
    resolved,
    new Map(known.map(({ id, periodNs }) => [id, periodNs])),
  );
}

class NativeBackedSampler implements Sampler {
  readonly samples: Samples;
  #native: NativeSampler | undefined;
  #drain: () => number;

  readonly #roots: { sysfs: string; dev: string };
  /** Periods that the cache has. */
  readonly #cached: Map<string, number>;

  constructor(
    native: NativeSampler,
    capacityCount: number,
    roots: { sysfs: string; dev: string },
    cached: Map<string, number>,
  ) {
    this.#cached = cached;
    this.samples = new Samples(capacityCount);
    this.#roots = roots;
    this.#native = native;
    this.#drain = native.bind(this.samples.words);
  }

  #opened(): NativeSampler {
    return this.#native ?? refuse();
  }

  counters(): SampledCounter[] {
    const filter = readEnergyFilter(this.#roots);
    return this.#opened()
      .counters()
      .map((counter) => ({ ...counter, mayBeFiltered: mayBeFiltered(counter, filter) }));
  }
  threads(): SamplerThread[] {
    return this.#opened().threads();
  }
  start(): void {
    this.#opened().start();
  }
  stop(): void {
    this.#opened().stop();
  }
  remember(): void {
    const found = this.#opened()
      .counters()
      .filter(({ id, calibration: { periodNs } }) => {
        const known = this.#cached.get(id);
        return periodNs !== undefined && !(Math.abs(periodNs - (known ?? 0)) < SAME_PERIOD_RATIO * periodNs);
      });
    if (found.length === 0) return;
    writeCalibrations(this.#roots, found);
    for (const { id, calibration } of found) this.#cached.set(id, calibration.periodNs ?? 0);
  }
  calibrate(): void {
    this.#cached.clear();
    this.#opened().calibrate();
  }
  drain(): number {
    return this.#drain();
  }
  close(): void {
    if (this.#native !== undefined) this.remember();
    this.#native?.close();
    this.#native = undefined;
    this.#drain = refuse;
  }
}

function refuse(): never {
  throw new MicrojouleError('ERR_METER_CLOSED', 'the sampler is closed', {
    hint: 'Open another with openSampler().',
  });
}
