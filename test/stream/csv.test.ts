// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { csvEncoder } from '../../lib/stream/csv.js';
import type { StreamGap, StreamHeader, StreamRecord } from '../../lib/stream/types.js';
import { channel, header } from './fixtures.js';

const row = (seconds: number, ...energyJoules: (number | null)[]): StreamRecord => ({
  type: 'row',
  timeNs: seconds * 1e9,
  energyJoules,
});
const gap = (more: Partial<StreamGap>): StreamGap => ({
  ...{ type: 'gap', fromNs: 1e9, toNs: 2e9, reason: 'break', energyKept: false, detail: '' },
  ...more,
});

/** Power, at_least and kind of each row. */
function told(head: StreamHeader, records: StreamRecord[]): string[] {
  const encode = csvEncoder();
  const text = [head, ...records].map(encode).join('');
  return text
    .trimEnd()
    .split('\n')
    .slice(1)
    .map((line) => line.split(',').slice(3, 6).join(' '));
}

describe('the CSV of a stream', () => {
  const head = header([channel('p'), channel('core', { inTotal: false })]);
  const rows = (between: StreamRecord[]) => [
    row(0, 0, 0),
    row(1, 10, 1),
    ...between,
    row(2, 11, 2),
    row(3, 21, 3),
  ];

  it('has no power over a gap that lost energy, and says "at least" from there on', () => {
    expect(told(head, rows([gap({ channels: ['p'] })]))).toEqual([
      ' false measured',
      '10 false measured',
      ' true measured',
      '10 true measured',
    ]);
    expect(told(head, rows([gap({})]))[2]).toBe(' true measured');
  });

  it('has it over gaps of what is not in the sum, and over those whose energy is kept', () => {
    for (const harmless of [gap({ channels: ['core'] }), gap({ energyKept: true })]) {
      expect(told(head, rows([harmless]))[2]).toBe('1 false measured');
    }
  });

  it('says "at least" where a device is there and not metered, and the worst kind', () => {
    const lacking: StreamHeader = {
      ...header([channel('p'), channel('m', { kind: 'assumed' })]),
      absent: [{ source: 'PCI bus', status: 'not-found', detail: 'a GPU is present', inTotal: true }],
    };
    expect(told(lacking, [row(0, 0, 0), row(1, 1, 1)])).toEqual([' true assumed', '2 true assumed']);
  });
});
