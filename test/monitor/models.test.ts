// SPDX-License-Identifier: MIT
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { cpuPowerWattsAtUnknownLoad } from '../../lib/estimate/cpu.js';
import { readCpuIdentity, readMemory } from '../../lib/estimate/machine.js';
import type { CpuTimes } from '../../lib/estimate/utilisation.js';
import { chooseModels } from '../../lib/measure/components.js';
import { modelsFor } from '../../lib/monitor/models.js';

/** What the operating system tells of the CPU's times. */
let times: CpuTimes = { busySeconds: 0, totalSeconds: 0 };
vi.mock('../../lib/estimate/utilisation.js', async (original) => ({
  ...(await original<object>()),
  readCpuTimes: () => times,
}));

const SYSFS = '/nonexistent';
const { cpu: power } = chooseModels({
  cpu: readCpuIdentity(),
  maxPowerWatts: undefined,
  ramTotalGib: readMemory().ramTotalGib,
  estimates: {},
});
const halfWatts = cpuPowerWattsAtUnknownLoad(power);

function cpuModel() {
  const [model] = modelsFor([], SYSFS, {});
  if (model?.channel.id !== 'model:cpu') throw new Error('there is no model of the CPU');
  const codes: string[] = [];
  const at = (seconds: number, isExact = false) =>
    model.at(seconds * 1e9, isExact, ({ code }) => codes.push(code));
  return { channel: model.channel, at, codes };
}

/** Lets the CPU be so busy for so long. */
function pass(seconds: number, ratio: number): void {
  times = {
    busySeconds: times.busySeconds + seconds * ratio,
    totalSeconds: times.totalSeconds + seconds,
  };
}

beforeEach(() => {
  times = { busySeconds: 100, totalSeconds: 1000 };
});

describe("the stream's model of the CPU", () => {
  it('is assumed to be at half load from the first row on where CPU times are hidden', () => {
    times = { busySeconds: 0, totalSeconds: 0 };
    const { channel, at, codes } = cpuModel();
    expect(channel).toMatchObject({ kind: 'assumed', detail: expect.stringContaining('half load') });
    expect(channel.updatePeriodNs).toBeUndefined();
    for (const seconds of [0, 0.001, 0.5, 2, 3600]) {
      expect(at(seconds)).toBeCloseTo(halfWatts * seconds, 9);
    }
    expect(at(3601, true)).toBeCloseTo(halfWatts * 3601, 6);
    expect(codes).toEqual([]);
  });

  it('follows the load where that is known, and says nothing', () => {
    const { channel, at, codes } = cpuModel();
    expect(channel).toMatchObject({ kind: power.kind, detail: power.detail });
    expect(at(0)).toBe(0);
    pass(1, 1);
    expect(at(1)).toBeCloseTo(power.fullWatts, 9);
    pass(1, 0);
    expect(at(2)).toBeCloseTo(power.fullWatts + power.idleWatts, 9);
    // Too short to tell the load: as it was.
    expect(at(2.001, true)).toBeCloseTo(power.fullWatts + 1.001 * power.idleWatts, 9);
    expect(codes).toEqual([]);
  });

  it('waits a second at most for a load that cannot be told, then assumes one and says so once', () => {
    const { at, codes } = cpuModel();
    at(0);
    expect(at(0.9)).toBe(0);
    expect(at(1.1)).toBeCloseTo(1.1 * halfWatts, 9);
    expect(at(2.2)).toBeCloseTo(2.2 * halfWatts, 9);
    expect(codes).toEqual(['load-unknown']);
    pass(1, 1);
    expect(at(3.2)).toBeCloseTo(2.2 * halfWatts + power.fullWatts, 9);
    // A thread that goes offline takes its times along.
    pass(-100, 0);
    expect(at(4.3)).toBeCloseTo(2.2 * halfWatts + 2.1 * power.fullWatts, 9);
    expect(codes).toEqual(['load-unknown']);
  });
});
