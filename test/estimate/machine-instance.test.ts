// SPDX-License-Identifier: MIT
import { execFileSync } from 'node:child_process';
import { hostname } from 'node:os';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { machineInstance, readMachineInstance } from '../../lib/estimate/machine-instance.js';

const BUILT = fileURLToPath(new URL('../../dist/estimate/machine-instance.js', import.meta.url));

describe('what tells machines apart', () => {
  it('is a hash of the boot id alone, since containers of one machine have names of their own', () => {
    const one = machineInstance('2c0a3f52-b0e3-4a6c-9a37-0d5c1f1c5a11', ['one']);
    expect(one).toMatch(/^[0-9a-f]{16}$/);
    expect(machineInstance('2c0a3f52-b0e3-4a6c-9a37-0d5c1f1c5a11', ['other'])).toBe(one);
    expect(machineInstance('2c0a3f52-b0e3-4a6c-9a37-0d5c1f1c5a12', ['one'])).not.toBe(one);
  });

  it('is what else is known of the machine where it has no boot id', () => {
    for (const none of [undefined, '']) {
      expect(machineInstance(none, ['one', 1])).toBe(machineInstance(undefined, ['one', 1]));
      expect(machineInstance(none, ['one', 1])).not.toBe(machineInstance(undefined, ['one', 2]));
    }
  });

  it('is the same in every process, and does not tell the name', () => {
    const read = `import(${JSON.stringify(BUILT)}).then((m) => process.stdout.write(m.readMachineInstance()))`;
    expect(execFileSync(process.execPath, ['-e', read], { encoding: 'utf8' })).toBe(readMachineInstance());
    expect(readMachineInstance()).not.toContain(hostname());
  });
});
