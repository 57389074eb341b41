// SPDX-License-Identifier: MIT
//
// The sampler in virtual machines: what it records of counters, against when they truly updated and what they counted.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { SampledCounter, SamplerThread } from '../../lib/meter/sampler.js';
import {
  hasVirtualMachine,
  runInMachine,
  startMachine,
  type VirtualMachine,
} from '../support/virtual-machine.js';

const MODULE = fileURLToPath(new URL('../../dist/meter/sampler.js', import.meta.url));
const FLAGS = { missed: 1, gap: 2, break: 4, overrun: 8, unsure: 16, uncounted: 32 };

/** What every script below has at hand. */
const PRELUDE = `
  const { readdirSync, readFileSync, readlinkSync } = await import('node:fs');
  const { openSampler } = await import(${JSON.stringify(pathToFileURL(MODULE).href)});
  const samplingThreads = () => readdirSync('/proc/self/task').map((id) => {
    try { return readFileSync('/proc/self/task/' + id + '/comm', 'utf8').trim(); } catch { return ''; }
  }).filter((name) => name.startsWith('microjoule-')).sort();
  const zones = () => readdirSync('/proc/self/fd').filter((fd) => {
    try { return readlinkSync('/proc/self/fd/' + fd).endsWith('energy_uj'); } catch { return false; }
  });
  const held = () => ({ descriptors: zones().length, threads: samplingThreads() });
  const settled = async (goal) => {
    for (let i = 0; i < 1000 && JSON.stringify(held()) !== JSON.stringify(goal); ++i) await wait(10);
    return held();
  };
  /** Drains for a while, and gives the records as objects. */
  const record = async (sampler, ms) => {
    const records = [];
    const until = performance.now() + ms;
    do {
      await wait(20);
      for (let count = sampler.samples.words.length; count > 0; ) {
        count = sampler.drain();
        for (let i = 0; i < count; ++i) {
          const { samples } = sampler;
          records.push([samples.counter(i), samples.flags(i), samples.missedCount(i),
            samples.lowerNs(i), samples.upperNs(i), samples.ticks(i)]);
        }
      }
    } while (performance.now() < until);
    return records;
  };`;

type Row = [counter: number, flags: number, missed: number, lower: bigint, upper: bigint, ticks: bigint];

interface Sampled {
  records: Row[];
  counters: SampledCounter[];
  threads: SamplerThread[];
  horizonNs: bigint;
  lostCount: number;
}

/** Samples for so long after the calibration. */
function sampling(ms: number, options: Record<string, unknown> = {}): string {
  return `${PRELUDE}
    const sampler = openSampler(${JSON.stringify(options)});
    sampler.start();
    const records = await record(sampler, ${ms});
    const result = { records, counters: sampler.counters(), threads: sampler.threads(),
      horizonNs: sampler.samples.horizonNs, lostCount: sampler.samples.lostCount };
    sampler.close();
    return result;`;
}

/** The meter of a counter, as the described machine calls it. */
function meterName({ domain, device }: SampledCounter): string {
  return `${domain}-${device}`;
}

/** CPUs of a list as the kernel writes it. */
const cpusOf = (list: string): number[] =>
  list.split(',').flatMap((part) => {
    const [first = 0, last = first] = part.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
const OWN_CPUS = hasVirtualMachine
  ? cpusOf(/^Cpus_allowed_list:\s*(\S+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0')
  : [];

describe.skipIf(!hasVirtualMachine || OWN_CPUS.length < 2)('a thread of the sampler', () => {
  it('stays on the CPUs of its package, and leaves all others where they were', {
    timeout: 30_000,
  }, async () => {
    const [one = 0, ...others] = OWN_CPUS;
    const { result } = await runInMachine<[name: string, cpus: string][]>(
      `
processor intel 6 0x9e
cpus ${one} package 0
cpus ${others.join(',')} package 1
meter package-0 power 30W
meter package-1 power 30W
zone intel-rapl:0 package-0 of package-0
zone intel-rapl:1 package-1 of package-1
`,
      `${PRELUDE}
      const sampler = openSampler();
      sampler.start();
      await record(sampler, 100);
      const found = readdirSync('/proc/self/task').map((id) => {
        const status = readFileSync('/proc/self/task/' + id + '/status', 'utf8');
        return [/^Name:\\s*(.*)$/m.exec(status)[1], /^Cpus_allowed_list:\\s*(.*)$/m.exec(status)[1]];
      });
      sampler.close();
      return found;`,
    );
    const cpus = (name: string): number[][] =>
      result.flatMap(([of, list]) => (of === name ? [cpusOf(list)] : []));
    expect(cpus('microjoule-0')).toEqual([[one]]);
    expect(cpus('microjoule-1')).toEqual([others]);
    const rest = result.filter(([name]) => !name.startsWith('microjoule-'));
    for (const [, list] of rest) expect(cpusOf(list)).toEqual(OWN_CPUS);
  });
});

interface Score {
  /** Records after the one that the others are counted from. */
  seenCount: number;
  /** Updates there were in truth, up to the last record. */
  trueCount: number;
  /** Updates that were said to be missed. */
  missedCount: number;
  /** Of the records, those that do not claim to know what was missed before them. */
  unsureCount: number;
  /** Records that tell the time to 20 us. */
  tightCount: number;
  narrowestNs: number;
}

/**
 * Holds the records of one counter against the truth. What is expected here is so however late threads run: a reader
 * kept waiting sees fewer updates and knows their times less well, but says nothing false.
 */
function check(machine: VirtualMachine, sampled: Sampled, index: number): Score {
  const counter = sampled.counters[index];
  if (counter === undefined) throw new Error('no such counter');
  const rows = sampled.records.filter(([of]) => of === index);
  const meter = meterName(counter);
  const [first] = rows;
  const last = rows.at(-1);
  if (first === undefined || last === undefined) throw new Error(`${counter.id} has no records`);
  // Nothing is left out before the time that is said to be done with.
  expect(machine.updates(meter, last[4], sampled.horizonNs)).toEqual([]);

  const truth = machine.updates(meter, first[3], last[4]);
  // What is a count of the hardware is a number of ticks that may be finer.
  const factor = counter.source === 'perf' ? counter.scaleDenominator / 2n ** machineEsu(machine, meter) : 1n;
  const counts = truth.map((ns) => machine.count(meter, ns) * factor);
  // The read that saw this count fell into the bracket's end, the one that saw the old one into its beginning.
  const within = ([, , , lower, upper]: Row): number[] =>
    [...truth.keys()].filter((i) => (truth[i] ?? 0n) > lower && (truth[i] ?? 0n) <= upper);
  // Only differences of ticks mean anything: those from a record that can be but one update.
  const anchor = rows.find((row) => within(row).length === 1 && (row[1] & FLAGS.unsure) === 0);
  if (anchor === undefined) throw new Error(`every record of ${counter.id} may be any of several updates`);
  const anchorUpdate = within(anchor)[0] ?? 0;
  const offset = anchor[5] - (counts[anchorUpdate] ?? 0n);

  const score = {
    seenCount: 0,
    trueCount: 0,
    missedCount: 0,
    unsureCount: 0,
    tightCount: 0,
    narrowestNs: 1e18,
  };
  let before: { row: Row; update: number } | undefined;
  for (const row of rows) {
    const [, flags, missed, lower, upper, ticks] = row;
    const update = within(row).find((i) => (counts[i] ?? 0n) + offset === ticks);
    // Its count is that of an update within its bracket.
    expect(update, `of ${counter.id}, a record of ${lower} to ${upper}`).toBeDefined();
    if (update === undefined) break;
    expect(flags & (FLAGS.gap | FLAGS.break | FLAGS.overrun)).toBe(0);
    expect((flags & FLAGS.missed) !== 0).toBe(missed > 0);
    if (before !== undefined) {
      // No update is told twice, and none out of order.
      expect(update).toBeGreaterThan(before.update);
      expect(lower).toBeGreaterThanOrEqual(before.row[3]);
      expect(upper).toBeGreaterThan(before.row[4]);
    }
    if (before !== undefined && before.update >= anchorUpdate) {
      score.seenCount++;
      // What nobody claims to know: the count starts again from the truth.
      score.missedCount =
        flags & FLAGS.uncounted ? update - anchorUpdate - score.seenCount : score.missedCount + missed;
      if (flags & FLAGS.unsure) score.unsureCount++;
      else
        expect(score.seenCount + score.missedCount, `of ${counter.id}, up to ${upper}`).toBe(
          update - anchorUpdate,
        );
    }
    if (upper - lower < 20_000n) score.tightCount++;
    score.narrowestNs = Math.min(score.narrowestNs, Number(upper - lower));
    before = { row, update };
  }
  score.trueCount = (before?.update ?? 0) - anchorUpdate;
  expect(score.seenCount).toBeGreaterThan(0);
  expect(score.seenCount).toBeLessThanOrEqual(score.trueCount);
  return score;
}

function machineEsu(machine: VirtualMachine, meter: string): bigint {
  return machine.description.meters.get(meter)?.esu ?? 14n;
}

/**
 * What depends on how busy the machine is. Tries up to five times, and fails only where most tries were undisturbed,
 * which the records themselves tell, and none was good.
 */
async function expectOfQuietMachine(
  attempt: () => Promise<{ quiet: boolean; problems: string[] }>,
): Promise<void> {
  const quiet: string[][] = [];
  for (let i = 0; i < 5; ++i) {
    const tried = await attempt();
    if (tried.problems.length === 0) return;
    if (tried.quiet) quiet.push(tried.problems);
  }
  if (quiet.length >= 3) expect(quiet).toEqual([]);
}

/** What is wrong with a calibration, given the truth. */
function problemsOf(
  { id, calibration }: SampledCounter,
  truth: { periodNs: number; jitterNs: number; quantumTicks: bigint },
): string[] {
  const { periodNs = 0, jitterNs = 0, quantumTicks } = calibration;
  const problems: string[] = [];
  if (!(Math.abs(periodNs / truth.periodNs - 1) < 0.01)) problems.push(`${id}: a period of ${periodNs} ns`);
  if (!(Math.abs(jitterNs / truth.jitterNs - 1) < 0.2)) problems.push(`${id}: a jitter of ${jitterNs} ns`);
  if (quantumTicks !== truth.quantumTicks) problems.push(`${id}: steps of ${quantumTicks}`);
  return problems;
}

/** Whether nearly every record claims to know what was missed before it; that it is right is checked above. */
function isAllTold({ seenCount, unsureCount }: Score): boolean {
  return unsureCount <= 16 + 0.05 * seenCount;
}

const ONE_PACKAGE = `cpus 0-63 package 0
meter package-0 power 50W jitter 30us
meter dram-0 power 7W jitter 30us
zone intel-rapl:0 package-0 of package-0
zone intel-rapl:0:0 dram of dram-0
pmu power 30 cpus 0
event power energy-pkg 2 cpu 0 of package-0
event power energy-ram 3 cpu 0 of dram-0
`;

describe.skipIf(!hasVirtualMachine)('the sampler in a virtual machine', () => {
  it.each(['perf', 'powercap'])('sees every update of %s, or says how many it missed', {
    timeout: 120_000,
  }, async (source) => {
    await expectOfQuietMachine(async () => {
      const body = sampling(1500, { sources: [source] });
      const { result, machine } = await runInMachine<Sampled>(ONE_PACKAGE, body);
      expect(result.counters.map(({ id }) => id)).toEqual(
        source === 'perf'
          ? ['perf:energy-pkg:0', 'perf:energy-ram:0']
          : ['powercap:intel-rapl:0', 'powercap:intel-rapl:0:0'],
      );
      expect(result.lostCount).toBe(0);
      expect(result.threads).toMatchObject([{ package: 0, running: true, detail: '' }]);
      const tried = { quiet: true, problems: [] as string[] };
      for (const [index, counter] of result.counters.entries()) {
        expect(counter).toMatchObject({ status: 'ok', thread: 0, gapCount: 0, breakCount: 0 });
        const score = check(machine, result, index);
        const truth = { periodNs: 1e6, jitterNs: 30e3, quantumTicks: source === 'perf' ? 2n ** 18n : 1n };
        tried.problems.push(...problemsOf(counter, truth));
        if (!isAllTold(score)) tried.problems.push(`${counter.id}: ${JSON.stringify(score)}`);
        tried.quiet &&= score.tightCount > 0.8 * score.trueCount;
      }
      return tried;
    });
  });

  it('reads a slow counter at the base rate', { timeout: 120_000 }, async () => {
    const text = `meter package-0 power 50W update 20ms jitter 1ms\nzone intel-rapl:0 package-0 of package-0\n`;
    await expectOfQuietMachine(async () => {
      const { result, machine } = await runInMachine<Sampled>(
        text,
        sampling(2500, { sources: ['powercap'] }),
      );
      const score = check(machine, result, 0);
      const [{ mode, calibration } = { mode: '', calibration: { updateCount: 0 } }] = result.counters;
      const { periodNs = 0, quantumTicks } = calibration;
      const problems: string[] = [];
      if (!isAllTold(score)) problems.push(JSON.stringify(score));
      if (mode !== 'sparse') problems.push(`it is ${mode}`);
      if (!(Math.abs(periodNs / 20e6 - 1) < 0.01)) problems.push(`a period of ${periodNs} ns`);
      if (quantumTicks !== 1n) problems.push(`steps of ${quantumTicks}`);
      // The calibration reads all the time: what kept it from that is in its records. After it, read every millisecond.
      const endNs = (result.records[0]?.[4] ?? 0n) + 260_000_000n;
      const widthsNs = (calibrating: boolean) =>
        result.records.filter((row) => row[4] < endNs === calibrating).map((row) => row[4] - row[3]);
      const quiet =
        score.seenCount === score.trueCount &&
        widthsNs(true).every((ns) => ns < 20_000n) &&
        widthsNs(false).every((ns) => ns < 5_000_000n);
      return { quiet, problems };
    });
  });

  it('calibrates once a process, and when asked to', { timeout: 120_000 }, async () => {
    interface Known {
      modes: string[];
      periodsNs: number[];
      updateCounts: number[];
    }
    const { result } = await runInMachine<Record<string, Known>>(
      ONE_PACKAGE,
      `${PRELUDE}
      const { Worker } = await import('node:worker_threads');
      const look = (sampler) => ({
        modes: sampler.counters().map(({ mode }) => mode),
        periodsNs: sampler.counters().map(({ calibration }) => calibration.periodNs ?? 0),
        updateCounts: sampler.counters().map(({ calibration }) => calibration.updateCount),
      });
      const options = { sources: ['powercap'] };
      const first = openSampler(options);
      const unknown = look(first);
      first.start();
      // However busy the machine is.
      for (let i = 0; i < 2000 && !look(first).periodsNs.every((ns) => ns > 0); ++i) await wait(10);
      await wait(400);
      const known = look(first);
      const second = openSampler(options);
      second.start();
      const shared = look(second);
      const inWorker = await new Promise((resolve, reject) => {
        const code = \`Promise.all([
            import('node:worker_threads'),
            import(\${JSON.stringify(${JSON.stringify(pathToFileURL(MODULE).href)})}),
          ]).then(([{ parentPort }, { openSampler }]) => {
            const sampler = openSampler({ sources: ['powercap'] });
            parentPort.postMessage((\${look})(sampler));
            sampler.close();
          });\`;
        new Worker(code, { eval: true }).on('error', reject).on('message', resolve);
      });
      first.close();
      second.close();
      const again = openSampler(options);
      const remembered = look(again);
      again.start();
      again.calibrate();
      for (let i = 0; i < 1000 && !look(again).modes.includes('calibrating'); ++i) await wait(1);
      const asked = look(again);
      again.close();
      return { unknown, known, shared, inWorker, remembered, asked };`,
    );
    expect(result.unknown?.periodsNs).toEqual([0, 0]);
    for (const name of ['known', 'shared', 'inWorker', 'remembered']) {
      for (const ns of result[name]?.periodsNs ?? []) expect(ns, name).toBeGreaterThan(0.9e6);
      expect(result[name]?.modes, name).toHaveLength(2);
    }
    expect(result.shared?.modes).not.toContain('calibrating');
    expect(result.remembered?.modes).not.toContain('calibrating');
    expect(result.asked?.modes).toContain('calibrating');
  });

  it('leaves a source that may block to others', async () => {
    // Reading the cores takes a second; nobody does.
    const { result, machine } = await runInMachine<Sampled>(
      'amd-per-core',
      sampling(900, { sources: ['perf', 'perf-core', 'msr-core'] }),
      'fault msr 0 0xc001029a slow 200ms',
    );
    expect(result.counters.map(({ source }) => source)).toEqual(['perf']);
    // So slow a read would be part of every bracket.
    expect(check(machine, result, 0).narrowestNs).toBeLessThan(200e6);
  });

  it('has a thread for each package', async () => {
    const { result, machine } = await runInMachine<Sampled>(
      'two-sockets-dram',
      sampling(1200, { sources: ['perf'] }),
    );
    expect(result.threads.map((thread) => thread.package)).toEqual([0, 1]);
    expect(result.counters.map(({ id, thread }) => [id, thread])).toEqual([
      ['perf:energy-pkg:0', 0],
      ['perf:energy-ram:0', 0],
      ['perf:energy-pkg:1', 1],
      ['perf:energy-ram:1', 1],
    ]);
    for (const index of result.counters.keys()) check(machine, result, index);
  });

  it('says when counts broke off or could not be read', async () => {
    const { result } = await runInMachine<Sampled>(
      ONE_PACKAGE,
      sampling(2000, { sources: ['powercap'] }),
      'fault zone intel-rapl:0 read EIO from 0.5s to 0.9s',
      'fault meter dram-0 back 2J from 0.9s',
    );
    const flagged = (index: number, flag: number) =>
      result.records.filter(([of, flags]) => of === index && (flags & flag) !== 0);
    const gaps = flagged(0, FLAGS.gap);
    expect(gaps).toHaveLength(1);
    // The last good read was before the fault, the next one after it.
    expect(Number((gaps[0]?.[4] ?? 0n) - (gaps[0]?.[3] ?? 0n))).toBeGreaterThan(399e6);
    expect(flagged(1, FLAGS.break)).toHaveLength(1);
    expect(result.counters).toMatchObject([
      { status: 'ok', gapCount: 1, breakCount: 0 },
      { status: 'ok', gapCount: 0, breakCount: 1 },
    ]);
  });

  it('tells a reader that was too slow what it lost', { timeout: 120_000 }, async () => {
    // Updates every 10 us of four counters: 65,536 records are soon reached.
    const parts = ['package', 'core', 'uncore', 'dram'];
    const machine = startMachine(
      parts
        .map((name, i) => {
          const zone = i === 0 ? 'intel-rapl:0 package-0' : `intel-rapl:0:${i - 1} ${name}`;
          return `meter ${name}-0 power ${500 * (i + 1)}W update 10us\nzone ${zone} of ${name}-0\n`;
        })
        .join(''),
    );
    try {
      const result = await machine.script<{
        lost: number;
        given: number;
        all: number;
        wrong: number[];
        overrun: number[];
      }>(
        `${PRELUDE}
        const sampler = openSampler({ sources: ['powercap'], rateHz: 10000, track: true });
        sampler.start();
        while (sampler.threads()[0].recordCount < 70000) { sampler.calibrate(); await wait(10); }
        sampler.stop();
        // The first of each counter says so, and no other.
        const overrun = [];
        const wrong = [];
        const known = new Set();
        let given = 0;
        for (let count = 1; count > 0; given += count) {
          count = sampler.drain();
          for (let i = 0; i < count; ++i) {
            const counter = sampler.samples.counter(i);
            const flagged = (sampler.samples.flags(i) & ${FLAGS.overrun}) !== 0;
            if (flagged) overrun.push(counter);
            if (flagged === known.has(counter)) wrong.push(given + i);
            known.add(counter);
          }
        }
        const all = sampler.threads()[0].recordCount;
        const result = { lost: sampler.samples.lostCount, given, all, wrong, overrun };
        sampler.close();
        return result;`,
        { timeoutMs: 100_000 },
      );
      expect(result.lost).toBeGreaterThan(0);
      expect(result.given + result.lost).toBe(result.all);
      expect(result.overrun.sort()).toEqual([0, 1, 2, 3]);
      expect(result.wrong).toEqual([]);
    } finally {
      machine.cleanup();
    }
  });

  it('gives back threads and descriptors, in workers, too', async () => {
    const { result } = await runInMachine<Record<string, { descriptors: number; threads: string[] }>>(
      'two-sockets-dram',
      `${PRELUDE}
      const { Worker } = await import('node:worker_threads');
      openSampler({ sources: ['powercap'] }).close();
      const start = held();
      const first = openSampler({ sources: ['powercap'] });
      const second = openSampler({ sources: ['powercap'], rateHz: 10 });
      const opened = held();
      first.start();
      second.start();
      const running = await settled({ descriptors: 4, threads: ['microjoule-0', 'microjoule-1'] });
      first.close();
      await wait(20);
      const one = held();
      second.stop();
      const stopped = await settled(opened);
      second.close();
      const closed = await settled(start);
      const work = (end) => new Promise((resolve, reject) => {
        const code = \`
          import(\${JSON.stringify(${JSON.stringify(pathToFileURL(MODULE).href)})}).then(({ openSampler }) => {
            const sampler = openSampler({ sources: ['powercap'] });
            sampler.start();
            \${end === 'busy' ? 'for (;;) sampler.drain();' : ''}
            \${end === 'wait' ? 'setInterval(() => sampler.drain(), 1);' : ''}
            \${end === 'close' ? 'sampler.close();' : ''}
            \${end === 'exit' ? 'process.exit(0);' : ''}
          });\`;
        const worker = new Worker(code, { eval: true });
        worker.on('error', reject).on('exit', resolve);
        if (end === 'busy' || end === 'wait') setTimeout(() => worker.terminate(), 150);
      });
      await Promise.all(['busy', 'wait', 'close', 'exit', 'return', 'wait'].map(work));
      const worked = await settled(start);
      return { start, opened, running, one, stopped, closed, worked };`,
    );
    const start = { descriptors: 0, threads: [] };
    const opened = { descriptors: 4, threads: [] };
    const running = { ...opened, threads: ['microjoule-0', 'microjoule-1'] };
    expect(result).toEqual({
      start,
      opened,
      running,
      one: running,
      stopped: opened,
      closed: start,
      worked: start,
    });
  });

  it.each(['perf', 'powercap'])('leaves nothing of %s behind after workers, however they end', {
    timeout: 120_000,
  }, async (source) => {
    interface Held {
      descriptors: string[];
      threadCount: number;
    }
    const { result } = await runInMachine<{ start: Held; most: Held; rounds: Held[] }>(
      'two-sockets-dram',
      `${PRELUDE}
      const { Worker } = await import('node:worker_threads');
      // Whatever they are; the folder's own is gone by the time that its link is read.
      const everything = () => ({
        descriptors: readdirSync('/proc/self/fd').flatMap((fd) => {
          try { return [readlinkSync('/proc/self/fd/' + fd).replace(/\\d+/g, 'N')]; } catch { return []; }
        }).sort(),
        threadCount: readdirSync('/proc/self/task').length,
      });
      const work = (end) => new Promise((resolve, reject) => {
        const code = \`
          Promise.all([
            import('node:worker_threads'),
            import(\${JSON.stringify(${JSON.stringify(pathToFileURL(MODULE).href)})}),
          ]).then(([{ parentPort }, { openSampler }]) => {
            const sampler = openSampler({ sources: ['${source}'] });
            if (sampler.counters().length !== 4) throw new Error('not all counters are sampled');
            sampler.start();
            parentPort.postMessage('started');
            \${end === 'busy' ? 'for (;;) sampler.drain();' : ''}
            \${end === 'wait' ? 'setInterval(() => sampler.drain(), 1);' : ''}
            \${end === 'close' ? 'sampler.close();' : ''}
            \${end === 'throw' ? 'throw new Error("on purpose");' : ''}
            \${end === 'exit' ? 'process.exit(0);' : ''}
          });\`;
        const worker = new Worker(code, { eval: true });
        worker.on('exit', resolve);
        worker.on('error', (error) => { if (error.message !== 'on purpose') reject(error); });
        // In the middle of a loop that drains.
        if (end === 'busy' || end === 'wait') {
          worker.on('message', () => setTimeout(() => worker.terminate(), 30 * Math.random()));
        }
      });
      const ENDS = ['busy', 'wait', 'close', 'exit', 'return', 'throw', 'busy', 'busy'];
      // What Node itself keeps of its first workers is no business of ours.
      await Promise.all(ENDS.map(work));
      await settled({ descriptors: 0, threads: [] });
      const start = everything();
      const rounds = [];
      const sampler = openSampler({ sources: ['${source}'] });
      sampler.start();
      const most = everything();
      sampler.close();
      for (let i = 0; i < 3; ++i) {
        await Promise.all(ENDS.map(work));
        for (let k = 0; k < 500 && JSON.stringify(everything()) !== JSON.stringify(start); ++k) await wait(10);
        rounds.push(everything());
      }
      return { start, most, rounds };`,
    );
    // Each of both threads has its own.
    expect(result.most.descriptors.length).toBeGreaterThanOrEqual(result.start.descriptors.length + 4);
    expect(result.most.threadCount).toBe(result.start.threadCount + 2);
    expect(result.rounds).toEqual([result.start, result.start, result.start]);
  });

  it('keeps no process alive, and ends at once', async () => {
    const { result } = await runInMachine<number>(
      ONE_PACKAGE,
      `${PRELUDE}
      const { spawnSync } = await import('node:child_process');
      const code = \`const { openSampler } = await import(${JSON.stringify(pathToFileURL(MODULE).href)});
        openSampler({ sources: ['powercap'], rateHz: 1, track: false }).start();\`;
      const ended = spawnSync(process.execPath, ['--input-type=module', '--eval', code], { timeout: 10000 });
      if (ended.status !== 0) throw new Error(String(ended.stderr));
      const took = [];
      const sampler = openSampler({ sources: ['powercap'], rateHz: 1, track: false });
      for (let i = 0; i < 20; ++i) {
        sampler.start();
        await wait(5);
        const start = performance.now();
        sampler.stop();
        took.push(performance.now() - start);
      }
      return Math.min(...took);`,
    );
    expect(result).toBeLessThan(5);
  });
});

describe.skipIf(process.platform !== 'linux')('a sampler', () => {
  it('refuses what it cannot do', async () => {
    const { openSampler } = await import('../../lib/meter/sampler.js');
    for (const rateHz of [0, 0.5, 10_001, Number.NaN, 'x' as never]) {
      expect(() => openSampler({ rateHz })).toThrow(expect.objectContaining({ code: 'ERR_BAD_OPTION' }));
    }
    const nowhere = path.join('/nonexistent', 'sys');
    const sampler = openSampler({ sysfs: nowhere, dev: nowhere, nvmlLibrary: '/nonexistent/nvml' });
    sampler.start();
    expect([sampler.counters(), sampler.threads(), sampler.drain()]).toEqual([[], [], 0]);
    sampler.close();
    sampler.close();
    expect(() => sampler.start()).toThrow(expect.objectContaining({ code: 'ERR_METER_CLOSED' }));
    expect(() => sampler.drain()).toThrow(expect.objectContaining({ code: 'ERR_METER_CLOSED' }));
  });
});
