// SPDX-License-Identifier: MIT
import { formatDuration, formatEnergy, formatPower, withAtLeast } from '../core/numbers.js';
import type { StreamTotals } from '../stream/totals.js';
import type { StreamChannel, StreamHeader } from '../stream/types.js';

/** What `microjoule trace` knows of a file. */
export interface TraceFacts {
  header: StreamHeader;
  totals: StreamTotals;
  gapCount: number;
  /** Rows that were due and are not there, those that no gap tells of among them; as far as known. */
  lostRowCount?: number;
  isEnded: boolean;
  /** What is wrong with its end, in words. */
  problem?: string;
  /** Whether it is of a run that ended, of one that was cut off, or of no run. */
  run: 'ended' | 'interrupted' | 'none';
}

const NANOSECONDS_PER_SECOND = 1e9;

function ending({ isEnded, problem, run }: TraceFacts): string {
  const whose = run === 'none' ? 'The stream' : 'The run';
  const ended = run === 'ended' || (run === 'none' && isEnded);
  const how = ended
    ? `${whose} ended.`
    : `${whose} goes on, or was cut off: this is what was recorded until now or then.`;
  return problem === undefined ? how : `${how} Of the file, ${problem}.`;
}

function line(channel: StreamChannel, joules: number | null | undefined, seconds: number): string {
  const amount = joules === null || joules === undefined ? 'unknown' : formatEnergy(joules);
  const mean = joules === null || joules === undefined || !(seconds > 0) ? '' : formatPower(joules / seconds);
  const apart = channel.inTotal ? '' : `, not in the total: ${channel.apart}`;
  return `${amount.padStart(10)}  ${mean.padStart(8)}  ${channel.name}  ${channel.kind}, ${channel.source}${apart}`;
}

/** A trace in words, for a terminal. */
export function formatTrace(facts: TraceFacts): string {
  const { header, totals, gapCount, lostRowCount = totals.lostRowCount } = facts;
  const seconds = totals.timeNs / NANOSECONDS_PER_SECOND;
  const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;
  const { energyJoules, kind = 'absent' } = totals;
  const total =
    energyJoules === undefined
      ? 'no energy is known'
      : `${withAtLeast(formatEnergy(energyJoules), totals.atLeast)}, ${kind}`;
  const lines = [
    `${formatDuration(seconds)}: ${counted(totals.rowCount, 'row')}, ${counted(gapCount, 'gap')}`,
    ...(lostRowCount > 0
      ? [
          `${counted(lostRowCount, 'row')} of ${totals.rowCount + lostRowCount} came too late and are missing: later rows hold the energy`,
        ]
      : []),
    `In all ${total}`,
    ...header.channels.map((channel, index) => line(channel, totals.channelJoules[index], seconds)),
    ending(facts),
  ];
  return `${lines.join('\n')}\n`;
}
