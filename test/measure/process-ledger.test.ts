// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import type { Component } from '../../lib/core/report-types.js';
import { type LedgerEntry, type Look, ProcessLedger } from '../../lib/measure/process-ledger.js';
import { secondsBetween } from '../../lib/meter/reading.js';
import { noGpu, seededRandom } from '../report/fixtures.js';

const THREADS = 4;
const MODEL_WATTS = 7;

function component(kind: Component['kind'], energyJoules: number): Component {
  return { kind, source: 's', method: 'm', detail: 'd', atLeast: false, counters: [], energyJoules };
}

/** A machine whose one counter has whole millijoules; what stands still is estimated. */
function between(from: Look, to: Look) {
  const ticks = (look: Look) => Number(look.reading.counters[0]?.ticks ?? 0n);
  const joules = (ticks(to) - ticks(from)) / 1000;
  const seconds = secondsBetween(from.reading, to.reading);
  const cpu = joules > 0 ? component('measured', joules) : component('estimated', MODEL_WATTS * seconds);
  return {
    components: { cpu, gpu: noGpu, ram: component('assumed', 2 * seconds) },
    threadCount: THREADS,
    ramTotalGib: 8,
  };
}

interface State {
  seconds: number;
  joules: number;
  ownSeconds: number;
  machineSeconds: number;
  residentGib?: number;
}

function lookAt({ seconds, joules, ownSeconds, machineSeconds, residentGib = 1 }: State): Look {
  const ns = BigInt(Math.round(seconds * 1e9));
  const ticks = BigInt(Math.round(joules * 1000));
  return {
    reading: {
      beforeNs: ns,
      afterNs: ns,
      bootNs: ns,
      counters: [{ ticks, timeNs: 0n, statusCode: 0, breakCount: 0 }],
    },
    // As Linux counts.
    times: { busySeconds: Math.floor(machineSeconds * 100) / 100, totalSeconds: 1 + seconds * THREADS },
    usage: { cpuSeconds: ownSeconds, ownCpuSeconds: ownSeconds, residentGib, children: 'all' },
  };
}

/** Looks at what was done in steps; tells each step's joules and the process's part of them. */
function play(steps: readonly State[]) {
  const ledger = new ProcessLedger(between);
  const now: State = { seconds: 0, joules: 0, ownSeconds: 0, machineSeconds: 0 };
  const entries: LedgerEntry[] = [ledger.add(lookAt(now))];
  for (const step of steps) {
    now.seconds += step.seconds;
    now.joules += step.joules;
    now.ownSeconds += step.ownSeconds;
    now.machineSeconds += step.machineSeconds;
    now.residentGib = step.residentGib ?? 1;
    entries.push(ledger.add(lookAt(now)));
  }
  const ratio = (from: number, to: number) =>
    ledger.span(entries[from] as LedgerEntry, entries[to] as LedgerEntry).cpuShareRatio;
  const joulesOf = (from: number, to: number) =>
    (ratio(from, to) ?? 0) * steps.slice(from, to).reduce((sum, step) => sum + step.joules, 0);
  return { ledger, entries, ratio, joulesOf };
}

const repeated = (count: number, step: State) => Array.from({ length: count }, () => step);

describe('a ledger of one process', () => {
  it('lets it not bear what the machine spent while others ran', () => {
    const { joulesOf, ratio } = play([
      { seconds: 1, joules: 100, ownSeconds: 1, machineSeconds: 1 },
      { seconds: 1, joules: 1000, ownSeconds: 0, machineSeconds: 1 },
    ]);
    expect(joulesOf(0, 1)).toBeCloseTo(100, 9);
    expect(joulesOf(1, 2)).toBeCloseTo(0, 9);
    expect(joulesOf(0, 2)).toBeCloseTo(100, 9);
    expect(ratio(0, 2)).toBeCloseTo(100 / 1100, 9);
  });

  it.each([
    1, 2, 3, 4,
  ])('adds up however the looks lie, and gives no part below 0 or above all, seed %d', (seed) => {
    const random = seededRandom(seed);
    const steps = Array.from({ length: 300 }, () => {
      const seconds = 0.0001 + random() ** 4;
      const machineSeconds = random() * seconds * THREADS;
      return {
        seconds,
        machineSeconds,
        joules: (1 + Math.floor(random() ** 3 * 90_000)) / 1000,
        ownSeconds: random() * machineSeconds,
      };
    });
    const { joulesOf } = play(steps);
    let sum = 0;
    for (const [index, { joules, ownSeconds, seconds }] of steps.entries()) {
      const own = joulesOf(index, index + 1);
      expect(own).toBeLessThanOrEqual(joules + 1e-6);
      // All threads together had no more time than this.
      expect(own).toBeGreaterThanOrEqual((joules * ownSeconds) / (seconds * THREADS) - 1e-4 * joules);
      sum += own;
    }
    expect(joulesOf(0, steps.length)).toBeCloseTo(sum, 6);
    expect(joulesOf(0, 100) + joulesOf(100, 300)).toBeCloseTo(sum, 6);
  });

  it('has shares of at most all, whatever sums of it are rounded to', () => {
    const random = seededRandom(5);
    const alone = Array.from({ length: 500 }, () => {
      const joules = (1 + Math.floor(random() ** 9 * 1e6)) / 1000;
      return { seconds: 0.3, joules, ownSeconds: 0.3, machineSeconds: 0.3 };
    });
    const { ratio } = play(alone);
    for (let index = 0; index < alone.length; index++) {
      expect(ratio(index, index + 1)).toBeLessThanOrEqual(1);
      expect(ratio(index, index + 1)).toBeGreaterThan(0.95);
    }
  });

  it('is not led astray by the hundredths of a second that the machine counts in', () => {
    // Another process is three times as busy; a look each millisecond sees the machine stand still and then leap.
    const step = { seconds: 0.001, joules: 0.05, ownSeconds: 0.0005, machineSeconds: 0.002 };
    const { ratio, joulesOf } = play(repeated(3000, step));
    expect(ratio(0, 3000)).toBeGreaterThan(0.24);
    expect(ratio(0, 3000)).toBeLessThan(0.28);
    for (let index = 0; index < 3000; index++) expect(joulesOf(index, index + 1)).toBeGreaterThan(0);
  });

  it('has what a counter did not show yet where it moves, and no model for it', () => {
    const busy = { seconds: 0.3, ownSeconds: 0.3, machineSeconds: 0.6 };
    const { ratio, entries } = play([
      { ...busy, joules: 10 },
      { ...busy, joules: 0 },
      { ...busy, joules: 30 },
    ]);
    expect(ratio(1, 2)).toBeUndefined();
    expect(ratio(0, 3)).toBeCloseTo(0.5, 1);
    expect(entries.at(-1)?.cpu.machineJoules).toBeCloseTo(40, 9);
  });

  it('shares by the model where nothing counts', () => {
    const { ledger, entries } = play([
      { seconds: 1, joules: 0, ownSeconds: 1, machineSeconds: 2, residentGib: 3 },
    ]);
    const [from, to] = entries as [LedgerEntry, LedgerEntry];
    expect(ledger.span(from, to)).toEqual({
      cpuShareRatio: 0.5,
      ramShareRatio: 2 / 8,
      residentGib: 2,
    });
    expect(to.cpu.machineJoules).toBeCloseTo(MODEL_WATTS, 9);
  });

  it('knows nothing of no time', () => {
    const { ledger, entries } = play([]);
    const [only] = entries as [LedgerEntry];
    expect(ledger.span(only, only)).toEqual({
      cpuShareRatio: undefined,
      ramShareRatio: undefined,
      residentGib: undefined,
    });
  });
});
