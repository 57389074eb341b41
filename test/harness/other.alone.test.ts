// SPDX-License-Identifier: MIT
//
// The code of docs/harnesses/other.md, on the virtual machine, in real time.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { IDLE_WATTS, LOAD_WATTS, LOADED_MACHINE } from '../support/kernel-machine.js';
import { hasVirtualMachine, type Ran, startMachine } from '../support/virtual-machine.js';

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));
const INSIDE = path.join(REPOSITORY, 'test/virtual-machine/inside.mjs');
const PAGE = readFileSync(path.join(REPOSITORY, 'docs/harnesses/other.md'), 'utf8');
const CODE = [...PAGE.matchAll(/^```js\n([\s\S]*?)^```$/gm)].map(([, code]) => code).join('\n');

const SCALE: Record<string, number> = { J: 1, mJ: 1e-3, s: 1, ms: 1e-3 };

describe.skipIf(!hasVirtualMachine)('the page on other harnesses', () => {
  async function run(machineText: string, added = ''): Promise<Ran> {
    const machine = startMachine(machineText);
    try {
      const args = ['--input-type=module', '--eval', CODE + added];
      const ran = await machine.run(process.execPath, args, { timeoutMs: 60_000 });
      expect(ran.exitCode, ran.stderr).toBe(0);
      return ran;
    } finally {
      machine.cleanup();
    }
  }

  it('holds code that tells the energy of a known kernel', { timeout: 60_000 }, async () => {
    const { stdout } = await run(
      LOADED_MACHINE,
      `const { openLoad } = await import(${JSON.stringify(INSIDE)});
      console.log(await energyOf('known', openLoad().kernel(1)));`,
    );
    const lines = stdout.trim().split('\n');
    expect(lines.map((line) => line.split(':')[0])).toEqual(['sort', 'sort', 'join', 'join', 'known']);
    expect(lines[1]).toMatch(/^sort: .+ a call of [\d.]+ [nµ]s/);
    const found = /^known: ([\d.]+) (\w+) ± ([\d.]+) \w+ a call of ([\d.]+) (\w+)/.exec(lines[4] ?? '');
    if (found === null) throw new Error(stdout);
    const [, energy, unit = '', margin, time, timeUnit = ''] = found;
    const scale = SCALE[unit] ?? Number.NaN;
    // The load is on for all but the loop.
    const truthJoules = (IDLE_WATTS + LOAD_WATTS) * Number(time) * (SCALE[timeUnit] ?? Number.NaN);
    const allowed = Number(margin) * scale + 0.03 * truthJoules;
    expect(Math.abs(Number(energy) * scale - truthJoules), stdout).toBeLessThan(allowed);
  });

  it('holds code that says when it only estimates', { timeout: 60_000 }, async () => {
    const { stdout } = await run('processor intel 6 0x9e virtual\ncpus 0-1 package 0\n');
    expect(stdout).toMatch(/^sort: estimated .* not measured$/m);
  });
});
