// SPDX-License-Identifier: MIT
import { afterEach, describe, expect, it, vi } from 'vitest';
import { startRecording } from '../../lib/measure/recording.js';
import { openMeter } from '../../lib/meter/meter.js';
import { fakeNvmlLibrary } from '../support/fake-nvml.js';
import { type FixtureMachine, writeMachine } from '../support/machine.js';
import { energyFile, printed, zone } from '../support/powercap.js';

let machine: FixtureMachine | undefined;

afterEach(() => machine?.cleanup());

function fixture(tree: Parameters<typeof writeMachine>[0]): FixtureMachine {
  machine = writeMachine(tree);
  return machine;
}

describe('startRecording', () => {
  it('measures what the counters moved, and glimpses on the way', () => {
    const { root, write } = fixture(zone('intel-rapl:0', 'package-0', printed(0)));
    const recording = startRecording({ sysfs: root, ramWattsPerGib: 0, sources: ['powercap'] });
    write(energyFile('intel-rapl:0'), printed(16_384));
    expect(recording.peek().energyJoules).toBe(1);
    write(energyFile('intel-rapl:0'), printed(3 * 16_384));
    const { components, durationSeconds } = recording.stop();
    expect(components.cpu).toMatchObject({ kind: 'measured', energyJoules: 3 });
    expect(durationSeconds).toBeGreaterThan(0);
    expect(() => recording.stop()).toThrow(expect.objectContaining({ code: 'ERR_TRACKER_STATE' }));
  });

  it('opens what takes down the power before the region begins', () => {
    const { root } = fixture(zone('intel-rapl:0', 'package-0', printed(0)));
    const meter = openMeter({ sysfs: root, sources: ['powercap'] });
    const [read, list] = [vi.spyOn(meter, 'read'), vi.spyOn(meter, 'list')];
    const timer = vi.spyOn(globalThis, 'setInterval');
    const recording = startRecording({ sysfs: root, sources: ['powercap'], meter, powerSeries: true });
    const begun = read.mock.invocationCallOrder[read.mock.calls.findIndex(([slowFirst]) => slowFirst)];
    expect(begun).toBe(Math.max(...read.mock.invocationCallOrder));
    for (const { mock } of [list, timer]) {
      expect(mock.invocationCallOrder).not.toEqual([]);
      expect(Math.max(...mock.invocationCallOrder)).toBeLessThan(begun ?? 0);
    }
    recording.stop();
    vi.restoreAllMocks();
    meter.close();
  });

  it('has laps without gaps, which come to the total', () => {
    const { root, write } = fixture(zone('intel-rapl:0', 'package-0', printed(0)));
    const recording = startRecording({ sysfs: root, ramWattsPerGib: 0, sources: ['powercap'] });
    let [joules, seconds] = [0, 0];
    for (const ticks of [16_384, 20_000, 90_000, 90_001]) {
      write(energyFile('intel-rapl:0'), printed(ticks));
      const { total, delta } = recording.lap();
      joules += delta.components.cpu.energyJoules ?? Number.NaN;
      seconds += delta.durationSeconds;
      expect(joules).toBeCloseTo(ticks / 16_384, 9);
      expect(total.components.cpu.energyJoules).toBe(ticks / 16_384);
      expect(seconds).toBeCloseTo(total.durationSeconds, 9);
    }
    recording.stop();
  });

  it.each([
    ['forward', 3_600_000],
    ['back', -86_400_000],
  ])('takes its duration from no clock that can be set, and says that one was: %s', (way, jumpMs) => {
    const { root, write } = fixture(zone('intel-rapl:0', 'package-0', printed(0)));
    const recording = startRecording({ sysfs: root, sources: ['powercap'] });
    write(energyFile('intel-rapl:0'), printed(16_384));
    const now = Date.now;
    vi.spyOn(Date, 'now').mockImplementation(() => now() + jumpMs);
    const { durationSeconds, components, warnings } = recording.stop();
    vi.restoreAllMocks();
    expect(durationSeconds).toBeGreaterThan(0);
    expect(durationSeconds).toBeLessThan(10);
    expect(components.cpu.energyJoules).toBe(1);
    expect(warnings.find(({ code }) => code === 'clock-jumped')?.message).toContain(`set ${way} by`);
  });

  it('says nothing of clocks that agree', () => {
    const { root } = fixture(zone('intel-rapl:0', 'package-0', printed(0)));
    const { warnings } = startRecording({ sysfs: root, sources: ['powercap'] }).stop();
    expect(warnings.map(({ code }) => code)).not.toContain('clock-jumped');
  });

  it('estimates when the counter vanishes in between, and says so', async () => {
    const { root, remove } = fixture(zone('intel-rapl:0', 'package-0', printed(7)));
    const recording = startRecording({ sysfs: root, sources: ['powercap'] });
    remove(energyFile('intel-rapl:0'));
    await new Promise((resolve) => setTimeout(resolve, 5));
    const { components, warnings } = recording.stop();
    expect(components.cpu.kind).not.toBe('measured');
    expect(components.cpu.counters).toMatchObject([{ status: 'not-found' }]);
    expect(warnings.find((warning) => warning.code === 'cpu-not-measured')?.message).toContain('vanished');
  });

  // Reads that take a twentieth of a second each are made by a thread of their own.
  it.skipIf(fakeNvmlLibrary() === undefined)(
    'keeps slow GPU reads out of the region (needs a C compiler: apt-get install gcc)',
    async () => {
      const fixtureMachine = fixture({
        ...zone('intel-rapl:0', 'package-0', printed(0)),
        'nvml.txt': 'latency 0.05\ngpu Fake\nperiod 0.01\n',
      });
      vi.stubEnv('FAKE_NVML_SCRIPT', `${fixtureMachine.root}/nvml.txt`);
      const recording = startRecording({ sysfs: fixtureMachine.root, nvmlLibrary: fakeNvmlLibrary() ?? '' });
      const peeksMs = Array.from({ length: 5 }, () => {
        const startedMs = performance.now();
        recording.peek();
        return performance.now() - startedMs;
      });
      // One call of the library takes 50 ms; a busy machine may keep some of ours waiting as long.
      expect(Math.min(...peeksMs)).toBeLessThan(40);
      await new Promise((resolve) => setTimeout(resolve, 900));
      fixtureMachine.write(energyFile('intel-rapl:0'), printed(16_384 * 20));
      const { components, durationSeconds } = recording.stop();
      vi.unstubAllEnvs();
      expect(durationSeconds).toBeLessThan(1.4);
      expect(components.cpu.energyJoules).toBe(20);
      expect(components.gpu.powerWatts).toBeGreaterThan(90);
      expect(components.gpu.powerWatts).toBeLessThan(110);
      expect(components.gpu.detail).toContain('scaled to the region');
    },
  );

  it('tells a bad option before the work, not after it', () => {
    expect(() => startRecording({ cpuWatts: -5 })).toThrow(
      expect.objectContaining({ code: 'ERR_BAD_OPTION' }),
    );
  });

  it('does not count GPUs where there is nowhere to look', () => {
    const { root } = fixture({ 'class/powercap': null });
    const nowhere = startRecording({ sysfs: root, sources: ['powercap'] }).stop();
    expect(nowhere.machine).not.toHaveProperty('gpuCount');
    expect(nowhere.components.gpu.method).toBe('not known');
  });

  it('describes GPUs of the bus that no counter stands for', () => {
    const { root } = fixture({
      'bus/pci/devices/0000:01:00.0/class': '0x030200\n',
      'bus/pci/devices/0000:01:00.0/vendor': '0x10de\n',
      'bus/pci/devices/0000:01:00.0/device': '0x1f97\n',
    });
    const { machine: described, components } = startRecording({ sysfs: root, sources: ['powercap'] }).stop();
    expect(described.gpuCount).toBe(1);
    expect(described.gpuModel).toMatch(/^1 x NVIDIA/);
    expect(components.gpu).toMatchObject({ kind: 'absent', atLeast: true });
  });
});

describe('a clock that is set', () => {
  afterEach(() => vi.restoreAllMocks());

  it.each([
    ['back', -7200_000],
    ['forward', 86_400_000],
  ])('%s changes neither duration nor energy, and is told', async (direction, byMs) => {
    const { root, write } = fixture(zone('intel-rapl:0', 'package-0', printed(0)));
    const recording = startRecording({ sysfs: root, ramWattsPerGib: 0, sources: ['powercap'] });
    const now = Date.now;
    vi.spyOn(Date, 'now').mockImplementation(() => now() + byMs);
    write(energyFile('intel-rapl:0'), printed(3 * 16_384));
    await new Promise((resolve) => setTimeout(resolve, 60));
    const { durationSeconds, components, warnings } = recording.stop();
    expect(components.cpu).toMatchObject({ kind: 'measured', energyJoules: 3 });
    expect(durationSeconds).toBeGreaterThan(0.05);
    expect(durationSeconds).toBeLessThan(5);
    expect(warnings.find(({ code }) => code === 'clock-jumped')?.message).toContain(`set ${direction} by`);
  });

  it('is not told of one that was not', () => {
    const { root } = fixture(zone('intel-rapl:0', 'package-0', printed(0)));
    const recording = startRecording({ sysfs: root, sources: ['powercap'] });
    expect(recording.stop().warnings.map(({ code }) => code)).not.toContain('clock-jumped');
  });
});
