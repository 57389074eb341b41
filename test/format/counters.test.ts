// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import type { Domain, Status } from '../../lib/core/vocabulary.js';
import { formatCounters } from '../../lib/format/counters.js';
import type { CounterDelta } from '../../lib/meter/meter.js';

function delta(domain: Domain, status: Status, inTotal: boolean): CounterDelta {
  return {
    counter: {
      id: `emi:${domain}:0`,
      source: 'emi',
      domain,
      device: 0,
      origin: 'x',
      kind: 'energy',
      scaleNumerator: 1n,
      scaleDenominator: 1000n,
      modulusTicks: 0n,
      clock: 'device',
      blocking: false,
      fromOpen: false,
      status,
      detail: '',
    },
    status,
    detail: '',
    ...(status === 'ok' ? { energyJoules: 4182 } : {}),
    inTotal,
    apart: inTotal ? '' : 'it holds the packages',
    meter: `emi:${domain}:0`,
    duplicate: false,
    doubtful: false,
  };
}

describe('formatCounters', () => {
  it.each<[string, CounterDelta[]]>([
    ['No counter can be read: reports will be estimates.', [delta('package', 'no-permission', false)]],
    ['No counter can be read: reports will be estimates.', []],
    [
      '1 counter can be read, and none is of the total: reports will be estimates.',
      [delta('psys', 'ok', false), delta('package', 'failed', false)],
    ],
    ['2 counters can be read, and none is', [delta('psys', 'ok', false), delta('other', 'ok', false)]],
    ['1 counter in the total; the others', [delta('package', 'ok', true), delta('core', 'ok', false)]],
  ])('concludes: %s', (sentence, deltas) => {
    const text = formatCounters([{ source: 'emi', status: 'ok', detail: '', counters: [] }], deltas);
    expect(text.split('\n').at(-2)).toContain(sentence);
  });
});
