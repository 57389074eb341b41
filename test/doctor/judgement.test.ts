// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { type CpuFacts, parseModalias } from '../../lib/core/modalias.js';
import { type Compared, checkConsistency, unitErrorRatio } from '../../lib/doctor/consistency.js';
import type { Check } from '../../lib/doctor/diagnosis.js';
import { resolutionOf, shortestRegion } from '../../lib/doctor/resolution.js';
import { counter, EPYC, random, SAPPHIRE_RAPIDS } from './fixtures.js';

const SECONDS = 2;
const check = (counters: Compared[], cpu: CpuFacts = {}): Check[] => checkConsistency(counters, SECONDS, cpu);
const perf = (changes: Partial<Compared> = {}): Compared =>
  counter({ id: 'perf:energy-pkg:0', source: 'perf', scaleDenominator: 2n ** 32n, ...changes });

describe('unitErrorRatio', () => {
  it('is what the kernel cuts off, or adds', () => {
    const ppm = (nanojoules: bigint) => unitErrorRatio(nanojoules, 10n ** 9n) * 1e6;
    expect(ppm(61_035n)).toBeCloseTo(2.56, 2);
    expect(ppm(15_258n)).toBeCloseTo(51.7, 1);
    expect(ppm(15_300n)).toBeCloseTo(2700.8, 1);
    expect(unitErrorRatio(1n, 16_384n)).toBe(0);
    expect(unitErrorRatio(1n, 1n)).toBe(0);
    expect(unitErrorRatio(1n, 1000n)).toBe(0);
    expect(unitErrorRatio(0n, 1n)).toBe(0);
  });
});

describe('twins', () => {
  it('agree within what is known and two updates', () => {
    expect(check([perf(), counter({ energyJoules: 100.05 })])).toMatchObject([
      { kind: 'twins', result: 'agree', counters: ['perf:energy-pkg:0', 'powercap:intel-rapl:0'] },
    ]);
    // 3 % apart after 2 s is too much for a millisecond, not for 50; and of QEMU's second it says nothing.
    const apart = { energyJoules: 103 };
    const at = (updatePeriodSeconds: number) =>
      check([perf({ updatePeriodSeconds }), counter({ ...apart, updatePeriodSeconds })]);
    expect(at(0.001)[0]?.result).toBe('disagree');
    expect(at(0.05)[0]?.result).toBe('agree');
    expect(at(1)).toEqual([]);
  });

  it('names the DRAM unit of 15300 nJ, and takes it as known', () => {
    const dram = { domain: 'dram' as const, energyJoules: 20 };
    const [found] = check([
      perf({ ...dram, id: 'perf:energy-ram:0' }),
      counter({ ...dram, energyJoules: 20.054, scaleNumerator: 15_300n, scaleDenominator: 10n ** 9n }),
    ]);
    expect(found?.result).toBe('agree');
    expect(found?.detail).toMatch(/15300 nJ is 0\.27 % above perf/);
  });

  it.each([
    ['one that has the bug', SAPPHIRE_RAPIDS, /powercap:\S+ is low by a factor of 4: Linux 5\.9 to 6\.0/],
    ['any other', EPYC, /DRAM unit taken wrongly by one of them/],
  ])('know a factor of 4 as the DRAM unit, on %s', (_, modalias, words) => {
    const dram = { domain: 'dram' as const, energyJoules: 40 };
    const [found] = check(
      [perf({ ...dram, id: 'perf:energy-ram:0' }), counter({ ...dram, energyJoules: 40 / 3.989 })],
      parseModalias(modalias),
    );
    expect(found).toMatchObject({ result: 'disagree', detail: expect.stringMatching(words) });
    expect(found?.factorRatio).toBeCloseTo(1 / 3.989, 6);
    expect(found?.detail).toContain('3.99 times lower');
  });

  it('blame no kernel for a register that was read directly', () => {
    const dram = { domain: 'dram' as const };
    const msr = counter({ ...dram, id: 'msr:dram:0', source: 'msr', energyJoules: 25 });
    const [found] = check([perf({ ...dram, id: 'perf:energy-ram:0' }), msr], parseModalias(SAPPHIRE_RAPIDS));
    expect(found?.detail).toContain('DRAM unit taken wrongly by one of them');
  });

  it('name the odd one of three', () => {
    const msr = counter({ id: 'msr:package:0', source: 'msr', energyJoules: 50 });
    const checks = check([perf(), counter(), msr]);
    expect(checks.map(({ result }) => result)).toEqual(['agree', 'disagree']);
    expect(checks[1]?.detail).toContain('msr:package:0 is off: the others agree.');
    const odd = check([perf({ energyJoules: 50 }), counter(), { ...msr, energyJoules: 100 }]);
    expect(odd.map(({ detail }) => detail)).toEqual(
      Array(2).fill(expect.stringContaining('perf:energy-pkg:0 is off')),
    );
  });

  it('name none where no two agree', () => {
    const msr = counter({ id: 'msr:package:0', source: 'msr', energyJoules: 25 });
    const checks = check([perf(), counter({ energyJoules: 50 }), msr]);
    expect(checks.map(({ result }) => result)).toEqual(['disagree', 'disagree']);
    for (const { detail } of checks) {
      expect(detail).not.toContain('is off: the others agree');
      expect(detail).toContain('The others disagree, too, so which is off cannot be told.');
    }
  });

  it('may be a few per cent apart between MSR and MMIO', () => {
    const mmio = counter({ id: 'powercap:intel-rapl-mmio:0', energyJoules: 96 });
    expect(check([counter(), mmio])[0]).toMatchObject({
      result: 'agree',
      detail: expect.stringContaining('MMIO'),
    });
  });

  it('are not compared where one did not move, or belongs elsewhere', () => {
    expect(check([perf(), counter({ moved: false, status: 'stale' })])).toEqual([]);
    expect(check([perf(), counter({ device: 1 })])).toEqual([]);
    expect(check([perf(), counter({ die: 0 })])).toEqual([]);
    expect(check([counter(), counter({ id: 'powercap:intel-rapl:1' })])).toEqual([]);
  });

  it('know AMD’s core zone as one core', () => {
    const core = { domain: 'core' as const };
    const [found] = check(
      [
        counter({ ...core, energyJoules: 2 }),
        perf({ ...core, id: 'perf-core:energy-core:0', source: 'perf-core' }),
      ],
      parseModalias(EPYC),
    );
    expect(found).toMatchObject({ result: 'remark', detail: expect.stringContaining('one core only') });
  });
});

describe('a package', () => {
  const part = (domain: 'core' | 'uncore', energyJoules: number, index: number): Compared =>
    counter({ id: `powercap:intel-rapl:0:${index}`, domain, energyJoules, inTotal: false });

  it('holds its parts', () => {
    expect(check([counter(), part('core', 70, 0), part('uncore', 20, 1)])).toMatchObject([
      { kind: 'parts', result: 'agree' },
    ]);
    expect(check([counter(), part('core', 90, 0), part('uncore', 20, 1)])).toMatchObject([
      { kind: 'parts', result: 'disagree', factorRatio: 1.1 },
    ]);
  });

  it('holds no other package’s parts, nor another interface’s', () => {
    expect(check([counter(), { ...part('core', 900, 0), device: 1 }])).toEqual([]);
    const perfCores = perf({ id: 'perf:energy-cores:0', domain: 'core', energyJoules: 900 });
    expect(check([counter(), perfCores])).toEqual([]);
    const cores = perf({
      id: 'perf-core:energy-core:0',
      source: 'perf-core',
      domain: 'core',
      energyJoules: 90,
    });
    expect(check([perf(), cores])).toMatchObject([{ kind: 'parts', result: 'agree' }]);
  });

  it('may be above the platform, which is a remark', () => {
    const psys = counter({ id: 'powercap:intel-rapl:1', domain: 'psys', inTotal: false, energyJoules: 130 });
    expect(check([counter(), psys])).toMatchObject([{ kind: 'platform', result: 'agree' }]);
    expect(check([counter(), { ...psys, energyJoules: 60 }])).toMatchObject([{ result: 'remark' }]);
  });
});

describe('shortestRegion', () => {
  it.each([
    [0.001, 0.01, 0.0408],
    [0.001, 0.05, 0.00816],
    [0.02, 0.01, 0.816],
    [0.1, 0.05, 0.816],
  ])('is T / (sqrt(6) eps): %d s at %d', (periodSeconds, errorRatio, regionSeconds) => {
    expect(shortestRegion({ periodSeconds }, errorRatio).regionSeconds).toBeCloseTo(regionSeconds, 3);
  });

  it('is never below what the steps allow', () => {
    // 1 J steps at 10 W: 4.08 s for 1 %.
    const coarse = shortestRegion({ periodSeconds: 0.001, quantumJoules: 1, watts: 10 }, 0.01);
    expect(coarse).toEqual({ regionSeconds: expect.closeTo(4.082, 3), bound: 'quantum' });
    const next = random(5);
    for (let i = 0; i < 1000; i++) {
      const one = { periodSeconds: next(), quantumJoules: next(), watts: 100 * next() };
      const { regionSeconds } = shortestRegion(one, 0.01);
      expect(regionSeconds).toBeGreaterThanOrEqual(
        shortestRegion({ periodSeconds: one.periodSeconds }, 0.01).regionSeconds,
      );
      expect(regionSeconds).toBeGreaterThan(shortestRegion(one, 0.05).regionSeconds);
    }
    expect(shortestRegion({ periodSeconds: 0.001, quantumJoules: 1, watts: 0 }, 0.01).bound).toBe(
      'update-period',
    );
  });

  it('is that of the worst counter in the total', () => {
    const gpu = counter({ id: 'nvml:0', source: 'nvml', domain: 'gpu', updatePeriodSeconds: 0.1 });
    const psys = counter({
      id: 'powercap:intel-rapl:1',
      domain: 'psys',
      inTotal: false,
      updatePeriodSeconds: 9,
    });
    const still = counter({ id: 'powercap:intel-rapl:2', moved: false, updatePeriodSeconds: 5 });
    expect(resolutionOf([counter(), gpu, psys, still])).toEqual([
      { errorRatio: 0.01, regionSeconds: expect.closeTo(4.08, 2), counter: 'nvml:0', bound: 'update-period' },
      {
        errorRatio: 0.05,
        regionSeconds: expect.closeTo(0.816, 3),
        counter: 'nvml:0',
        bound: 'update-period',
      },
    ]);
    expect(resolutionOf([psys, still])).toEqual([]);
  });

  it('reckons with the lower power, where steps weigh more', () => {
    const coarse = counter({ quantumJoules: 1, idleWatts: 5, busyWatts: 500 });
    expect(resolutionOf([coarse])[0]?.regionSeconds).toBeCloseTo(8.165, 3);
  });

  it('takes the time it stood still where the period was not seen', () => {
    const { updatePeriodSeconds: _, ...once } = counter({ stillSeconds: 1.4 });
    expect(resolutionOf([once])[0]?.regionSeconds).toBeCloseTo(57.2, 1);
  });
});
