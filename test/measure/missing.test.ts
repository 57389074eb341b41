// SPDX-License-Identifier: MIT
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { missingCounters } from '../../lib/measure/missing.js';
import type { Counter, Meter } from '../../lib/meter/meter.js';

describe('missingCounters', () => {
  let sysfs: string;
  beforeAll(() => {
    sysfs = mkdtempSync(path.join(os.tmpdir(), 'microjoule-missing-'));
  });
  afterAll(() => rmSync(sysfs, { recursive: true, force: true }));

  const meterOf = (...counters: Partial<Counter>[]): Meter => {
    const listed = counters.map((counter) => {
      const { id = '', domain, status = 'ok', detail = '' } = counter;
      return {
        counter,
        status,
        detail,
        apart: '',
        meter: id,
        inTotal: domain === 'package' && status === 'ok',
      };
    });
    return { list: () => listed, read: () => ({}), counters, sources: [] } as unknown as Meter;
  };
  const one = { id: 'emi:package:0', domain: 'package', status: 'ok' } as const;
  const denied = { domain: 'other', status: 'no-permission', detail: 'Windows denies it' } as const;

  it('names devices of which nothing is known, and no rail that is only not understood', () => {
    const unknown = { ...denied, id: 'emi:other:1', unknownContent: true } as const;
    expect(missingCounters(meterOf(one), { sysfs })).toEqual([]);
    expect(missingCounters(meterOf(one, { ...denied, id: 'emi:other:0:1' }, unknown), { sysfs })).toEqual([
      'emi:other:1: no-permission, Windows denies it',
    ]);
  });
});
