// SPDX-License-Identifier: MIT
import { afterEach, describe, expect, it, vi } from 'vitest';
import { progressLine, waitSeconds } from '../../lib/cli/measure-run.js';
import type { Kind } from '../../lib/core/vocabulary.js';

describe('progressLine', () => {
  const line = (changes: { kind?: Kind; atLeast?: boolean }) => {
    const glimpse = {
      durationSeconds: 5,
      energyJoules: 300,
      kind: 'measured' as Kind,
      atLeast: false,
      ...changes,
    };
    return progressLine({ peek: () => glimpse }, { label: 'run 2 of 3, ', gramsPerKwh: 360 });
  };

  it('tells time, energy, power and how they are known', () => {
    expect(line({})).toBe('microjoule: run 2 of 3, 5 s, 300.0 J measured, mean 60.00 W, 30.00 mg CO2eq');
    for (const kind of ['estimated', 'assumed'] as const)
      expect(line({ kind })).toContain(`300.0 J ${kind}, mean`);
  });

  it('says that there is more than could be read', () => {
    expect(line({ atLeast: true })).toBe(
      'microjoule: run 2 of 3, 5 s, at least 300.0 J measured, mean 60.00 W, 30.00 mg CO2eq',
    );
  });
});

describe('waitSeconds', () => {
  afterEach(() => vi.useRealTimers());

  it('waits longer than one timer can', async () => {
    const days = 60;
    let outcome: unknown;
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    waitSeconds(days * 86_400).then((ended) => {
      outcome = ended;
    });
    await vi.advanceTimersByTimeAsync((days - 1) * 86_400_000);
    expect(outcome).toBeUndefined();
    await vi.advanceTimersByTimeAsync(86_400_000);
    expect(outcome).toEqual({ started: true, exitCode: 0 });
    expect(vi.getTimerCount()).toBe(0);
  });

  it('leaves no listener behind', async () => {
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;
    const listeners = () => signals.map((signal) => process.listenerCount(signal));
    const before = listeners();
    const wait = waitSeconds(0.001);
    expect(listeners()).toEqual(before.map((count) => count + 1));
    expect(await wait).toEqual({ started: true, exitCode: 0 });
    expect(listeners()).toEqual(before);
  });
});
