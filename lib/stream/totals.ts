// SPDX-License-Identifier: MIT
import type { PresentKind } from '../core/report-types.js';
import type { StreamChannel, StreamHeader, StreamRecord } from './types.js';

/** From the best to the worst. */
const KINDS: readonly PresentKind[] = ['measured', 'estimated', 'assumed'];

/** What a stream adds up to so far: made of its header, fed with its records. */
export class StreamTotals {
  /** The latest known value of each channel, `null` where there was none yet. */
  readonly channelJoules: (number | null)[];
  rowCount = 0;
  /** Rows that were due and are not there, as far as gaps tell. */
  lostRowCount = 0;
  /** Of the latest row. */
  timeNs = 0;
  readonly #channels: readonly StreamChannel[];
  readonly #incomplete = new Set<string>();
  readonly #unread = new Set<string>();

  readonly #lacksDevice: boolean;

  constructor({ channels, absent }: Pick<StreamHeader, 'channels' | 'absent'>) {
    this.#channels = channels;
    this.#lacksDevice = absent.some(({ inTotal }) => inTotal === true);
    this.channelJoules = channels.map(() => null);
  }

  add(record: StreamRecord): void {
    if (record.type === 'row') {
      this.rowCount += 1;
      this.timeNs = record.timeNs;
      for (const [index, { id }] of this.#channels.entries()) {
        const joules = record.energyJoules[index] ?? null;
        if (joules === null) this.#unread.add(id);
        else {
          this.channelJoules[index] = joules;
          this.#unread.delete(id);
        }
      }
    } else if (record.type === 'gap') {
      this.lostRowCount += record.lostRowCount ?? 0;
      const whose = record.channels ?? this.#channels.map(({ id }) => id);
      if (!record.energyKept) for (const id of whose) this.#incomplete.add(id);
    }
  }

  /** The sum of the channels in the total, as far as they are known; undefined where none is. */
  get energyJoules(): number | undefined {
    let sum: number | undefined;
    for (const [index, { inTotal }] of this.#channels.entries()) {
      const joules = this.channelJoules[index] ?? null;
      if (inTotal && joules !== null) sum = (sum ?? 0) + joules;
    }
    return sum;
  }

  /** The worst kind that went into the sum. */
  get kind(): PresentKind | undefined {
    const used = this.#channels.filter(
      ({ inTotal }, index) => inTotal && (this.channelJoules[index] ?? null) !== null,
    );
    return KINDS.findLast((kind) => used.some((channel) => channel.kind === kind));
  }

  /** Whether the true sum is higher, as something that belongs to it was lost or cannot be read. */
  get atLeast(): boolean {
    return (
      this.#lacksDevice ||
      this.#channels.some(({ id, inTotal }) => inTotal && (this.#incomplete.has(id) || this.#unread.has(id)))
    );
  }
}
