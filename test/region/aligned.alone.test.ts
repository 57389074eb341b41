// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import type { RegionEnergy } from '../../lib/region/types.js';
import { LOADED_MACHINE, TELL } from '../support/kernel-machine.js';
import { hasVirtualMachine, runInMachine } from '../support/virtual-machine.js';

describe.skipIf(!hasVirtualMachine)('aligned regions', () => {
  it('of one short run are told when aligned', async () => {
    const { result } = await runInMachine<{ energy: RegionEnergy; truthJoules: number }[]>(
      LOADED_MACHINE,
      `${TELL}
      const meter = openMeter();
      await meter.ready();
      const all = [];
      for (const ms of [0.4, 1.4, 1.4, 2.3, 1.4]) {
        const { told, truth } = tell(load.kernel(ms));
        const region = meter.beginAligned('short');
        told();
        const energy = await region.end();
        all.push({ energy, truthJoules: truth({ callCount: 1, callSeconds: energy.durationSeconds }).total });
      }
      meter.close();
      return all;`,
    );
    for (const { energy } of result) {
      expect(energy.energyJoules).toBeGreaterThan(0);
    }
    // Two updates inside may tell more than two around it.
    const shortest = result[0]?.energy.counters.map((counter) => counter.energy?.method);
    expect(shortest).toContain('tick-aligned');
    const covered = result.filter(
      ({ energy, truthJoules }) => energy.lowerJoules <= truthJoules && truthJoules <= energy.upperJoules,
    );
    expect(covered.length).toBeGreaterThanOrEqual(4);
  });
});
