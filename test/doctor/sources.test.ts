// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import type { Status } from '../../lib/core/vocabulary.js';
import { type FoundSource, judgeSources } from '../../lib/doctor/sources.js';
import { context, counter, GUEST, lostMeter } from './fixtures.js';

const found = (source: string, status: Status, detail = ''): FoundSource => ({
  source,
  status,
  detail,
  counters: [],
});

describe('judgeSources', () => {
  const zone = (status: Status, detail = '') => ({
    id: `powercap:${detail}`,
    domain: 'package' as const,
    device: 0,
    origin: '/sys/x',
    status,
    detail,
  });

  it('takes the status of the counters where all are lost', () => {
    const counters = [zone('no-permission', 'a may not be read'), zone('no-permission', 'b may not be read')];
    const [judged] = judgeSources([{ ...found('powercap', 'ok'), counters }], context());
    expect(judged?.status).toBe('no-permission');
    expect(judged?.reason).toBe('2 of 2 counters cannot be read. a may not be read.');
    expect(judged?.fixes).toHaveLength(1);
  });

  it('lets a source that says why speak for its counters, and says once what holds for all', () => {
    const lost = {
      ...found('perf', 'no-permission', 'refused'),
      counters: [zone('no-permission', 'refused, too')],
    };
    const open = context({ perfEventParanoid: 0 });
    expect(judgeSources([lost], open)[0]?.reason).toMatch(/^refused\. kernel/);
    const inGuest = judgeSources(
      [found('perf', 'not-found'), found('powercap', 'not-found'), found('msr', 'virtualised')],
      context({ cpuModalias: GUEST }),
    );
    expect(inGuest.filter(({ reason }) => reason.includes('QEMU'))).toHaveLength(1);
    expect(inGuest.filter(({ reason }) => reason.includes('inside a virtual machine'))).toHaveLength(1);
    // Where one works there is no more to say.
    const one = judgeSources(
      [found('perf', 'not-found'), { ...found('msr', 'ok'), counters: [zone('ok')] }],
      context({ cpuModalias: GUEST }),
    );
    expect(one[0]?.reason).not.toContain('QEMU');
  });

  it('gives no advice that does not hold in a virtual machine', () => {
    const details = [
      'x: No such file, so the kernel offers none. On bare metal try modprobe a; in a container mount b',
      'x does not exist: load the driver with modprobe msr; in a container pass the devices in',
      'x does not exist: this is a virtual machine, which seldom has energy counters; measure on its host',
    ];
    for (const status of ['not-found', 'not-supported'] as const) {
      for (const detail of details) {
        const [judged] = judgeSources([found('powercap', status, detail)], context({ cpuModalias: GUEST }));
        expect(judged?.reason).toMatch(/^x.*(none|exist|counters)\. Nothing can be done/);
        expect(judged?.reason).not.toContain('modprobe');
        expect(judgeSources([found('powercap', status, detail)], context())[0]?.reason).toContain(detail);
      }
    }
  });

  it('keeps the words of Windows whole in a virtual machine, and says once where to measure', () => {
    const none = 'Windows shows no energy meter: none in a virtual machine; on Windows 10 only some have one';
    const found2 = [found('emi', 'not-found', none), found('emi-core', 'not-found', none)];
    const guest = { platform: 'win32', cpuModalias: '', dmiVendor: 'VMware, Inc.' };
    const [emi, cores] = judgeSources(found2, context(guest));
    expect(emi?.reason).toBe(
      `${none}. Nothing can be done inside a virtual machine: measure on its host; here estimates are used.`,
    );
    expect(cores?.reason).toBe(`${none}. Not needed: what it adds is inside the packages.`);
    const real = judgeSources(found2, context({ ...guest, dmiVendor: 'LENOVO' }));
    expect(real[0]?.reason).toBe(`${none}.`);
  });

  it('needs no energy of single cores, of any interface', () => {
    for (const source of ['perf-core', 'msr-core', 'emi-core']) {
      const [judged] = judgeSources([found(source, 'not-found', 'x')], context({ platform: 'win32' }));
      expect(judged).toMatchObject({ needed: false, reason: expect.stringContaining('inside the packages') });
    }
  });

  it('is ok where some can be read, and still helps the others', () => {
    const counters = [zone('ok'), zone('no-permission', 'b may not be read')];
    const [judged] = judgeSources([{ ...found('powercap', 'ok'), counters }], context());
    expect(judged).toMatchObject({ status: 'ok', needed: true, reason: 'b may not be read.' });
    expect(judged?.fixes).toHaveLength(1);
  });

  it('loads no driver for one counter that is missing, and looks why one failed in the test', () => {
    const looks = [{ commands: ['sudo dmesg | grep -i rapl'] }];
    const partly = { ...found('powercap', 'ok'), counters: [zone('ok'), zone('not-found', 'gone')] };
    expect(judgeSources([partly], context())[0]?.fixes).toMatchObject(looks);
    const whole = { ...found('powercap', 'ok'), counters: [{ ...zone('ok'), id: 'powercap:intel-rapl:1' }] };
    const failed = counter({ id: 'powercap:intel-rapl:1', status: 'failed', inTotal: false });
    expect(judgeSources([whole], context(), [failed], [lostMeter()])[0]?.fixes).toMatchObject(looks);
    expect(judgeSources([whole], context(), [failed])[0]?.fixes).toEqual([]);
  });

  it('thinks again after the test', () => {
    const at = context({ cpuModalias: GUEST });
    const readable = {
      ...found('powercap', 'ok'),
      counters: [{ ...zone('ok'), id: 'powercap:intel-rapl:0' }],
    };
    const afterTest = (...tests: Parameters<typeof judgeSources>[2] & object) =>
      judgeSources([readable], at, tests)[0];
    const still = counter({ moved: false, status: 'stale' });
    expect(afterTest(still)).toMatchObject({
      status: 'stale',
      reason: expect.stringMatching(/^It can be read, and does not move.*Virtual machines may list/),
    });
    expect(afterTest(counter())).toEqual(afterTest());
    expect(afterTest(counter({ moved: false, status: 'failed' }))?.status).toBe('failed');
  });

  it('asks for another source where the first was seen not to move', () => {
    const perf = { ...found('perf', 'ok'), counters: [{ ...zone('ok'), id: 'perf:energy-pkg:0' }] };
    const still = counter({ id: 'perf:energy-pkg:0', source: 'perf', moved: false, status: 'stale' });
    const sources = judgeSources([perf, found('powercap', 'no-permission')], context(), [still]);
    expect(sources[0]).toMatchObject({ status: 'stale' });
    expect(sources[1]).toMatchObject({ needed: true, reason: expect.not.stringContaining('Not needed') });
    expect(sources[1]?.fixes).toHaveLength(1);
  });

  it('asks for another source where it lists a meter that the first lost', () => {
    const perf = { ...found('perf', 'ok'), counters: [zone('ok'), zone('failed')] };
    const denied = found('powercap', 'no-permission');
    const needed = (sources: string[]) =>
      judgeSources([perf, denied], context(), [], [lostMeter({ sources })])[1]?.needed;
    expect(needed(['perf', 'powercap'])).toBe(true);
    expect(needed(['perf'])).toBe(false);
  });

  it('does not ask for what another source reads already', () => {
    const perf = { ...found('perf', 'ok'), counters: [zone('ok')] };
    const [, powercap, core] = judgeSources(
      [perf, found('powercap', 'no-permission'), found('perf-core', 'no-permission')],
      context(),
    );
    expect(powercap).toMatchObject({ needed: false, reason: expect.stringContaining('perf reads the same') });
    expect(core).toMatchObject({ needed: false, reason: expect.stringContaining('inside the packages') });
  });
});
