// SPDX-License-Identifier: MIT
//
// The virtual machine's powercap against its own truth, read by plain file calls and by the meter.
import { afterEach, describe, expect, it } from 'vitest';
import {
  hasVirtualMachine,
  runInMachine,
  startMachine,
  type VirtualMachine,
} from '../support/virtual-machine.js';

interface Read {
  fromNs: bigint;
  toNs: bigint;
  text: string;
}

let machine: VirtualMachine | undefined;
afterEach(() => machine?.cleanup());

describe.skipIf(!hasVirtualMachine).concurrent('powercap', () => {
  it('prints what the meter counts, at every read', async () => {
    const { result, machine } = await runInMachine<Read[]>(
      'client-with-psys',
      `const file = openFile('sys/class/powercap/intel-rapl:0/energy_uj');
      const reads = [];
      for (let i = 0; i < 300; i++) {
        const fromNs = monotonicNs();
        const text = file.read();
        reads.push({ fromNs, toNs: monotonicNs(), text });
        if (i % 3 === 0) await wait(1);
      }
      return reads;`,
    );
    // The kernel's 61035 nJ for 2^-14 J.
    const printed = (timeNs: bigint) =>
      `${((machine.count('package-0', timeNs) & 0xffffffffn) * 61_035n) / 1000n}\n`;
    const wrong = result.filter(({ fromNs, toNs, text }) => {
      const [first, last] = [printed(fromNs), printed(toNs)];
      return Number(text) < Number(first) || Number(text) > Number(last);
    });
    expect(wrong).toEqual([]);
    expect(new Set(result.map(({ text }) => text)).size).toBeGreaterThan(50);
  });
});
