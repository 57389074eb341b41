// SPDX-License-Identifier: MIT
//
// What lib/ relies on of the addon: one spec, run over each build of it.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Status } from '../lib/core/vocabulary.js';
import type { NativeAddon, NativeCounter, NativeMeter } from '../lib/meter/native.js';
import { decodeReading, ticksToJoules } from '../lib/meter/reading.js';
import { type FixtureMachine, writeMachine } from './support/machine.js';
import { BUILDS } from './support/native-builds.js';

const ON_LINUX = process.platform === 'linux';
/** The range of a 32-bit counter whose tick is 2^-14 J, as most Intel CPUs have it. */
const RANGE_UJ = '262143328850\n';
/** That kernel counts 61.035 µJ for a tick of 61.03515625 µJ; the native side undoes it. */
const KERNEL_ROUNDING = 61.03515625 / 61.035;
const TICK_JOULES = 2 ** -14;

// The compiler sees to it that this is all of them.
const VOCABULARY: Record<Status, true> = {
  ok: true,
  'not-found': true,
  'no-permission': true,
  masked: true,
  virtualised: true,
  'not-supported': true,
  stale: true,
  implausible: true,
  failed: true,
  'addon-missing': true,
};

function inShared(words: number): BigUint64Array<SharedArrayBuffer> {
  return new BigUint64Array(new SharedArrayBuffer(words * 8));
}

describe.each(BUILDS)('the addon built by $name', (build) => {
  if (build.missing !== undefined) {
    it('cannot be built here', ({ skip }) => skip(build.missing));
    return;
  }

  let addon: NativeAddon;
  let machine: FixtureMachine;
  const opened: NativeMeter[] = [];

  function open(sources: readonly string[] | undefined = undefined): NativeMeter {
    const options = { sysfs: machine.root, dev: machine.root, nvmlLibrary: '/nonexistent/nvml.so', sources };
    const meter = new addon.NativeMeter(options);
    opened.push(meter);
    return meter;
  }

  /** Runs code that has `addon` and `options` in a fresh process; its `result` comes back. */
  function inFreshProcess(code: string, flags: string[] = []): unknown {
    const frame = `
      const addon = require(${JSON.stringify(build.file)});
      const options = ${JSON.stringify({ sysfs: machine.root, dev: machine.root, nvmlLibrary: '/nonexistent' })};
      const { readdirSync } = require('node:fs');
      const count = (what) => readdirSync('/proc/self/' + what).length;
      const held = () => ({ descriptors: count('fd'), threads: count('task') });
      const tick = () => new Promise((resolve) => setTimeout(resolve, 10));
      // A thread that was joined still shows for a moment.
      const settled = async (goal, act = () => {}) => {
        for (let i = 0; i < 300 && JSON.stringify(held()) !== JSON.stringify(goal); ++i) { act(); await tick(); }
        return held();
      };
      const rest = async () => { for (let i = 0; i < 20; ++i) await tick(); return held(); };
      const bound = (meter) => {
        meter.read = meter.bind(new BigUint64Array(new SharedArrayBuffer(meter.words * 8)));
        return meter;
      };
      (async () => { ${code} })().then((result) => console.log(JSON.stringify(result)));`;
    const ended = spawnSync(process.execPath, [...flags, '--eval', frame], { encoding: 'utf8' });
    expect(ended.stderr).toBe('');
    expect(ended.status).toBe(0);
    return JSON.parse(ended.stdout);
  }

  beforeAll(() => {
    build.make();
    addon = createRequire(import.meta.url)(build.file) as NativeAddon;
    machine = writeMachine({
      'class/powercap/intel-rapl:0/name': 'package-0\n',
      'class/powercap/intel-rapl:0/energy_uj': '123456789\n',
      'class/powercap/intel-rapl:0/max_energy_range_uj': RANGE_UJ,
      'class/powercap/intel-rapl:0:0/name': 'dram\n',
      'class/powercap/intel-rapl:0:0/energy_uj': '5000000\n',
      'class/powercap/intel-rapl:0:0/max_energy_range_uj': RANGE_UJ,
      'class/powercap/intel-rapl:1/name': 'package-1\n',
      'class/powercap/intel-rapl:1/energy_uj': 'not a number\n',
      'class/powercap/intel-rapl:1/max_energy_range_uj': RANGE_UJ,
    });
  });
  afterEach(() => {
    for (const meter of opened.splice(0)) meter.close();
    machine.write('class/powercap/intel-rapl:0/energy_uj', '123456789\n');
  });
  afterAll(() => machine?.cleanup());

  it('exports what native.ts says, and no more', () => {
    expect(Object.keys(addon).sort()).toEqual([
      'NativeMeter',
      'NativeSampler',
      'childUsage',
      'counterWords',
      'headerWords',
      'sampleHeaderWords',
      'sampleRecordWords',
      'sourceNames',
      'statuses',
    ]);
    expect(addon.headerWords).toBe(3);
    expect(addon.counterWords).toBe(3);
    const onLinux = ['perf', 'powercap', 'msr', 'perf-core', 'msr-core', 'nvml', 'nvml-power'];
    expect(addon.sourceNames).toEqual(ON_LINUX ? onLinux : ['nvml', 'nvml-power']);
  });

  it('knows every status of the vocabulary, ok being 0', () => {
    const own = Object.keys(VOCABULARY).filter((status) => status !== 'addon-missing');
    expect([...addon.statuses].sort()).toEqual(own.sort());
    expect(addon.statuses[0]).toBe('ok');
  });

  it('describes each source and counter', () => {
    const sources = open().sources();
    // Single cores are read only where they are named.
    const byDefault = addon.sourceNames.filter((name) => !/-(core|power)$/.test(name));
    expect(sources.map(({ source }) => source)).toEqual(byDefault);
    for (const { status, detail, counters } of sources) {
      expect(addon.statuses).toContain(status);
      if (status !== 'ok') expect(detail).not.toBe('');
      for (const counter of counters) {
        expect(addon.statuses).toContain(counter.status);
        expect(typeof counter.scaleNumerator).toBe('bigint');
        expect(typeof counter.modulusTicks).toBe('bigint');
        expect(counter.scaleDenominator > 0n).toBe(true);
        expect(counter.kind).toBe('energy');
      }
    }
  });

  it('opens only the sources it is asked for', () => {
    expect(
      open(['nvml'])
        .sources()
        .map(({ source }) => source),
    ).toEqual(['nvml']);
  });

  it('takes an object of strings as options', () => {
    for (const wrong of [undefined, null, 'x', { sysfs: 7 }]) {
      expect(() => new addon.NativeMeter(wrong as never)).toThrow(TypeError);
    }
  });

  it('needs a header and the same number of words for each counter', () => {
    const meter = open();
    const counters = meter.sources().flatMap((source) => source.counters);
    expect(meter.words).toBe(addon.headerWords + counters.length * addon.counterWords);
  });

  it('binds to shared memory of the right type and length only', () => {
    const meter = open();
    const shared = new SharedArrayBuffer(meter.words * 8);
    const refused: unknown[] = [
      undefined,
      {},
      [0n],
      shared,
      new DataView(shared),
      new BigUint64Array(meter.words),
      new BigInt64Array(shared),
      new Float64Array(shared),
      new Uint8Array(shared),
      inShared(meter.words - 1),
      new BigUint64Array(shared, 8),
    ];
    for (const wrong of refused) expect(() => meter.bind(wrong as BigUint64Array)).toThrow(TypeError);
    meter.bind(inShared(meter.words))();
  });

  it('writes into the bound part of a larger buffer', () => {
    const meter = open();
    const whole = inShared(meter.words + 4).fill(7n);
    const part = new BigUint64Array(whole.buffer, 16, meter.words);
    meter.bind(part)();
    expect([whole[0], whole[1], whole.at(-2), whole.at(-1)]).toEqual([7n, 7n, 7n, 7n]);
    expect(part[0]).not.toBe(7n);
  });

  it('refuses to read after close, or when the meter is lost', () => {
    const meter = open();
    const read = meter.bind(inShared(meter.words));
    meter.close();
    expect(() => read()).toThrow('closed');
    expect(() => meter.sources()).toThrow('closed');
    expect(() => meter.words).toThrow('closed');
    expect(() => meter.bind(inShared(100))).toThrow('closed');
    expect(() => meter.close()).not.toThrow();
  });

  it('stamps a reading with the time of process.hrtime, before and after', () => {
    const meter = open();
    const words = inShared(meter.words);
    const read = meter.bind(words);
    let last = 0n;
    for (let i = 0; i < 100; ++i) {
      const outerBefore = process.hrtime.bigint();
      read();
      const outerAfter = process.hrtime.bigint();
      const [before = 0n, after = 0n, boot = 0n] = words;
      expect(outerBefore <= before && before <= after && after <= outerAfter).toBe(true);
      // Boot time runs on while the machine sleeps, and is read just before.
      if (ON_LINUX) expect(boot + 50_000_000n > before && boot >= last).toBe(true);
      last = boot;
    }
  });

  it.runIf(ON_LINUX)('reads the ticks of each zone, and says which it cannot', () => {
    const meter = open(['powercap']);
    const counters = meter.sources().flatMap((source) => source.counters);
    const words = inShared(meter.words);
    const read = meter.bind(words);
    const take = () => {
      read();
      return decodeReading(words, addon.headerWords, addon.counterWords).counters;
    };
    const at = (id: string): number => counters.findIndex((counter) => counter.id === id);
    const [cpu, dram, broken] = [
      at('powercap:intel-rapl:0'),
      at('powercap:intel-rapl:0:0'),
      at('powercap:intel-rapl:1'),
    ];
    const joules = (ticks: bigint | undefined, { scaleNumerator, scaleDenominator }: NativeCounter) =>
      ticksToJoules(ticks ?? 0n, scaleNumerator, scaleDenominator);
    expect(counters[cpu]).toMatchObject({ domain: 'package', device: 0, status: 'ok', blocking: false });
    expect(counters[dram]).toMatchObject({ domain: 'dram', device: 0, status: 'ok' });

    const first = take();
    machine.write('class/powercap/intel-rapl:0/energy_uj', '223456789\n');
    const second = take();
    for (const [index, reading, expected] of [
      [cpu, first, 123.456789],
      [cpu, second, 223.456789],
      [dram, second, 5],
    ] as const) {
      expect(reading[index]).toMatchObject({ statusCode: 0, breakCount: 0 });
      const metered = joules(reading[index]?.ticks, counters[index] as NativeCounter);
      expect(Math.abs(metered - expected * KERNEL_ROUNDING)).toBeLessThanOrEqual(TICK_JOULES);
    }
    expect(addon.statuses[second[broken]?.statusCode ?? 0]).toBe('failed');
    expect(meter.explain(broken)).toContain('holds no number');
    expect(meter.explain(cpu)).toBe('');
    expect(meter.explain(99)).toBe('');
  });

  it('allocates nothing when it reads', { timeout: 60_000 }, () => {
    // A young generation so large that none of its garbage is collected meanwhile.
    const flags = ['--expose-gc', '--min-semi-space-size=64', '--max-semi-space-size=64'];
    const grown = inFreshProcess(
      `
      const meter = bound(new addon.NativeMeter(options));
      const read = (times) => { for (let i = 0; i < times; ++i) meter.read(); };
      read(100000);
      const grown = [];
      gc();
      for (let round = 0; round < 3; ++round) {
        const before = process.memoryUsage();
        read(1000000);
        const after = process.memoryUsage();
        grown.push({ heapBytes: after.heapUsed - before.heapUsed, bytes: after.rss - before.rss });
      }
      meter.close();
      return grown;`,
      flags,
    ) as { heapBytes: number; bytes: number }[];
    // In one round or another the compilers of V8 may be at work, in all of them they are not. One byte
    // a reading would be 1,000,000.
    expect(Math.min(...grown.map(({ heapBytes }) => heapBytes))).toBeLessThan(10_000);
    expect(Math.min(...grown.map(({ bytes }) => bytes))).toBeLessThan(100_000);
  });

  it.runIf(ON_LINUX)('gives back descriptors and its thread at close, or when the meter is lost', () => {
    const seen = inFreshProcess(
      `
      bound(new addon.NativeMeter(options)).close();
      const start = await rest();
      const meter = bound(new addon.NativeMeter(options));
      const shared = bound(new addon.NativeMeter(options));
      const both = held();
      meter.close();
      const one = await rest();
      shared.close();
      const none = await settled(start);
      (() => bound(new addon.NativeMeter(options)).read())();
      const lost = held();
      return { start, both, one, none, lost, collected: await settled(start, gc) };`,
      ['--expose-gc'],
    ) as Record<string, { descriptors: number; threads: number }>;
    const { start = { descriptors: 0, threads: 0 } } = seen;
    // Three zones, and one thread that keeps wraps from being missed; equal meters share both.
    const held = { descriptors: start.descriptors + 3, threads: start.threads + 1 };
    expect(seen).toEqual({ start, both: held, one: held, none: start, lost: held, collected: start });
  });

  it.runIf(ON_LINUX)('does not grow over 10,000 times open and close', { timeout: 60_000 }, () => {
    const seen = inFreshProcess(
      `
      const cycle = (times) => { for (let i = 0; i < times; ++i) bound(new addon.NativeMeter(options)).close(); };
      cycle(5000);
      gc();
      const start = await rest();
      const grownBytes = [];
      for (let round = 0; round < 5; ++round) {
        const before = process.memoryUsage().rss;
        cycle(2000);
        gc();
        await tick();
        grownBytes.push(process.memoryUsage().rss - before);
      }
      return { start, end: await settled(start), grownBytes };`,
      ['--expose-gc'],
    ) as { start: unknown; end: unknown; grownBytes: number[] };
    expect(seen.end).toEqual(seen.start);
    // Heaps grow by steps, now and then; 100 bytes lost a cycle would be 200,000 in every round.
    expect(Math.min(...seen.grownBytes)).toBeLessThan(200_000);
  });

  it.runIf(ON_LINUX)('outlives the threads of 8 workers that open and close it', () => {
    const seen = inFreshProcess(
      `
      const { Worker } = require('node:worker_threads');
      const work = \`
        const { workerData: { file, options, end } } = require('node:worker_threads');
        const addon = require(file);
        for (let i = 0; i < 20; ++i) {
          const meter = new addon.NativeMeter(options);
          meter.bind(new BigUint64Array(new SharedArrayBuffer(meter.words * 8)))();
          if (i < 19) meter.close();
        }
        if (end === 'wait') setInterval(() => {}, 1000);
        if (end === 'exit') process.exit(0);\`;
      const run = (end) => new Promise((resolve, reject) => {
        const workerData = { file: ${JSON.stringify(build.file)}, options, end };
        const worker = new Worker(work, { eval: true, workerData });
        worker.on('error', reject).on('exit', resolve);
        if (end === 'wait') worker.on('online', () => setTimeout(() => worker.terminate(), 100));
      });
      const ends = ['return', 'exit', 'wait', 'return', 'exit', 'wait', 'return', 'return'];
      // The first round starts what Node itself keeps for workers.
      await Promise.all(ends.map(run));
      const zones = () => readdirSync('/proc/self/fd').filter((fd) => {
        try { return require('node:fs').readlinkSync('/proc/self/fd/' + fd).endsWith('energy_uj'); } catch {}
      }).length;
      const start = await rest();
      const zonesAtStart = zones();
      await Promise.all(ends.map(run));
      return { start, end: await settled(start), zonesAtStart, zonesAtEnd: zones() };`,
    ) as Record<string, unknown>;
    expect(seen.end).toEqual(seen.start);
    expect(seen).toMatchObject({ zonesAtStart: 0, zonesAtEnd: 0 });
  });

  // While an environment is torn down every Node-API call fails; that must not take the process along. The rounds are
  // functions of JavaScript, as the library's are: V8 looks whether a worker shall end where such a function is
  // entered. In a loop that calls native functions alone it looks only when the interpreter's budget of bytecode is
  // spent, tens of thousands of rounds later: 130 ms of read() on Node 22, 50 ms of Uint8Array.fill() without any addon.
  it.each([
    'read();',
    'const other = new addon.NativeMeter(workerData.options); other.sources(); other.close();',
  ])('outlives workers that are terminated, in under 50 ms, in the middle of: %s', (busy) => {
    const seen = inFreshProcess(`
      const { Worker } = require('node:worker_threads');
      const work = \`
        const { parentPort, workerData } = require('node:worker_threads');
        const addon = require(workerData.file);
        const meter = new addon.NativeMeter(workerData.options);
        const read = meter.bind(new BigUint64Array(new SharedArrayBuffer(8 * meter.words)));
        const round = () => { ${busy} };
        parentPort.postMessage(1);
        for (;;) round();\`;
      const took = [];
      for (let round = 0; round < 20; round++) {
        await new Promise((resolve, reject) => {
          const workerData = { file: ${JSON.stringify(build.file)}, options };
          const worker = new Worker(work, { eval: true, workerData });
          worker.on('error', reject);
          worker.on('message', () => setTimeout(async () => {
            const start = process.hrtime.bigint();
            await worker.terminate();
            took.push(Number(process.hrtime.bigint() - start) / 1e6);
            resolve();
          }, round % 7));
        });
      }
      return took.sort((a, b) => a - b);`) as number[];
    expect(seen).toHaveLength(20);
    // The quickest, as a busy machine delays single ones.
    expect(seen[0]).toBeLessThan(50);
  });

  describe('its sampler', () => {
    const options = () => ({
      sysfs: machine.root,
      dev: machine.root,
      nvmlLibrary: '/nonexistent',
      sources: [],
    });

    it('takes a rate from 1 to 10,000 and whether to track', () => {
      for (const rateHz of [0, 0.9, 10_001, Number.NaN, '10', null]) {
        expect(() => new addon.NativeSampler({ ...options(), rateHz } as never)).toThrow(RangeError);
      }
      for (const wrong of [undefined, 'x', { track: 1 }]) {
        expect(() => new addon.NativeSampler(wrong as never)).toThrow(TypeError);
      }
      for (const rateHz of [1, 10_000])
        new addon.NativeSampler({ ...options(), rateHz, track: false }).close();
    });

    it('binds to shared memory with room for a record, and drains until close or the next bind', () => {
      const { sampleHeaderWords: header, sampleRecordWords: record } = addon;
      expect([header, record]).toEqual([4, 4]);
      const sampler = new addon.NativeSampler(options());
      for (const wrong of [undefined, new BigUint64Array(8), inShared(7), new Float64Array(8)]) {
        expect(() => sampler.bind(wrong as BigUint64Array)).toThrow(TypeError);
      }
      const words = inShared(header + record).fill(7n);
      const drain = sampler.bind(words);
      expect([drain(), words[0], words[1], words[2], words[3], words[4]]).toEqual([0, 0n, 0n, 0n, 0n, 7n]);
      const next = sampler.bind(inShared(100));
      expect(() => drain()).toThrow('closed');
      expect(next()).toBe(0);
      sampler.close();
      sampler.close();
      for (const use of [next, () => sampler.start(), () => sampler.counters(), () => sampler.bind(words)]) {
        expect(use).toThrow('closed');
      }
    });

    it.runIf(ON_LINUX)('samples what opened, by a thread for each package', async () => {
      const sampler = new addon.NativeSampler(options());
      const stopped = { running: false, cpuNs: 0, readCount: 0 };
      expect(sampler.threads()).toMatchObject([
        { package: 0, ...stopped },
        { package: 1, ...stopped },
      ]);
      sampler.start();
      expect(sampler.threads()).toMatchObject([{ running: true }, { running: true }]);
      // The third zone holds no number, as reading it tells.
      const states = () => sampler.counters().map(({ id, thread, status }) => [id, thread, status]);
      for (let i = 0; i < 300 && states()[2]?.[2] === 'ok'; ++i) {
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      expect(states()).toEqual([
        ['powercap:intel-rapl:0', 0, 'ok'],
        ['powercap:intel-rapl:0:0', 0, 'ok'],
        ['powercap:intel-rapl:1', 1, 'failed'],
      ]);
      expect(sampler.counters()[2]?.detail).toContain('holds no number');
      sampler.stop();
      expect(sampler.threads()).toMatchObject([{ running: false }, { running: false }]);
      sampler.close();
    });

    it('allocates nothing when it drains', () => {
      const flags = ['--expose-gc', '--min-semi-space-size=64', '--max-semi-space-size=64'];
      const grownBytes = inFreshProcess(
        `
        const sampler = new addon.NativeSampler({ ...options, rateHz: 10000, track: false });
        const drain = sampler.bind(new BigUint64Array(new SharedArrayBuffer(8 * 4096)));
        sampler.start();
        const many = (times) => { for (let i = 0; i < times; ++i) drain(); };
        many(100000);
        gc();
        const grown = [];
        for (let round = 0; round < 6; ++round) {
          const before = process.memoryUsage().heapUsed;
          many(1000000);
          grown.push(process.memoryUsage().heapUsed - before);
        }
        sampler.close();
        return grown;`,
        flags,
      ) as number[];
      expect(Math.min(...grownBytes)).toBeLessThan(10_000);
    });
  });

  it('sums the CPU time of children that ended', () => {
    const seen = inFreshProcess(`
      const before = addon.childUsage();
      const busy = 'const end = process.cpuUsage().user + 300000; while (process.cpuUsage().user < end);';
      require('node:child_process').spawnSync(process.execPath, ['--eval', busy]);
      return { before, after: addon.childUsage() };`) as Record<string, Record<string, number> | undefined>;
    if (process.platform === 'win32') {
      expect(seen).toEqual({});
      return;
    }
    expect(seen.before).toEqual({ userCpuSeconds: 0, systemCpuSeconds: 0 });
    expect(Object.keys(seen.after ?? {}).sort()).toEqual(['systemCpuSeconds', 'userCpuSeconds']);
    expect(seen.after?.userCpuSeconds).toBeGreaterThan(0.29);
    expect(seen.after?.userCpuSeconds).toBeLessThan(5);
  });
});
