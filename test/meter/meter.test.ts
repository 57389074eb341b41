// SPDX-License-Identifier: MIT
import { afterEach, describe, expect, it } from 'vitest';
import { type Meter, openMeter } from '../../lib/meter/meter.js';
import { type FixtureMachine, writeMachine } from '../support/machine.js';
import { energyFile, printed, RANGE_15_UJ, zone } from '../support/powercap.js';

const open: { meter?: Meter; machine?: FixtureMachine } = {};

afterEach(() => {
  open.meter?.close();
  open.machine?.cleanup();
});

function start(tree: Parameters<typeof writeMachine>[0]): { meter: Meter; machine: FixtureMachine } {
  const machine = writeMachine(tree);
  const meter = openMeter({ sysfs: machine.root, sources: ['powercap'] });
  Object.assign(open, { meter, machine });
  return { meter, machine };
}

/** Energies in joules by counter, undefined where there is none. */
function energies(meter: Meter): Record<string, number | undefined> {
  const deltas = meter.between(meter.opened, meter.read());
  return Object.fromEntries(deltas.map((delta) => [delta.counter.id, delta.energyJoules]));
}

describe('openMeter', () => {
  it('gives each counter its exact energy', () => {
    const { meter, machine } = start({
      ...zone('intel-rapl:0', 'package-0', printed(1000)),
      ...zone('intel-rapl:0:0', 'dram', printed(50, 15_300), RANGE_15_UJ),
    });
    machine.write(energyFile('intel-rapl:0'), printed(1000 + 16_384 * 7));
    machine.write(energyFile('intel-rapl:0:0'), printed(50 + 1_000_000, 15_300));
    expect(energies(meter)).toEqual({ 'powercap:intel-rapl:0': 7, 'powercap:intel-rapl:0:0': 15.3 });
    expect(meter.joulesSinceOpen()).toEqual([7, 15.3]);
  });

  it('extends a wrap', () => {
    const { meter, machine } = start(zone('intel-rapl:0', 'package-0', printed(2 ** 32 - 16_384)));
    machine.write(energyFile('intel-rapl:0'), printed(16_384));
    expect(energies(meter)).toEqual({ 'powercap:intel-rapl:0': 2 });
  });

  it('refuses a fall that no wrap explains', () => {
    const { meter, machine } = start(zone('intel-rapl:0', 'package-0', printed(2 ** 31)));
    machine.write(energyFile('intel-rapl:0'), printed(5));
    const [delta] = meter.between(meter.opened, meter.read());
    expect(delta).toMatchObject({ status: 'implausible', inTotal: false });
    expect(delta?.detail).toMatch(/reset/);
    expect(delta).not.toHaveProperty('energyJoules');
  });

  it('refuses a jump that no power explains', () => {
    const { meter, machine } = start(zone('intel-rapl:0', 'package-0', printed(0)));
    machine.write(energyFile('intel-rapl:0'), printed(200_000 * 16_384));
    const [delta] = meter.between(meter.opened, meter.read());
    expect(delta).toMatchObject({ status: 'implausible', inTotal: false });
    expect(delta?.detail).toMatch(/1000 W/);
  });

  it('counts dies once that repeat the counter of their socket, an update apart', () => {
    const { meter, machine } = start({
      ...zone('intel-rapl:0', 'package-0-die-0', printed(1_000_000)),
      ...zone('intel-rapl:1', 'package-0-die-1', printed(1_000_500)),
      ...zone('intel-rapl:2', 'package-1-die-0', printed(5_000_000)),
      ...zone('intel-rapl:3', 'package-1-die-1', printed(9_000_000)),
    });
    for (const [index, ticks] of [1_016_384, 1_016_900, 5_016_384, 9_016_384].entries()) {
      machine.write(energyFile(`intel-rapl:${index}`), printed(ticks));
    }
    const total = meter.between(meter.opened, meter.read()).filter((delta) => delta.inTotal);
    expect(total.map((delta) => delta.counter.id)).toEqual([
      'powercap:intel-rapl:0',
      'powercap:intel-rapl:2',
      'powercap:intel-rapl:3',
    ]);
  });

  it('parts dies that stood alike at open and then count differently', () => {
    const { meter, machine } = start({
      ...zone('intel-rapl:0', 'package-0-die-0', printed(1000)),
      ...zone('intel-rapl:1', 'package-0-die-1', printed(1000)),
    });
    machine.write(energyFile('intel-rapl:0'), printed(1000 + 16_384 * 10));
    machine.write(energyFile('intel-rapl:1'), printed(1000 + 16_384 * 30));
    const inTotal = () => meter.between(meter.opened, meter.read()).filter((delta) => delta.inTotal);
    expect(inTotal().map((delta) => delta.energyJoules)).toEqual([10, 30]);
    expect(inTotal()).toHaveLength(2);
  });

  it('calls a counter that stands still stale, not 0 J', () => {
    const { meter } = start(zone('intel-rapl:0', 'package-0', printed(5)));
    const [delta] = meter.between(meter.opened, meter.read());
    expect(delta).toMatchObject({ status: 'stale', inTotal: false });
    expect(delta).not.toHaveProperty('energyJoules');
  });

  it('goes on with the other zones when one fails, and picks up when it comes back', () => {
    const { meter, machine } = start({
      ...zone('intel-rapl:0', 'package-0', printed(100)),
      ...zone('intel-rapl:1', 'package-1', printed(100)),
    });
    machine.write(energyFile('intel-rapl:0'), 'broken\n');
    machine.write(energyFile('intel-rapl:1'), printed(100 + 16_384));
    expect(energies(meter)).toEqual({ 'powercap:intel-rapl:0': undefined, 'powercap:intel-rapl:1': 1 });
    machine.write(energyFile('intel-rapl:0'), printed(100 + 32_768));
    expect(energies(meter)).toEqual({ 'powercap:intel-rapl:0': 2, 'powercap:intel-rapl:1': 1 });
  });

  it('lists what each counter has counted', () => {
    const { meter } = start(zone('intel-rapl:0', 'package-0', printed(16_384 * 3)));
    expect(meter.list(meter.read())).toMatchObject([{ energyJoules: 3, inTotal: true, status: 'ok' }]);
  });

  it('says which sources there are when one is not known', () => {
    expect(() => openMeter({ sources: ['powercup'] })).toThrow(
      expect.objectContaining({ code: 'ERR_BAD_OPTION', hint: expect.stringContaining('powercap') }),
    );
  });

  it('shares one native meter, and each handle closes by itself', () => {
    const { meter, machine } = start(zone('intel-rapl:0', 'package-0', printed(1)));
    const second = openMeter({ sysfs: machine.root, sources: ['powercap'] });
    second.close();
    expect(() => second.read()).toThrow(expect.objectContaining({ code: 'ERR_METER_CLOSED' }));
    expect(meter.read().counters).toHaveLength(1);
  });

  it('reads into shared words without a copy', () => {
    const { meter, machine } = start(zone('intel-rapl:0', 'package-0', printed(1)));
    machine.write(energyFile('intel-rapl:0'), printed(41));
    meter.sample();
    expect(meter.words[3]).toBe(41n);
    expect(meter.words.buffer).toBeInstanceOf(SharedArrayBuffer);
    const [before = 0n, after = 0n] = meter.words;
    expect(before <= after && after <= process.hrtime.bigint()).toBe(true);
  });
});
