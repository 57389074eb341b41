// SPDX-License-Identifier: MIT
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { startStream } from '../../lib/monitor/producer.js';
import { encodeRecord } from '../../lib/stream/encode.js';
import { hasVirtualMachine, startMachine, type VirtualMachine } from '../support/virtual-machine.js';
import { decode, type Streamed } from './fixtures.js';

/** As programs import it. */
const STREAMS = new URL('../../dist/streams.js', import.meta.url).href;
/** A row's time is the middle of its reading, which a busy machine holds up; a counter is a millisecond behind. */
const SLACK_NS = 30_000_000n;

/** Runs the command in a machine; what it streams is checked line by line. */
async function streamIn(machine: VirtualMachine, args: string[]): Promise<Streamed> {
  const ran = await machine.runCli(['monitor', '--jsonl', ...args]);
  expect(ran.stderr).toBe('');
  expect(ran.exitCode).toBe(0);
  return decode(ran.stdout);
}

/** What a domain truly used from the start of a stream to a time of it, at least and at most. */
function truth(machine: VirtualMachine, { header }: Streamed, domain: string, timeNs: number) {
  const start = BigInt(header.clock.monotonicNs);
  const end = start + BigInt(timeNs);
  return {
    least: machine.trueJoules(domain, 0, start + SLACK_NS, end - SLACK_NS),
    most: machine.trueJoules(domain, 0, start - SLACK_NS, end + SLACK_NS),
  };
}

/** The same from a program that begins at once: what happens to a machine, happens soon after it began. */
async function streamAtOnce(machine: VirtualMachine, durationSeconds: number): Promise<Streamed> {
  const ran = await machine.run(process.execPath, [
    '--input-type=module',
    '--eval',
    `import { encodeRecord, startStream } from ${JSON.stringify(STREAMS)};
     startStream({ intervalMs: 50, durationSeconds: ${durationSeconds}, sources: ['powercap'] }, (record) => {
       process.stdout.write(encodeRecord(record));
     });`,
  ]);
  expect(ran.stderr).toBe('');
  return decode(ran.stdout);
}

function joulesOf({ header, end }: Streamed, id: RegExp): number {
  const index = header.channels.findIndex((channel) => id.test(channel.id));
  return end.channelJoules[index] ?? Number.NaN;
}

describe.skipIf(!hasVirtualMachine)('a stream of a described machine', () => {
  it('tells at its end what was truly used, and adds nothing twice', async () => {
    const machine = startMachine('client-with-psys');
    try {
      const found = await streamIn(machine, ['--interval', '0.1', '--duration', '1.5']);
      const { header, rows, end } = found;
      expect(end.rowCount).toBe(rows.length);
      expect(rows.length).toBeGreaterThan(3);
      expect(rows[0]).toEqual({ type: 'row', timeNs: 0, energyJoules: header.channels.map(() => 0) });
      for (const [domain, id] of Object.entries({
        package: /pkg/,
        core: /cores/,
        uncore: /gpu/,
        dram: /ram/,
        psys: /psys/,
      })) {
        const { least, most } = truth(machine, found, domain, end.timeNs);
        expect(joulesOf(found, id)).toBeGreaterThan(least);
        expect(joulesOf(found, id)).toBeLessThan(most);
      }
      expect(end.energyJoules).toBeCloseTo(joulesOf(found, /pkg/) + joulesOf(found, /ram/), 9);
      expect(end).toMatchObject({ kind: 'measured', atLeast: false, reason: 'duration' });
      const inTotal = header.channels.filter((channel) => channel.inTotal).map(({ id }) => id);
      expect(inTotal).toEqual(['perf:energy-pkg:0', 'perf:energy-ram:0']);
      const core = header.channels.find(({ domain }) => domain === 'core');
      expect(core).toMatchObject({
        parent: 'perf:energy-pkg:0',
        overlaps: ['perf:energy-pkg:0', 'perf:energy-psys:0'],
        apart: 'inside its package',
        unit: 'J',
      });
      // Found out before the stream began; a busy machine may hide one or the other.
      const periods = header.channels.flatMap(({ updatePeriodNs }) => updatePeriodNs ?? []);
      for (const periodNs of periods) expect(Math.abs(periodNs - 1e6)).toBeLessThan(0.2e6);
    } finally {
      machine.cleanup();
    }
  });

  it.each([
    'mmio-twin',
    'hybrid',
    'dies-listed-by-perf',
    'psys-between-packages',
    'mirrored-packages',
    'four-sockets-dram',
  ])('adds up what %s truly used, each meter once', async (name) => {
    const machine = startMachine(name);
    try {
      const found = await streamIn(machine, ['--interval', '0.1', '--duration', '0.8', '--no-estimates']);
      const { header, end } = found;
      const start = BigInt(header.clock.monotonicNs);
      const stop = start + BigInt(end.timeNs);
      expect(end.energyJoules).toBeGreaterThan(machine.trueTotalJoules(start + SLACK_NS, stop - SLACK_NS));
      expect(end.energyJoules).toBeLessThan(machine.trueTotalJoules(start - SLACK_NS, stop + SLACK_NS));
      const byId = new Map(header.channels.map((channel) => [channel.id, channel]));
      expect(byId.size).toBe(header.channels.length);
      for (const { id, inTotal, apart, parent, overlaps } of header.channels) {
        expect(inTotal).toBe(apart === '');
        for (const other of overlaps) {
          expect(byId.get(other)?.overlaps).toContain(id);
          // What is added does not overlap.
          expect(inTotal && byId.get(other)?.inTotal).toBe(false);
        }
        if (parent !== undefined) expect(overlaps).toContain(parent);
      }
    } finally {
      machine.cleanup();
    }
  });

  it('counts on after a while in which a counter could not be read, and says when that was', async () => {
    const machine = startMachine('eio-for-a-while');
    try {
      const found = await streamAtOnce(machine, 1.2);
      const lost = found.gaps.filter(({ reason }) => reason === 'unreadable');
      expect(lost).toHaveLength(1);
      expect(lost[0]).toMatchObject({ channels: ['powercap:intel-rapl:1'], energyKept: true });
      const index = found.header.channels.findIndex(({ id }) => id === 'powercap:intel-rapl:1');
      const without = found.rows.filter(({ energyJoules }) => energyJoules[index] === null);
      expect(without.length).toBeGreaterThan(0);
      const [first, last] = [without[0]?.timeNs ?? 0, without.at(-1)?.timeNs ?? 0];
      expect(lost[0]?.fromNs).toBeLessThan(first);
      expect(lost[0]?.toNs).toBeGreaterThan(last);
      expect(found.records).toContainEqual(
        expect.objectContaining({ type: 'note', code: 'channel-lost', timeNs: first }),
      );
      expect(found.end.atLeast).toBe(false);
      expect(found.end.energyJoules).toBeCloseTo(
        found.end.channelJoules.reduce<number>((sum, joules) => sum + (joules ?? 0), 0),
        9,
      );
    } finally {
      machine.cleanup();
    }
  });

  it('makes a gap of a break, across which energy is not known, and says so at the end', async () => {
    const machine = startMachine('steps-back');
    try {
      const found = await streamAtOnce(machine, 1);
      const broken = found.gaps.filter(({ reason }) => reason === 'break');
      expect(broken).toHaveLength(1);
      expect(broken[0]).toMatchObject({ channels: ['powercap:intel-rapl:1'], energyKept: false });
      expect(broken[0]?.detail).not.toBe('');
      expect(found.end.atLeast).toBe(true);
    } finally {
      machine.cleanup();
    }
  });

  it('says at least where a package cannot be read, be it from the start', async () => {
    const machine = startMachine('unreadable-zone-eacces');
    try {
      const found = await streamIn(machine, ['--interval', '0.1', '--duration', '0.3']);
      const { header, end } = found;
      expect(end).toMatchObject({ kind: 'measured', atLeast: true });
      const lost = header.channels.filter((_, index) => end.channelJoules[index] === null);
      expect(lost).toMatchObject([{ domain: 'package', inTotal: true }]);
      expect(found.records).toContainEqual(expect.objectContaining({ code: 'channel-lost', timeNs: 0 }));
    } finally {
      machine.cleanup();
    }
  });

  it('tells when the machine slept', async () => {
    const machine = startMachine('suspend');
    try {
      const found = await streamAtOnce(machine, 1);
      const slept = found.gaps.filter(({ reason }) => reason === 'suspend');
      expect(slept).toHaveLength(1);
      expect((slept[0]?.suspendedNs ?? 0) / 1e9).toBeCloseTo(3600, 0);
      // The counters began anew: that is a break of each of them.
      expect(found.end.atLeast).toBe(true);
    } finally {
      machine.cleanup();
    }
  });

  it('reads a thousand times a second', async () => {
    const machine = startMachine('two-sockets-dram');
    try {
      const found = await streamIn(machine, ['--interval', '0.001', '--duration', '1']);
      // How many come depends on how busy the machine is; those that did not are counted. The last one may be off the grid.
      const { rowCount, lostRowCount } = found.end;
      expect(rowCount).toBe(found.rows.length);
      expect(rowCount + lostRowCount).toBeGreaterThan(990);
      expect(rowCount + lostRowCount).toBeLessThan(1010);
    } finally {
      machine.cleanup();
    }
  });
});

describe('a stream without counters', () => {
  const nowhere = {
    sysfs: '/nonexistent',
    dev: '/nonexistent',
    nvmlLibrary: '/nonexistent',
    sources: ['powercap'],
  };

  async function collect(intervalMs: number, stall: () => void | Promise<void>): Promise<Streamed> {
    let text = '';
    const stream = startStream({ ...nowhere, cpuWatts: 10, intervalMs }, (record) => {
      text += encodeRecord(record);
    });
    await stall();
    stream.stop();
    stream.stop();
    await stream.ended;
    return decode(text);
  }

  it('has models in their place, and names them so', async () => {
    const { header, end } = await collect(20, () => wait(200).then(() => {}));
    expect(header.channels.map(({ id, kind }) => [id, kind])).toEqual([
      ['model:cpu', 'assumed'],
      ['model:ram', 'estimated'],
    ]);
    expect(header.absent).toMatchObject([{ source: 'powercap', status: 'not-found' }]);
    expect(end.channelJoules[0]).toBeCloseTo((10 * end.timeNs) / 1e9, 9);
    expect(end).toMatchObject({ kind: 'assumed', reason: 'stopped' });
  });

  it('shows a program that was kept from reading as a gap in which no energy is lost', async () => {
    const { gaps, end, rows } = await collect(10, async () => {
      await wait(50);
      const until = performance.now() + 300;
      while (performance.now() < until);
      await wait(50);
    });
    const stall = gaps.find(({ reason, fromNs, toNs }) => reason === 'stall' && toNs - fromNs > 290e6);
    expect(stall).toMatchObject({ energyKept: true });
    expect(stall?.lostRowCount).toBeGreaterThan(25);
    expect(rows.some(({ timeNs }) => timeNs === stall?.toNs)).toBe(true);
    expect(end.lostRowCount).toBeGreaterThanOrEqual(stall?.lostRowCount ?? Number.NaN);
    expect(end.atLeast).toBe(false);
  });

  it('tells when the clock is set, and no more than once', async () => {
    const now = Date.now;
    let set = 0;
    const clock = vi.spyOn(Date, 'now').mockImplementation(() => now() + set);
    try {
      const { records, header } = await collect(10, async () => {
        await wait(60);
        set = -3_600_000;
        await wait(100);
      });
      const changes = records.filter((record) => record.type === 'clock');
      expect(changes).toHaveLength(1);
      const [{ timeNs = 0, unixNs = '0' } = {}] = changes;
      const before = BigInt(header.clock.unixNs) + BigInt(timeNs);
      expect(Number(BigInt(unixNs) - before) / 1e9).toBeCloseTo(-3600, 1);
    } finally {
      clock.mockRestore();
    }
  });

  it('is refused when estimates are not wanted, and for intervals that make no sense', () => {
    const start = (options: object) => () => startStream({ ...nowhere, ...options }, () => {});
    expect(start({ estimates: false })).toThrow(expect.objectContaining({ code: 'ERR_NO_COUNTERS' }));
    for (const intervalMs of [0, -1, 0.5, Number.NaN, 1e9]) {
      expect(start({ intervalMs })).toThrow(expect.objectContaining({ code: 'ERR_BAD_OPTION' }));
    }
    for (const durationSeconds of [0, -1, Number.NaN]) {
      expect(start({ durationSeconds })).toThrow(expect.objectContaining({ code: 'ERR_BAD_OPTION' }));
    }
  });

  it('ends with what its taker throws', async () => {
    let count = 0;
    const stream = startStream({ ...nowhere, intervalMs: 5 }, (record) => {
      if (record.type === 'row' && ++count === 3) throw new Error('full');
    });
    await expect(stream.ended).rejects.toThrow('full');
    const seen = count;
    await wait(30);
    expect(count).toBe(seen);
  });
});
