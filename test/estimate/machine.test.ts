// SPDX-License-Identifier: MIT
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  describeOs,
  describeRuntime,
  parseCpuinfo,
  parseMemAvailableGib,
  parseProcessorIdentifier,
  readCpuIdentity,
  readMaxPowerWatts,
  readMemory,
} from '../../lib/estimate/machine.js';

describe('parseCpuinfo', () => {
  it('reads Intel', () => {
    const text =
      'processor\t: 0\nvendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: 140\nmodel name\t: Tiger: Lake\n\n' +
      'processor\t: 1\nvendor_id\t: Other\ncpu family\t: 7\nmodel\t\t: 1\n';
    expect(parseCpuinfo(text)).toEqual({
      modelName: 'Tiger: Lake',
      vendor: 'GenuineIntel',
      family: 6,
      model: 140,
    });
  });

  it('reads AMD', () => {
    const text =
      'processor\t: 0\nvendor_id\t: AuthenticAMD\ncpu family\t: 25\nmodel\t\t: 1\nmodel name\t: AMD EPYC\n';
    expect(parseCpuinfo(text)).toEqual({
      modelName: 'AMD EPYC',
      vendor: 'AuthenticAMD',
      family: 25,
      model: 1,
    });
  });

  it('reads Arm', () => {
    const text =
      'processor\t: 0\nBogoMIPS\t: 50.00\nFeatures\t: fp asimd\nCPU implementer\t: 0x41\nCPU architecture: 8\n' +
      'CPU variant\t: 0x3\nCPU part\t: 0xd0c\nCPU revision\t: 1\n\n';
    expect(parseCpuinfo(text)).toEqual({ armImplementer: 0x41, armPart: 0xd0c });
  });

  it('survives a text cut short, empty or strange', () => {
    expect(parseCpuinfo('vendor_id : GenuineIntel\ncpu family : 6\nmodel : 1')).toMatchObject({ model: 1 });
    expect(parseCpuinfo('')).toEqual({});
    expect(parseCpuinfo('cpu family : six\nmodel :\nno colon\n')).toEqual({});
  });
});

describe('parseProcessorIdentifier', () => {
  it('reads what Windows gives', () => {
    expect(parseProcessorIdentifier('Intel64 Family 6 Model 140 Stepping 1, GenuineIntel')).toEqual({
      vendor: 'GenuineIntel',
      family: 6,
      model: 140,
    });
    expect(parseProcessorIdentifier('AMD64 Family 25 Model 33 Stepping 0, AuthenticAMD')).toEqual({
      vendor: 'AuthenticAMD',
      family: 25,
      model: 33,
    });
  });

  it('leaves Arm and rubbish alone', () => {
    expect(parseProcessorIdentifier('ARMv8 (64-bit) Family 8 Model 1 Revision 201, Qualcomm')).toEqual({});
    expect(parseProcessorIdentifier('')).toEqual({});
  });
});

describe('parseMemAvailableGib', () => {
  it('reads kibibytes', () => {
    expect(parseMemAvailableGib('MemTotal: 9 kB\nMemFree: 1 kB\nMemAvailable:   1572864 kB\n')).toBe(1.5);
    expect(parseMemAvailableGib('MemTotal: 9 kB\n')).toBeUndefined();
  });
});

describe('readMaxPowerWatts', () => {
  let root = '';
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'microjoule-powercap-'));
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  function addZone(zone: string, name: string, maxPowerUw: string, constraint = 'long_term'): void {
    const path = join(root, 'class/powercap', zone);
    mkdirSync(path, { recursive: true });
    writeFileSync(join(path, 'name'), `${name}\n`);
    writeFileSync(join(path, 'constraint_0_name'), `${constraint}\n`);
    writeFileSync(join(path, 'constraint_0_max_power_uw'), maxPowerUw);
  }

  it('adds the packages and nothing else', () => {
    addZone('intel-rapl:0', 'package-1', '205000000\n');
    addZone('intel-rapl:a', 'package-0-die-1', `150000000\n${'\0'.repeat(4086)}`);
    addZone('intel-rapl:1', 'psys', '999000000');
    addZone('intel-rapl:0:0', 'package-9', '999000000');
    addZone('intel-rapl-mmio:0', 'package-0', '205000000');
    expect(readMaxPowerWatts(root)).toBe(355);
  });

  it.each([
    ['0'],
    [''],
    ['rubbish'],
    ['999999'],
    ['2000000001'],
    ['-5000000'],
  ])('gives nothing when one package says %j', (maxPowerUw) => {
    addZone('intel-rapl:0', 'package-0', '28000000');
    addZone('intel-rapl:1', 'package-1', maxPowerUw);
    expect(readMaxPowerWatts(root)).toBeUndefined();
  });

  it('takes the ends of the plausible range', () => {
    addZone('intel-rapl:0', 'package-0', '1000000');
    addZone('intel-rapl:1', 'package-1', '2000000000');
    expect(readMaxPowerWatts(root)).toBe(2001);
  });

  it('gives nothing for another constraint, a missing file or a missing tree', () => {
    expect(readMaxPowerWatts(root)).toBeUndefined();
    addZone('intel-rapl:0', 'package-0', '28000000', 'short_term');
    expect(readMaxPowerWatts(root)).toBeUndefined();
    addZone('intel-rapl:0', 'package-0', '28000000');
    expect(readMaxPowerWatts(root)).toBe(28);
    rmSync(join(root, 'class/powercap/intel-rapl:0/constraint_0_max_power_uw'));
    expect(readMaxPowerWatts(root)).toBeUndefined();
  });

  it('gives nothing where there are zones but no package', () => {
    addZone('intel-rapl:0', 'psys', '28000000');
    expect(readMaxPowerWatts(root)).toBeUndefined();
  });
});

describe('this machine', () => {
  it('has a CPU', () => {
    const cpu = readCpuIdentity();
    expect(cpu.modelName).not.toBe('');
    expect(cpu.threadCount).toBe(cpus().length);
  });

  it.runIf(existsSync('/proc/cpuinfo'))('has the CPU that all of /proc/cpuinfo shows', () => {
    expect(readCpuIdentity()).toMatchObject(parseCpuinfo(readFileSync('/proc/cpuinfo', 'latin1')));
  });

  it('has memory, some of it in use', () => {
    const { ramTotalGib, ramUsedGib } = readMemory();
    expect(ramTotalGib).toBeGreaterThan(0.1);
    expect(ramUsedGib).toBeGreaterThan(0);
    expect(ramUsedGib).toBeLessThan(ramTotalGib);
  });

  it('has an operating system and a runtime', () => {
    expect(describeOs()).toMatch(/^(?:Linux|Darwin|Windows|FreeBSD)-\d\S*-\w+$/);
    expect(describeRuntime()).toMatch(/^node v\d+\.\d+\.\d+/);
  });
});
