// SPDX-License-Identifier: MIT
import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { formatHtml, formatMarkdown } from '../../lib/formats.js';
import { EmissionsTracker, type TrackerOptions } from '../../lib/index.js';
import { formatText } from '../../lib/reports.js';
import {
  energyFile,
  measure,
  microjoules,
  START_TICKS,
  TICKS_PER_JOULE,
  useWorkplace,
  zone,
} from '../cli/fixtures.js';
import { schemaErrors } from '../report/fixtures.js';
import { originsOf } from '../report/origins.js';

const place = useWorkplace();
/** By CPU time, which a machine that is busy otherwise gives late, but gives. */
const BUSY = 'while (process.cpuUsage().user < 300_000);';
const TICKS = 400 * TICKS_PER_JOULE;

function tracked(options: TrackerOptions = {}) {
  const machine = place.machine(zone('intel-rapl:0', 'package-0'));
  const tracker = new EmissionsTracker({
    sysfs: machine.root,
    nvmlLibrary: `${machine.root}/no-nvml`,
    output: [],
    trackingMode: 'process',
    ...options,
  });
  const spend = (ticks: number) =>
    machine.write(energyFile('intel-rapl:0'), `${microjoules(START_TICKS + ticks)}\n`);
  return { tracker, spend };
}

describe('trackingMode: process', () => {
  it.runIf(process.platform === 'linux')(
    'has a share of what was measured, children that ended included; the rest makes up the machine',
    async () => {
      const { tracker, spend } = tracked();
      tracker.start();
      spawnSync(process.execPath, ['--eval', BUSY]);
      spend(TICKS);
      const report = await tracker.stop();
      expect(schemaErrors(JSON.parse(JSON.stringify(report)))).toEqual([]);
      expect(originsOf(report).unanswered).toEqual([]);
      const { attribution, components, energy, trackingMode } = report;
      expect(trackingMode).toBe('process');
      // The child's busy time, and not only ours, however slow the machine is.
      expect(attribution?.cpuSeconds).toBeGreaterThan(0.1);
      expect(attribution?.machineCpuSeconds).toBeGreaterThanOrEqual(attribution?.cpuSeconds ?? 0);
      expect(components.cpu.kind).toBe('estimated');
      expect(components.cpu.energyJoules).toBeCloseTo(400 * (attribution?.cpuShareRatio ?? 0), 9);
      expect(energy.energyJoules + (attribution?.restJoules ?? 0)).toBeCloseTo(
        attribution?.machineJoules ?? 0,
        9,
      );
      expect(attribution?.machineJoules).toBeGreaterThan(400);
      expect(energy.measuredJoules).toBe(0);
    },
  );

  it('says in every format that it is attributed', async () => {
    const { tracker, spend } = tracked();
    tracker.start();
    spend(TICKS);
    const report = await tracker.stop();
    for (const text of [formatText(report), formatMarkdown(report), formatHtml(report)]) {
      const flat = text.replace(/\s+/g, ' ').replaceAll('&#39;', "'");
      expect(flat).toContain('not the whole machine');
      expect(flat).toContain('by attribution (estimated)');
      expect(flat).not.toMatch(/The whole machine (was|is)/);
    }
    expect(formatMarkdown(report)).toContain('| Share of the machine |');
  });

  it('of five milliseconds is not zero', async () => {
    const { tracker } = tracked();
    const { report } = await tracker.start().trackTask('short', () => {
      for (const end = performance.now() + 5; performance.now() < end; );
    });
    expect(report.trackingMode).toBe('process');
    expect(report.components.cpu.energyJoules).toBeGreaterThan(0);
    expect(report.attribution?.cpuSeconds).toBeGreaterThan(0);
    await tracker.stop();
  });

  it('is one of two words', () => {
    expect(() => tracked({ trackingMode: 'thread' as 'process' }).tracker.start()).toThrow(
      expect.objectContaining({ code: 'ERR_BAD_OPTION', hint: expect.stringContaining('"process"') }),
    );
  });
});

describe.runIf(process.platform === 'linux')('microjoule run --tracking-mode process', () => {
  it('sees the memory of a command that is gone when the run ends', async () => {
    const machine = place.machine(zone('intel-rapl:0', 'package-0'));
    const hold = 'const held = Buffer.alloc(400 * 2 ** 20, 1); setTimeout(() => held.fill(2), 2500)';
    const { report } = await measure(machine, `'${process.execPath}' --eval '${hold}'`, [
      '--tracking-mode',
      'process',
    ]);
    expect(report.attribution?.residentGib).toBeGreaterThan(0.1);
  });

  it("has the command's share, and its children's", async () => {
    const machine = place.machine(zone('intel-rapl:0', 'package-0'));
    const script = `'${process.execPath}' --eval '${BUSY}'; echo ${microjoules(START_TICKS + TICKS)} > '${machine.root}/${energyFile('intel-rapl:0')}'`;
    const { report } = await measure(machine, script, [
      '--tracking-mode',
      'process',
      '--experiment-id',
      'e',
      '-r',
      '2',
    ]);
    const { command, attribution } = report;
    const ofCommand = (command?.userCpuSeconds ?? 0) + (command?.systemCpuSeconds ?? 0);
    expect(ofCommand).toBeGreaterThan(0.2);
    expect(attribution?.cpuSeconds).toBeGreaterThan(ofCommand - 0.05);
    expect(report).toMatchObject({ trackingMode: 'process', experimentId: 'e' });
    expect(report.energy.energyJoules + (attribution?.restJoules ?? 0)).toBeCloseTo(
      attribution?.machineJoules ?? 0,
      6,
    );
  });
});
