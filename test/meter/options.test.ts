// SPDX-License-Identifier: MIT
import { afterEach, describe, expect, it, vi } from 'vitest';
import { resolveMeterOptions } from '../../lib/meter/options.js';

afterEach(() => vi.unstubAllEnvs());

describe('resolveMeterOptions', () => {
  it('falls back to the system', () => {
    for (const name of ['MICROJOULE_SYSFS', 'MICROJOULE_DEV', 'MICROJOULE_NVML_LIBRARY'])
      vi.stubEnv(name, '');
    expect(resolveMeterOptions()).toEqual({
      sysfs: '/sys',
      dev: '/dev',
      nvmlLibrary: '',
      wakeGpus: false,
      sources: undefined,
    });
  });

  it('takes the argument before the environment', () => {
    vi.stubEnv('MICROJOULE_SYSFS', '/host/sys');
    expect(resolveMeterOptions().sysfs).toBe('/host/sys');
    expect(resolveMeterOptions({ sysfs: '/mine' }).sysfs).toBe('/mine');
  });

  it('leaves GPUs asleep unless told otherwise', () => {
    vi.stubEnv('MICROJOULE_WAKE_GPUS', '1');
    expect(resolveMeterOptions().wakeGpus).toBe(true);
    expect(resolveMeterOptions({ wakeGpus: false }).wakeGpus).toBe(false);
    vi.stubEnv('MICROJOULE_WAKE_GPUS', '0');
    expect(resolveMeterOptions().wakeGpus).toBe(false);
  });

  it.each([
    { sysfs: '' },
    { dev: 3 },
    { nvmlLibrary: null },
    { wakeGpus: 'no' },
    { sources: 'powercap' },
    { sources: [1] },
  ])('refuses %j with a hint', (options) => {
    expect(() => resolveMeterOptions(options as never)).toThrow(
      expect.objectContaining({ code: 'ERR_BAD_OPTION', hint: expect.stringMatching(/./) }),
    );
  });
});
