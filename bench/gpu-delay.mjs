// SPDX-License-Identifier: MIT
//
// What GPUs whose every call takes milliseconds cost everything else: the event loop's delay, and the reads of the CPU
// sampler at 1 kHz, with and without them, in turn. A minute and a half;
// the exit code is 1 when a goal is missed or cannot be shown. The GPUs are the fake of test/fake-nvml; run the tests once, which build it.
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { openMeter } from '../dist/index.js';
import { openSampler } from '../dist/meter/sampler.js';
import { median, medianInterval, medianUpperBound } from './stats.mjs';

const SECONDS = 2;
const BLOCKS = 24;
const RATE_HZ = 1000;
const MOST_MORE_MS = 0.2;
/** Of the sampler's reads. */
const MOST_LEFT_OUT = 0.01;
const nvmlLibrary = fileURLToPath(new URL('../build/test/libfake-nvml.so', import.meta.url));
if (!existsSync(nvmlLibrary)) throw new Error('the fake NVML is not built: npx vitest run test/nvml');

const sysfs = mkdtempSync(path.join(os.tmpdir(), 'microjoule-bench-'));
const zone = path.join(sysfs, 'class/powercap/intel-rapl:0');
mkdirSync(zone, { recursive: true });
writeFileSync(path.join(zone, 'name'), 'package-0\n');
writeFileSync(path.join(zone, 'max_energy_range_uj'), '262143328850\n');
writeFileSync(path.join(zone, 'energy_uj'), '123456789012\n');
writeFileSync(path.join(sysfs, 'script'), 'latency 0.0066\ngpu A\ngpu B\n');
process.env.FAKE_NVML_SCRIPT = path.join(sysfs, 'script');

/** One round: the meter is read every 5 ms, with the GPUs or without. */
async function round(withGpus) {
  const meter = openMeter({ sysfs, nvmlLibrary, sources: withGpus ? ['powercap', 'nvml'] : ['powercap'] });
  const sampler = openSampler({ sysfs, sources: ['powercap'], rateHz: RATE_HZ, track: false });
  sampler.start();
  const delay = monitorEventLoopDelay({ resolution: 1 });
  await sleep(200);
  const before = sampler.threads()[0];
  const startMs = performance.now();
  delay.enable();
  while (performance.now() - startMs < SECONDS * 1000) {
    meter.sample();
    await sleep(5);
  }
  delay.disable();
  const seconds = (performance.now() - startMs) / 1000;
  const after = sampler.threads()[0];
  const timing = withGpus ? meter.timing(meter.counters.findIndex(({ id }) => id === 'nvml:0')) : {};
  sampler.close();
  meter.close();
  return {
    callMs: (timing.readCostNs ?? 0) / 1e6,
    p99Ms: delay.percentile(99) / 1e6,
    readsPerSecond: (after.readCount - before.readCount) / seconds,
    overslept: after.oversleptCount - before.oversleptCount,
  };
}

const results = { without: [], with: [] };
/** What the GPUs add, block by block: without, with, with, without, so that a drift of the machine meets both alike. */
const more = { p99Ms: [], overslept: [] };
for (let block = 0; block < BLOCKS; block++) {
  const order =
    block % 2 === 0 ? ['without', 'with', 'with', 'without'] : ['with', 'without', 'without', 'with'];
  const found = { without: [], with: [] };
  for (const which of order) found[which].push(await round(which === 'with'));
  for (const name of Object.keys(more)) {
    const mean = (which) => (found[which][0][name] + found[which][1][name]) / 2;
    more[name].push(mean('with') - mean('without'));
  }
  for (const which of ['without', 'with']) results[which].push(...found[which]);
}
rmSync(sysfs, { recursive: true, force: true });
const of = (which, name) => median(results[which].map((one) => one[name]));
for (const [name, digits, unit] of [
  ['p99Ms', 3, 'ms: event-loop delay, 99 %'],
  ['readsPerSecond', 1, `reads a second of the CPU sampler, of ${RATE_HZ}`],
  ['overslept', 0, `reads of it left out in ${SECONDS} s`],
]) {
  console.log(
    `${of('without', name).toFixed(digits)} without GPUs, ${of('with', name).toFixed(digits)} with: ${unit}`,
  );
}

// The upper end decides: a machine too busy to tell has not reached a goal.
const goals = [
  ['p99Ms', 3, MOST_MORE_MS, 'ms more event-loop delay (99 %)'],
  [
    'overslept',
    1,
    MOST_LEFT_OUT * RATE_HZ * SECONDS,
    `more reads of the CPU sampler left out in ${SECONDS} s`,
  ],
].map(([name, digits, most, text]) => {
  const [low, high] = medianInterval(more[name]).map((one) => one.toFixed(digits));
  const bound = medianUpperBound(more[name]);
  const isReached = bound <= most;
  const verdict = isReached ? 'reached' : median(more[name]) <= most ? 'NOT RESOLVED' : 'MISSED';
  console.log(
    `${verdict}: ${median(more[name]).toFixed(digits)} ${text} (95 %: ${low} to ${high}); goal: below ${most}, shown to be so`,
  );
  return isReached;
});
const slowest = Math.min(...results.with.map((one) => one.callMs));
console.log(`(a pass over the GPUs took their thread ${slowest.toFixed(1)} ms or more)`);
process.exitCode = goals.every((reached) => reached) ? 0 : 1;
