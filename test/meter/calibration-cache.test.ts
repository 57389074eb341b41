// SPDX-License-Identifier: MIT
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { readCalibrations, writeCalibrations } from '../../lib/meter/calibration-cache.js';
import type { CounterCalibration } from '../../lib/meter/native.js';
import { LOADED_MACHINE } from '../support/kernel-machine.js';
import { hasVirtualMachine, startMachine } from '../support/virtual-machine.js';

const SAMPLER = fileURLToPath(new URL('../../dist/meter/sampler.js', import.meta.url));
const ROOTS = { sysfs: '/sys', dev: '/dev' };
const FOUND: CounterCalibration = {
  updateCount: 200,
  periodNs: 1e6,
  periodUncertaintyNs: 12.5,
  heldUpRatio: 0.01,
  jitterNs: 2e4,
  bracketNs: 900,
  quantumTicks: 1n << 18n,
};

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'microjoule-cache-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const file = () => path.join(folder, 'calibrations.json');

describe('the cache of calibrations', () => {
  beforeEach(() => {
    rmSync(file(), { force: true });
    vi.stubEnv('MICROJOULE_CALIBRATION_CACHE', folder);
    return () => {
      vi.unstubAllEnvs();
      vi.useRealTimers();
    };
  });

  it('gives back what was found, for the same machine and roots', () => {
    expect(readCalibrations(ROOTS)).toEqual([]);
    writeCalibrations(ROOTS, [{ id: 'perf:energy-pkg:0', calibration: FOUND }]);
    expect(readCalibrations(ROOTS)).toEqual([{ id: 'perf:energy-pkg:0', ...FOUND }]);
    expect(readCalibrations({ ...ROOTS, sysfs: '/host/sys' })).toEqual([]);
    const other: CounterCalibration = { ...FOUND, periodNs: 2e6 };
    writeCalibrations(ROOTS, [{ id: 'perf:energy-ram:0', calibration: other }]);
    expect(readCalibrations(ROOTS).map(({ id, periodNs }) => [id, periodNs])).toEqual([
      ['perf:energy-pkg:0', 1e6],
      ['perf:energy-ram:0', 2e6],
    ]);
    expect(readdirSync(folder)).toEqual(['calibrations.json']);
  });

  it('keeps nothing that is not certain', () => {
    const { periodNs: _, ...unknown } = FOUND;
    writeCalibrations(ROOTS, [
      { id: 'few', calibration: { ...FOUND, updateCount: 5 } },
      { id: 'disturbed', calibration: { ...FOUND, heldUpRatio: 0.5 } },
      { id: 'unknown', calibration: unknown },
    ]);
    expect(readCalibrations(ROOTS)).toEqual([]);
  });

  it('forgets after a month, and after 16 other machines', () => {
    writeCalibrations(ROOTS, [{ id: 'a', calibration: FOUND }]);
    const now = Date.now();
    vi.useFakeTimers({ now: now + 31 * 86_400_000 });
    expect(readCalibrations(ROOTS)).toEqual([]);
    for (let i = 0; i < 16; ++i) {
      vi.setSystemTime(now + 1000 * (i + 1));
      writeCalibrations({ ...ROOTS, sysfs: `/host/${i}` }, [{ id: 'a', calibration: FOUND }]);
    }
    expect(readCalibrations(ROOTS)).toEqual([]);
    expect(readCalibrations({ ...ROOTS, sysfs: '/host/0' })).toHaveLength(1);
  });

  it.each([
    '',
    '{',
    'null',
    '[]',
    '{"schema":"microjoule.calibrations/1","machines":null}',
    '{"schema":"microjoule.calibrations/2","machines":{}}',
  ])('takes %j for none, and replaces it', (text) => {
    writeFileSync(file(), text);
    expect(readCalibrations(ROOTS)).toEqual([]);
    writeCalibrations(ROOTS, [{ id: 'a', calibration: FOUND }]);
    expect(readCalibrations(ROOTS)).toHaveLength(1);
  });

  it('leaves out what no sampler can have written', () => {
    writeCalibrations(ROOTS, [{ id: 'a', calibration: FOUND }]);
    const good = readFileSync(file(), 'utf8');
    for (const value of ['null', '"1"', '-1', '1e999', '0']) {
      writeFileSync(file(), good.replace('"periodNs":1000000', `"periodNs":${value}`));
      expect(readCalibrations(ROOTS), value).toEqual([]);
    }
    writeFileSync(file(), good.replace(/"quantumTicks":"\d+"/, '"quantumTicks":"-5"'));
    expect(readCalibrations(ROOTS)[0]).not.toHaveProperty('quantumTicks');
  });

  it('is none where it is switched off, or cannot be written', () => {
    vi.stubEnv('MICROJOULE_CALIBRATION_CACHE', path.join('/dev/null', 'none'));
    writeCalibrations(ROOTS, [{ id: 'a', calibration: FOUND }]);
    expect(readCalibrations(ROOTS)).toEqual([]);
    vi.stubEnv('MICROJOULE_CALIBRATION_CACHE', 'off');
    writeCalibrations(ROOTS, [{ id: 'a', calibration: FOUND }]);
    expect(readCalibrations(ROOTS)).toEqual([]);
    expect(readdirSync(folder)).toEqual([]);
  });
});

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

  it('corrects what is no longer true', async () => {
    expect(stored().sort()).toEqual(IDS);
    const text = readFileSync(file(), 'utf8');
    writeFileSync(file(), text.replaceAll(/"periodNs":[\d.]+/g, '"periodNs":3300000'));
    const right = 'periods().every((periodNs) => Math.abs(periodNs - 1e6) < 5e4)';
    const { before, after } = await open(`await drainUntil(() => ${right});`);
    expect(before).toEqual([3300000, 3300000]);
    for (const periodNs of after) expect(Math.abs(periodNs / 1e6 - 1)).toBeLessThan(0.05);
  });
});
