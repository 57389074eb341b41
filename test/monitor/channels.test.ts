// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import type { CounterDelta } from '../../lib/meter/meter.js';
import { channelsOf } from '../../lib/monitor/channels.js';

function listed(id: string, changes: Partial<CounterDelta>, unknownContent?: true): CounterDelta {
  const counter = { id, source: 'emi', domain: changes.inTotal ? 'package' : 'other', device: 0 };
  return {
    counter: { ...counter, scaleNumerator: 1n, scaleDenominator: 1n, modulusTicks: 0n, unknownContent },
    status: 'ok',
    detail: '',
    inTotal: false,
    apart: '',
    meter: id,
    duplicate: false,
    doubtful: false,
    ...changes,
  } as unknown as CounterDelta;
}

describe('channelsOf', () => {
  const one = listed('emi:package:0', { inTotal: true });

  // Whatever kept it from being opened: it is not opened again.
  it.each(['no-permission', 'failed'] as const)('a device that is %s lacks in the sum', (status) => {
    const unknown = listed('emi:other:1', { status, detail: 'not opened' }, true);
    const { columns, absent } = channelsOf([one, unknown], [], () => undefined);
    expect(columns.map(({ channel }) => channel.id)).toEqual(['emi:package:0']);
    expect(absent).toEqual([{ source: 'emi', status, detail: 'emi:other:1: not opened', inTotal: true }]);
    // The CPU is a model's then, which is of all of it.
    expect(channelsOf([unknown], [], () => undefined).absent[0]).not.toHaveProperty('inTotal');
  });
});
