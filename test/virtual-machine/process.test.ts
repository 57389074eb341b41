// SPDX-License-Identifier: MIT
//
// The library in processes: every description is understood, Node and its workers and children run as ever, and all of
// them live in one machine.
import { writeFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import {
  hasVirtualMachine,
  machineNames,
  machineText,
  runInMachine,
  startMachine,
  type VirtualMachine,
} from '../support/virtual-machine.js';
import { cpuList } from './tree.js';

const started: VirtualMachine[] = [];
afterAll(() => {
  for (const machine of started) machine.cleanup();
});
function start(...args: Parameters<typeof startMachine>): VirtualMachine {
  const machine = startMachine(...args);
  started.push(machine);
  return machine;
}

describe('cpuList', () => {
  it('writes ranges as the kernel does', () => {
    expect(cpuList([0])).toBe('0');
    expect(cpuList([5, 0, 1, 2, 7])).toBe('0-2,5,7');
    expect(cpuList([])).toBe('');
  });
});

describe.skipIf(!hasVirtualMachine)('descriptions', () => {
  it.each(machineNames())('%s is understood, and says what is odd', async (name) => {
    expect(machineText(name)).toMatch(/^# \S/);
    const { exitCode, stderr } = await start(name).run('true', []);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  });

  it.each([
    ['meter package-0 watts 5W', /did not expect watts/],
    ['meter package-0 power 5', /5/],
    ['zone intel-rapl:0 package-0 of nothing', /nothing/],
    ['fault zone intel-rapl:9 read EIO', /intel-rapl:9/],
    ['fnord', /fnord/],
  ])('%s is refused, with the place', async (line, complaint) => {
    const machine = start('bare-guest');
    writeFileSync(machine.env.VIRTUAL_MACHINE ?? '', `# wrong\n${line}\n`);
    const { exitCode, stderr } = await machine.run('true', []);
    expect(exitCode).toBe(97);
    expect(stderr).toMatch(/^virtual machine: /);
    expect(stderr).toMatch(complaint);
  });
});

describe.skipIf(!hasVirtualMachine).concurrent('processes', () => {
  const ZONE = 'sys/class/powercap/intel-rapl:0/energy_uj';

  it('share one time and one count', async () => {
    const machine = start('client-with-psys');
    const body = `const fromNs = monotonicNs();
      return { fromNs, text: read('${ZONE}'), toNs: monotonicNs() };`;
    const reads = await Promise.all(
      [1, 2, 3].map(() => machine.script<{ fromNs: bigint; text: string; toNs: bigint }>(body)),
    );
    for (const { fromNs, text, toNs } of reads) {
      const at = (ns: bigint) => (machine.count('package-0', ns) * 61_035n) / 1000n;
      expect(BigInt(text)).toBeGreaterThanOrEqual(at(fromNs));
      expect(BigInt(text)).toBeLessThanOrEqual(at(toNs));
    }
  });

  it('pass the machine on to workers and children', async () => {
    const { result } = await runInMachine<string[]>(
      'client-with-psys',
      `const { Worker } = await import('node:worker_threads');
      const { execFileSync } = await import('node:child_process');
      const path = root + '/${ZONE}';
      const before = read('${ZONE}');
      const code = \`Promise.all([import('node:worker_threads'), import('node:fs')])
        .then(([{ parentPort }, { readFileSync }]) => parentPort.postMessage(readFileSync(\${JSON.stringify(path)}, 'utf8')))\`;
      const worker = new Worker(code, { eval: true });
      const inWorker = await new Promise((resolve) => worker.once('message', resolve));
      const inCat = execFileSync('cat', [path], { encoding: 'utf8' });
      const inShell = execFileSync('sh', ['-c', 'read -r line < "$1"; echo "$line"', 'sh', path], { encoding: 'utf8' });
      return [before, inWorker, inCat, inShell, read('${ZONE}')];`,
    );
    for (const text of result) expect(text).toMatch(/^\d+\n$/);
    const counts = result.map(Number);
    expect(counts).toEqual([...counts].sort((a, b) => a - b));
  });

  it('never confuse descriptors, however many threads open and close them', async () => {
    const machine = start('client-with-psys');
    const { stdout, exitCode } = await machine.probe(['threads', `${machine.root}/${ZONE}`, '20000']);
    expect({ stdout, exitCode }).toEqual({ stdout: 'ok\n', exitCode: 0 });
  });

  it('have a boot time that jumps over a suspend', async () => {
    const machine = start('suspend');
    const rowsOf = (stdout: string) =>
      stdout
        .trim()
        .split('\n')
        .map((line) => line.split(' ').map(BigInt));
    const { stdout: outside } = await machine.probe(['boot', '0', '1'], { env: { LD_PRELOAD: '' } });
    const [[, ownNs = 0n] = []] = rowsOf(outside);
    const { stdout } = await machine.probe(['boot', '0.1', '6']);
    const rows = rowsOf(stdout);
    expect(rows).toHaveLength(6);
    for (const [i, [ns = 0n, sleptNs = 0n]] of rows.entries()) {
      const [laterNs = ns + 1_000_000_000n] = rows[i + 1] ?? [];
      const [atNs, nextNs] = [ns, laterNs].map((time) => time - machine.epochNs()) as [bigint, bigint];
      // Boot time was read after the one and before the other.
      const right = atNs >= 300_000_000n ? [3600] : nextNs < 300_000_000n ? [0] : [0, 3600];
      expect(right).toContain(Math.round(Number(sleptNs - ownNs) / 1e9));
    }
    expect(Number((rows.at(-1)?.[1] ?? 0n) - ownNs)).toBeGreaterThan(3599e9);
  });

  it('say that the library is missing where it is', async () => {
    const machine = start('client-with-psys');
    const { stdout } = await machine.run('cat', [`${machine.root}/${ZONE}`], { env: { LD_PRELOAD: '' } });
    expect(stdout).toContain('the virtual machine is not loaded');
  });
});
