// SPDX-License-Identifier: MIT
//
// The examples of harnesses run; without counters, where they say so. What they measure is in test/harness.
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { hasVirtualMachine, startMachine } from '../support/virtual-machine.js';

const EXAMPLES = fileURLToPath(new URL('../../examples', import.meta.url));

describe.skipIf(!hasVirtualMachine)('the example of', () => {
  it.each([
    ['tinybench', ['tinybench.mjs'], /'parse'.*'n\/a \(no counter\)'/],
    ['bench-node', ['--allow-natives-syntax', 'bench-node.mjs'], /^parse .*energy=n\/a \(no counter\)/m],
    ['mitata', ['mitata.mjs'], /^parse .*\n.*\n.*\n +energy n\/a \(no counter\)$/m],
  ] as const)(
    '%s runs, and says why it has no energy here',
    { timeout: 60_000 },
    async (_, args, expected) => {
      const machine = startMachine('processor intel 6 0x9e virtual\ncpus 0-1 package 0\n');
      try {
        const given = [...args.slice(0, -1), path.join(EXAMPLES, args.at(-1) ?? '')];
        const env = { NO_COLOR: '1', FORCE_COLOR: '' };
        const { exitCode, stdout, stderr } = await machine.run(process.execPath, given, {
          env,
          timeoutMs: 60_000,
        });
        expect(exitCode, stderr).toBe(0);
        expect(stripVTControlCharacters(stdout)).toMatch(expected);
        expect(stdout).toMatch(/^No energy: no counter of this machine .*\n.*Next: microjoule run/m);
      } finally {
        machine.cleanup();
      }
    },
  );
});
