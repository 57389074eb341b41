// SPDX-License-Identifier: MIT
//
// GPUs that come and go, and drivers that are loaded anew, under an open meter, through the addon.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { startRecording } from '../../lib/measure/recording.js';
import { type CounterDelta, type Meter, openMeter } from '../../lib/meter/meter.js';
import { useWorkplace } from '../cli/fixtures.js';
import { fakeNvmlLibrary } from '../support/fake-nvml.js';

const LONG_MS = 60_000;
const place = useWorkplace();
const open: Meter[] = [];
afterEach(() => {
  for (const meter of open.splice(0)) meter.close();
  vi.unstubAllEnvs();
});

function describedBy(script: string) {
  const folder = place.newFolder();
  const file = folder.file('script');
  writeFileSync(file, script);
  vi.stubEnv('FAKE_NVML_SCRIPT', file);
  return { sysfs: folder.path, nvmlLibrary: fakeNvmlLibrary() ?? '', sources: ['nvml'] };
}

function keep(options: ReturnType<typeof describedBy>): Meter {
  const meter = openMeter(options);
  open.push(meter);
  return meter;
}

function writeSleepingGpu(sysfs: string, device: string, status: string): void {
  const folder = path.join(sysfs, device);
  mkdirSync(path.join(folder, 'power'), { recursive: true });
  writeFileSync(path.join(folder, 'vendor'), '0x10de\n');
  writeFileSync(path.join(folder, 'device'), '0x28e0\n');
  writeFileSync(path.join(folder, 'class'), '0x030000\n');
  writeFileSync(path.join(folder, 'power/runtime_status'), `${status}\n`);
}

async function eventually(what: () => boolean): Promise<void> {
  await vi.waitFor(() => expect(what()).toBe(true), { timeout: 30_000, interval: 50 });
}

/** Each counter's interval of so many milliseconds from now. */
async function over(meter: Meter, milliseconds: number): Promise<CounterDelta[]> {
  const start = meter.read(true);
  await sleep(milliseconds);
  return meter.between(start, meter.read());
}

const statuses = (deltas: CounterDelta[]): string[] =>
  deltas.map(({ counter, status }) => `${counter.id} ${status}`);
const watts = (deltas: CounterDelta[], ms: number) =>
  deltas.map(({ energyJoules = Number.NaN }) => (energyJoules / ms) * 1000);

describe.skipIf(fakeNvmlLibrary() === undefined)(
  'GPUs in time (needs a C compiler: apt-get install gcc)',
  () => {
    it('one that is added is read by meters opened from then on, beside those that are open', {
      timeout: LONG_MS,
    }, async () => {
      const options = describedBy('last-arrives 1\ngpu A\nperiod 0.02\ngpu B\nperiod 0.02\npower 50\n');
      const before = keep(options);
      const start = before.read(true);
      expect(before.counters.map(({ id }) => id)).toEqual(['nvml:0']);
      // NVML is asked for the number of GPUs every ten seconds.
      await eventually(() => {
        const later = openMeter(options);
        const count = later.counters.length;
        later.close();
        return count === 2;
      });
      const after = keep(options);
      expect(statuses(await over(after, 1000))).toEqual(['nvml:0 ok', 'nvml:1 ok']);
      const [whole] = before.between(start, before.read());
      expect(whole).toMatchObject({ status: 'ok' });
      expect(whole).not.toHaveProperty('incomplete');
    });

    it('one that goes leaves what it had counted, and goes on where it was when it returns', {
      timeout: LONG_MS,
    }, async () => {
      const script =
        'gpu A\nperiod 0.02\ngpu Gone\nperiod 0.02\nfault energy after 300 code 28 times 1\nfault handle after 1 code 28 times 2\n';
      const meter = keep(describedBy(script));
      const start = meter.read(true);
      let [away] = meter.between(start, meter.read()).slice(1);
      await eventually(() => {
        away = meter.between(start, meter.read())[1];
        return away?.incomplete === true;
      });
      expect(away).toMatchObject({ status: 'ok', incomplete: true });
      expect(away?.detail).toContain('GPU is gone');
      expect(away?.energyJoules).toBeGreaterThan(1);
      const beside = meter.between(start, meter.read())[0];
      expect(beside).toMatchObject({ status: 'ok' });
      expect(beside).not.toHaveProperty('incomplete');
      await eventually(() => meter.between(start, meter.read())[1]?.incomplete !== true);
      const both = meter.between(start, meter.read());
      expect(statuses(both)).toEqual(['nvml:0 ok', 'nvml:1 ok']);
      // Its total went on while nobody could read it.
      const [first = 0, returned = 0] = both.map(({ energyJoules }) => energyJoules);
      expect(Math.abs(returned / first - 1)).toBeLessThan(0.1);
    });

    it('a driver that is loaded anew costs what it hid, and nothing else', {
      timeout: LONG_MS,
    }, async () => {
      const gpu = 'gpu NVIDIA R\nperiod 0.02\nfault energy after 60 code 1 times 1\nrestarts 0.9\n';
      const meter = keep(describedBy(gpu + gpu));
      const start = meter.read(true);
      await sleep(2500);
      const end = meter.read();
      const across = meter.between(start, end);
      for (const { energyJoules = Number.NaN, detail, ...delta } of across) {
        expect(delta).toMatchObject({ status: 'ok', incomplete: true });
        expect(detail).toContain('began anew');
        expect(energyJoules).toBeGreaterThan(100);
        expect(energyJoules).toBeLessThan(260);
      }
      const after = await over(meter, 1000);
      expect(statuses(after)).toEqual(['nvml:0 ok', 'nvml:1 ok']);
      for (const each of watts(after, 1000)) expect(Math.abs(each / 100 - 1)).toBeLessThan(0.1);
    });

    it('a driver that is loaded anew in a recording is told, and its energy is not made up', {
      timeout: LONG_MS,
    }, async () => {
      const recording = startRecording(describedBy('gpu NVIDIA R\nperiod 0.02\nrestarts 0.7\n'));
      await sleep(1500);
      const { gpu } = recording.stop().components;
      expect(gpu).toMatchObject({ kind: 'measured', atLeast: true });
      expect(gpu.energyJoules).toBeGreaterThan(50);
      expect(gpu.energyJoules).toBeLessThan(160);
      expect(JSON.stringify(gpu)).toContain('began anew');
    });

    it('one that wakes in a region is counted from then on', { timeout: LONG_MS }, async () => {
      const options = describedBy('gpu Laptop\nperiod 0.02\npower 80\n');
      const asleep = 'bus/pci/devices/0000:01:00.0';
      const status = (text: string) => writeSleepingGpu(options.sysfs, asleep, text);
      status('suspended');
      const recording = startRecording(options);
      await sleep(300);
      status('active');
      await sleep(3500);
      const { gpu } = recording.stop().components;
      expect(gpu).toMatchObject({ kind: 'measured', atLeast: true });
      expect(gpu.energyJoules).toBeGreaterThan(80);
      expect(gpu.energyJoules).toBeLessThan(310);
      expect(JSON.stringify(gpu)).toContain('could not be read at the start');
    });

    it('a driver that cannot begin now is tried again by whoever opens a meter later', async () => {
      const options = describedBy('init 18 times 1\ngpu A\nperiod 0.02\n');
      const first = keep(options);
      expect(first.sources[0]).toMatchObject({ status: 'failed', counters: [] });
      expect(first.sources[0]?.detail).toContain('restart the machine');
      // It stays open: a library that is loaded again would begin its script anew.
      expect(statuses(await over(keep(options), 600))).toEqual(['nvml:0 ok']);
    });
  },
);
