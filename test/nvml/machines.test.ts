// SPDX-License-Identifier: MIT
//
// Described GPUs through the addon: what JavaScript is told, what it costs it, and what a region's energy is worth.
import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { startRecording } from '../../lib/measure/recording.js';
import { type Meter, openMeter } from '../../lib/meter/meter.js';
import { useWorkplace } from '../cli/fixtures.js';
import { fakeNvmlLibrary } from '../support/fake-nvml.js';

const place = useWorkplace();
let open: Meter | undefined;
afterEach(() => {
  open?.close();
  open = undefined;
  vi.unstubAllEnvs();
});

/** Options under which NVML is the described one, and nothing else is there. */
function describedBy(script: string) {
  const folder = place.newFolder();
  const file = folder.file('script');
  writeFileSync(file, script);
  vi.stubEnv('FAKE_NVML_SCRIPT', file);
  return { sysfs: folder.path, nvmlLibrary: fakeNvmlLibrary() ?? '', sources: ['nvml'] };
}

function meterOf(script: string): Meter {
  open = openMeter(describedBy(script));
  return open;
}

describe.skipIf(fakeNvmlLibrary() === undefined)('GPUs (needs a C compiler: apt-get install gcc)', () => {
  it('names the method of each, and adds boards alone', async () => {
    const meter = meterOf(
      'gpu Total\nperiod 0.02\n' +
        'gpu Power\nperiod 0.02\nanswers energy 3\npower 50\n' +
        'gpu Module\nsilent\nanswers module 0\nmodule-watts 300\nanswers energy 0\nperiod 0.02\n' +
        'gpu Memory\nperiod 0.02\nanswers memory 0\nmemory-watts 20\n' +
        'gpu Instances\nperiod 0.02\nmig 3\n',
    );
    const start = meter.read(true);
    await sleep(900);
    const deltas = meter.between(start, meter.read());
    expect(
      deltas.map(({ counter, status, method, inTotal }) => [counter.id, status, method, inTotal]),
    ).toEqual([
      ['nvml:0', 'ok', 'total energy', true],
      ['nvml:1', 'ok', 'instant power, integrated', true],
      ['nvml:2', 'not-supported', undefined, false],
      ['nvml:2:module', 'ok', 'total energy', false],
      ['nvml:3', 'ok', 'total energy', true],
      ['nvml:3:memory', 'ok', 'instant power, integrated', false],
      ['nvml:4', 'ok', 'total energy', true],
    ]);
    const watts = deltas.map(({ energyJoules = Number.NaN }) => energyJoules / 0.9);
    expect(watts[0]).toBeGreaterThan(90);
    expect(watts[1]).toBeGreaterThan(45);
    expect(watts[1]).toBeLessThan(60);
    expect(deltas[6]?.detail).toContain('3 MIG instances have no counters of their own');
  });

  it('says how long a region must be that is too short', async () => {
    const meter = meterOf('gpu A\nperiod 0.1\n');
    const opened = meter.read(true);
    await sleep(300);
    const [fresh] = meter.between(opened, meter.read());
    expect(fresh).toMatchObject({ status: 'ok', indicative: true });
    await sleep(500);
    let start = meter.read(true);
    await sleep(400);
    const [few] = meter.between(start, meter.read());
    expect(few).toMatchObject({ status: 'ok', indicative: true });
    expect(few?.detail).toMatch(
      /an indication only: it is updated every \d+.* ms, so make the region \d.*s long at least/,
    );
    start = meter.read(true);
    const [none] = meter.between(start, meter.read());
    expect(none).toMatchObject({ status: 'stale' });
    expect(none?.detail).toMatch(/it is updated every .* for 1 %/);
    start = meter.read(true);
    await sleep(1100);
    const [enough] = meter.between(start, meter.read());
    expect(enough).toMatchObject({ status: 'ok' });
    expect(enough).not.toHaveProperty('indicative');
  });

  it('flags short regions of power that never changes, whose updates cannot be seen', async () => {
    const meter = meterOf('gpu P\nanswers energy 3\npower 150\n');
    await sleep(1000);
    const start = meter.read(true);
    await sleep(350);
    const [delta] = meter.between(start, meter.read());
    expect(delta).toMatchObject({ status: 'ok', indicative: true });
    expect(delta?.detail).toContain('it is assumed to be updated every 100');
  });

  it('asks for longer regions of power that is told late', async () => {
    const meter = meterOf(
      'gpu Avg\nanswers energy 3\nanswers instant 3\nanswers usage 3\nsquare 300 20 0.7\n',
    );
    await sleep(1000);
    const start = meter.read(true);
    await sleep(1500);
    const [delta] = meter.between(start, meter.read());
    expect(delta).toMatchObject({ status: 'ok', indicative: true });
    expect(delta?.detail).toMatch(/it is updated every .*, .* late, so make the region/);
  });

  it('says why it refuses what a GPU tells', async () => {
    const meter = meterOf(
      'gpu A\nanswers energy 3\nlies 1500000\ngpu B\nstuck 0\nanswers instant 3\nanswers average 3\nanswers usage 3\n',
    );
    const [lies, stuck] = meter.list(meter.read());
    expect(lies).toMatchObject({
      status: 'implausible',
      detail: expect.stringContaining('which no GPU draws'),
    });
    expect(stuck).toMatchObject({ status: 'implausible', detail: expect.stringContaining('reads 0 J') });
  });

  it('is within 1 % of the truth over 41 updates', async () => {
    const meter = meterOf('gpu A\npower 150\ngpu B\nanswers energy 3\npower 70\n');
    const start = meter.read(true);
    await sleep(41 * 100);
    const end = meter.read();
    const seconds = Number(end.beforeNs - start.beforeNs) / 1e9;
    const [a = Number.NaN, b = Number.NaN] = meter
      .between(start, end)
      .map(({ energyJoules }) => energyJoules);
    expect(Math.abs(a / seconds / 150 - 1)).toBeLessThan(0.01);
    expect(Math.abs(b / seconds / 70 - 1)).toBeLessThan(0.01);
  });

  it('keeps what a GPU had counted that is lost on the way, and all others', async () => {
    const gpus = 'gpu NVIDIA G\nperiod 0.02\n'.repeat(8);
    const recording = startRecording(
      describedBy(`${gpus}fault energy after 60 code 15\nfault handle after 1 code 15\n`),
    );
    await sleep(2500);
    const { components, warnings } = recording.stop();
    const { gpu } = components;
    expect(gpu).toMatchObject({
      kind: 'measured',
      atLeast: true,
      method: 'difference of two counter readings',
    });
    expect(gpu.counters.map(({ status }) => status)).toEqual(new Array(8).fill('ok'));
    const [first = 0, lost = 0] = [gpu.counters[0]?.energyJoules, gpu.counters[7]?.energyJoules];
    expect(lost).toBeGreaterThan(5);
    expect(lost).toBeLessThan(first * 0.9);
    const warning = warnings.find(({ code }) => code === 'gpu-lost');
    expect(warning?.message).toContain('GPU is lost');
    expect(gpu.energyJoules).toBeCloseTo(
      gpu.counters.reduce((sum, one) => sum + (one.energyJoules ?? 0), 0),
      6,
    );
  });

  it('tells what reports need beside energy', async () => {
    const recording = startRecording(
      describedBy(
        'driver 570.10\ngpu NVIDIA A\nlimit 250000\nbusy 50 5\nmemory-bytes 1073741824 268435456\n' +
          'gpu NVIDIA A\nlimit 150000\nbusy 100 5\nmemory-bytes 1073741824 268435456\n',
      ),
    );
    await sleep(2300);
    const { machine } = recording.stop();
    expect(machine).toMatchObject({
      gpuCount: 2,
      gpuModel: '2 x NVIDIA A',
      gpuDriver: '570.10',
      gpuPowerLimitWatts: 400,
      gpuMemoryTotalGib: 2,
      gpuMemoryUsedGib: 0.5,
    });
    expect(machine.gpuUtilisationRatio).toBeCloseTo(0.75, 6);
  });

  it('reads without waiting for calls of 6.6 ms', async () => {
    const meter = meterOf('latency 0.0066\ngpu A\ngpu B\n');
    await sleep(300);
    const tookMs: number[] = [];
    for (let i = 0; i < 100; i++) {
      const before = performance.now();
      meter.sample();
      tookMs.push(performance.now() - before);
      await sleep(5);
    }
    expect(meter.timing(0).readCostNs).toBeGreaterThan(6e6);
    // Nothing here waits for the device: half of one call would show in most reads.
    tookMs.sort((a, b) => a - b);
    expect(tookMs[50]).toBeLessThan(1);
  });
});
