// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { runBench } from '../../lib/bench/bench.js';
import type { BenchProgress } from '../../lib/bench/run.js';
import type { BenchPlan, BenchReport } from '../../lib/bench/types.js';
import { MicrojouleError } from '../../lib/core/errors.js';
import { boundOf, type FakeMachine, fakeMachine, planOf, randomFrom } from './fixtures.js';

function bench(
  plan: BenchPlan,
  { gauge, executor }: FakeMachine,
  more: { signal?: AbortSignal; onProgress?: (progress: BenchProgress) => void } = {},
): Promise<BenchReport> {
  const about = { version: '0.0.0', generatedAtMs: 0 };
  return runBench(plan, { gauge, executor, random: randomFrom(5), ...more }, about);
}

const named = ({ results }: BenchReport, name: string) => {
  const found = results.find((one) => one.name === name);
  if (found === undefined) throw new Error(`${name} has no result`);
  return found;
};

describe('the order of runs', () => {
  it('takes turns, every other round the mirror image of the one before', async () => {
    const machine = fakeMachine(() => ({ seconds: 0.1 }));
    await bench(planOf(['a', 'b', 'c'], { runCount: 6 }), machine);
    const rounds = [0, 1, 2, 3, 4, 5].map((i) => machine.log.slice(3 * i, 3 * i + 3));
    for (const round of rounds) expect(round.toSorted()).toEqual(['a', 'b', 'c']);
    for (const i of [0, 2, 4]) expect(rounds[i + 1]).toEqual(rounds[i]?.toReversed());
  });

  it('runs what belongs to a command around each of its runs', async () => {
    const machine = fakeMachine(() => ({ seconds: 0.1 }));
    const options = {
      runCount: 2,
      warmupCount: 1,
      prepare: ['pa', 'pb'],
      conclude: ['c'],
      setup: 's',
      cleanup: 'x',
    };
    await bench(planOf(['a', 'b'], options), machine);
    // Sequential, as there is a setup.
    expect(machine.log.join(' ')).toBe('s pa a c pa a c pa a c x s pb b c pb b c pb b c x');
    expect(machine.iterations.slice(0, 8)).toEqual([
      undefined,
      'warmup-0',
      'warmup-0',
      'warmup-0',
      '0',
      '0',
      '0',
      '1',
    ]);
  });

  it('sets all up first where they take turns nonetheless', async () => {
    const machine = fakeMachine(() => ({ seconds: 0.1 }));
    await bench(planOf(['a', 'b'], { runCount: 1, setup: 's', cleanup: 'x', order: 'interleaved' }), machine);
    expect(machine.log.slice(0, 2)).toEqual(['s', 's']);
    expect(machine.log.slice(-2)).toEqual(['x', 'x']);
  });

  it.each([
    [{ runCount: 7 }, 0.1, 7],
    [{}, 0.1, 30],
    [{}, 1, 10],
    [{ minRunCount: 3 }, 1, 3],
    [{ maxRunCount: 5 }, 0.1, 5],
    [{ minRunCount: 40 }, 0.1, 40],
  ])('%j of a command of %d s: %d runs', async (options, seconds, count) => {
    const machine = fakeMachine(() => ({ seconds }));
    const report = await bench(planOf(['a'], options), machine);
    expect(machine.log).toHaveLength(count);
    expect(named(report, 'a').runs).toHaveLength(count);
  });

  it('counts what is run around a command', async () => {
    const machine = fakeMachine((line) => ({ seconds: line === 'p' ? 0.3 : 0.001 }));
    const report = await bench(planOf(['a'], { prepare: ['p'] }), machine);
    expect(named(report, 'a').runs).toHaveLength(10);
    const both = fakeMachine((line) => ({ seconds: line === 'a' ? 0.001 : 0.05 }));
    const other = await bench(planOf(['a'], { prepare: ['p'], conclude: ['c'] }), both);
    expect(named(other, 'a').runs).toHaveLength(Math.ceil(3 / 0.104));
  });

  it('says how far it is', async () => {
    const seen: string[] = [];
    const machine = fakeMachine(() => ({ seconds: 1 }));
    await bench(planOf(['a'], { runCount: 2, warmupCount: 1 }), machine, {
      onProgress: ({ phase, doneCount, totalCount }) => seen.push(`${phase} ${doneCount}/${totalCount}`),
    });
    expect(seen).toEqual(['idle 0/undefined', 'warmup 0/1', 'run 0/2', 'run 1/2', 'idle 0/undefined']);
  });
});

describe('what is told', () => {
  it('is time, energy, what is above idle, and power, of each run and their mean', async () => {
    const machine = fakeMachine((_, run) => ({ seconds: 0.1 + 0.001 * (run % 2), watts: 10 }));
    const report = await bench(planOf(['a'], { runCount: 10 }), machine);
    const a = named(report, 'a');
    expect(a.durationSeconds.mean).toBeCloseTo(0.1005, 9);
    expect(a.energyJoules.mean).toBeCloseTo(40 * 0.1005, 6);
    expect(a.aboveIdleJoules?.mean).toBeCloseTo(10 * 0.1005, 6);
    expect(a.powerWatts.mean).toBeCloseTo(40, 6);
    expect(a.userCpuSeconds).toBeCloseTo(0.8 * 0.1005, 9);
    for (const { mean, lower = Number.NaN, upper = Number.NaN, min, max, median, isResolved } of [
      a.durationSeconds,
      a.energyJoules,
      a.powerWatts,
    ]) {
      expect(isResolved).toBe(true);
      expect(lower).toBeLessThanOrEqual(mean);
      expect(upper).toBeGreaterThanOrEqual(mean);
      expect(min).toBeLessThanOrEqual(median);
      expect(max).toBeGreaterThanOrEqual(median);
    }
    // Energy that is more since the run was longer is no scatter of the power.
    const half = (a.powerWatts.upper ?? 0) - a.powerWatts.mean;
    expect(half).toBeLessThan(0.01);
    expect(report).toMatchObject({ failures: [], missing: [], comparisons: [] });
    expect(report.idle?.powerWatts).toBe(30);
    expect(report.warnings).toEqual([]);
  });

  it('ranks 10 W and 20 W above idle by their ratio, the total by its own', async () => {
    const machine = fakeMachine((line) => ({ seconds: 0.2, watts: line === 'b' ? 20 : 10 }));
    const report = await bench(planOf(['b', 'a'], { runCount: 10 }), machine);
    const [only] = report.comparisons;
    expect(report.comparisons).toHaveLength(1);
    expect(only).toMatchObject({ name: 'b', reference: 'a', method: 'pairs', pairCount: 10 });
    expect(only?.aboveIdle?.ratio).toBeCloseTo(2, 3);
    expect(only?.aboveIdle?.lowerRatio).toBeLessThan(2.0001);
    expect(only?.aboveIdle?.upperRatio).toBeGreaterThan(1.9999);
    expect(only?.aboveIdle?.isResolved).toBe(true);
    expect(only?.energy.ratio).toBeCloseTo(50 / 40, 4);
    expect(only?.duration).toMatchObject({ ratio: 1, isResolved: false });
  });

  it('is not fooled by a machine that drifts, where commands take turns', async () => {
    // One per cent a second.
    const drifting = () =>
      fakeMachine(
        () => ({ seconds: 0.2, watts: 10 }),
        (seconds) => 30 + 0.3 * seconds,
      );
    const together = await bench(planOf(['a', 'b'], { runCount: 20 }), drifting());
    const apart = await bench(planOf(['a', 'b'], { runCount: 20, order: 'sequential' }), drifting());
    const holdsOne = ({ comparisons: [one] }: BenchReport): boolean =>
      (one?.energy.lowerRatio ?? 2) <= 1 && (one?.energy.upperRatio ?? 0) >= 1;
    expect(holdsOne(together)).toBe(true);
    expect(together.comparisons[0]?.energy.isResolved).toBe(false);
    expect(holdsOne(apart)).toBe(false);
    expect(apart.comparisons[0]?.method).toBe('means');
    expect(apart.warnings.map(({ code }) => code)).toContain('sequential');
  });

  it('is compared with the reference that was named', async () => {
    const machine = fakeMachine((line) => ({ seconds: 0.2, watts: line === 'old' ? 40 : 10 }));
    const report = await bench(planOf(['a'], { runCount: 8, reference: 'old' }), machine);
    expect(report.comparisons).toMatchObject([{ name: 'a', reference: 'old' }]);
    expect(report.comparisons[0]?.energy.ratio).toBeCloseTo(40 / 70, 4);
  });

  it('is as uncertain as the time of the shell', async () => {
    // From batch to batch the shell takes longer; the command always the same.
    const machine = fakeMachine((line, run) => ({ seconds: line === '' ? 0.01 + 0.002 * (run % 7) : 0.1 }));
    const report = await bench(planOf(['a'], { runCount: 5, shell: 'default' }), machine);
    const { durationSeconds, powerWatts } = named(report, 'a');
    const { mean: shell = 0, lower = 0, upper = 0 } = report.shell?.durationSeconds ?? {};
    expect(upper - lower).toBeGreaterThan(0);
    expect(durationSeconds.mean).toBeCloseTo(0.1 - shell, 9);
    expect((durationSeconds.upper ?? 0) - (durationSeconds.lower ?? 0)).toBeCloseTo(upper - lower, 9);
    expect(powerWatts.upper).toBeGreaterThan(powerWatts.mean);
  });

  it('is compared with the least energy that could be told', async () => {
    const machine = fakeMachine((line) =>
      line === 'b'
        ? { seconds: 0.001, estimate: boundOf(0.1) }
        : { seconds: 0.2, watts: line === 'c' ? 20 : 10 },
    );
    const report = await bench(planOf(['b', 'c', 'd'], { runCount: 8 }), machine);
    expect(report.comparisons).toMatchObject([{ name: 'c', reference: 'd' }]);
    const shell = fakeMachine((line) => ({
      seconds: { '': 0.01, b: 0.0099, c: 0.3 }[line] ?? 0.2,
      watts: 10,
    }));
    const started = await bench(planOf(['b', 'c', 'd'], { runCount: 8, shell: 'default' }), shell);
    expect(started.comparisons.map(({ reference }) => reference)).toEqual(['d', 'd']);
    expect(started.comparisons.find(({ name }) => name === 'c')?.energy.ratio).toBeCloseTo(29 / 19, 2);
  });

  it.each([0, 3])('is compared with nothing where the reference failed after %d runs', async (at) => {
    const machine = fakeMachine((line, run) => ({
      seconds: 0.2,
      watts: 10,
      ...(line === 'old' && run === at ? { ended: { exitCode: 1 } } : {}),
    }));
    const report = await bench(planOf(['a', 'b'], { runCount: 8, reference: 'old' }), machine);
    expect(report.comparisons).toEqual([]);
    expect(report.warnings).toMatchObject([
      { code: 'no-reference', message: 'nothing is compared: "old", the reference, failed' },
    ]);
  });

  it.each([
    'interleaved',
    'sequential',
  ] as const)('is no ratio to what is not above idling, where they are %s', async (order) => {
    const machine = fakeMachine((line, run) => ({ seconds: 0.2, watts: line === 'b' ? 20 : -1 + (run % 2) }));
    const report = await bench(planOf(['a', 'b'], { runCount: 10, reference: 'a', order }), machine);
    const found = report.comparisons.find(({ name }) => name === 'b');
    const none = { ratio: Number.NaN, lowerRatio: Number.NaN, upperRatio: Number.NaN, isResolved: false };
    expect(found?.aboveIdle).toEqual(none);
    expect(found?.energy.ratio).toBeCloseTo(50 / 29.5, 2);
  });

  it('is without the shell, whose start is measured alone', async () => {
    const machine = fakeMachine((line) => ({ seconds: line === '' ? 0.01 : 0.11, watts: 10 }));
    const report = await bench(planOf(['a'], { runCount: 5, shell: 'default' }), machine);
    const a = named(report, 'a');
    expect(report.shell?.durationSeconds.mean).toBeCloseTo(0.01, 9);
    expect(report.shell?.energyJoules.mean).toBeGreaterThan(0);
    expect(a.durationSeconds.mean).toBeCloseTo(0.1, 9);
    expect(a.userCpuSeconds).toBeCloseTo(0.8 * 0.1, 9);
    expect(a.systemCpuSeconds).toBeCloseTo(0.1 * 0.1, 9);
    expect(a.energyJoules.mean).toBeCloseTo(0.11 * 40 - (report.shell?.energyJoules.mean ?? 0), 6);
  });

  it.each([
    ['the time of run 4', (run: number) => ({ seconds: run === 3 ? 0.3 : 0.1 + 1e-4 * run }), 'outliers'],
    ['the first run took 0.300 s', (run: number) => ({ seconds: run === 0 ? 0.3 : 0.1 }), 'slow-first-run'],
    ['less than 5 ms', () => ({ seconds: 0.004 }), 'fast'],
    ['too short for the counters', () => ({ seconds: 0.001, estimate: boundOf(0.1) }), 'not-resolved'],
    ['were ignored: 3', () => ({ seconds: 0.1, ended: { exitCode: 3 } }), 'ignored-exit-codes'],
    ['within the noise', () => ({ seconds: 0.1, watts: 0 }), 'above-idle-not-resolved'],
  ])('warns: %s', async (text, behave, code) => {
    const machine = fakeMachine((_, run) => behave(run));
    const report = await bench(planOf(['a'], { runCount: 10, ignoredCodes: 'all' }), machine);
    const warning = named(report, 'a').warnings.find((one) => one.code === code);
    expect(warning?.message).toContain(text);
  });

  it('is bounds alone where no run could be told, and never a figure', async () => {
    const machine = fakeMachine(() => ({ seconds: 0.001, estimate: boundOf(0.1) }));
    const report = await bench(planOf(['a'], { runCount: 10 }), machine);
    const { energyJoules, runs, lostRunCount, aboveIdleJoules } = named(report, 'a');
    expect(energyJoules.isResolved).toBe(false);
    expect(aboveIdleJoules?.isResolved).toBe(false);
    expect(energyJoules.lower).toBe(0);
    expect(energyJoules.upper).toBeCloseTo(0.1, 6);
    expect(lostRunCount).toBe(10);
    for (const run of runs) expect(run).not.toHaveProperty('energyJoules');
  });

  it('is an upper bound, never a zero, of what took no longer than the shell alone', async () => {
    const machine = fakeMachine((line) => ({ seconds: line === '' ? 0.01 : 0.0099, watts: 10 }));
    const report = await bench(planOf(['a'], { runCount: 5, shell: 'default' }), machine);
    const { energyJoules, durationSeconds, aboveIdleJoules } = named(report, 'a');
    expect(durationSeconds.mean).toBe(0);
    for (const one of [energyJoules, aboveIdleJoules]) {
      expect(one).toMatchObject({ mean: 0, lower: 0, isResolved: false });
      expect(one?.upper).toBeGreaterThan(0);
    }
    expect(named(report, 'a').warnings.map(({ code }) => code)).toContain('not-resolved');
  });

  it('leaves out the few runs that could not be told', async () => {
    const machine = fakeMachine((_, run) => ({
      seconds: 0.1,
      watts: 10,
      ...(run === 2 ? { estimate: boundOf(100) } : {}),
    }));
    const report = await bench(planOf(['a'], { runCount: 10 }), machine);
    const a = named(report, 'a');
    expect(a.energyJoules.mean).toBeCloseTo(4, 6);
    expect(a.lostRunCount).toBe(1);
    expect(a.warnings.map(({ code }) => code)).toContain('lost-runs');
  });
});

describe('a counter that does not tell all runs', () => {
  const some = (fromRun: number, toRun: number, lack: object) =>
    fakeMachine((_, run) => ({
      seconds: 0.1,
      watts: 10,
      ...(run >= fromRun && run < toRun ? lack : {}),
    }));
  const stop = { estimate: boundOf(145), stopped: ['perf:ram'] };

  it.each([
    [8, 20, 'runs 9 to 20'],
    [0, 18, 'runs 1 to 18'],
    [5, 6, 'run 6'],
  ])('as it stopped leaves the others (%d to %d of 20), and is named', async (from, to, words) => {
    const report = await bench(planOf(['a'], { runCount: 20 }), some(from, to, stop));
    const { energyJoules, lostRunCount, warnings } = named(report, 'a');
    expect(energyJoules.mean).toBeCloseTo(4, 6);
    expect(energyJoules.isResolved).toBe(true);
    expect(lostRunCount).toBe(to - from);
    const warning = warnings.find(({ code }) => code === 'lost-runs');
    expect(warning?.message).toContain(`perf:ram in ${words}`);
    expect(warning?.hint).toContain('microjoule doctor');
    expect(report.missing).toEqual([]);
  });

  it('of all runs is named, and not the command', async () => {
    const report = await bench(planOf(['a'], { runCount: 20 }), some(0, 20, stop));
    const { energyJoules, warnings } = named(report, 'a');
    expect(energyJoules.isResolved).toBe(false);
    const warning = warnings.find(({ code }) => code === 'not-resolved');
    expect(warning?.message).toContain('counters stopped');
    expect(warning?.message).toContain('perf:ram in runs 1 to 20');
    expect(warning?.hint).not.toContain('Let the command');
  });

  const silent = { watts: -10, missing: ['perf:ram'] };
  it.each([9, 18])('as it was silent in %d of 20 is not in a mean with the others', async (count) => {
    const report = await bench(planOf(['a'], { runCount: 20 }), some(0, count, silent));
    const { energyJoules, runs, lostRunCount } = named(report, 'a');
    expect(energyJoules.mean).toBeCloseTo(4, 6);
    expect(lostRunCount).toBe(count);
    expect(report.missing).toEqual([]);
    for (const run of runs.slice(0, count)) {
      expect(run).not.toHaveProperty('energyJoules');
      expect(run).not.toHaveProperty('upperJoules');
    }
  });

  it.each([19, 20])('as it was silent in %d of 20 makes all of them at least so much', async (count) => {
    const report = await bench(planOf(['a'], { runCount: 20 }), some(0, count, silent));
    expect(report.missing).toEqual(['perf:ram']);
    expect(report.warnings.map(({ code }) => code)).toContain('at-least');
  });

  it('leaves out the idle machine without it', async () => {
    const machine = some(0, 0, {});
    const { idle } = machine.gauge;
    let count = 0;
    machine.gauge.idle = async (seconds) => {
      const window = await idle(seconds);
      if (window === undefined || ++count > 1) return window;
      return { ...window, power: { ...window.power, powerWatts: 20 }, missing: ['perf:ram'] };
    };
    const report = await bench(planOf(['a'], { runCount: 8 }), machine);
    expect(report.idle?.powerWatts).toBe(30);
    expect(named(report, 'a').aboveIdleJoules?.mean).toBeCloseTo(1, 6);
  });
});

describe('what goes wrong', () => {
  const failing = (line: string, at: number, ended: object) =>
    fakeMachine((own, run) => ({
      seconds: 0.1,
      watts: 10,
      ...(own === line && run === at ? { ended } : {}),
    }));

  it('with a run is told, and what was measured is kept', async () => {
    const machine = failing('b', 3, { exitCode: 2, stderrLines: ['no such file'] });
    const report = await bench(planOf(['a', 'b'], { runCount: 10 }), machine);
    expect(report.failures).toEqual([
      {
        name: 'b',
        commandLine: 'b',
        phase: 'run',
        run: 4,
        exitCode: 2,
        timedOut: false,
        message: 'it ended with exit code 2',
        stderrLines: ['no such file'],
        measuredCount: 3,
      },
    ]);
    expect(named(report, 'a').runs).toHaveLength(10);
    expect(named(report, 'b')).toMatchObject({ hasFailed: true });
    expect(named(report, 'b').runs).toHaveLength(3);
    // What failed is compared with nothing.
    expect(report.comparisons).toEqual([]);
    expect(machine.log.filter((line) => line === 'b')).toHaveLength(4);
  });

  it.each([
    ['a', { signal: 'SIGSEGV', exitCode: undefined }, 'it was ended by SIGSEGV'],
    ['a', { notStarted: 'there is no command "a"' }, 'could not be started: there is no command'],
    ['a', { timedOut: true, signal: 'SIGTERM', exitCode: undefined }, 'it had not ended after 7 s'],
  ])('%s %j', async (line, ended, message) => {
    const machine = failing(line, 0, ended);
    const report = await bench(planOf(['a', 'b'], { runCount: 3, timeoutSeconds: 7 }), machine);
    expect(report.failures.map((one) => one.message)).toEqual([expect.stringContaining(message)]);
    expect(report.results.map(({ name }) => name)).toEqual(['b']);
  });

  it.each([
    ['prepare', { prepare: ['p'] }, 'p', 'prepare'],
    ['conclude', { conclude: ['p'] }, 'p', 'conclude'],
    ['setup', { setup: 'p' }, 'p', 'setup'],
    ['cleanup', { cleanup: 'p' }, 'p', 'cleanup'],
  ])('with %s is told as such', async (_, options, line, phase) => {
    const machine = failing(line, 0, { exitCode: 9, stderrLines: ['sorry'] });
    const report = await bench(planOf(['a'], { runCount: 3, ...options }), machine);
    expect(report.failures).toMatchObject([
      { phase, commandLine: 'p', name: 'a', exitCode: 9, stderrLines: ['sorry'] },
    ]);
    const measured = { prepare: 0, conclude: 1, setup: 0, cleanup: 3 }[phase] ?? -1;
    expect(report.results[0]?.runs.length ?? 0).toBe(measured);
  });

  it('is given the time for a run, which a setup is not', async () => {
    const machine = fakeMachine(() => ({ seconds: 0.1 }));
    const { execute } = machine.executor;
    const limits: string[] = [];
    machine.executor.execute = (line, options) => {
      limits.push(`${line} ${options.timeoutSeconds}`);
      return execute(line, options);
    };
    const options = {
      runCount: 1,
      timeoutSeconds: 5,
      setup: 's',
      prepare: ['p'],
      conclude: ['c'],
      cleanup: 'x',
    };
    await bench(planOf(['a'], options), machine);
    expect(limits).toEqual(['s undefined', 'p 5', 'a 5', 'c 5', 'x undefined']);
  });

  it('is only what was not to be ignored', async () => {
    const machine = failing('a', 1, { exitCode: 3 });
    const ignoring = await bench(planOf(['a'], { runCount: 4, ignoredCodes: [3] }), machine);
    expect(ignoring.failures).toEqual([]);
    expect(named(ignoring, 'a').runs.map(({ exitCode }) => exitCode)).toEqual([0, 3, 0, 0]);
    const other = await bench(
      planOf(['a'], { runCount: 4, ignoredCodes: [4] }),
      failing('a', 1, { exitCode: 3 }),
    );
    expect(other.failures).toHaveLength(1);
  });

  it.each([
    ['prepare', { prepare: ['p', 'q'] }, 'p', 'prepare', 0],
    ['cleanup', { cleanup: 'p', order: 'interleaved' }, 'p', 'cleanup', 6],
  ] as const)('beside the runs cannot be prepared: %s', async (_, options, line, phase, measuredCount) => {
    const machine = fakeMachine(() => ({ seconds: 0.1 }));
    const { execute } = machine.executor;
    machine.executor.execute = async (text, how) => {
      if (text === line) throw new MicrojouleError('ERR_BAD_OPTION', '--input: cannot open gone');
      return execute(text, how);
    };
    const report = await bench(planOf(['a', 'b'], { runCount: 6, ...options }), machine);
    expect(report.failures[0]).toMatchObject({ name: 'a', phase, measuredCount, commandLine: line });
    expect(report.failures[0]?.message).toContain('--input: cannot open gone');
    expect(named(report, 'b').runs).toHaveLength(6);
  });

  it('cleans up after a command that failed', async () => {
    const machine = failing('a', 0, { exitCode: 1 });
    await bench(planOf(['a'], { runCount: 3, setup: 's', cleanup: 'x' }), machine);
    expect(machine.log).toEqual(['s', 'a', 'x']);
  });

  it('keeps what was measured when the counters stop', async () => {
    const machine = fakeMachine(() => ({ seconds: 0.1, watts: 10 }));
    const { measure } = machine.gauge;
    let count = 0;
    machine.gauge.measure = (stretch) => {
      if (++count > 5)
        throw new MicrojouleError('ERR_NO_ENERGY', 'the counters stopped while they were used');
      return measure(stretch);
    };
    const report = await bench(planOf(['a'], { runCount: 10 }), machine);
    expect(named(report, 'a').runs).toHaveLength(5);
    expect(report.failures).toMatchObject([
      { message: expect.stringContaining('the counters stopped'), run: 6 },
    ]);
  });

  it('ends the watch of the idle machine when it is told to', async () => {
    const abort = new AbortController();
    const machine = fakeMachine(() => ({ seconds: 0.1 }));
    machine.gauge.idle = (_, signal) =>
      new Promise((resolve) => signal?.addEventListener('abort', () => resolve(undefined)));
    const running = bench(planOf(['a'], { idleSeconds: 3600 }), machine, { signal: abort.signal });
    abort.abort();
    const report = await running;
    expect(report.results).toEqual([]);
    expect(report.warnings.map(({ code }) => code)).toEqual(['interrupted']);
    expect(machine.log).toEqual([]);
  });

  it('stops when it is told to, keeps what it has, and cleans up', async () => {
    const abort = new AbortController();
    const machine = fakeMachine((line, run) => {
      if (line === 'a' && run === 4) {
        abort.abort();
        return { seconds: 0.1, ended: { exitCode: undefined as never, signal: 'SIGTERM' } };
      }
      return { seconds: 0.1, watts: 10 };
    });
    const plan = planOf(['a'], { runCount: 10, cleanup: 'x' });
    const report = await bench(plan, machine, { signal: abort.signal });
    expect(named(report, 'a').runs).toHaveLength(4);
    expect(report.failures).toEqual([]);
    expect(report.warnings.map(({ code }) => code)).toContain('interrupted');
    expect(machine.log.at(-1)).toBe('x');
  });
});
