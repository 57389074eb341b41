// SPDX-License-Identifier: MIT
import type { StreamChannel, StreamRecord } from './types.js';

/** One record as its line, the line's end included. Values are written so that they read back exactly. */
export function encodeRecord(record: StreamRecord): string {
  if (record.type !== 'row') return `${JSON.stringify(record)}\n`;
  let line = `[${record.timeNs}`;
  for (const value of record.energyJoules) line += `,${value}`;
  return `${line}]\n`;
}

/** A value of a channel in its counter's own ticks since the stream began; undefined for what has none. */
export function ticksOf(channel: StreamChannel, energyJoules: number): bigint | undefined {
  if (channel.scaleNumerator === undefined || channel.scaleDenominator === undefined) return undefined;
  const joulesPerTick = Number(channel.scaleNumerator) / Number(channel.scaleDenominator);
  // A double holds the quotient of whole numbers closely enough for rounding to find the whole number again.
  return BigInt(Math.round(energyJoules / joulesPerTick));
}
