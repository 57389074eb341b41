// SPDX-License-Identifier: MIT
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { loadNow } from '../lib/load.js';

const REPOSITORY = fileURLToPath(new URL('..', import.meta.url));

/** Runs a module in a Node of its own, in which the package is known by its name. */
function run(code: string): string {
  const args = ['--input-type=module', '--eval', code];
  const env = { ...process.env, MICROJOULE_SYSFS: '/nonexistent', MICROJOULE_DEV: '/nonexistent' };
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: REPOSITORY, encoding: 'utf8', env });
  expect(stderr).toBe('');
  return stdout;
}

describe('modules that are loaded when they are needed', () => {
  it('come at any time after other calls of the package', () => {
    // Whatever loads in turns of the event loop would be half-way at one of them.
    const code = `
      import { measureEnergy, openMeter, EmissionsTracker } from 'microjoule';
      const turns = Number(process.argv[1] ?? 0);
      measureEnergy(() => {}).catch(() => {});
      for (let i = 0; i < turns; ++i) await new Promise(setImmediate);
      openMeter({ sources: ['powercap'] }).close();
      const tracker = new EmissionsTracker({ output: [], sysfs: '/nonexistent', nvmlLibrary: '/nonexistent' });
      await tracker.start().stop();
      process.stdout.write('ok');`;
    for (const turns of [0, 1, 2, 3, 5, 7, 9, 10, 11, 12, 16, 24]) {
      expect(run(code.replace('process.argv[1] ?? 0', String(turns))), `${turns} turns`).toBe('ok');
    }
  }, 60_000);

  it('say what to do where somebody else imports them at the same time', () => {
    const code = `
      import { openMeter } from 'microjoule';
      const coming = import('microjoule/bench');
      const codes = new Set();
      for (let i = 0; i < 40; ++i) {
        try { openMeter({ sources: ['powercap'] }).close(); codes.add('ok'); break; } catch (error) { codes.add(error.code); }
        await new Promise(setImmediate);
      }
      await coming;
      openMeter({ sources: ['powercap'] }).close();
      process.stdout.write([...codes].filter((code) => code !== 'ok' && code !== 'ERR_NOT_LOADED').join() || 'ok');`;
    expect(run(code)).toBe('ok');
  });

  it('name what is not there', () => {
    expect(() => loadNow('kernel/nothing')).toThrow(
      expect.objectContaining({ code: 'ERR_NOT_LOADED', message: expect.stringContaining('kernel/nothing') }),
    );
  });
});
