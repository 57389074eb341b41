// SPDX-License-Identifier: MIT
//
// What one reading costs, in several ways that take turns in one process. With arguments it is such a process:
// read-cost.mjs SOURCE SYSFS FILE... prints nanoseconds a pass of each way, and how much more than the bare loop.
import { execFileSync, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { alternate, median, medianInterval, row } from './stats.mjs';

const SELF = fileURLToPath(import.meta.url);
/** Batches are short, a fraction of a millisecond, so that what disturbs the machine meets neighbours alike or few of them. */
const PASSES = 100;
const BATCHES = 1000;
const SLOW_BATCHES = 50;
const WARM_BATCHES = 200;
const ZONES = ['package-0', 'core', 'uncore', 'dram', 'psys'];
const EVENTS = ['pkg', 'cores', 'ram', 'gpu', 'psys'];
/** The events are those of one CPU; a reader elsewhere would have to interrupt it. */
const CPU = 0;
const GOAL_MORE_NS = 100;
const GOAL_GROUP_NS = 1500;
const GOAL_RATIO_ONE = 8;
const GOAL_RATIO_FIVE = 15;

function write(sysfs, file, text) {
  const full = path.join(sysfs, file);
  mkdirSync(path.dirname(full), { recursive: true });
  writeFileSync(full, `${text}\n`);
  return full;
}

/** One package with the first `count` of its domains; returns the files to read. */
function writeZones(sysfs, count) {
  return ZONES.slice(0, count).map((name, index) => {
    const zone = `class/powercap/${name === 'psys' ? 'intel-rapl:1' : `intel-rapl:0${index === 0 ? '' : `:${index - 1}`}`}`;
    write(sysfs, `${zone}/name`, name);
    write(sysfs, `${zone}/max_energy_range_uj`, '262143328850');
    return write(sysfs, `${zone}/energy_uj`, 123456789012 + index);
  });
}

/** A PMU `power` whose events are the kernel's software events: the same system calls without the hardware. */
function writeEvents(sysfs) {
  const pmu = 'bus/event_source/devices/power';
  write(sysfs, `${pmu}/type`, 1);
  write(sysfs, `${pmu}/cpumask`, CPU);
  write(sysfs, `${pmu}/format/event`, 'config:0-7');
  EVENTS.forEach((name, code) => {
    write(sysfs, `${pmu}/events/energy-${name}`, `event=0x0${code}`);
    write(sysfs, `${pmu}/events/energy-${name}.scale`, '2.3283064365386962890625e-10');
    write(sysfs, `${pmu}/events/energy-${name}.unit`, 'Joules');
  });
  write(sysfs, 'devices/system/cpu/online', CPU);
  write(sysfs, `devices/system/cpu/cpu${CPU}/topology/physical_package_id`, 0);
}

function loadFloor() {
  try {
    return createRequire(import.meta.url)('./floor/build/Release/floor.node');
  } catch (error) {
    throw new Error(`the bare C loop is not built: run npm run bench:floor (${error.message})`);
  }
}

/** What this process has open: of perf events, or else of zones. */
function descriptors(source) {
  const wanted = source === 'perf' ? /perf_event/ : /energy_uj$/;
  return readdirSync('/proc/self/fd')
    .filter((fd) => {
      try {
        return wanted.test(readlinkSync(`/proc/self/fd/${fd}`));
      } catch {
        return false; // the folder's own
      }
    })
    .map(Number)
    .sort((a, b) => a - b);
}

async function open(source, sysfs, files) {
  const { openMeter } = await import('../dist/index.js');
  const meter = openMeter({ sysfs, sources: [source] });
  const failed = meter.list(meter.read()).find(({ status }) => status !== 'ok');
  const reason = failed?.detail ?? meter.sources.map(({ detail }) => detail).join();
  if (failed !== undefined || meter.counters.length !== files.length) throw new Error(reason);
  return meter;
}

// Each way has a loop of its own, as its callers have: one that several share could not be compiled for any of them.
function timeOurs(meter) {
  return () => {
    const start = process.hrtime.bigint();
    for (let pass = 0; pass < PASSES; ++pass) meter.sample();
    return Number(process.hrtime.bigint() - start) / PASSES;
  };
}

function timeCalls(floor) {
  return () => {
    const start = process.hrtime.bigint();
    for (let pass = 0; pass < PASSES; ++pass) floor.pass();
    return Number(process.hrtime.bigint() - start) / PASSES;
  };
}

/** What plain JavaScript would do, by the name of the function it uses. */
function plain(way, files) {
  const times = new BigUint64Array(2);
  const values = new Float64Array(files.length);
  if (way === 'readFileSync') {
    return () => {
      times[0] = process.hrtime.bigint();
      for (let i = 0; i < files.length; ++i) values[i] = Number(readFileSync(files[i], 'latin1'));
      times[1] = process.hrtime.bigint();
    };
  }
  const descriptors = files.map((file) => openSync(file));
  const buffer = Buffer.alloc(64);
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

function nanosecondsPerPass(read) {
  const start = process.hrtime.bigint();
  for (let pass = 0; pass < PASSES; ++pass) read();
  return Number(process.hrtime.bigint() - start) / PASSES;
}

/**
 * All ways of one process in turn, batch by batch: of each the median and the best batch, and the median of the
 * differences from the bare loop's batch of the same turn.
 */
async function measureHere(source, sysfs, files) {
  const floor = loadFloor();
  const meter = await open(source, sysfs, files);
  const opened = descriptors(source);
  if (source === 'perf') floor.useGroup(opened[0]);
  else floor.useFiles(opened);
  const quick = { floor: () => floor.loop(PASSES), calls: timeCalls(floor), ours: timeOurs(meter) };
  const slow = Object.fromEntries(
    ['readSync', 'readFileSync'].map((way) => {
      const each = plain(way, files);
      return [way, () => nanosecondsPerPass(each)];
    }),
  );
  alternate(quick, WARM_BATCHES);
  return {
    ...differences(alternate(quick, BATCHES)),
    // Apart: they leave the caches to the next in turn, which would not be the same way in every turn.
    ...differences(alternate({ floor: quick.floor, ...slow }, SLOW_BATCHES), Object.keys(slow)),
  };
}

function differences(values, names = Object.keys(values)) {
  return Object.fromEntries(
    names.map((name) => [
      name,
      {
        median: median(values[name]),
        best: Math.min(...values[name]),
        more: median(values[name].map((value, i) => value - values.floor[i])),
      },
    ]),
  );
}

function run(command, args) {
  return execFileSync('taskset', ['-c', CPU, command, ...args].map(String), { encoding: 'utf8' });
}

/** One table: our reading, the floor, their like in Node and Python, and the goals that are asked of it. */
function table(title, source, sysfs, files, rounds, judge) {
  const python = spawnSync('python3', ['--version']).status === 0;
  const found = { floor: [], calls: [], ours: [], readSync: [], readFileSync: [] };
  const pythons = [];
  for (let round = 0; round < rounds; ++round) {
    const here = JSON.parse(run(process.execPath, [SELF, source, sysfs, ...files]));
    for (const [name, value] of Object.entries(here)) found[name].push(value);
    if (!python) continue;
    const script = fileURLToPath(new URL('read-files.py', import.meta.url));
    pythons.push(Number(run('python3', [script, 200, 10, ...files])));
  }
  const medians = (name) => found[name].map((value) => value.median);
  const floor = medians('floor');
  const line = (label, name) => {
    const more = found[name].map((value) => value.more);
    return {
      ...row(label, name === 'floor' ? floor : medians(name), 'ns', floor),
      best: Math.min(...found[name].map((value) => value.best)),
      ...(name === 'floor' ? {} : { more: median(more), interval: medianInterval(more) }),
    };
  };
  const rows = [
    line(source === 'perf' ? 'bare C: clocks and `read`' : 'bare C: clocks and `pread`', 'floor'),
    line('the same, each pass a call of Node-API', 'calls'),
    line('`meter.sample()`', 'ours'),
    line('`fs.readSync`, kept descriptors', 'readSync'),
    line('`fs.readFileSync`', 'readFileSync'),
    ...(python ? [row('Python: open, read, parse', pythons, 'ns', floor)] : []),
  ];
  const ours = rows[2];
  const faster = median(found.readFileSync.map((value, i) => value.median / found.ours[i].median));
  return { title, rows, goal: judge({ ...ours, bestMore: ours.best - rows[0].best, faster }) };
}

function goal(parts) {
  return {
    text: parts.map(({ text }) => text).join('; '),
    value: parts.map(({ value }) => value).join('; '),
    reached: parts.every(({ reached }) => reached),
  };
}

const overFloor = ({ more, interval, bestMore }) => ({
  text: `at most ${GOAL_MORE_NS} ns more than bare C`,
  value:
    `${more.toFixed(0)} ns more (95 %: ${interval.map((end) => end.toFixed(0)).join(' to ')}; ` +
    `best batch against best batch ${bestMore.toFixed(0)})`,
  reached: more <= GOAL_MORE_NS,
});
const overNode = (faster, least) => ({
  text: `at least ${least} x faster than readFileSync`,
  value: `${faster.toFixed(1)} x`,
  reached: faster >= least,
});

export function measure({ rounds }) {
  // In memory where there is such a file system: a disk's would add its own cost.
  const base = existsSync('/dev/shm') ? '/dev/shm' : os.tmpdir();
  const folder = mkdtempSync(path.join(base, 'microjoule-bench-'));
  try {
    const [one, five] = ['one', 'five'].map((name) => path.join(folder, name));
    const [oneFile, fiveFiles] = [writeZones(one, 1), writeZones(five, ZONES.length)];
    writeEvents(five);
    return [
      table('One RAPL domain: a powercap zone', 'powercap', one, oneFile, rounds, ({ faster, ...found }) =>
        goal([overFloor(found), overNode(faster, GOAL_RATIO_ONE)]),
      ),
      table('Five RAPL domains: powercap zones', 'powercap', five, fiveFiles, rounds, () => undefined),
      table(
        'Five RAPL domains: one group of perf events (software events stand in)',
        'perf',
        five,
        fiveFiles,
        rounds,
        ({ median: ours, faster, ...found }) =>
          goal([
            overFloor(found),
            {
              text: `at most ${GOAL_GROUP_NS} ns`,
              value: `${ours.toFixed(0)} ns`,
              reached: ours <= GOAL_GROUP_NS,
            },
            overNode(faster, GOAL_RATIO_FIVE),
          ]),
      ),
    ];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const [, main, source, sysfs, ...files] = process.argv;
if (main === SELF && sysfs !== undefined) {
  console.log(JSON.stringify(await measureHere(source, sysfs, files)));
}
