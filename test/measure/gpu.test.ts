// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { describeDevices } from '../../lib/measure/gpu.js';
import type { Device } from '../../lib/meter/native.js';

const device = (more: Partial<Device>): Device => ({ device: 0, watchedSeconds: 0, busySeconds: 0, ...more });

describe('what is told of GPUs', () => {
  it('has sums of all of them, and none of some', () => {
    const both = [
      device({ powerLimitWatts: 250, memoryTotalGib: 8 }),
      device({ device: 1, powerLimitWatts: 150, memoryTotalGib: 8 }),
    ];
    expect(describeDevices([], both)).toMatchObject({ gpuPowerLimitWatts: 400, gpuMemoryTotalGib: 16 });
    const one = describeDevices([], [...both, device({ device: 2, memoryTotalGib: 4 })]);
    expect(one).not.toHaveProperty('gpuPowerLimitWatts');
    expect(one).toMatchObject({ gpuMemoryTotalGib: 20 });
    expect(describeDevices([], [])).toEqual({});
  });
});
