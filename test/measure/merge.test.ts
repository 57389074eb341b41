// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import type { Component, Measurement } from '../../lib/core/report-types.js';
import { mergeMeasurements } from '../../lib/measure/merge.js';

function component(kind: Component['kind'], energyJoules?: number): Component {
  const rest = { kind, source: 's', method: 'm', detail: 'd', atLeast: false, counters: [] };
  return energyJoules === undefined ? rest : { ...rest, energyJoules, energyKwh: 0, powerWatts: 0 };
}

function run(durationSeconds: number, cpu: Component, ram: Component, startedAtMs: number): Measurement {
  return {
    startedAtMs,
    endedAtMs: startedAtMs + durationSeconds * 1000,
    durationSeconds,
    components: { cpu, gpu: component('absent'), ram },
    apart: [],
    machine: {
      os: 'o',
      runtime: 'r',
      cpuThreadCount: 2,
      gpuCount: 0,
      ramTotalGib: 8,
      cpuUtilisationRatio: 0.5,
    },
    warnings: [{ code: 'short-region', message: `It lasted ${durationSeconds * 1000} ms.` }],
  };
}

describe('mergeMeasurements', () => {
  const a = run(1, component('measured', 10), component('estimated', 4), 1000);
  const b = run(3, component('measured', 50), component('estimated', 12), 9000);

  it('adds durations and energies, and keeps the single runs', () => {
    const merged = mergeMeasurements([a, b]);
    expect(merged.durationSeconds).toBe(4);
    expect(merged.components.cpu).toMatchObject({ kind: 'measured', energyJoules: 60, powerWatts: 15 });
    expect(merged.components.ram.energyJoules).toBe(16);
    expect(merged.components.gpu).not.toHaveProperty('energyJoules');
    expect(merged.runs).toEqual([
      { durationSeconds: 1, energyJoules: 14, kind: 'estimated', atLeast: false },
      { durationSeconds: 3, energyJoules: 62, kind: 'estimated', atLeast: false },
    ]);
    expect(merged).toMatchObject({ startedAtMs: 1000, endedAtMs: 12_000 });
    expect(merged.machine.cpuUtilisationRatio).toBeCloseTo(0.5);
    expect(merged.warnings).toHaveLength(1);
  });

  it('is as good as its worst run, and "at least" where one has nothing', () => {
    const estimated = run(1, component('estimated', 5), component('absent'), 0);
    const merged = mergeMeasurements([a, estimated]);
    expect(merged.components.cpu).toMatchObject({ kind: 'estimated', energyJoules: 15 });
    expect(merged.components.ram).toMatchObject({ energyJoules: 4, atLeast: true });
  });

  it('adds the same however the runs are grouped', () => {
    const c = run(2, component('measured', 7), component('estimated', 1), 20_000);
    const all = mergeMeasurements([a, b, c]);
    const grouped = mergeMeasurements([mergeMeasurements([a, b]), c]);
    expect(grouped.components.cpu.energyJoules).toBe(all.components.cpu.energyJoules);
    expect(grouped.durationSeconds).toBe(all.durationSeconds);
  });

  it('has the interval of the sum where every run has one, and else none', () => {
    const bounded = (joules: number, lowerJoules: number, upperJoules: number, confidenceRatio = 0.95) =>
      run(
        1,
        { ...component('measured', joules), lowerJoules, upperJoules, confidenceRatio },
        component('estimated', 4),
        0,
      );
    const merged = mergeMeasurements([bounded(10, 6, 13), bounded(2, 1, 6), bounded(5, 5, 5)]);
    const { energyJoules, lowerJoules, upperJoules, confidenceRatio } = merged.components.cpu;
    expect({ energyJoules, confidenceRatio }).toEqual({ energyJoules: 17, confidenceRatio: 0.95 });
    expect(lowerJoules).toBeCloseTo(17 - Math.hypot(4, 1), 12);
    expect(upperJoules).toBeCloseTo(17 + Math.hypot(3, 4), 12);
    const none = run(1, component('absent'), component('estimated', 4), 0);
    for (const other of [a, none, bounded(2, 1, 3, 0.9)]) {
      const cpu = mergeMeasurements([bounded(10, 6, 14), other]).components.cpu;
      for (const name of ['lowerJoules', 'upperJoules', 'confidenceRatio'])
        expect(cpu).not.toHaveProperty(name);
    }
  });

  it('adds the CPU time of the commands', () => {
    const command = { argv: ['x'], exitCode: 0, userCpuSeconds: 1, systemCpuSeconds: 0.5 };
    const merged = mergeMeasurements([
      { ...a, command },
      { ...b, command: { ...command, exitCode: 3 } },
    ]);
    expect(merged.command).toEqual({ argv: ['x'], exitCode: 3, userCpuSeconds: 2, systemCpuSeconds: 1 });
    const unknown = mergeMeasurements([
      { ...a, command },
      { ...b, command: { argv: ['x'] } },
    ]);
    expect(unknown.command).toEqual({ argv: ['x'] });
  });

  it('gives a single run back as it is', () => {
    expect(mergeMeasurements([a])).toBe(a);
  });
});
