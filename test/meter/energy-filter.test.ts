// SPDX-License-Identifier: MIT
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import {
  type EnergyFilterFacts,
  judgeEnergyFilter,
  mayBeFiltered,
  readEnergyFilter,
  readEnergyFilterFacts,
} from '../../lib/meter/energy-filter.js';

const SAPPHIRE_RAPIDS = 'cpu:type:x86,ven0000fam0006mod008F:feature:,0000,0001,0002';
const EPYC = 'cpu:type:x86,ven0002fam0019mod0001:feature:,0000,0001';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

/** Roots that stand for /sys and /dev. */
function roots({
  modalias = '',
  register,
  sgx = false,
}: {
  modalias?: string;
  register?: bigint;
  sgx?: boolean;
}) {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'microjoule-filter-'));
  folders.push(folder);
  const [sysfs, dev] = [path.join(folder, 'sys'), path.join(folder, 'dev')];
  mkdirSync(path.join(sysfs, 'devices/system/cpu'), { recursive: true });
  writeFileSync(path.join(sysfs, 'devices/system/cpu/modalias'), `${modalias}\n\0\0`);
  mkdirSync(path.join(dev, 'cpu/3'), { recursive: true });
  if (sgx) writeFileSync(path.join(dev, 'sgx_enclave'), '');
  if (register !== undefined) {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(register);
    const file = path.join(dev, 'cpu/3/msr');
    writeFileSync(file, '');
    truncateSync(file, 0xbc);
    writeFileSync(file, bytes, { flag: 'a' });
  }
  return { sysfs, dev };
}

describe('judgeEnergyFilter', () => {
  it.each<[string, Partial<EnergyFilterFacts>, string]>([
    ['the register: on', { packageControls: 1n }, 'on'],
    ['the register: off, whatever SGX', { packageControls: 2n, hasSgxDevice: true }, 'off'],
    ['the feature sgx', { cpuModalias: `${SAPPHIRE_RAPIDS},0122` }, 'possible'],
    ['the device of SGX', { hasSgxDevice: true }, 'possible'],
    ['AMD', { cpuModalias: EPYC }, 'none'],
    ['neither', {}, 'unknown'],
    ['no CPU', { cpuModalias: '' }, 'unknown'],
  ])('is told by %s', (_, changes, state) => {
    const known = { platform: 'linux', cpuModalias: SAPPHIRE_RAPIDS, hasSgxDevice: false, dev: '/dev' };
    const facts = { ...known, ...changes };
    expect(judgeEnergyFilter(facts)).toEqual({ state, detail: expect.stringMatching(/.{5}/) });
  });

  it('looks for no sysfs where there is none', () => {
    const { state, detail } = judgeEnergyFilter({ platform: 'win32', hasSgxDevice: false, dev: '/dev' });
    expect(state).toBe('unknown');
    expect(detail).not.toContain('sysfs');
  });
});

describe('readEnergyFilter', () => {
  it.each([
    ['on', { modalias: SAPPHIRE_RAPIDS, register: 1n }],
    ['off', { modalias: SAPPHIRE_RAPIDS, register: 4n, sgx: true }],
    ['possible', { modalias: SAPPHIRE_RAPIDS, sgx: true }],
    ['unknown', { modalias: SAPPHIRE_RAPIDS }],
    // The register is another one there.
    ['none', { modalias: EPYC, register: 1n }],
  ] as const)('finds %s', (state, machine) => {
    expect(readEnergyFilter(roots(machine)).state).toBe(state);
  });

  it('reads once, and throws nowhere', () => {
    const machine = roots({ modalias: SAPPHIRE_RAPIDS, register: 1n });
    const first = readEnergyFilter(machine);
    rmSync(path.join(machine.dev, 'cpu/3/msr'));
    expect(readEnergyFilter(machine)).toBe(first);
    expect(readEnergyFilterFacts(machine).packageControls).toBeUndefined();
    expect(readEnergyFilter({ sysfs: '/nonexistent/sys', dev: '/nonexistent/dev' }).state).toBe('unknown');
  });
});

describe('mayBeFiltered', () => {
  it('concerns the counters of the CPU alone', () => {
    const filter = (state: 'on' | 'off' | 'possible' | 'none' | 'unknown') => ({ state, detail: '' });
    expect(mayBeFiltered({ domain: 'package' }, filter('on'))).toBe(true);
    expect(mayBeFiltered({ domain: 'dram' }, filter('possible'))).toBe(true);
    expect(mayBeFiltered({ domain: 'gpu' }, filter('on'))).toBe(false);
    for (const state of ['off', 'none', 'unknown'] as const) {
      expect(mayBeFiltered({ domain: 'package' }, filter(state))).toBe(false);
    }
  });
});
