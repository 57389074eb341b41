// SPDX-License-Identifier: MIT
//
// What sampling costs: how much slower the main thread gets, CPU time per read of the sampler's thread, of bare C and of
// plain JavaScript, whether records are lost, what marks and drains cost. With arguments it is the process that samples:
// overhead.mjs WAY SYSFS SOURCE RATE SECONDS FILE... prints a line of JSON.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, openSync, readSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { abba, alternate, median, medianUpperBound, row, seeded } from './stats.mjs';

const SELF = fileURLToPath(import.meta.url);
const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const ZONES = ['package-0', 'core', 'dram'];
const EVENTS = ['pkg', 'cores', 'ram'];
/** The events are those of one CPU, and so the only one of the package that is described. */
const CPU = 0;
const RATES_HZ = [1000, 10000];
const SECONDS = 1;
const GOAL_RATIO = 1.2;
const GOAL_SLOWDOWN_RATIO = 0.005;
const BLOCKS = 128;
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

function writeZones(sysfs) {
  return ZONES.map((name, index) => {
    const zone = path.join(sysfs, `class/powercap/intel-rapl:0${index === 0 ? '' : `:${index - 1}`}`);
    mkdirSync(zone, { recursive: true });
    writeFileSync(path.join(zone, 'name'), `${name}\n`);
    writeFileSync(path.join(zone, 'max_energy_range_uj'), '262143328850\n');
    writeFileSync(path.join(zone, 'energy_uj'), `${123456789012 + index}\n`);
    return path.join(zone, 'energy_uj');
  });
}

/** A PMU `power` whose events are the kernel's software events: the same system calls without the hardware. */
function writeEvents(sysfs) {
  const write = (file, text) => {
    const full = path.join(sysfs, file);
    mkdirSync(path.dirname(full), { recursive: true });
    writeFileSync(full, `${text}\n`);
  };
  const pmu = 'bus/event_source/devices/power';
  write(`${pmu}/type`, 1);
  write(`${pmu}/cpumask`, CPU);
  write(`${pmu}/format/event`, 'config:0-7');
  EVENTS.forEach((name, code) => {
    write(`${pmu}/events/energy-${name}`, `event=0x0${code}`);
    write(`${pmu}/events/energy-${name}.scale`, '2.3283064365386962890625e-10');
    write(`${pmu}/events/energy-${name}.unit`, 'Joules');
  });
  write('devices/system/cpu/online', CPU);
  write(`devices/system/cpu/cpu${CPU}/topology/physical_package_id`, 0);
}

/** So much arithmetic as takes some 0.2 ms, and nothing else. */
function work() {
  let state = 1;
  for (let i = 0; i < 200_000; ++i) state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
  return state;
}

/** Milliseconds that a piece of work takes the main thread; timers have their turn five times a millisecond. */
async function timeWork() {
  const start = performance.now();
  for (let i = 0; i < 150; ++i) {
    work();
    await new Promise(setImmediate);
  }
  return performance.now() - start;
}

/** What reads files as a program without an addon would. Gives the function that reads all of them once. */
function plainReader(files) {
  const descriptors = files.map((file) => openSync(file));
  const buffer = Buffer.alloc(64);
  const values = new Float64Array(files.length);
  const times = new BigUint64Array(2);
  return () => {
    times[0] = process.hrtime.bigint();
    for (let i = 0; i < descriptors.length; ++i) {
      const size = readSync(descriptors[i], buffer, 0, 64, 0);
      let value = 0;
      for (let at = 0; at < size && buffer[at] !== 10; ++at) value = value * 10 + (buffer[at] - 48);
      values[i] = value;
    }
    times[1] = process.hrtime.bigint();
  };
}

/** The ways to sample; each gives what it found. `us` is CPU time per read in microseconds. */
const WAYS = {
  async sampler({ sysfs, source, rateHz, seconds }) {
    const { openSampler } = await import('../dist/meter/sampler.js');
    const sampler = openSampler({ sysfs, sources: [source], rateHz, track: false });
    sampler.start();
    await wait(100);
    const [before] = sampler.threads();
    if (before === undefined) return {};
    await wait(seconds * 1000);
    const [after] = sampler.threads();
    const reads = after.readCount - before.readCount;
    sampler.close();
    return { us: (after.cpuNs - before.cpuNs) / 1000 / reads, reads: reads / seconds };
  },

  /** How much slower the main thread is while files are sampled, against nothing, in a random order of blocks. */
  async slowdown({ sysfs, rateHz, files }) {
    const { openSampler } = await import('../dist/meter/sampler.js');
    const sampler = openSampler({ sysfs, sources: ['powercap'], rateHz, track: false });
    if (sampler.threads().length === 0) throw new Error('the files are not sampled');
    const read = plainReader(files);
    for (let i = 0; i < 20; ++i) await timeWork();
    const alone = async () => {
      await wait(5);
      return timeWork();
    };
    const sampled = async () => {
      sampler.start();
      await wait(5);
      const took = await timeWork();
      sampler.stop();
      return took;
    };
    const polled = async () => {
      const timer = setInterval(read, 1000 / rateHz);
      await wait(5);
      const took = await timeWork();
      clearInterval(timer);
      return took;
    };
    const random = seeded(1);
    const effects = { none: [], sampler: [], plain: [] };
    // A few blocks of each in turn: the machine's mood is shared by all.
    for (let i = 0; i < BLOCKS; ++i) {
      effects.none.push(...(await abba(alone, alone, 1, random)));
      effects.sampler.push(...(await abba(alone, sampled, 1, random)));
      effects.plain.push(...(await abba(alone, polled, 1, random)));
    }
    sampler.close();
    return effects;
  },

  /** A timer of Node's is never shorter than a millisecond: for higher rates it reads several times. */
  async setInterval({ rateHz, seconds, files }) {
    const read = plainReader(files);
    let reads = 0;
    const timer = setInterval(() => {
      for (let i = 0; i < Math.max(1, rateHz / 1000); ++i, ++reads) read();
    }, 1);
    await wait(100);
    const before = process.cpuUsage();
    reads = 0;
    await wait(seconds * 1000);
    const { user, system } = process.cpuUsage(before);
    clearInterval(timer);
    return { us: (user + system) / reads, reads: reads / seconds };
  },

  /** What is lost of counts that move at every read, what drains and marks cost; of real counters, how busy it is. */
  async records({ sysfs, source, rateHz, seconds }) {
    const { openSampler } = await import('../dist/meter/sampler.js');
    const own = source === 'own';
    const sampler = openSampler({ ...(own ? {} : { sysfs, sources: [source] }), rateHz, track: own });
    sampler.start();
    let drained = 0;
    const drainAll = () => {
      for (let count = sampler.drain(); count > 0; count = sampler.drain()) drained += count;
    };
    await wait(1000);
    drainAll();
    const before = sampler.threads();
    for (let i = 0; i < seconds * 10; ++i) {
      await wait(100);
      drainAll();
    }
    const after = sampler.threads();
    const drain = [];
    for (let batch = 0; batch < 50; ++batch) {
      const start = process.hrtime.bigint();
      for (let i = 0; i < 1000; ++i) sampler.drain();
      drain.push(Number(process.hrtime.bigint() - start) / 1000);
    }
    const marks = new BigUint64Array(new SharedArrayBuffer(16));
    const mark = [];
    for (let batch = 0; batch < 50; ++batch) {
      const start = process.hrtime.bigint();
      for (let i = 0; i < 1000; ++i) marks[i & 1] = process.hrtime.bigint();
      mark.push(Number(process.hrtime.bigint() - start) / 1000);
    }
    const counters = sampler.counters().map(({ id, mode, seenCount, missedCount, calibration }) => ({
      id,
      mode,
      seenCount,
      missedCount,
      bracketNs: calibration.bracketNs,
    }));
    const busy = after.map(({ cpuNs }, i) => (cpuNs - before[i].cpuNs) / 1e9 / seconds);
    const lost = sampler.samples.lostCount;
    sampler.close();
    return { busy, drained, lost, drainNs: median(drain), markNs: median(mark), counters };
  },
};

function run(...args) {
  return JSON.parse(execFileSync(process.execPath, [SELF, ...args].map(String), { encoding: 'utf8' }));
}

function percent(ratio) {
  return `${(100 * ratio).toFixed(2)} %`;
}

function slowdown(folder, files) {
  const found = run('slowdown', folder, 'powercap', 1000, 0, ...files);
  const inPercent = (name, effects) =>
    row(
      name,
      effects.map((effect) => 100 * effect),
      '%',
    );
  const bound = medianUpperBound(found.sampler);
  return {
    title: `Main thread slowed down by 1000 reads a second of three files, ${BLOCKS} blocks of ABBA or BAAB`,
    rows: [
      inPercent('nothing, twice', found.none),
      inPercent("the sampler's thread", found.sampler),
      inPercent('`setInterval` and `fs.readSync`', found.plain),
    ],
    goal: {
      text: `95 % upper bound of the sampler's at most ${percent(GOAL_SLOWDOWN_RATIO)} on a quiet machine`,
      value: `${percent(bound)} (nothing: ${percent(medianUpperBound(found.none))}, plain: ${percent(medianUpperBound(found.plain))})`,
      reached: bound <= GOAL_SLOWDOWN_RATIO,
    },
  };
}

function cpuTime(folder, source, floor, files, rateHz, rounds) {
  const bareArguments = source === 'perf' ? ['group', CPU, EVENTS.length] : ['files', ...files];
  const bare = () => {
    const args = ['-c', CPU, floor, rateHz, SECONDS, ...bareArguments].map(String);
    const [us, reads] = execFileSync('taskset', args, { encoding: 'utf8' }).split(' ').map(Number);
    return { us, reads: reads / SECONDS };
  };
  const way = (name) => () => run(name, folder, source, rateHz, SECONDS, ...files);
  const values = alternate({ bare, ours: way('sampler'), plain: way('setInterval') }, rounds);
  const costs = (name) => values[name].map(({ us }) => us);
  const ours = row("the sampler's thread", costs('ours'), 'us', costs('bare'));
  const had = Object.entries(values).map(
    ([name, all]) => `${name} ${median(all.map((one) => one.reads)).toFixed(0)}`,
  );
  const busy = percent((ours.median * rateHz) / 1e6);
  const atOnce = rateHz > 1000 ? `, ${rateHz / 1000} times at once` : '';
  return {
    title: `CPU time of one of ${rateHz} reads a second of three counters (had: ${had.join(', ')}; ours ${busy} of a core)`,
    rows: [
      row('bare C: sleep, clocks, read', costs('bare'), 'us'),
      ours,
      row(`\`setInterval\` and \`fs.readSync\` of files${atOnce}`, costs('plain'), 'us', costs('bare')),
    ],
    goal: {
      text: `at most ${GOAL_RATIO} times bare C`,
      value: `${ours.ratio.toFixed(2)} x`,
      reached: ours.ratio <= GOAL_RATIO,
    },
  };
}

function records(title, found) {
  // What stands in for counters has no updates of its own.
  const followed = found.counters.filter(({ mode }) => mode === 'tracking');
  return {
    title,
    rows: [
      row('a mark: `process.hrtime.bigint()` into a bound array', [found.markNs], 'ns'),
      row('`sampler.drain()` of next to nothing', [found.drainNs], 'ns'),
      ...followed.map(({ id, mode, bracketNs, seenCount, missedCount }) =>
        row(`bracket of ${id} (${mode}, ${seenCount} seen, ${missedCount} missed)`, [bracketNs ?? 0], 'ns'),
      ),
    ],
    goal: { text: 'no record lost', value: `${found.lost} lost`, reached: found.lost === 0 },
  };
}

/**
 * MICROJOULE_BENCH_SECONDS lengthens the search for lost records from 5 s. Counters of this machine itself are followed,
 * too, where there are any: also those of a described one (test/virtual-machine/README.md).
 */
export function measure({ rounds }) {
  const base = existsSync('/dev/shm') ? '/dev/shm' : os.tmpdir();
  const folder = mkdtempSync(path.join(base, 'microjoule-bench-'));
  const binaries = mkdtempSync(path.join(os.tmpdir(), 'microjoule-floor-'));
  const seconds = Number(process.env.MICROJOULE_BENCH_SECONDS ?? 5);
  try {
    const floor = path.join(binaries, 'floor-sampler');
    execFileSync('cc', ['-O2', '-pthread', '-o', floor, here('floor-sampler.c')], { stdio: 'inherit' });
    const files = writeZones(folder);
    const tables = [slowdown(folder, files)];
    writeEvents(folder);
    // Without the right to open perf events, the files stand in for both.
    const source = run('sampler', folder, 'perf', 100, 0.1).us === undefined ? 'powercap' : 'perf';
    const few = Math.max(1, Math.ceil(rounds / 2));
    tables.push(...RATES_HZ.map((rateHz) => cpuTime(folder, source, floor, files, rateHz, few)));
    if (source === 'perf') {
      const found = run('records', folder, 'perf', 10000, seconds);
      const each = (found.drained / seconds).toFixed(0);
      tables.push(records(`${each} records a second for ${seconds} s, drained every 100 ms`, found));
    }
    const own = run('records', '-', 'own', 1000, Math.min(seconds, 5));
    if (own.counters.length > 0) {
      const busy = own.busy.map(percent).join(', ');
      tables.push(records(`Following ${own.counters.length} counters of this machine, busy ${busy}`, own));
    }
    return tables;
  } finally {
    rmSync(folder, { recursive: true });
    rmSync(binaries, { recursive: true });
  }
}

const [, main, name, sysfs, source, rate, seconds, ...files] = process.argv;
if (main === SELF && seconds !== undefined) {
  const given = { sysfs, source, rateHz: Number(rate), seconds: Number(seconds), files };
  console.log(JSON.stringify(await WAYS[name](given)));
}
