// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { benchCommands } from '../../lib/bench/bench-commands.js';
import { checkEnergyOptions } from '../../lib/harness/energy.js';
import { compareEnergy, measureEnergy, openMeter } from '../../lib/index.js';
import type { MeterOptions } from '../../lib/meter/options.js';

/** What no meter takes, so that it is seen whether the meter gets it. */
const BAD: Required<Record<keyof MeterOptions, unknown>> = {
  sysfs: 7,
  dev: 7,
  nvmlLibrary: 7,
  wakeGpus: 'no',
  sources: [],
};
const each = Object.entries(BAD).map(([name, value]) => [name, { [name]: value } as MeterOptions] as const);

describe("a meter's options", () => {
  it.each(
    each,
  )('reach the meter of a measurement, of a comparison and of commands: %s', async (name, bad) => {
    const work = () => {};
    for (const asked of [
      () => measureEnergy(work, bad),
      () => compareEnergy({ a: work, b: work }, bad),
      () => benchCommands({ ...bad, commands: ['true'] }),
    ]) {
      await expect(asked).rejects.toMatchObject({
        code: 'ERR_BAD_OPTION',
        message: expect.stringContaining(`${name}:`),
      });
    }
  });

  it.each(each)('are refused beside a meter that is open already: %s', async (name, bad) => {
    const meter = openMeter();
    try {
      expect(() => checkEnergyOptions({ ...bad, meter })).toThrow(
        expect.objectContaining({ message: `${name}: has no effect on the meter that was given` }),
      );
    } finally {
      meter.close();
    }
  });
});
