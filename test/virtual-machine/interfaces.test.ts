// SPDX-License-Identifier: MIT
//
// The virtual machine's perf events and registers against its own truth, by the system calls of a small C program.
import { afterAll, describe, expect, it } from 'vitest';
import { hasVirtualMachine, startMachine, type VirtualMachine } from '../support/virtual-machine.js';

const started: VirtualMachine[] = [];
afterAll(() => {
  for (const machine of started) machine.cleanup();
});
function start(...args: Parameters<typeof startMachine>): VirtualMachine {
  const machine = startMachine(...args);
  started.push(machine);
  return machine;
}

/** The lines of the probe, as words. */
async function probe(machine: VirtualMachine, ...args: string[]): Promise<string[][]> {
  const { stdout, stderr, exitCode } = await machine.probe(args);
  expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
  return stdout
    .trim()
    .split('\n')
    .map((line) => line.split(' '));
}

const TYPE = '30';

describe.skipIf(!hasVirtualMachine).concurrent('perf events', () => {
  it.each([
    ['client-with-psys', '0', { 2: 'package-0', 1: 'core-0', 5: 'psys-0', 3: 'dram-0' }, 14n],
    ['dies-that-differ', '3', { 2: 'package-0-die-1' }, 14n],
    ['amd-per-core', '0', { 2: 'package-0' }, 16n],
    ['psys-between-packages', '1', { 5: 'psys-0' }, 0n],
  ])('%s: a group on CPU %s counts 2^-32 J from its opening, in steps of the hardware', async (name, cpu, codes, esu) => {
    const machine = start(name);
    const args = ['events', TYPE, cpu, '200', ...Object.keys(codes)];
    const [opened = [], ...reads] = await probe(machine, ...args);
    const [openFrom = 0n, openTo = 0n] = opened.slice(0, 2).map(BigInt);
    const meters = Object.values(codes) as string[];
    expect(reads).toHaveLength(200);
    for (const [fromText = '', toText = '', count, ...values] of reads) {
      const [fromNs, toNs] = [BigInt(fromText), BigInt(toText)];
      expect(count).toBe(String(meters.length));
      for (const [i, meter] of meters.entries()) {
        const value = BigInt(values[i] ?? -1);
        const shift = 32n - esu;
        expect(value % (1n << shift)).toBe(0n);
        const least = machine.count(meter, fromNs) - machine.count(meter, openTo);
        const most = machine.count(meter, toNs) - machine.count(meter, openFrom);
        expect(value >> shift).toBeGreaterThanOrEqual(least);
        expect(value >> shift).toBeLessThanOrEqual(most);
      }
    }
  });

  it.each([
    ['a process of its own', ['0', '0', '2'], 'EINVAL'],
    ['no CPU', ['-1', '-1', '2'], 'EINVAL'],
    ['sampling', ['-1', '0', '2', 'sample'], 'EINVAL'],
    ['leaving the kernel out', ['-1', '0', '2', 'exclude'], 'EINVAL'],
    ['a bit above the event', ['-1', '0', '0x102'], 'EINVAL'],
    ['an event that is not there', ['-1', '0', '5'], 'EINVAL'],
    ['a CPU that is not there', ['-1', '77', '2'], 'ENODEV'],
    ['any CPU of the package', ['-1', '6', '2'], 'ok'],
    ['a group with another CPU', ['-1', '1', '2', `group=${TYPE}/0/3`], 'EINVAL'],
    ['a group of its own CPU', ['-1', '0', '2', `group=${TYPE}/0/3`], 'ok'],
  ])('opening with %s: %s is %s', async (_, args, answer) => {
    const machine = start('two-sockets-dram');
    expect(await probe(machine, 'open', TYPE, ...args)).toEqual([[answer]]);
  });

  it('are denied where the machine is paranoid, which its file says', async () => {
    const machine = start('masked-container');
    expect(await probe(machine, 'open', TYPE, '-1', '0', '2')).toEqual([['EACCES']]);
    const { stdout } = await machine.run('cat', ['/proc/sys/kernel/perf_event_paranoid']);
    expect(stdout).toBe('2\n');
  });

  it('are refused where a container forbids the call', async () => {
    expect(await probe(start('seccomp-container'), 'open', TYPE, '-1', '0', '2')).toEqual([['EPERM']]);
  });

  it('are not there on an offline CPU, nor in a machine that reads zeros', async () => {
    expect(await probe(start('cpu0-offline'), 'open', TYPE, '-1', '0', '2')).toEqual([['ENODEV']]);
    expect(await probe(start('reads-zeros'), 'open', TYPE, '-1', '0', '2')).toEqual([['EINVAL']]);
  });

  it('are ENODEV once their PMU has another number', async () => {
    const machine = start('renumbered-pmu', 'fault event power/energy-ram slow 1ms');
    const [, ...reads] = await probe(machine, 'events', TYPE, '0', '400', '2', '3');
    const gone = reads.filter(([fromNs = '0']) => BigInt(fromNs) - machine.epochNs() > 300_000_000n);
    expect(gone.length).toBeGreaterThan(0);
    expect(new Set(gone.map((words) => words[2]))).toEqual(new Set(['ENODEV']));
    const still = reads.filter(([, toNs = '0']) => BigInt(toNs) - machine.epochNs() < 300_000_000n);
    expect(still.filter((words) => words[2] !== '2')).toEqual([]);
    expect(await probe(machine, 'open', TYPE, '-1', '0', '2')).toEqual([['ENOENT']]);
    expect(await probe(machine, 'open', '33', '-1', '0', '2')).toEqual([['ok']]);
    const { stdout } = await machine.run('cat', [`${machine.root}/sys/bus/event_source/devices/power/type`]);
    expect(stdout).toBe('33\n');
  });
});

describe.skipIf(!hasVirtualMachine).concurrent('registers', () => {
  it.each([
    [
      'client-with-psys',
      '2',
      { '0x611': 'package-0', '0x639': 'core-0', '0x619': 'dram-0', '0x64d': 'psys-0' },
      32,
    ],
    ['two-sockets-dram', '1', { '0x611': 'package-1', '0x619': 'dram-1' }, 32],
    ['amd-per-core', '6', { '0xc001029a': 'core-0-2', '0xc001029b': 'package-0' }, 64],
  ])('%s: on CPU %s count as their meters', async (name, cpu, registers, bits) => {
    const machine = start(name);
    const rows = await probe(machine, 'msr', cpu, '100', ...Object.keys(registers));
    const meters = Object.values(registers) as string[];
    expect(rows).toHaveLength(100 * meters.length);
    for (const [i, [fromNs = '', toNs = '', value = '']] of rows.entries()) {
      const meter = meters[i % meters.length] ?? '';
      const at = (ns: string) => BigInt.asUintN(bits, machine.count(meter, BigInt(ns)));
      expect(BigInt(value)).toBeGreaterThanOrEqual(at(fromNs));
      expect(BigInt(value)).toBeLessThanOrEqual(at(toNs));
    }
  });

  it.each([
    ['client-with-psys', '0', '0x606', String(0xa0e03)],
    ['client-with-psys', '0', '0xc0010299', 'EIO'],
    ['amd-per-core', '7', '0xc0010299', String(0xa1000)],
    ['noisy-filter', '1', '0xbc', '1'],
    ['reads-zeros', '1', '0x606', '0'],
    ['reads-zeros', '1', '0x64d', '0'],
  ])('%s: CPU %s has in %s %s', async (name, cpu, register, answer) => {
    const [[, , value] = []] = await probe(start(name), 'msr', cpu, '1', register);
    expect(value).toBe(answer);
  });

  it('cannot be opened on an offline CPU, nor where the machine is locked down', async () => {
    expect(await probe(start('locked-down'), 'msr', '1', '1', '0x611')).toEqual([['open', 'EPERM']]);
    expect(await probe(start('cpu0-offline'), 'msr', '0', '1', '0x611')).toEqual([['open', 'ENXIO']]);
  });

  it('come in batches', async () => {
    const machine = start('two-sockets-dram');
    const version = '0x10800';
    const [[fromNs = '', toNs = '', answer, unit, energy = ''] = []] = await probe(
      machine,
      ...['batch', version, '0', '0x606', '0x611'],
    );
    expect([answer, unit]).toEqual(['ok', `0/${0xa0e03}`]);
    const [error, value = ''] = energy.split('/');
    expect(error).toBe('0');
    expect(BigInt(value)).toBeGreaterThanOrEqual(machine.count('package-0', BigInt(fromNs)));
    expect(BigInt(value)).toBeLessThanOrEqual(machine.count('package-0', BigInt(toNs)));
    const [[, , denied] = []] = await probe(machine, 'batch', version, '0', '0x611', '0x123');
    expect(denied).toBe('EACCES');
    const [[, , missing] = []] = await probe(machine, 'batch', version, '99', '0x611');
    expect(missing).toBe('ENXIO');
  });

  it('fail as scripted', async () => {
    const machine = start('client-with-psys', 'fault msr 0 0x611 read EIO after 1');
    const rows = await probe(machine, 'msr', '0', '3', '0x611');
    expect(rows.map(([, , value]) => value === 'EIO')).toEqual([false, true, true]);
  });
});
