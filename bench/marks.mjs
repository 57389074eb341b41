// SPDX-License-Identifier: MIT
//
// What marking a region costs: begin() and end(), beside reading the clock and performance.mark(). The counter is a file that
// never moves, so that no region is told; marks do not know that.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { alternate, row } from './stats.mjs';

const COUNT = 1000;
const GOAL_NS = 200;

function writeZone(sysfs) {
  const zone = path.join(sysfs, 'class/powercap/intel-rapl:0');
  mkdirSync(zone, { recursive: true });
  writeFileSync(path.join(zone, 'name'), 'package-0\n');
  writeFileSync(path.join(zone, 'max_energy_range_uj'), '262143328850\n');
  writeFileSync(path.join(zone, 'energy_uj'), '123456789012\n');
}

/** Nanoseconds a time of so many. */
function each(work) {
  const start = process.hrtime.bigint();
  for (let i = 0; i < COUNT; ++i) work(i);
  return Number(process.hrtime.bigint() - start) / COUNT;
}

export async function measure({ rounds }) {
  const sysfs = mkdtempSync(path.join(os.tmpdir(), 'microjoule-marks-'));
  writeZone(sysfs);
  const { openMeter } = await import('../dist/index.js');
  const meter = openMeter({ sysfs, sources: ['powercap'] });
  const regions = [];
  const pending = [];
  try {
    meter
      .begin('first')
      .end()
      .catch(() => {});
    const ways = {
      clock: () => each(() => process.hrtime.bigint()),
      begin: () => {
        regions.length = 0;
        return each(() => regions.push(meter.begin('x')));
      },
      end: () => {
        pending.length = 0;
        return each((i) => pending.push(regions[i]?.end()));
      },
      mark: () => {
        performance.clearMarks();
        return each(() => performance.mark('x'));
      },
    };
    const values = { clock: [], begin: [], end: [], mark: [] };
    // The first rounds are the compiler's.
    for (let round = 0; round < rounds + 10; ++round) {
      const found = alternate(ways, 1);
      for (const one of pending) one?.catch(() => {});
      // Each round in a turn of its own, as marks in a program are.
      await new Promise((resolve) => setImmediate(resolve));
      if (round < 10) continue;
      for (const name of Object.keys(values)) values[name].push(...found[name]);
    }
    const begin = row('`meter.begin()`', values.begin, 'ns', values.clock);
    const end = row('`region.end()`', values.end, 'ns', values.clock);
    return {
      title: 'Marks',
      rows: [
        row('`process.hrtime.bigint()`', values.clock, 'ns'),
        begin,
        end,
        row('`performance.mark()`', values.mark, 'ns', values.clock),
      ],
      goal: {
        text: `begin() and end() take under ${GOAL_NS} ns each`,
        reached: begin.median < GOAL_NS && end.median < GOAL_NS,
        value: `${begin.median.toFixed(0)} ns and ${end.median.toFixed(0)} ns`,
      },
    };
  } finally {
    meter.close();
    rmSync(sysfs, { recursive: true, force: true });
  }
}
