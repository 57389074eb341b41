// SPDX-License-Identifier: MIT
import { spawn } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import {
  descendantsOf,
  parseProcessStat,
  parseResidentGib,
  readProcessUsage,
} from '../../lib/estimate/process-usage.js';

const line = (pid: number, name: string, parent: number, ...times: number[]) =>
  `${pid} (${name}) S ${parent} 1 1 0 -1 4194304 1 2 3 4 ${times.join(' ')} 20 0 1 0 100 0 0\n`;

describe('parseProcessStat', () => {
  it.each(['node', 'a b', 'x) S 9 (y', ''])('reads the line of a process called %j', (name) => {
    expect(parseProcessStat(line(42, name, 7, 100, 50, 25, 5))).toEqual({
      pid: 42,
      parentPid: 7,
      cpuSeconds: 1.5,
      endedCpuSeconds: 0.3,
    });
  });

  it.each(['', 'x', '1 (a', '1 (a) S', '1 (a) S 2 3'])('knows %j for none', (text) => {
    expect(parseProcessStat(text)).toBeUndefined();
  });
});

describe('descendantsOf', () => {
  const stat = (pid: number, parentPid: number) => ({ pid, parentPid, cpuSeconds: 0, endedCpuSeconds: 0 });
  const pids = (pid: number, ...all: [number, number][]) =>
    descendantsOf(
      pid,
      all.map(([one, parent]) => stat(one, parent)),
    )
      .map((one) => one.pid)
      .sort();

  it('finds children at any depth, and nobody else', () => {
    expect(pids(2, [2, 1], [3, 2], [4, 3], [5, 3], [6, 1], [7, 6])).toEqual([3, 4, 5]);
    expect(pids(9, [2, 1])).toEqual([]);
  });

  it('ends where numbers go round in a circle', () => {
    expect(pids(2, [2, 4], [3, 2], [4, 3])).toEqual([3, 4]);
  });
});

describe('parseResidentGib', () => {
  it('reads VmRSS, which kernel threads do not have', () => {
    expect(parseResidentGib('VmHWM:\t 9 kB\nVmRSS:\t 2097152 kB\nThreads: 1\n')).toBe(2);
    expect(parseResidentGib('Name:\tkthreadd\n')).toBe(0);
  });
});

describe('readProcessUsage', () => {
  it('counts this process: time that only grows, and memory', () => {
    const before = readProcessUsage(0);
    for (const end = process.cpuUsage().user + 30_000; process.cpuUsage().user < end; );
    const after = readProcessUsage(0);
    expect(after.ownCpuSeconds - before.ownCpuSeconds).toBeGreaterThan(0.029);
    expect(after.cpuSeconds).toBeGreaterThanOrEqual(after.ownCpuSeconds);
    expect(after.residentGib).toBeGreaterThan(0.01);
  });

  it.runIf(process.platform === 'linux')('counts children that run, and theirs', async () => {
    const BUSY =
      "while (process.cpuUsage().user < 300_000); console.log('done'); setInterval(() => {}, 1000)";
    const before = readProcessUsage(0);
    const child = spawn('sh', ['-c', `'${process.execPath}' --eval "${BUSY}"; true`], {
      stdio: ['ignore', 'pipe', 'inherit'],
      detached: true,
    });
    await new Promise((resolve) => child.stdout.once('data', resolve));
    const after = readProcessUsage(0);
    process.kill(-(child.pid ?? 0), 'SIGKILL');
    expect(after.children).toBe('all');
    const ofChildren = (one: typeof after) => one.cpuSeconds - one.ownCpuSeconds;
    expect(ofChildren(after) - ofChildren(before)).toBeGreaterThan(0.25);
    expect(after.residentGib).toBeGreaterThan(before.residentGib);
  });
});
