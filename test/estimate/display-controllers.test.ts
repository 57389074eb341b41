// SPDX-License-Identifier: MIT
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findDisplayControllers } from '../../lib/estimate/display-controllers.js';

let root = '';
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'microjoule-pci-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function addDevice(address: string, files: { class?: string; vendor?: string; device?: string }): void {
  const path = join(root, 'bus/pci/devices', address);
  mkdirSync(path, { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), `${text}\n`);
}

function writePciIds(text: string, name = 'pci.ids'): string {
  const path = join(root, name);
  writeFileSync(path, text);
  return path;
}

const MX450 = { class: '0x030200', vendor: '0x10de', device: '0x1f97' };
const IRIS = { class: '0x030000', vendor: '0x8086', device: '0x9a49' };

describe('findDisplayControllers', () => {
  it('finds GPUs by class and vendor, in the order of addresses', () => {
    addDevice('0000:41:00.0', { class: '0x038000', vendor: '0x1002', device: '0x740f' });
    addDevice('0000:01:00.0', MX450);
    addDevice('0000:00:02.0', IRIS);
    addDevice('0000:00:1f.3', { class: '0x040380', vendor: '0x8086', device: '0xa0c8' });
    addDevice('0000:03:00.0', { class: '0x030000', vendor: '0x1a03', device: '0x2000' });
    expect(findDisplayControllers(root, [])).toEqual([
      {
        address: '0000:00:02.0',
        vendorName: 'Intel',
        vendorId: '8086',
        deviceId: '9a49',
        integrated: true,
        name: 'Intel GPU [8086:9a49]',
      },
      {
        address: '0000:01:00.0',
        vendorName: 'NVIDIA',
        vendorId: '10de',
        deviceId: '1f97',
        integrated: false,
        name: 'NVIDIA GPU [10de:1f97]',
      },
      {
        address: '0000:41:00.0',
        vendorName: 'AMD',
        vendorId: '1002',
        deviceId: '740f',
        integrated: false,
        name: 'AMD GPU [1002:740f]',
      },
    ]);
  });

  it('calls only the Intel device of the processor integrated', () => {
    addDevice('0000:00:02.0', MX450);
    addDevice('0000:03:00.0', { ...IRIS, device: '0x56a0' });
    expect(findDisplayControllers(root, [])?.map(({ integrated }) => integrated)).toEqual([false, false]);
  });

  it('tells a bus without GPUs from no bus to look at', () => {
    expect(findDisplayControllers(join(root, 'nothing'), [])).toBeUndefined();
    addDevice('0000:00:01.0', {});
    expect(findDisplayControllers(root, [])).toEqual([]);
  });

  it('does not let a broken device hide the others', () => {
    addDevice('0000:00:01.0', {});
    addDevice('0000:00:02.0', { class: '0x030000', vendor: '0x8086' });
    addDevice('0000:00:03.0', { class: 'rubbish', vendor: '', device: '0x' });
    symlinkSync(join(root, 'gone'), join(root, 'bus/pci/devices/0000:00:04.0'));
    addDevice('0000:01:00.0', MX450);
    expect(findDisplayControllers(root, [])?.map(({ address }) => address)).toEqual(['0000:01:00.0']);
  });

  it('survives files padded with NUL', () => {
    addDevice('0000:01:00.0', { ...MX450, vendor: `0x10de\n${'\0'.repeat(4000)}` });
    expect(findDisplayControllers(root, [])).toHaveLength(1);
  });
});

describe('model names', () => {
  beforeEach(() => addDevice('0000:01:00.0', MX450));

  it('come from pci.ids', () => {
    const path = writePciIds(
      '# comment\n1002  Advanced Micro Devices, Inc.\n\t1f97  Not This\n10de  NVIDIA Corporation\n' +
        '\t1f96  Nor This\n\t1f97  TU117M [GeForce MX450]\n\t\t1f97 0001  Nor A Subsystem\n',
    );
    expect(findDisplayControllers(root, ['/nonexistent/pci.ids', path])).toMatchObject([
      { modelName: 'TU117M [GeForce MX450]', name: 'NVIDIA GeForce MX450' },
    ]);
  });

  it('come from a list larger than what is read at once, without brackets, and from upper-case ids', () => {
    const filler = Array.from(
      { length: 4000 },
      (_, index) => `\t${index.toString(16)}  Gerät ${index} é`,
    ).join('\n');
    const path = writePciIds(`0001  Filler\n${filler}\n10DE  NVIDIA\n\t1F97  GPU Ä`);
    expect(findDisplayControllers(root, [path])).toMatchObject([
      { modelName: 'GPU Ä', name: 'NVIDIA GPU Ä' },
    ]);
  });

  it('are not looked for beyond the vendor, but in the next list', () => {
    const first = writePciIds('10de  NVIDIA\n\t0001  Other\n10df  Next\n\t1f97  Wrong\n', 'first');
    const second = writePciIds('10de  NVIDIA\n\t1f97  Right\n', 'second');
    expect(findDisplayControllers(root, [first])).toMatchObject([{ name: 'NVIDIA GPU [10de:1f97]' }]);
    expect(findDisplayControllers(root, [first, second])).toMatchObject([{ modelName: 'Right' }]);
  });

  it('do without a list that cannot be read', () => {
    expect(findDisplayControllers(root, [root])).toMatchObject([{ name: 'NVIDIA GPU [10de:1f97]' }]);
  });
});
