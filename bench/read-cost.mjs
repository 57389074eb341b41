// SPDX-License-Identifier: MIT
//
// What one reading of a machine with six RAPL zones costs, in four ways, each in a process of its own.
// With arguments it is such a process: read-cost.mjs WAY SYSFS prints nanoseconds per pass.
import { execFileSync } from 'node:child_process';
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
const FLOOR = fileURLToPath(new URL('floor.c', import.meta.url));
const PASSES = 500;
const BATCHES = 100;
const DOMAINS = ['package', 'core', 'dram'];

/** Writes two packages of three domains each; returns the files to read. */
function writeMachine(sysfs) {
  const files = [];
  for (const cpu of [0, 1]) {
    for (const [index, domain] of DOMAINS.entries()) {
      const zone = domain === 'package' ? `intel-rapl:${cpu}` : `intel-rapl:${cpu}:${index - 1}`;
      const folder = path.join(sysfs, 'class/powercap', zone);
      mkdirSync(folder, { recursive: true });
      writeFileSync(path.join(folder, 'name'), domain === 'package' ? `package-${cpu}\n` : `${domain}\n`);
      writeFileSync(path.join(folder, 'max_energy_range_uj'), '262143328850\n');
      writeFileSync(path.join(folder, 'energy_uj'), `${123456789012 + cpu * 1000 + index}\n`);
      files.push(path.join(folder, 'energy_uj'));
    }
  }
  return files;
}

/** A function that takes one reading, as the one way or the other does it. */
async function reader(way, files, sysfs) {
  if (way === 'meter') {
    const { openMeter } = await import('../dist/index.js');
    const meter = openMeter({ sysfs, sources: ['powercap'] });
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

export function measure({ rounds }) {
  // In memory where there is such a file system: a disk's would add its own cost.
  const base = existsSync('/dev/shm') ? '/dev/shm' : os.tmpdir();
  const folder = mkdtempSync(path.join(base, 'microjoule-bench-'));
  try {
    const files = writeMachine(folder);
    const floor = path.join(mkdtempSync(path.join(os.tmpdir(), 'microjoule-floor-')), 'floor');
    execFileSync('cc', ['-O2', '-pthread', '-o', floor, FLOOR], { stdio: 'inherit' });
    const way = (name) => () => Number(execFileSync(process.execPath, [SELF, name, folder, ...files]));
    const values = alternate(
      {
        floor: () => Number(execFileSync(floor, [PASSES, BATCHES, ...files].map(String))),
        meter: way('meter'),
        readSync: way('readSync'),
        readFileSync: way('readFileSync'),
      },
      rounds,
    );
    rmSync(path.dirname(floor), { recursive: true });
    return {
      title: `One reading of ${files.length} RAPL zones`,
      rows: [
        row('bare C: clocks and `pread`', values.floor, 'ns'),
        row('`meter.sample()`', values.meter, 'ns', values.floor),
        row('`fs.readSync`, kept descriptors', values.readSync, 'ns', values.floor),
        row('`fs.readFileSync`', values.readFileSync, 'ns', values.floor),
      ],
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const [, main, name, sysfs, ...files] = process.argv;
if (main === SELF && sysfs !== undefined) console.log(nanosecondsPerPass(await reader(name, files, sysfs)));
