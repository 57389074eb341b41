// SPDX-License-Identifier: MIT
//
// What sampling costs: CPU time per read of the sampler's thread, of bare C and of plain JavaScript; how busy following
// single updates is; whether records are lost; what marks and drains cost. With arguments it is the process that samples:
// sampler.mjs WAY SYSFS RATE SECONDS FILE... prints a line of JSON.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, openSync, readSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { alternate, median, row } from './stats.mjs';

const SELF = fileURLToPath(import.meta.url);
const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const ZONES = ['package-0', 'core', 'dram'];
const EVENTS = ['pkg', 'cores', 'ram'];
/** The events are those of one CPU, and so the only one of the package that is described. */
const CPU = 0;
const RATES_HZ = [1000, 10000];
const SECONDS = 2;
const GOAL_RATIO = 1.2;
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

/** CPU time per read in microseconds, reads a second, and what else each way can tell. */
const WAYS = {
  async sampler(sysfs, rateHz, seconds) {
    const { openSampler } = await import('../dist/meter/sampler.js');
    const sampler = openSampler({ sysfs, sources: ['perf'], rateHz, track: false });
    sampler.start();
    await wait(100);
    const [before] = sampler.threads();
    if (before === undefined) throw new Error('perf events may not be opened');
    await wait(seconds * 1000);
    const [after] = sampler.threads();
    const reads = after.readCount - before.readCount;
    sampler.close();
    return { us: (after.cpuNs - before.cpuNs) / 1000 / reads, reads: reads / seconds };
  },

  /** A timer of Node's is never shorter than a millisecond: for higher rates it reads several times. */
  async setInterval(_sysfs, rateHz, seconds, files) {
    const descriptors = files.map((file) => openSync(file));
    const buffer = Buffer.alloc(64);
    const values = new Float64Array(files.length);
    const times = new BigUint64Array(2);
    const read = () => {
      times[0] = process.hrtime.bigint();
      for (let i = 0; i < descriptors.length; ++i) {
        const size = readSync(descriptors[i], buffer, 0, 64, 0);
        let value = 0;
        for (let at = 0; at < size && buffer[at] !== 10; ++at) value = value * 10 + (buffer[at] - 48);
        values[i] = value;
      }
      times[1] = process.hrtime.bigint();
    };
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

  /** How busy the thread is that follows a counter of this machine, and what is lost meanwhile. */
  async tracking(sysfs, rateHz, seconds) {
    const { openSampler } = await import('../dist/meter/sampler.js');
    const sampler = openSampler({ ...(sysfs === '-' ? {} : { sysfs }), rateHz });
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

function run(args) {
  return JSON.parse(execFileSync(process.execPath, [SELF, ...args].map(String), { encoding: 'utf8' }));
}

/**
 * MICROJOULE_BENCH_SECONDS lengthens the search for lost records from 5 s. It samples this machine's own counters, or
 * those of a described machine where the whole runs in one (test/virtual-machine/README.md).
 */
export function measure({ rounds }) {
  const base = existsSync('/dev/shm') ? '/dev/shm' : os.tmpdir();
  const folder = mkdtempSync(path.join(base, 'microjoule-bench-'));
  const binaries = mkdtempSync(path.join(os.tmpdir(), 'microjoule-floor-'));
  try {
    const floor = path.join(binaries, 'floor-sampler');
    execFileSync('cc', ['-O2', '-pthread', '-o', floor, here('floor-sampler.c')], { stdio: 'inherit' });
    const files = writeZones(folder);
    writeEvents(folder);
    const few = Math.max(1, Math.ceil(rounds / 3));
    const tables = RATES_HZ.map((rateHz) => {
      const way = (name) => () => run([name, folder, rateHz, SECONDS, ...files]);
      const bare = () => {
        const args = ['-c', CPU, floor, rateHz, SECONDS, 'group', CPU, EVENTS.length].map(String);
        const [us, reads] = execFileSync('taskset', args, { encoding: 'utf8' }).split(' ').map(Number);
        return { us, reads: reads / SECONDS };
      };
      const values = alternate({ bare, ours: way('sampler'), plain: way('setInterval') }, few);
      const costs = (name) => values[name].map(({ us }) => us);
      const ours = row("the sampler's thread", costs('ours'), 'us', costs('bare'));
      const reads = Object.entries(values).map(
        ([name, all]) => `${name} ${median(all.map((one) => one.reads)).toFixed(0)}`,
      );
      return {
        title: `CPU time of one of ${rateHz} reads a second of three counters (had: ${reads.join(', ')})`,
        rows: [
          row('bare C: sleep, clocks, `read` of a group', costs('bare'), 'us'),
          ours,
          row('`setInterval` and `fs.readSync` of files', costs('plain'), 'us', costs('bare')),
        ],
        goal: {
          text: `at most ${GOAL_RATIO} times bare C`,
          value: `${ours.ratio.toFixed(2)} x`,
          reached: ours.ratio <= GOAL_RATIO,
        },
      };
    });
    const seconds = Number(process.env.MICROJOULE_BENCH_SECONDS ?? 5);
    const found = run(['tracking', process.env.MICROJOULE_SYSFS ?? '-', 1000, seconds]);
    const percent = found.busy.map((share) => (100 * share).toFixed(1));
    tables.push({
      title: `Following ${found.counters.length} counters for ${seconds} s: ${found.drained} records, busy ${percent.join(', ') || 0} %`,
      rows: [
        row('a mark: `process.hrtime.bigint()` into a bound array', [found.markNs], 'ns'),
        row('`sampler.drain()` of next to nothing', [found.drainNs], 'ns'),
        ...found.counters.map(({ id, mode, bracketNs, seenCount, missedCount }) =>
          row(`${id} (${mode}, ${seenCount} seen, ${missedCount} missed)`, [bracketNs ?? 0], 'ns'),
        ),
      ],
      goal: { text: 'no record lost', value: `${found.lost} lost`, reached: found.lost === 0 },
    });
    return tables;
  } finally {
    rmSync(folder, { recursive: true });
    rmSync(binaries, { recursive: true });
  }
}

const [, main, name, sysfs, rate, seconds, ...files] = process.argv;
if (main === SELF && seconds !== undefined) {
  console.log(JSON.stringify(await WAYS[name](sysfs, Number(rate), Number(seconds), files)));
}
