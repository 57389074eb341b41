// SPDX-License-Identifier: MIT
import { StreamTotals } from './totals.js';
import type { StreamGap, StreamHeader, StreamRecord } from './types.js';

const NS_PER_SECOND = 1e9;
const NS_PER_MS = 1_000_000n;

/** Quoted where RFC 4180 asks for it. */
function cell(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Whether a gap is one of the sum, which goes on too low. */
function losesEnergy({ energyKept, channels }: StreamGap, header: StreamHeader | undefined): boolean {
  if (energyKept) return false;
  return (
    channels === undefined ||
    header?.channels.some(({ id, inTotal }) => inTotal && channels.includes(id)) === true
  );
}

/**
 * A stream as CSV: a line with the columns' names, then a line for each row. Columns: `timestamp` (ISO 8601, UTC),
 * `time_seconds` since the start; `energy_joules` and `power_watts` of the sum, empty while a part of it cannot be read, the
 * power also where energy was lost since the row before; `at_least`, whether the true sum is higher, and its `kind`; then
 * for each channel its joules since the start, named by its id. What is no row has no place in it.
 * @returns a function that gives the text for each record of the stream in its turn, empty for most that are no rows
 */
export function csvEncoder(): (record: StreamRecord) => string {
  let header: StreamHeader | undefined;
  let totals = new StreamTotals({ channels: [], absent: [] });
  let unixNs = 0n;
  let unixAtNs = 0;
  let last: { timeNs: number; energyJoules: number } | undefined;
  return (record) => {
    if (record.type === 'header') {
      header = record;
      totals = new StreamTotals(record);
      unixNs = BigInt(record.clock.unixNs);
      const names = record.channels.map(({ id }) => cell(`${id} joules`));
      return `${['timestamp', 'time_seconds', 'energy_joules', 'power_watts', 'at_least', 'kind', ...names].join(',')}\n`;
    }
    totals.add(record);
    if (record.type === 'gap' && losesEnergy(record, header)) last = undefined;
    if (record.type === 'clock') {
      unixNs = BigInt(record.unixNs);
      unixAtNs = record.timeNs;
    }
    if (record.type !== 'row' || header === undefined) return '';
    const { timeNs } = record;
    const unixMs = (unixNs + BigInt(timeNs - unixAtNs)) / NS_PER_MS;
    const isWhole = header.channels.every(
      ({ inTotal }, index) => !inTotal || (record.energyJoules[index] ?? null) !== null,
    );
    const energyJoules = isWhole ? totals.energyJoules : undefined;
    const seconds = last === undefined ? 0 : (timeNs - last.timeNs) / NS_PER_SECOND;
    const watts =
      energyJoules === undefined || last === undefined ? '' : (energyJoules - last.energyJoules) / seconds;
    last = energyJoules === undefined ? undefined : { timeNs, energyJoules };
    const cells = [
      new Date(Number(unixMs)).toISOString(),
      timeNs / NS_PER_SECOND,
      energyJoules ?? '',
      watts,
      totals.atLeast,
      totals.kind ?? '',
      ...record.energyJoules.map((joules) => joules ?? ''),
    ];
    return `${cells.join(',')}\n`;
  };
}
