// SPDX-License-Identifier: MIT
//
// Several processes that measure themselves at the same time, each its own share: together they are no more than the machine.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { describe, expect, it } from 'vitest';
import type { Report } from '../../lib/index.js';
import {
  energyFile,
  microjoules,
  START_TICKS,
  TICKS_PER_JOULE,
  useWorkplace,
  zone,
} from '../cli/fixtures.js';

const place = useWorkplace();
const INDEX = new URL('../../dist/index.js', import.meta.url).href;
const PROCESSES = 3;
const JOULES = 600;

/** One process that starts when told, is busy until told, and prints its report. */
function busy(root: string) {
  const script = `
    import { EmissionsTracker } from ${JSON.stringify(INDEX)};
    import { createInterface } from 'node:readline';
    const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
    console.log('ready');
    await lines.next();
    const tracker = new EmissionsTracker({
      sysfs: ${JSON.stringify(root)}, nvmlLibrary: ${JSON.stringify(`${root}/no-nvml`)},
      output: [], ramWattsPerGib: 0.4, trackingMode: 'process', country: 'FR', flushSeconds: 0,
    }).start();
    console.log('started');
    let ended = false;
    const end = lines.next().then(() => { ended = true; });
    while (!ended) {
      for (const until = performance.now() + 20; performance.now() < until; );
      await new Promise((resolve) => setImmediate(resolve));
    }
    await end;
    console.log(JSON.stringify(await tracker.stop()));
    process.exit();`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => String((await lines.next()).value);
  return { next, tell: () => child.stdin.write('\n'), end: () => child.kill() };
}

describe.runIf(process.platform === 'linux')('processes that measure themselves at once', () => {
  it('have shares that add up to no more than the machine, and to most of what was busy', async () => {
    const machine = place.machine(zone('intel-rapl:0', 'package-0'));
    const all = Array.from({ length: PROCESSES }, () => busy(machine.root));
    const eachTells = (word: string) =>
      Promise.all(all.map(async ({ next }) => expect(await next()).toBe(word)));
    try {
      await eachTells('ready');
      for (const { tell } of all) tell();
      await eachTells('started');
      for (let n = 1; n <= 30; n++) {
        await new Promise((resolve) => setTimeout(resolve, 100));
        const ticks = START_TICKS + (n / 30) * JOULES * TICKS_PER_JOULE;
        machine.write(energyFile('intel-rapl:0'), `${microjoules(Math.round(ticks))}\n`);
      }
      for (const { tell } of all) tell();
      const reports = await Promise.all(
        all.map(async ({ next }): Promise<Report> => JSON.parse(await next())),
      );
      const attributions = reports.map(({ attribution }) => {
        if (attribution?.machineCpuSeconds === undefined) throw new Error('no attribution');
        return { ...attribution, machineCpuSeconds: attribution.machineCpuSeconds };
      });
      const sum = (pick: (one: (typeof attributions)[number]) => number) =>
        attributions.reduce((total, one) => total + pick(one), 0);
      const largest = Math.max(...attributions.map(({ machineCpuSeconds }) => machineCpuSeconds));
      const smallest = Math.min(...attributions.map(({ machineCpuSeconds }) => machineCpuSeconds));
      // Hundredths of a second at either end of each, and starts and stops that are not quite at once.
      const tolerance = 0.1 + (largest - smallest) / largest;
      const busyRatio = sum(({ cpuSeconds }) => cpuSeconds) / largest;
      expect(busyRatio).toBeLessThan(1 + tolerance);
      // Whatever else runs here, the three are a good part of it.
      expect(busyRatio).toBeGreaterThan(0.1);
      const cpuShareRatio = sum((one) => one.cpuShareRatio);
      expect(cpuShareRatio).toBeLessThan(1 + tolerance);
      // The counter spends evenly, so shares of energy are about those of time; others may come and go.
      expect(cpuShareRatio).toBeGreaterThan(busyRatio / 2);
      const joules = reports.reduce((total, { components }) => total + (components.cpu.energyJoules ?? 0), 0);
      expect(joules).toBeLessThan(JOULES * (1 + tolerance));
      for (const { cpuSeconds } of attributions) expect(cpuSeconds).toBeGreaterThan(0.1);
    } finally {
      for (const { end } of all) end();
    }
  }, 60_000);
});
