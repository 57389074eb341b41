// SPDX-License-Identifier: MIT
//
// A meter's buffer into joules since the stream began, and into what went wrong in between.
import type { Meter } from '../meter/meter.js';
import type { StreamGap, StreamNote } from '../stream/types.js';
import type { Column } from './channels.js';

const TWO_32 = 2 ** 32;
/** Half words of the buffer before the first counter, and of each counter (docs/architecture.md). */
const HALVES = 6;

/** What one counter has done since the stream began. */
interface State {
  column: Column;
  /** Where its half words begin. */
  at: number;
  joulesPerTick: number;
  /** Ticks that its joules count from, in halves; undefined before it could be read. */
  base: { high: number; low: number } | undefined;
  /** At the latest row; `null` where it could not be read. */
  joules: number | null;
  breakCount: number;
  /** The latest row that has a value of it; the stream's start before that. */
  readNs: number;
}

/** The columns of counters: reads them from the meter's buffer after each sample. */
export class CounterColumns {
  readonly #meter: Meter;
  readonly #halves: Uint32Array;
  readonly #states: State[];

  constructor(meter: Meter, columns: readonly Column[]) {
    this.#meter = meter;
    this.#halves = new Uint32Array(meter.words.buffer, meter.words.byteOffset, meter.words.length * 2);
    this.#states = columns.map((column) => ({
      column,
      at: HALVES + HALVES * column.index,
      joulesPerTick: Number(column.channel.scaleNumerator) / Number(column.channel.scaleDenominator),
      base: undefined,
      joules: null,
      breakCount: 0,
      readNs: 0,
    }));
  }

  /**
   * Takes the values of the meter's latest sample; gives what is to be told before them.
   * @param into takes the values, from the first place on
   */
  take(timeNs: number, into: (number | null)[]): (StreamGap | StreamNote)[] {
    const told: (StreamGap | StreamNote)[] = [];
    for (const [index, state] of this.#states.entries()) {
      const news = this.#takeOne(state, timeNs);
      if (news !== undefined) told.push(news);
      into[index] = state.joules;
    }
    return told;
  }

  #takeOne(state: State, timeNs: number): StreamGap | StreamNote | undefined {
    const wasRead = state.joules !== null;
    const half = (offset: number): number => this.#halves[state.at + offset] ?? 0;
    if (half(4) !== 0) {
      state.joules = null;
      return wasRead || timeNs === 0 ? this.#lost(state, timeNs) : undefined;
    }
    const fromNs = state.readNs;
    const isFirst = state.base === undefined;
    const isBroken = !isFirst && half(5) !== state.breakCount;
    state.base ??= { high: half(1), low: half(0) };
    // Across a break the count stands still: native/count.cc adds nothing that is not known.
    state.joules = ((half(1) - state.base.high) * TWO_32 + (half(0) - state.base.low)) * state.joulesPerTick;
    state.breakCount = half(5);
    state.readNs = timeNs;
    if (timeNs === 0 || (wasRead && !isBroken)) return undefined;
    return {
      type: 'gap',
      fromNs,
      toNs: timeNs,
      reason: wasRead ? 'break' : 'unreadable',
      channels: [state.column.channel.id],
      energyKept: !isBroken && !isFirst,
      detail: isBroken ? this.#meter.explain(state.column.index) : 'it could not be read for a while',
    };
  }

  #lost({ column }: State, timeNs: number): StreamNote {
    return {
      type: 'note',
      timeNs,
      code: 'channel-lost',
      message: `${column.channel.name} cannot be read: ${this.#meter.explain(column.index)}`,
      channels: [column.channel.id],
    };
  }
}
