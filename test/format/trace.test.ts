// SPDX-License-Identifier: MIT
import { expect, it } from 'vitest';
import { formatTrace } from '../../lib/format/trace.js';
import { StreamTotals } from '../../lib/stream/totals.js';
import { channel, header } from '../stream/fixtures.js';

it('tells rows that came too late, which no gap tells of', () => {
  const head = header([channel('p')]);
  const totals = new StreamTotals(head);
  totals.add({ type: 'row', timeNs: 1e9, energyJoules: [1] });
  const facts = { header: head, totals, gapCount: 0, isEnded: true, run: 'ended' as const };
  expect(formatTrace({ ...facts, lostRowCount: 587 })).toContain(
    '587 rows of 588 came too late and are missing',
  );
  expect(formatTrace({ ...facts, lostRowCount: 0 })).not.toContain('missing');
  expect(formatTrace({ ...facts, run: 'interrupted', isEnded: false })).toContain('goes on, or was cut off');
});
