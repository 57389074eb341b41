// SPDX-License-Identifier: MIT
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { readCalibrations, writeCalibrations } from '../../lib/meter/calibration-cache.js';
import type { CounterCalibration } from '../../lib/meter/native.js';

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

  it.skipIf(process.platform === 'win32')('is none for a user without a home', () => {
    vi.stubEnv('MICROJOULE_CALIBRATION_CACHE', undefined);
    vi.stubEnv('XDG_CACHE_HOME', undefined);
    const homeless = vi.spyOn(os, 'homedir').mockImplementation(() => {
      throw new Error('no such user');
    });
    expect(readCalibrations(ROOTS)).toEqual([]);
    writeCalibrations(ROOTS, [{ id: 'perf:energy-pkg:0', calibration: FOUND }]);
    homeless.mockRestore();
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

  it('drops what is contradicted, also by what is not certain enough to be kept', () => {
    const counters = ['wrong', 'right', 'unknown'];
    writeCalibrations(
      ROOTS,
      counters.map((id) => ({ id, calibration: FOUND })),
    );
    const busy: CounterCalibration = { ...FOUND, heldUpRatio: 0.5, periodUncertaintyNs: 500 };
    const { periodNs: _, ...unknown } = busy;
    writeCalibrations(ROOTS, [
      { id: 'wrong', calibration: { ...busy, periodNs: 2e7 } },
      { id: 'right', calibration: { ...busy, periodNs: 1.001e6 } },
      { id: 'unknown', calibration: unknown },
    ]);
    expect(readCalibrations(ROOTS).map(({ id }) => id)).toEqual(['right', 'unknown']);
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
