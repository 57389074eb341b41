// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import type { Component, Components } from '../../lib/core/report-types.js';
import type { Kind } from '../../lib/core/vocabulary.js';
import type { ProcessUsage } from '../../lib/estimate/process-usage.js';
import { mergeMeasurements } from '../../lib/measure/merge.js';
import { attribute, sharesOf, type UsageBetween } from '../../lib/measure/process-share.js';
import { mergeAttributions } from '../../lib/report/attribution.js';
import { buildReport } from '../../lib/report/build.js';
import { mergeReports } from '../../lib/report/merge.js';
import {
  counter,
  germanContext,
  noGpu,
  schemaErrors,
  seededRandom,
  serverMeasurement,
} from '../report/fixtures.js';

const usage = (cpuSeconds: number, residentGib: number, more: Partial<ProcessUsage> = {}): ProcessUsage => ({
  cpuSeconds,
  ownCpuSeconds: cpuSeconds,
  residentGib,
  children: 'all',
  ...more,
});
const between = (
  cpuSeconds: number,
  machineCpuSeconds: number | undefined,
  more: Partial<UsageBetween> = {},
) => ({
  before: usage(10, 1),
  after: usage(10 + cpuSeconds, 3),
  residentGib: 2,
  durationSeconds: 10,
  machineCpuSeconds,
  threadCount: 4,
  ramTotalGib: 16,
  ...more,
});
const joulesOf = (components: Components) =>
  Object.values(components).reduce((sum, part: Component) => sum + (part.energyJoules ?? 0), 0);

function component(kind: Kind, energyJoules: number, more: Partial<Component> = {}): Component {
  const energy = kind === 'absent' ? {} : { energyJoules, energyKwh: energyJoules / 3.6e6 };
  return { kind, source: 's', method: 'm', detail: 'd.', atLeast: false, counters: [], ...energy, ...more };
}

describe('sharesOf', () => {
  it('is CPU time over the CPU time of all, and resident over installed memory', () => {
    expect(sharesOf(between(2, 8))).toMatchObject({
      cpuShareRatio: 0.25,
      ramShareRatio: 2 / 16,
      cpuSeconds: 2,
      machineCpuSeconds: 8,
      incomplete: '',
    });
  });

  it('is never more than all: the machine counts in hundredths of a second', () => {
    const { cpuShareRatio, machineCpuSeconds } = sharesOf(between(0.005, 0));
    expect(cpuShareRatio).toBe(1);
    expect(machineCpuSeconds).toBeCloseTo(0.005, 9);
  });

  it('never falls below what the process itself used, though a child took its time along', () => {
    const before = usage(50, 1, { ownCpuSeconds: 10 });
    const after = usage(12, 1, { ownCpuSeconds: 12 });
    expect(sharesOf(between(0, 8, { before, after }))).toMatchObject({ cpuSeconds: 2, cpuShareRatio: 0.25 });
  });

  it('is a lower bound, and says so, where the machine hides what others use, or children', () => {
    const hidden = sharesOf(between(2, undefined));
    expect(hidden).toMatchObject({ cpuShareRatio: 2 / 40, machineCpuSeconds: undefined });
    expect(hidden.incomplete).toContain('idle included, which is less');
    const after = usage(12, 1, { children: 'ended' });
    expect(sharesOf(between(2, 8, { after })).incomplete).toContain('when they have ended');
    const none = usage(12, 1, { children: 'none' });
    expect(sharesOf(between(2, 8, { after: none })).incomplete).toContain('cannot be seen');
  });
});

describe('attribute', () => {
  const machine: Components = {
    cpu: component('measured', 400, { lowerJoules: 390, upperJoules: 410, confidenceRatio: 0.95 }),
    gpu: component('measured', 1000, { counters: [counter({ id: 'gpu-0', domain: 'gpu' })] }),
    ram: component('assumed', 80),
  };

  it('gives the process its shares, estimated at best, with their bounds', () => {
    const { components, attribution } = attribute(machine, between(2, 8));
    expect(components.cpu).toMatchObject({
      kind: 'estimated',
      energyJoules: 100,
      energyKwh: 100 / 3.6e6,
      powerWatts: 10,
      lowerJoules: 97.5,
      upperJoules: 102.5,
      atLeast: false,
      method: "share by CPU time of the machine's (m)",
    });
    expect(components.cpu.detail).toContain('2.000 s of 8.000 s of CPU time');
    expect(components.ram).toMatchObject({ kind: 'assumed', energyJoules: 10 });
    expect(attribution).toMatchObject({ machineJoules: 1480, restJoules: 1370, kind: 'assumed' });
  });

  it('takes shares of energy where they are known, and tells the times beside them', () => {
    const ofEnergy = { cpuShareRatio: 0.1, ramShareRatio: undefined };
    const { components, attribution } = attribute(machine, between(2, 8, { ofEnergy }));
    expect(components.cpu).toMatchObject({ energyJoules: 40, lowerJoules: 39, upperJoules: 41 });
    expect(components.ram.energyJoules).toBe(10);
    expect(attribution).toMatchObject({
      cpuShareRatio: 0.1,
      ramShareRatio: 2 / 16,
      cpuSeconds: 2,
      restJoules: 1430,
    });
  });

  it('attributes no GPU: its counters are of boards', () => {
    const { components, warnings } = attribute(machine, between(2, 8));
    expect(components.gpu).toMatchObject({ kind: 'absent', atLeast: true });
    expect(components.gpu).not.toHaveProperty('energyJoules');
    expect(components.gpu.counters[0]?.inTotal).toBe(false);
    expect(warnings.map(({ code }) => code)).toEqual(['gpu-not-attributed']);
    const none = attribute({ ...machine, gpu: noGpu }, between(2, 8));
    expect(none.components.gpu).toEqual(noGpu);
    expect(none.warnings).toEqual([]);
  });

  it('keeps every joule: the shares of all processes, and the rest, are the machine', () => {
    const random = seededRandom(8);
    const kinds: readonly Kind[] = ['measured', 'estimated', 'assumed', 'absent'];
    for (let trial = 0; trial < 500; trial++) {
      const any = () =>
        component(kinds[Math.floor(random() * 4)] ?? 'absent', random() * 10 ** (6 * random() - 3));
      const whole = { cpu: any(), gpu: any(), ram: any() };
      const seconds = Array.from({ length: 1 + Math.floor(random() * 6) }, () => random() ** 3 * 100);
      const idleProcesses = random() < 0.2 ? 0 : random() * 50;
      const all = seconds.reduce((a, b) => a + b) + idleProcesses;
      let ofAll = 0;
      for (const cpuSeconds of seconds) {
        const { components, attribution } = attribute(whole, between(cpuSeconds, all));
        expect(joulesOf(components) + attribution.restJoules).toBeCloseTo(joulesOf(whole), 6);
        expect(attribution.machineJoules).toBeCloseTo(joulesOf(whole), 6);
        for (const part of Object.values(components) as Component[]) {
          expect(part.energyJoules ?? 0).toBeGreaterThanOrEqual(0);
          expect(part.kind).not.toBe('measured');
        }
        ofAll += components.cpu.energyJoules ?? 0;
      }
      const rest = (whole.cpu.energyJoules ?? 0) * (idleProcesses / all);
      expect(ofAll + rest).toBeCloseTo(whole.cpu.energyJoules ?? 0, 6);
    }
  });

  it('makes no number of nothing', () => {
    const nothing = between(0, 0, {
      residentGib: 0,
      durationSeconds: 0,
      ramTotalGib: 0,
      before: usage(0, 0),
      after: usage(0, 0),
    });
    const { components, attribution } = attribute(machine, nothing);
    expect(JSON.stringify({ components, attribution })).not.toContain('null');
    expect(attribution).toMatchObject({ cpuShareRatio: 0, ramShareRatio: 0 });
  });
});

describe('reports of processes', () => {
  const measured = (cpuSeconds: number) => {
    const { components, attribution } = attribute(serverMeasurement.components, between(cpuSeconds, 8));
    return { ...serverMeasurement, components, attribution };
  };
  const report = (cpuSeconds: number, runId: string) =>
    buildReport(measured(cpuSeconds), { ...germanContext, runId, experimentId: 'e' });

  it('say so, fit the schema, and have energy that nobody measured', () => {
    const one = report(2, 'a');
    expect(schemaErrors(JSON.parse(JSON.stringify(one)))).toEqual([]);
    expect(one).toMatchObject({
      trackingMode: 'process',
      experimentId: 'e',
      energy: { measuredJoules: 0, atLeast: true },
    });
    expect(one.energy.energyJoules + (one.attribution?.restJoules ?? 0)).toBeCloseTo(
      joulesOf(serverMeasurement.components),
      9,
    );
  });

  it('add up, whatever the order, and not with those of machines', () => {
    const [a, b, c] = [report(1, 'a'), report(2, 'b'), report(4, 'c')];
    const context = { generatedAtMs: 0, version: '0' };
    const left = mergeReports([mergeReports([a, b], context), c], context);
    const right = mergeReports([a, mergeReports([b, c], context)], context);
    expect(left.attribution).toMatchObject({ cpuSeconds: 7, machineCpuSeconds: 24, cpuShareRatio: 7 / 24 });
    for (const [name, value] of Object.entries(left.attribution ?? {})) {
      const other = right.attribution?.[name as keyof typeof right.attribution];
      if (typeof value === 'number') expect(other).toBeCloseTo(value, 9);
      else expect(other).toBe(value);
    }
    expect(left).toMatchObject({ trackingMode: 'process', experimentId: 'e' });
    const machine = buildReport(serverMeasurement, { ...germanContext, runId: 'm' });
    expect(() => mergeReports([a, machine], context)).toThrow(
      expect.objectContaining({ code: 'ERR_BAD_OPTION' }),
    );
    expect(mergeAttributions([])).toBeUndefined();
  });

  it('have the share of all energy when they are added, however much each had', () => {
    const part = (cpuShareRatio: number, cpuJoules: number | undefined) => {
      const { attribution } = attribute(serverMeasurement.components, between(2, 8));
      return { attribution: { ...attribution, cpuShareRatio }, durationSeconds: 1, cpuJoules };
    };
    expect(mergeAttributions([part(0.5, 50), part(0.1, 90)])?.cpuShareRatio).toBeCloseTo(140 / 1000, 12);
    // By CPU time where the machine's energy is not known.
    for (const other of [part(0, 0), part(0.1, undefined)]) {
      expect(mergeAttributions([part(0.5, 50), other])?.cpuShareRatio).toBe(0.25);
    }
  });

  it('of repeated runs are sums, too', () => {
    const { attribution, components } = mergeMeasurements([measured(1), measured(3)]);
    expect(attribution).toMatchObject({ cpuSeconds: 4, cpuShareRatio: 0.25 });
    expect(joulesOf(components) + (attribution?.restJoules ?? 0)).toBeCloseTo(
      attribution?.machineJoules ?? 0,
      6,
    );
  });
});
