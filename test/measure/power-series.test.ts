// SPDX-License-Identifier: MIT
//
// Power over time in reports of described machines, whose true power is known.
import { describe, expect, it } from 'vitest';
import type { PowerSeries, Report } from '../../lib/index.js';
import type { PowerBins } from '../../lib/measure/power-bins.js';
import { MOST_BINS, PowerCurve } from '../../lib/measure/power-curve.js';
import { type PartBins, seriesOfParts } from '../../lib/measure/power-series.js';
import { parseReport } from '../cli/fixtures.js';
import { serverMeasurement } from '../report/fixtures.js';
import { hasVirtualMachine, startMachine } from '../support/virtual-machine.js';

/** A package whose power steps from 20 W to 60 W a second after its first reader came, and memory of 3 W. */
const STEPPING = `
processor intel 6 0x9e
cpus 0-3 package 0
meter package-0 jitter 20us power 20W
power package-0 at 1s 60W
meter dram-0 power 3W jitter 20us
zone intel-rapl:0 package-0 of package-0
zone intel-rapl:0:0 dram of dram-0
pmu power 30 cpus 0
event power energy-pkg 2 cpu 0 of package-0
event power energy-ram 3 cpu 0 of dram-0
`;

function joulesOf({ edgesSeconds, channels }: PowerSeries, component: string): number {
  const channel = channels.find((one) => one.component === component);
  return edgesSeconds
    .slice(1)
    .reduce(
      (sum, edge, i) => sum + (channel?.powerWatts[i] ?? Number.NaN) * (edge - (edgesSeconds[i] ?? 0)),
      0,
    );
}

function checkSeries(report: Report): PowerSeries {
  const { series, components, duration } = report;
  if (series === undefined) throw new Error('the report has no series');
  expect(series.edgesSeconds[0]).toBe(0);
  expect(series.edgesSeconds.at(-1)).toBe(duration.durationSeconds);
  for (const channel of series.channels) {
    const { component = 'cpu', powerWatts, lowestWatts, highestWatts } = channel;
    for (const list of [powerWatts, lowestWatts, highestWatts]) {
      expect(list).toHaveLength(series.edgesSeconds.length - 1);
    }
    expect(channel.kind).toBe(components[component].kind);
    expect(channel.source).toBe(components[component].source);
    const { energyJoules = Number.NaN } = components[component];
    // Watts have six digits.
    expect(joulesOf(series, component) / energyJoules).toBeCloseTo(1, 4);
  }
  return series;
}

describe('the size of the power over time', () => {
  const { components } = serverMeasurement;
  /** Of a counter that was read for a second, and then no more. */
  const lost = (): PowerBins => {
    const curve = new PowerCurve();
    for (let second = 0; second <= 1; second += 0.05) curve.seen(second, 30 * second);
    curve.broken();
    return curve.bins;
  };

  it.each([
    1,
    39,
    41,
    6 * 3600,
    90 * 86_400,
  ])('is bounded, whatever it is made of (%s s)', (durationSeconds) => {
    for (const parts of [
      [{ key: 'ram', bins: [] }],
      [
        { key: 'cpu', bins: 'CPU is left out: its counter was lost on the way.' },
        { key: 'ram', bins: [] },
      ],
      [
        { key: 'cpu', bins: [lost(), lost()] },
        { key: 'ram', bins: [] },
      ],
    ] satisfies PartBins[][]) {
      const { edgesSeconds = [], channels = [] } = seriesOfParts(parts, components, durationSeconds) ?? {};
      expect(edgesSeconds.length).toBeGreaterThan(Math.min(20, durationSeconds / 0.05));
      expect(edgesSeconds.length).toBeLessThanOrEqual(MOST_BINS + 1);
      expect(edgesSeconds.at(-1)).toBe(durationSeconds);
      for (const { powerWatts } of channels) expect(powerWatts).toHaveLength(edgesSeconds.length - 1);
    }
  });
});

describe.skipIf(!hasVirtualMachine)('the power over time (needs Linux and g++: apt-get install g++)', () => {
  it('shows a step of the power, of a report whose energy it holds', async () => {
    const machine = startMachine(STEPPING);
    try {
      const ran = await machine.runCli(['run', '--json', '--duration', '2']);
      const report = parseReport(ran.stdout);
      const series = checkSeries(report);
      expect(series).toMatchObject({ kind: 'measured', source: 'perf' });
      const [cpu, ram] = series.channels;
      expect([cpu?.name, ram?.name]).toEqual(['CPU', 'RAM']);
      // The step is a second after the counter was opened, a little before the run began.
      const at = (seconds: number) => {
        const index = series.edgesSeconds.findIndex((edge) => edge > seconds) - 1;
        return cpu?.powerWatts[index] ?? Number.NaN;
      };
      for (const seconds of [0.2, 0.4, 0.6]) expect(at(seconds) / 20).toBeCloseTo(1, 0);
      for (const seconds of [1.3, 1.5, 1.7]) expect(at(seconds) / 60).toBeCloseTo(1, 0);
      expect(at(1.5)).toBeGreaterThan(50);
      expect(at(0.5)).toBeLessThan(30);
      const { energyJoules = 0, lowerJoules = 0, upperJoules = 0 } = report.components.cpu;
      expect(lowerJoules).toBeLessThan(energyJoules);
      expect(upperJoules).toBeGreaterThan(energyJoules);
      expect((upperJoules - lowerJoules) / energyJoules).toBeLessThan(0.2);
      expect(report.components.cpu.detail).toContain('when its counters update');
      expect(report.energy.upperJoules).toBeGreaterThan(report.energy.energyJoules);
    } finally {
      machine.cleanup();
    }
  });

  it('shows power also while the script keeps JavaScript busy', async () => {
    const machine = startMachine(STEPPING);
    try {
      const result = await machine.script<{ report: Report }>(`
        const { EmissionsTracker } = await import('microjoule');
        const tracker = new EmissionsTracker({ output: [] }).start();
        for (const end = performance.now() + 1800; performance.now() < end; );
        return { report: await tracker.stop() };`);
      const series = checkSeries(result.report);
      expect(series.edgesSeconds.length).toBeGreaterThan(30);
      const watts = series.channels[0]?.powerWatts.map((value) => value ?? Number.NaN) ?? [];
      expect(Math.min(...watts)).toBeLessThan(30);
      expect(Math.max(...watts)).toBeGreaterThan(50);
    } finally {
      machine.cleanup();
    }
  });

  it('is estimated where there is no counter, and says so', async () => {
    const machine = startMachine('bare-guest');
    try {
      const ran = await machine.runCli(['run', '--json', '--duration', '0.9']);
      const report = parseReport(ran.stdout);
      const series = checkSeries(report);
      expect(series.kind).not.toBe('measured');
      expect(series.detail).toMatch(/CPU is (estimated|assumed)/);
      expect(report.components.cpu.lowerJoules).toBeUndefined();
    } finally {
      machine.cleanup();
    }
  });

  it('is left out of a run too short for one', async () => {
    const machine = startMachine(STEPPING);
    try {
      const ran = await machine.runCli(['run', '--json', '--duration', '0.05']);
      expect(parseReport(ran.stdout).series).toBeUndefined();
    } finally {
      machine.cleanup();
    }
  });
});
