// SPDX-License-Identifier: MIT
//
// What one process finds out about a described machine's counters, in real time, and the next one takes over.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LOADED_MACHINE } from '../support/kernel-machine.js';
import { hasVirtualMachine, startMachine } from '../support/virtual-machine.js';

const SAMPLER = fileURLToPath(new URL('../../dist/meter/sampler.js', import.meta.url));

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'microjoule-cache-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const file = () => path.join(folder, 'calibrations.json');

describe.skipIf(!hasVirtualMachine)('a machine that was calibrated', { timeout: 60_000 }, () => {
  const machine = startMachine(LOADED_MACHINE);
  afterAll(() => machine.cleanup());
  const env = () => ({ MICROJOULE_CALIBRATION_CACHE: folder });
  const open = (body: string) =>
    machine.script<{ before: number[]; after: number[]; modes: string[] }>(
      `const { openSampler } = await import(${JSON.stringify(SAMPLER)});
      const sampler = openSampler({ sources: ['perf'] });
      const periods = () => sampler.counters().map(({ calibration }) => calibration.periodNs ?? 0);
      const before = periods();
      sampler.start();
      const modes = new Set();
      const drainUntil = async (done) => {
        for (const end = performance.now() + 10_000; performance.now() < end && !done(); ) {
          await new Promise((resolve) => setTimeout(resolve, 5));
          for (const { mode } of sampler.counters()) modes.add(mode);
          while (sampler.drain() > 0);
        }
      };
      ${body}
      const after = periods();
      sampler.close();
      return { before, after, modes: [...modes] };`,
      { env: env() },
    );
  const IDS = ['perf:energy-pkg:0', 'perf:energy-ram:0'];
  const stored = (): string[] => {
    const { machines } = JSON.parse(readFileSync(file(), 'utf8')) as {
      machines: Record<string, { counters: object }>;
    };
    return Object.values(machines).flatMap(({ counters }) => Object.keys(counters));
  };

  it('is not calibrated again by the next process', async () => {
    rmSync(file(), { force: true });
    const track = `await drainUntil(() => sampler.counters().every(({ mode }) => mode === 'tracking'));`;
    // A machine that is too busy keeps nothing of what it could not see well.
    for (let i = 0; i < 10; ++i) {
      const { before } = await open(track);
      if (i === 0) expect(before).toEqual([0, 0]);
      if (existsSync(file()) && stored().length === 2) break;
    }
    expect(stored().sort()).toEqual(IDS);
    const { before, modes } = await open(track);
    for (const periodNs of before) expect(Math.abs(periodNs / 1e6 - 1)).toBeLessThan(0.05);
    expect(modes).toContain('tracking');
  });

  it.each([
    3.3e6, 20e6,
  ])('corrects what is no longer true, and follows the counters: %d ns', async (wrongNs) => {
    expect(stored().sort()).toEqual(IDS);
    const text = readFileSync(file(), 'utf8');
    writeFileSync(file(), text.replaceAll(/"periodNs":[\d.]+/g, `"periodNs":${wrongNs}`));
    const right = 'Math.abs(calibration.periodNs - 1e6) < 5e4';
    const { before, after } = await open(
      `await drainUntil(() => sampler.counters().every(({ mode, calibration }) => mode === 'tracking' && ${right}));`,
    );
    writeFileSync(file(), text);
    expect(before).toEqual([wrongNs, wrongNs]);
    for (const periodNs of after) expect(Math.abs(periodNs / 1e6 - 1)).toBeLessThan(0.05);
  });
});
