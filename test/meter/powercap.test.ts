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

const MODALIAS = 'devices/system/cpu/modalias';

describe('powercap', () => {
  it('corrects the DRAM of Sapphire Rapids, and says so', () => {
    const { meter, machine } = start({
      [MODALIAS]: 'cpu:type:x86,ven0000fam0006mod008F:feature:,0000\n',
      ...zone('intel-rapl:0', 'package-0', printed(0)),
      ...zone('intel-rapl:0:0', 'dram', printed(0, 15_300), RANGE_15_UJ),
    });
    machine.write(energyFile('intel-rapl:0:0'), printed(16_384 * 5, 15_300));
    const dram = meter.between(meter.opened, meter.read())[1];
    expect(dram).toMatchObject({ status: 'ok', energyJoules: 5, inTotal: true });
    expect(dram?.detail).toMatch(/corrected to 2\^-14 J/);
  });

  it('takes the core zone of AMD for one core only', () => {
    const { meter, machine } = start({
      [MODALIAS]: 'cpu:type:x86,ven0002fam0019mod0001:feature:,007D\n',
      ...zone('intel-rapl:0', 'package-0', printed(0)),
      ...zone('intel-rapl:0:0', 'core', printed(0)),
    });
    machine.write(energyFile('intel-rapl:0:0'), printed(16_384));
    const core = meter.between(meter.opened, meter.read())[1];
    expect(core).toMatchObject({ status: 'ok', energyJoules: 1, inTotal: false });
    expect(core?.counter.domain).toBe('other');
    expect(core?.detail).toMatch(/one core only/);
  });

  it('goes on with a zone that comes back, without the time between', () => {
    const { meter, machine } = start({
      ...zone('intel-rapl:0', 'package-0', printed(5000)),
      ...zone('intel-rapl:1', 'package-1', printed(900_000)),
    });
    machine.remove(energyFile('intel-rapl:0'));
    machine.write(energyFile('intel-rapl:0'), printed(6000));
    machine.write(energyFile('intel-rapl:1'), printed(900_000 + 16_384));
    const back = meter.read();
    const [lost, other] = meter.between(meter.opened, back);
    expect(lost).toMatchObject({ status: 'implausible', inTotal: false });
    expect(lost?.detail).toMatch(/began anew/);
    expect(other).toMatchObject({ status: 'ok', energyJoules: 1 });
    machine.write(energyFile('intel-rapl:0'), printed(6000 + 16_384 * 3));
    expect(meter.between(back, meter.read())[0]).toMatchObject({ status: 'ok', energyJoules: 3 });
  });

  it('never makes energy negative, however large the first count is', () => {
    const { meter, machine } = start(zone('intel-rapl:0', 'package-0', '18446744073709551615\n', '0\n'));
    machine.write(energyFile('intel-rapl:0'), '5\n');
    const low = meter.read();
    expect(meter.between(meter.opened, low)[0]).toMatchObject({ status: 'implausible' });
    machine.write(energyFile('intel-rapl:0'), '1000005\n');
    expect(meter.between(low, meter.read())[0]).toMatchObject({ status: 'ok', energyJoules: 1 });
  });
});
