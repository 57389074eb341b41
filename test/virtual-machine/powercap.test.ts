// SPDX-License-Identifier: MIT
//
// The virtual machine's powercap against its own truth, read by plain file calls.
import { describe, expect, it } from 'vitest';
import { hasVirtualMachine, runInMachine, type VirtualMachine } from '../support/virtual-machine.js';

interface Read {
  fromNs: bigint;
  toNs: bigint;
  /** The text, or the name of the errno. */
  text: string;
}

/** A script that reads a zone now and then, until a time of the machine. */
function reading(zone: string, seconds: number, pauseMs = 1): string {
  return `
    const file = openFile('sys/class/powercap/${zone}/energy_uj');
    const reads = [];
    const endNs = monotonicNs() + ${Math.round(seconds * 1e9)}n;
    for (let i = 0; monotonicNs() < endNs; i++) {
      const fromNs = monotonicNs();
      const text = file.read();
      reads.push({ fromNs, toNs: monotonicNs(), text });
      if (i % 3 === 0) await wait(${pauseMs});
    }
    return reads;`;
}

/** What the kernel prints of a meter at a time. */
function printed(machine: VirtualMachine, meter: string, timeNs: bigint, unitNj: bigint): bigint {
  return (BigInt.asUintN(32, machine.count(meter, timeNs)) * unitNj) / 1000n;
}

/** Reads that no time between their two stamps explains. Where no update falls between those, only one value is right. */
function wrongReads(machine: VirtualMachine, reads: Read[], meter: string, unitNj: bigint): Read[] {
  return reads.filter(({ fromNs, toNs, text }) => {
    const right = new Set<bigint>();
    for (let ns = fromNs; ns < toNs; ns += 100_000n) right.add(printed(machine, meter, ns, unitNj));
    right.add(printed(machine, meter, toNs, unitNj));
    return !right.has(BigInt(text));
  });
}

const seconds = (machine: VirtualMachine, ns: bigint): number => Number(ns - machine.epochNs()) / 1e9;

describe.skipIf(!hasVirtualMachine).concurrent('powercap in a virtual machine', () => {
  it.each([
    ['client-with-psys', 'intel-rapl:0', 'package-0', 61_035n],
    ['client-with-psys', 'intel-rapl:0:0', 'core-0', 61_035n],
    ['two-sockets-dram', 'intel-rapl:0', 'package-0', 61_035n],
    ['two-sockets-dram', 'intel-rapl:1:0', 'dram-1', 15_300n],
    ['amd-per-core', 'intel-rapl:0:0', 'core-0-0', 15_258n],
    ['noisy-filter', 'intel-rapl:0', 'package-0', 61_035n],
  ])('%s: %s prints what %s counts, at every read', async (name, zone, meter, unitNj) => {
    const { result, machine } = await runInMachine<Read[]>(name, reading(zone, 0.7));
    expect(wrongReads(machine, result, meter, unitNj)).toEqual([]);
    expect(new Set(result.map(({ text }) => text)).size).toBeGreaterThan(50);
  });

  it('wraps at 2^32 counts', async () => {
    const text =
      'meter package-0 power 200W jitter 30us start 4294639616\nzone intel-rapl:0 package-0 of package-0\n';
    const { result, machine } = await runInMachine<Read[]>(text, reading('intel-rapl:0', 0.3));
    expect(wrongReads(machine, result, 'package-0', 61_035n)).toEqual([]);
    const falls = result.filter(({ text }, i) => BigInt(text) < BigInt(result[i - 1]?.text ?? 0));
    // The first read came before the wrap unless the script was stopped for 0.1 s.
    const early = machine.count('package-0', result[0]?.toNs ?? 0n) < 2n ** 32n;
    expect(falls).toHaveLength(early ? 1 : 0);
    expect(machine.count('package-0', result.at(-1)?.fromNs ?? 0n)).toBeGreaterThan(2n ** 32n);
  });

  it('gives the same to read(), which ends after the text, and to a whole file', async () => {
    const path = 'sys/class/powercap/intel-rapl:0/energy_uj';
    const { result } = await runInMachine<[string, number, string]>(
      'meter package-0 power 1W update 0.5s start 99999999\nzone intel-rapl:0 package-0 of package-0\n',
      `const { openSync, readSync } = await import('node:fs');
      const fd = openSync(root + '/${path}');
      const buffer = Buffer.alloc(64);
      const size = readSync(fd, buffer);
      return [buffer.toString('latin1', 0, size), readSync(fd, buffer), read('${path}')];`,
    );
    expect(result).toEqual(['6103499938\n', 0, '6103499938\n']);
  });

  it('pads where the machine does', async () => {
    const { result } = await runInMachine<[string, string]>(
      'odd-files',
      `return [read('sys/class/powercap/intel-rapl:0/energy_uj'), read('sys/class/powercap/intel-rapl:3/max_energy_range_uj')];`,
    );
    expect(result[0]).toMatch(/^\d+\n\0+$/);
    expect(result[0]).toHaveLength(4096);
    expect(result[1]).toBe('unknown\n');
  });

  it.each([
    ['unreadable-zone-eacces', 'EACCES'],
    ['unreadable-zone-eio', 'EIO'],
    ['unreadable-zone-enodata', 'ENODATA'],
    ['unreadable-zone-einval', 'EINVAL'],
    ['unreadable-zone-enoent', 'ENOENT'],
    ['masked-container', 'ENOENT'],
  ])('%s: answers %s', async (name, errno) => {
    const { result } = await runInMachine<string[]>(
      name,
      `return [read('sys/class/powercap/intel-rapl:1/energy_uj'), read('sys/class/powercap/intel-rapl:0/energy_uj')];`,
    );
    expect(result[0]).toBe(errno);
    expect(result[1]).toMatch(name === 'masked-container' ? /ENOENT/ : /^\d+\n$/);
  });

  it('fails by the number of calls', async () => {
    const { result } = await runInMachine<string[]>(
      'client-with-psys',
      `const file = openFile('sys/class/powercap/intel-rapl:0/energy_uj');
      return Array.from({ length: 6 }, () => file.read());`,
      'fault zone intel-rapl:0 read EIO after 2 for 3',
    );
    expect(result.map((text) => text === 'EIO')).toEqual([false, false, true, true, true, false]);
  });

  it('is empty where it should be', async () => {
    const { result } = await runInMachine<string>(
      'client-with-psys',
      `return read('sys/class/powercap/intel-rapl:0/energy_uj');`,
      'fault zone intel-rapl:0 read EOF',
    );
    expect(result).toBe('');
  });

  it('vanishes for what was open, and comes back for who opens again', async () => {
    const { result, machine } = await runInMachine<{ ns: bigint; kept: string; opened: string }[]>(
      'unreadable-zone-vanishes',
      `const name = 'sys/class/powercap/intel-rapl:1/energy_uj';
      const file = openFile(name);
      const seen = [];
      for (const until of [0.1, 0.4, 0.7]) {
        await untilMachineTime(until);
        seen.push({ ns: monotonicNs(), kept: file.read(), opened: read(name) });
      }
      return seen;`,
    );
    const answers = result.map(({ kept, opened }) =>
      [kept, opened].map((text) => text.replace(/^\d+\n$/, 'count')),
    );
    // A machine so busy that the script came late shows the later state.
    const right = result.map(({ ns }) => {
      const at = seconds(machine, ns);
      return at < 0.3 ? ['count', 'count'] : at < 0.6 ? ['ENODEV', 'ENOENT'] : ['ENODEV', 'count'];
    });
    expect(answers).toEqual(right);
  });

  it('freezes at its time', async () => {
    const { result, machine } = await runInMachine<Read[]>('frozen-counter', reading('intel-rapl:1', 0.6));
    const frozen = result.filter(({ fromNs }) => seconds(machine, fromNs) > 0.3);
    const last = printed(machine, 'package-1', machine.epochNs() + 300_000_000n, 61_035n);
    expect(new Set(frozen.map(({ text }) => BigInt(text)))).toEqual(new Set([last]));
    const before = result.filter(({ toNs }) => seconds(machine, toNs) < 0.3);
    expect(wrongReads(machine, before, 'package-1', 61_035n)).toEqual([]);
  });

  it('steps back by what it should', async () => {
    const { result, machine } = await runInMachine<Read[]>('steps-back', reading('intel-rapl:1', 0.6));
    const counts = 40n * 16_384n;
    const after = result.filter(({ fromNs }) => seconds(machine, fromNs) > 0.3);
    const wrong = after.filter(({ fromNs, toNs, text }) => {
      const at = (ns: bigint) =>
        (BigInt.asUintN(32, machine.count('package-1', ns) - counts) * 61_035n) / 1000n;
      return BigInt(text) < at(fromNs) || BigInt(text) > at(toNs);
    });
    expect(wrong).toEqual([]);
    expect(after.length).toBeGreaterThan(0);
  });

  it('has faults of files that are no counters', async () => {
    const { result } = await runInMachine<string[]>(
      'client-with-psys',
      `return [0, 1].map((zone) => read('sys/class/powercap/intel-rapl:' + zone + '/name'));`,
      'fault file sys/class/powercap/intel-rapl:1/name read EIO',
    );
    expect(result).toEqual(['package-0\n', 'EIO']);
  });

  it('takes its time where a read is slow', async () => {
    const { result } = await runInMachine<Read[]>('slow-read', reading('intel-rapl:1', 0.1));
    for (const { fromNs, toNs } of result) expect(Number(toNs - fromNs)).toBeGreaterThanOrEqual(5e6);
  });
});
