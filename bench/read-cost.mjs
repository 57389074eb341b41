// SPDX-License-Identifier: MIT
//
// What one reading costs, in several ways, each in a process of its own. With arguments it is such a process:
// read-cost.mjs WAY SYSFS FILE... prints nanoseconds per pass.
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
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { alternate, median, row } from './stats.mjs';

const SELF = fileURLToPath(import.meta.url);
const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const PASSES = 500;
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

/** A function that takes one reading, as the one way or the other does it. */
async function reader(way, sysfs, files) {
  if (way === 'powercap' || way === 'perf') {
    const { openMeter } = await import('../dist/index.js');
    const meter = openMeter({ sysfs, sources: [way] });
    const failed = meter.list(meter.read()).find(({ status }) => status !== 'ok');
    const reason = failed?.detail ?? meter.sources.map(({ detail }) => detail).join();
    if (failed !== undefined || meter.counters.length !== files.length) throw new Error(reason);
    return () => meter.sample();
  }
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
  const batches = [];
  for (let batch = 0; batch < BATCHES; ++batch) {
    const start = process.hrtime.bigint();
    for (let pass = 0; pass < PASSES; ++pass) read();
    batches.push(Number(process.hrtime.bigint() - start) / PASSES);
  }
  return median(batches);
}

function number(command, args) {
  return Number(execFileSync('taskset', ['-c', CPU, command, ...args].map(String)));
}

/** One table: `ours` against the floor, its like in Node and Python, and the goals that are asked of it. */
function table(title, floorArgs, ours, sysfs, files, rounds, floor, judge) {
  const way = (name) => () => number(process.execPath, [SELF, name, sysfs, ...files]);
  const python = spawnSync('python3', ['--version']).status === 0;
  const script = here('read-files.py');
  const values = alternate(
    {
      floor: () => number(floor, floorArgs),
      ours: way(ours),
      readSync: way('readSync'),
      readFileSync: way('readFileSync'),
      ...(python ? { python: () => number('python3', [script, PASSES, BATCHES / 10, ...files]) } : {}),
    },
    rounds,
  );
  const rows = [
    row(ours === 'perf' ? 'bare C: clocks and `read`' : 'bare C: clocks and `pread`', values.floor, 'ns'),
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
  const binaries = mkdtempSync(path.join(os.tmpdir(), 'microjoule-floor-'));
  try {
    const floor = path.join(binaries, 'floor');
    execFileSync('cc', ['-O2', '-pthread', '-o', floor, here('floor.c')], { stdio: 'inherit' });
    const [one, five] = ['one', 'five'].map((name) => path.join(folder, name));
    const [oneFile, fiveFiles] = [writeZones(one, 1), writeZones(five, ZONES.length)];
    writeEvents(five);
    return [
      table(
        'One RAPL domain: a powercap zone',
        ['files', PASSES, BATCHES, ...oneFile],
        'powercap',
        one,
        oneFile,
        rounds,
        floor,
        ({ more, faster }) => goal([overFloor(more), overNode(faster, GOAL_RATIO_ONE)]),
      ),
      table(
        'Five RAPL domains: powercap zones',
        ['files', PASSES, BATCHES, ...fiveFiles],
        'powercap',
        five,
        fiveFiles,
        rounds,
        floor,
        () => undefined,
      ),
      table(
        'Five RAPL domains: one group of perf events (software events stand in)',
        ['group', PASSES, BATCHES, CPU, EVENTS.length],
        'perf',
        five,
        fiveFiles,
        rounds,
        floor,
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
    rmSync(binaries, { recursive: true });
  }
}

const [, main, name, sysfs, ...files] = process.argv;
if (main === SELF && sysfs !== undefined) console.log(nanosecondsPerPass(await reader(name, sysfs, files)));
