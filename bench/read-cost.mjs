// SPDX-License-Identifier: MIT
//
// What one reading costs, in several ways that take turns in one process. With arguments it is such a process:
// read-cost.mjs SOURCE FLOOR_FIRST SYSFS FILE... prints nanoseconds a pass of each way.
import { execFileSync, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { alternate, median, row } from './stats.mjs';

const SELF = fileURLToPath(import.meta.url);
const PASSES = 2000;
const BATCHES = 100;
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

/** Nanoseconds a pass of our reading, which has one counter for each of the files. */
async function ours(source, sysfs, files) {
  const { openMeter } = await import('../dist/index.js');
  const meter = openMeter({ sysfs, sources: [source] });
  const failed = meter.list(meter.read()).find(({ status }) => status !== 'ok');
  const reason = failed?.detail ?? meter.sources.map(({ detail }) => detail).join();
  if (failed !== undefined || meter.counters.length !== files.length) throw new Error(reason);
  // A loop of its own, as its callers have: one that several ways share could not be compiled for any of them.
  return () => {
    const start = process.hrtime.bigint();
    for (let pass = 0; pass < PASSES; ++pass) meter.sample();
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

/** All ways of one process in turn, batch by batch: the median of each. `floorFirst`: whose events are opened first. */
async function measureHere(source, floorFirst, sysfs, files) {
  const floor = loadFloor();
  const openFloor = () =>
    source === 'perf' ? floor.openGroup(CPU, files.length) : floor.openFiles([...files]);
  if (floorFirst) openFloor();
  const timeOurs = await ours(source, sysfs, files);
  if (!floorFirst) openFloor();
  const ways = {
    floor: () => floor.loop(PASSES),
    ours: timeOurs,
    ...Object.fromEntries(
      ['readSync', 'readFileSync'].map((way) => {
        const each = plain(way, files);
        return [way, () => nanosecondsPerPass(each)];
      }),
    ),
  };
  const values = alternate(ways, BATCHES);
  return Object.fromEntries(Object.entries(values).map(([name, found]) => [name, median(found)]));
}

function run(command, args) {
  return execFileSync('taskset', ['-c', CPU, command, ...args].map(String), { encoding: 'utf8' });
}

/** One table: our reading, the floor, their like in Node and Python, and the goals that are asked of it. */
function table(title, source, sysfs, files, rounds, judge) {
  const python = spawnSync('python3', ['--version']).status === 0;
  const values = { floor: [], ours: [], readSync: [], readFileSync: [], python: [] };
  for (let round = 0; round < rounds; ++round) {
    const found = JSON.parse(run(process.execPath, [SELF, source, round % 2, sysfs, ...files]));
    for (const [name, value] of Object.entries(found)) values[name].push(value);
    if (!python) continue;
    const script = fileURLToPath(new URL('read-files.py', import.meta.url));
    values.python.push(Number(run('python3', [script, PASSES / 10, BATCHES / 10, ...files])));
  }
  const rows = [
    row(source === 'perf' ? 'bare C: clocks and `read`' : 'bare C: clocks and `pread`', values.floor, 'ns'),
    row('`meter.sample()`', values.ours, 'ns', values.floor),
    row('`fs.readSync`, kept descriptors', values.readSync, 'ns', values.floor),
    row('`fs.readFileSync`', values.readFileSync, 'ns', values.floor),
    ...(python ? [row('Python: open, read, parse', values.python, 'ns', values.floor)] : []),
  ];
  const faster = median(values.readFileSync.map((value, i) => value / values.ours[i]));
  return { title, rows, goal: judge({ more: rows[1].more, ours: rows[1].median, faster }) };
}

function goal(parts) {
  return {
    text: parts.map(({ text }) => text).join('; '),
    value: parts.map(({ value }) => value).join('; '),
    reached: parts.every(({ reached }) => reached),
  };
}

const overFloor = (more) => ({
  text: `at most ${GOAL_MORE_NS} ns more than bare C`,
  value: `${more.toFixed(0)} ns more`,
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
      table('One RAPL domain: a powercap zone', 'powercap', one, oneFile, rounds, ({ faster }) =>
        goal([overNode(faster, GOAL_RATIO_ONE)]),
      ),
      table('Five RAPL domains: powercap zones', 'powercap', five, fiveFiles, rounds, () => undefined),
      table(
        'Five RAPL domains: one group of perf events (software events stand in)',
        'perf',
        five,
        fiveFiles,
        rounds,
        ({ more, ours, faster }) =>
          goal([
            overFloor(more),
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

const [, main, source, floorFirst, sysfs, ...files] = process.argv;
if (main === SELF && sysfs !== undefined) {
  console.log(JSON.stringify(await measureHere(source, floorFirst === '1', sysfs, files)));
}
