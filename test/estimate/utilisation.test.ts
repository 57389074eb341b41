// SPDX-License-Identifier: MIT
import { cpus } from 'node:os';
import { describe, expect, it } from 'vitest';
import { parseProcStat, readCpuTimes, utilisationBetween } from '../../lib/estimate/utilisation.js';

const times = (busySeconds: number, totalSeconds: number) => ({ busySeconds, totalSeconds });

describe('utilisationBetween', () => {
  it('is the busy share of the time that passed', () => {
    expect(utilisationBetween(times(10, 100), times(13, 112))).toBe(0.25);
  });

  it.each([
    ['stood still', times(1, 8), times(1, 8)],
    ['went back', times(1, 8), times(1, 7)],
    ['is hidden', times(0, 0), times(0, 0)],
    ['is not a number', times(0, 0), times(Number.NaN, 4)],
  ])('is undefined when time %s', (_why, earlier, later) => {
    expect(utilisationBetween(earlier, later)).toBeUndefined();
  });

  it('stays within 0 and 1', () => {
    expect(utilisationBetween(times(5, 10), times(4, 12))).toBe(0);
    expect(utilisationBetween(times(5, 10), times(9, 12))).toBe(1);
  });
});

describe('parseProcStat', () => {
  it('counts waiting for I/O as idle, interrupts as busy, and stolen time not at all', () => {
    const text = 'cpu  100 20 30 1000 200 5 45 999 7 8\ncpu0 1 1\ncpu1 1 1\ncpu10 1 1\nintr 5\n';
    expect(parseProcStat(text)).toEqual({ busySeconds: 2, totalSeconds: 14, threadCount: 3 });
  });

  it.each(['', 'intr 5\n', 'cpu  one two\n', 'cpu\n'])('knows nothing of %j', (text) => {
    expect(parseProcStat(text)).toBeUndefined();
  });
});

describe('readCpuTimes', () => {
  it('reads times that pass at most one second per thread and second', () => {
    const startedAtMs = performance.now();
    const earlier = readCpuTimes();
    while (performance.now() - startedAtMs < 120);
    const later = readCpuTimes();
    const passedSeconds = (performance.now() - startedAtMs) / 1000;
    expect(earlier.busySeconds).toBeGreaterThan(0);
    expect(earlier.busySeconds).toBeLessThanOrEqual(earlier.totalSeconds);
    // The kernel counts in ticks of 10 ms per thread.
    const limitSeconds = (passedSeconds + 0.05) * cpus().length;
    expect(later.totalSeconds - earlier.totalSeconds).toBeLessThanOrEqual(limitSeconds);
    expect(utilisationBetween(earlier, later)).toBeGreaterThan(0);
  });
});
