// SPDX-License-Identifier: MIT
import { MicrojouleError } from '../core/errors.js';
import type { Status } from '../core/vocabulary.js';
import { deltaBetween, type Found, failed } from './delta.js';
import { chooseTotal } from './domains.js';
import { sourcesElsewhere } from './elsewhere.js';
import { MeterGroups } from './groups.js';
import {
  type CounterTiming,
  type Device,
  loadAddon,
  type NativeAddon,
  type NativeCounter,
  type NativeMeter,
  type ReadNative,
} from './native.js';
import { type MeterOptions, type ResolvedMeterOptions, resolveMeterOptions } from './options.js';
import { decodeReading, type Reading, secondsBetween, ticksToJoules } from './reading.js';

/** One hardware counter of an open meter. */
export interface Counter extends NativeCounter {
  /** The source it belongs to. */
  source: string;
}

/** One attempt to use a source. */
export interface SourceState {
  source: string;
  status: Status;
  /** What was tried and what to do; empty when all is well. */
  detail: string;
  counters: Counter[];
}

/** What one counter metered between two readings. */
export interface CounterDelta {
  counter: Counter;
  status: Status;
  /** Why there is no energy; a remark, or empty, when `status` is `ok`. */
  detail: string;
  /** In joules. Absent unless `status` is `ok`. */
  energyJoules?: number;
  /** The counter did not count to the end of the interval: it used at least this. */
  incomplete?: true;
  /** Too few updates fell into the interval, or one began long before it, for more than an indication. */
  indicative?: true;
  /** How its energy came about, where its source has several ways. */
  method?: string;
  inTotal: boolean;
  /** Why it is not in the total; empty when it is. */
  apart: string;
  /** The counter that stands in the total for the same meter. */
  twinOf?: string;
  /** The first counter of those that read the same meter; its own id where it is the first. */
  meter: string;
  /** Another zone of its interface has its name. */
  duplicate: boolean;
  /** Left out since which of two zones of one name to believe is not known. */
  doubtful: boolean;
}

/** An open set of counters. Close it when done; the event loop is never kept alive by it. */
export interface Meter {
  readonly sources: readonly SourceState[];
  /** All counters of all sources, in the order of readings. */
  readonly counters: readonly Counter[];
  /** The reading taken at open. */
  readonly opened: Reading;
  /**
   * Reads every counter into {@link words}. One pass, nothing allocated. A region should start with the slow sources
   * (NVML takes milliseconds) and end with the fast ones, so that no slow read falls into it.
   * @throws MicrojouleError `ERR_METER_CLOSED`
   */
  sample(slowFirst?: boolean): void;
  /** The bound buffer: three words of times, then three words a counter (docs/architecture.md). */
  readonly words: BigUint64Array;
  /** Takes a sample and copies it. @throws MicrojouleError `ERR_METER_CLOSED` */
  read(slowFirst?: boolean): Reading;
  /**
   * Energy of each counter between two readings of this meter, in joules, and what the total holds. A counter with
   * times of its own is scaled from its interval to the readings' where the two differ by a few updates at most.
   */
  between(start: Reading, end: Reading): CounterDelta[];
  /** Energy since open, in joules, by counter; undefined where it cannot be said. */
  joulesSinceOpen(): (number | undefined)[];
  /** Each counter's own count in joules at this reading, and what the total would hold. */
  list(reading: Reading): CounterDelta[];
  /** What was learned of a counter, by its index, since the meter was opened. */
  timing(counter: number): CounterTiming;
  /** Why a counter, by its index, cannot be read or did not go on from where it was, as far as is known. */
  explain(counter: number): string;
  /** What is known of the devices of slow sources beside their counters, such as a GPU's driver and power limit. */
  devices(): Device[];
  close(): void;
}

function unknownSource(name: string, known: readonly string[]): MicrojouleError {
  return new MicrojouleError(
    'ERR_BAD_OPTION',
    `sources: there is no source "${name}" on ${process.platform}`,
    {
      hint: `Known here: ${known.join(', ')}.`,
    },
  );
}

/**
 * Opens every counter that can be read. What cannot be is listed with its reason: opening never fails for
 * reasons of hardware, privilege or a missing addon.
 * @throws MicrojouleError `ERR_BAD_OPTION`
 */
export function openMeter(options: MeterOptions = {}): Meter {
  const resolved = resolveMeterOptions(options);
  const loaded = loadAddon();
  if (loaded.addon === undefined) return new EmptyMeter(loaded.detail);
  for (const name of resolved.sources ?? []) {
    if (!loaded.addon.sourceNames.includes(name)) throw unknownSource(name, loaded.addon.sourceNames);
  }
  return new NativeBackedMeter(loaded.addon, resolved);
}

class NativeBackedMeter implements Meter {
  /** Closes over the addon's function: reaching that through `this` would cost a tenth of a reading. */
  sample: ReadNative;
  readonly sources: readonly SourceState[];
  readonly counters: readonly Counter[];
  readonly words: BigUint64Array;
  readonly opened: Reading;
  readonly #addon: NativeAddon;
  readonly #groups: MeterGroups;
  #native: NativeMeter | undefined;

  constructor(addon: NativeAddon, options: ResolvedMeterOptions) {
    this.#addon = addon;
    const native = new addon.NativeMeter(options);
    this.#native = native;
    const found = native.sources().map((state) => ({
      ...state,
      counters: state.counters.map((counter) => ({ ...counter, source: state.source })),
    }));
    this.sources = options.sources === undefined ? [...found, ...sourcesElsewhere()] : found;
    this.counters = this.sources.flatMap((state) => state.counters);
    this.words = new BigUint64Array(new SharedArrayBuffer(native.words * 8));
    const read = native.bind(this.words);
    // Not the addon's function itself. V8 sees that a worker shall end when a function of JavaScript is entered, and
    // in a loop without any only every few ten thousand rounds: on Node 22 that took a tenth of a second.
    this.sample = (slowFirst) => {
      if (slowFirst === true) read(true);
      else read();
    };
    this.opened = this.read(true);
    this.#groups = new MeterGroups(
      this.counters,
      this.counters.map((_, index) => this.#joulesAt(this.opened, index)),
      () => this.#watch(),
    );
  }

  /** Ticks of all counters a millisecond later, where they can be read. */
  #watch(): (bigint | undefined)[] {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    return this.read().counters.map(({ ticks, statusCode }) => (statusCode === 0 ? ticks : undefined));
  }

  read(slowFirst = false): Reading {
    this.sample(slowFirst);
    return decodeReading(this.words, this.#addon.headerWords, this.#addon.counterWords);
  }

  timing(counter: number): CounterTiming {
    return this.#native?.timing(counter) ?? {};
  }

  devices(): Device[] {
    return this.#native?.devices() ?? [];
  }

  joulesSinceOpen(): (number | undefined)[] {
    return this.between(this.opened, this.read()).map((delta) => delta.energyJoules);
  }

  between(start: Reading, end: Reading): CounterDelta[] {
    const seconds = secondsBetween(start, end);
    const found = this.counters.map((counter, index) =>
      deltaBetween(counter, start.counters[index], end.counters[index], seconds, {
        status: (code) => this.#status(code),
        explain: () => this.explain(index),
        timing: () => this.timing(index),
      }),
    );
    // Of two that read one meter, the one that was lost in between counted less.
    this.#groups.part(found.map((one) => (one.incomplete ? undefined : one.energyJoules)));
    return this.#withMembership(found);
  }

  list(reading: Reading): CounterDelta[] {
    const found = this.counters.map((counter, index): Found => {
      const at = reading.counters[index];
      const energyJoules = this.#joulesAt(reading, index);
      if (at === undefined) return failed('failed', 'not part of this reading');
      if (energyJoules === undefined) return failed(this.#status(at.statusCode), this.explain(index));
      return { status: 'ok', detail: counter.detail, energyJoules };
    });
    return this.#withMembership(found);
  }

  /** A counter's own count at a reading, in joules. */
  #joulesAt(reading: Reading, index: number): number | undefined {
    const counter = this.counters[index];
    const at = reading.counters[index];
    if (counter === undefined || at === undefined || at.statusCode !== 0) return undefined;
    return ticksToJoules(at.ticks, counter.scaleNumerator, counter.scaleDenominator);
  }

  #withMembership(found: Found[]): CounterDelta[] {
    const members = chooseTotal(
      this.counters.map((counter, i) => ({ ...counter, status: found[i]?.status ?? 'failed' })),
      this.#groups.all,
    );
    return this.counters.map((counter, i) => {
      const { inTotal = false, reason = '', twinOf } = members[i] ?? {};
      const { first = counter.id, duplicate = false, doubtful = false } = this.#groups.all[i] ?? {};
      return {
        counter,
        ...(found[i] ?? failed('failed', 'not read')),
        inTotal,
        apart: reason,
        ...(twinOf === undefined ? {} : { twinOf }),
        meter: first,
        duplicate,
        doubtful,
      };
    });
  }

  #status(code: number): Status {
    return this.#addon.statuses[code] ?? 'failed';
  }

  explain(index: number): string {
    return this.#native?.explain(index) || 'it could not be read';
  }

  close(): void {
    this.#native?.close();
    this.#native = undefined;
    this.sample = refuse;
  }
}

function refuse(): never {
  throw new MicrojouleError('ERR_METER_CLOSED', 'the meter is closed', {
    hint: 'Open another with openMeter().',
  });
}

/** Without the addon there are no counters, and one reason. */
class EmptyMeter implements Meter {
  readonly sources: readonly SourceState[];
  readonly counters: readonly Counter[] = [];
  readonly words: BigUint64Array = new BigUint64Array(3);
  readonly opened: Reading;
  sample: () => void = () => {
    this.words.fill(process.hrtime.bigint());
  };

  constructor(detail: string) {
    const missing: SourceState = { source: 'native', status: 'addon-missing', detail, counters: [] };
    this.sources = [missing, ...sourcesElsewhere()];
    this.opened = this.read();
  }

  read(): Reading {
    this.sample();
    return decodeReading(this.words, 3, 3);
  }

  between(): CounterDelta[] {
    return [];
  }

  joulesSinceOpen(): (number | undefined)[] {
    return [];
  }

  list(): CounterDelta[] {
    return [];
  }

  timing(): CounterTiming {
    return {};
  }

  explain(): string {
    return this.sources[0]?.detail ?? '';
  }

  devices(): Device[] {
    return [];
  }

  close(): void {
    this.sample = refuse;
  }
}
