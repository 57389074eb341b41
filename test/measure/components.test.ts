// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import type { Domain, Status } from '../../lib/core/vocabulary.js';
import { buildComponents, type Evidence } from '../../lib/measure/components.js';
import { chooseTotal, groupMeters } from '../../lib/meter/domains.js';
import type { Counter, CounterDelta } from '../../lib/meter/meter.js';

function delta(id: string, domain: Domain, energyJoules: number | undefined, more: Partial<Counter> = {}) {
  return {
    id,
    domain,
    energyJoules,
    status: energyJoules === undefined ? 'no-permission' : 'ok',
    more,
  } as const;
}

function evidence(list: ReturnType<typeof delta>[], more: Partial<Evidence> = {}): Evidence {
  const counters = list.map(({ id, domain, more: rest }) => ({
    id,
    domain,
    device: 0,
    origin: `/${id}`,
    source: id.split(':')[0] ?? id,
    ...rest,
  })) as Counter[];
  const groups = groupMeters(counters, () => false);
  const members = chooseTotal(
    counters.map((c, i) => ({ ...c, status: list[i]?.status as Status })),
    groups,
  );
  const deltas: CounterDelta[] = counters.map((counter, i) => ({
    counter,
    status: list[i]?.status as Status,
    detail: list[i]?.status === 'ok' ? '' : 'may not be read',
    ...(list[i]?.energyJoules === undefined ? {} : { energyJoules: list[i]?.energyJoules as number }),
    inTotal: members[i]?.inTotal ?? false,
    apart: members[i]?.reason ?? '',
    meter: groups[i]?.first ?? counter.id,
    duplicate: groups[i]?.duplicate ?? false,
    doubtful: groups[i]?.doubtful ?? false,
  }));
  return {
    durationSeconds: 10,
    deltas,
    sources: [],
    cpu: { modelName: '11th Gen Intel(R) Core(TM) i7-1165G7 @ 2.80GHz', threadCount: 8 },
    maxPowerWatts: undefined,
    utilisationRatio: 0.5,
    ramTotalGib: 8,
    displayControllers: [],
    estimates: {},
    ...more,
  };
}

const MX450 = {
  address: '0000:01:00.0',
  vendorName: 'NVIDIA',
  vendorId: '10de',
  deviceId: '1f97',
  integrated: false,
  name: 'NVIDIA GeForce MX450',
};

describe('buildComponents', () => {
  it('sums sockets and shows what overlaps apart', () => {
    const { components, apart, warnings } = buildComponents(
      evidence([
        delta('powercap:intel-rapl:0', 'package', 100, { device: 0 }),
        delta('powercap:intel-rapl:0:0', 'core', 60, { device: 0 }),
        delta('powercap:intel-rapl:0:1', 'dram', 8, { device: 0 }),
        delta('powercap:intel-rapl:1', 'package', 90, { device: 1 }),
        delta('powercap:intel-rapl:1:0', 'dram', 7, { device: 1 }),
        delta('powercap:intel-rapl:2', 'psys', 300),
        delta('powercap:intel-rapl-mmio:0', 'package', 101, { device: 0 }),
      ]),
    );
    expect(components.cpu).toMatchObject({
      kind: 'measured',
      source: 'powercap',
      energyJoules: 190,
      powerWatts: 19,
      atLeast: false,
    });
    expect(components.ram).toMatchObject({ kind: 'measured', energyJoules: 15 });
    expect(components.gpu).toMatchObject({ kind: 'absent', atLeast: false });
    expect(apart.map((counter) => counter.domain)).toEqual(['core', 'psys']);
    expect(apart.every((counter) => !counter.inTotal)).toBe(true);
    expect(warnings).toEqual([]);
  });

  it('says "at least" when one of two sockets cannot be read', () => {
    const { components, warnings } = buildComponents(
      evidence([
        delta('powercap:intel-rapl:0', 'package', 100, { device: 0 }),
        delta('powercap:intel-rapl:1', 'package', undefined, { device: 1 }),
      ]),
    );
    expect(components.cpu).toMatchObject({ kind: 'measured', energyJoules: 100, atLeast: true });
    expect(components.cpu.detail).toContain('powercap:intel-rapl:1');
    expect(warnings.map((warning) => warning.code)).toContain('partly-measured');
  });

  it('says "at least" when a device is there of which nothing is known', () => {
    const unknown = delta('emi:other:1', 'other', undefined, { unknownContent: true });
    const { components, warnings } = buildComponents(
      evidence([delta('emi:package:0', 'package', 100), delta('emi:dram:0', 'dram', 10), unknown]),
    );
    expect(components.cpu).toMatchObject({ kind: 'measured', energyJoules: 100, atLeast: true });
    expect(components.cpu.detail).toContain('Without emi:other:1: may not be read.');
    expect(components.ram).toMatchObject({ kind: 'measured', energyJoules: 10, atLeast: true });
    expect(warnings.map(({ code }) => code)).toEqual(['partly-measured', 'partly-measured']);

    const alone = buildComponents(evidence([unknown]));
    expect(alone.components.cpu).toMatchObject({ kind: 'estimated', atLeast: false });
    expect(alone.warnings[0]?.message).toContain('emi:other:1: may not be read');
  });

  it('leaves out a rail whose name is known and whose unit is not', () => {
    const { components } = buildComponents(
      evidence([delta('emi:package:0', 'package', 100), delta('emi:other:0:1', 'other', undefined)]),
    );
    expect(components.cpu.atLeast).toBe(false);
  });

  it('estimates from utilisation when no package can be read, with the reason', () => {
    const { components, warnings } = buildComponents(
      evidence([delta('powercap:intel-rapl:0', 'package', undefined)]),
    );
    const { cpu } = components;
    expect(cpu.kind).toBe('estimated');
    expect(cpu.energyJoules).toBeGreaterThan(0);
    expect(cpu.counters).toMatchObject([{ status: 'no-permission' }]);
    expect(cpu.counters[0]).not.toHaveProperty('energyJoules');
    expect(warnings[0]).toMatchObject({ code: 'cpu-not-measured' });
    expect(warnings[0]?.message).toContain('may not be read');
  });

  it('grows with utilisation, and assumes half load only where it is not known', () => {
    const joules = (utilisationRatio: number | undefined) =>
      buildComponents(evidence([], { utilisationRatio })).components.cpu;
    expect(joules(0).energyJoules).toBeLessThan(joules(1).energyJoules ?? 0);
    expect(joules(undefined).energyJoules).toBeCloseTo(joules(0.5).energyJoules ?? 0);
    expect(joules(undefined).kind).toBe('assumed');
    expect(joules(undefined).detail).toContain('half load');
  });

  it('takes the constant the user gave, and only without counters', () => {
    const estimates = { cpuWatts: 14, ramWattsPerGib: 3 / 8 };
    const bare = buildComponents(evidence([], { estimates }));
    expect(bare.components.cpu).toMatchObject({ kind: 'assumed', powerWatts: 14, energyJoules: 140 });
    expect(bare.components.ram).toMatchObject({ kind: 'assumed', powerWatts: 3 });
    const counted = buildComponents(
      evidence([delta('powercap:intel-rapl:0', 'package', 100)], { estimates }),
    );
    expect(counted.components.cpu).toMatchObject({ kind: 'measured', energyJoules: 100 });
    expect(counted.warnings.map((warning) => warning.code)).toContain('cpu-watts-unused');
  });

  it('takes the full load the user gave by how busy the CPU was, and says where a counter is better', () => {
    const estimates = { cpuFullWatts: 100 };
    const watts = (utilisationRatio: number) =>
      buildComponents(evidence([], { estimates, utilisationRatio })).components.cpu;
    expect(watts(0)).toMatchObject({ kind: 'assumed', source: 'user' });
    expect(watts(0).powerWatts).toBeCloseTo(15, 9);
    expect(watts(1).powerWatts).toBeCloseTo(100, 9);
    const counted = buildComponents(
      evidence([delta('powercap:intel-rapl:0', 'package', 100)], { estimates }),
    );
    expect(counted.components.cpu).toMatchObject({ kind: 'measured', energyJoules: 100 });
    expect(counted.warnings.map((warning) => warning.code)).toContain('cpu-watts-unused');
  });

  it.each([
    { cpuWatts: -1 },
    { cpuFullWatts: 0 },
    { cpuWatts: Number.NaN },
    { ramWattsPerGib: -1 },
  ])('refuses %j even where counters make it useless', (estimates) => {
    const all = [delta('p:0', 'package', 1), delta('p:1', 'dram', 1)];
    expect(() => buildComponents(evidence(all, { estimates }))).toThrow(
      expect.objectContaining({ code: 'ERR_BAD_OPTION' }),
    );
  });

  it('says of a GPU on the bus that it is present, not measured', () => {
    const { components, warnings } = buildComponents(evidence([], { displayControllers: [MX450] }));
    expect(components.gpu).toMatchObject({ kind: 'absent', method: 'present, not measured', atLeast: true });
    expect(components.gpu).not.toHaveProperty('energyJoules');
    expect(components.gpu.detail).toContain('MX450');
    expect(warnings.map((warning) => warning.code)).toContain('gpu-not-measured');
  });

  it('knows a GPU on the bus again when NVML meters it', () => {
    const gpu = delta('nvml:0', 'gpu', 500, {
      pciAddress: MX450.address,
      deviceName: 'NVIDIA GeForce MX450',
    });
    const { components } = buildComponents(evidence([gpu], { displayControllers: [MX450] }));
    expect(components.gpu).toMatchObject({ kind: 'measured', energyJoules: 500, atLeast: false });
  });

  it('leaves processor graphics to the package', () => {
    const { components } = buildComponents(
      evidence([], { displayControllers: [{ ...MX450, vendorName: 'Intel', integrated: true }] }),
    );
    expect(components.gpu).toMatchObject({ kind: 'absent', atLeast: false });
  });

  it('adds the GPUs it can read and says "at least" for the others', () => {
    const { components } = buildComponents(
      evidence([
        delta('nvml:0', 'gpu', 500, { device: 0 }),
        delta('nvml:1', 'gpu', undefined, { device: 1, deviceName: 'NVIDIA B' }),
      ]),
    );
    expect(components.gpu).toMatchObject({ kind: 'measured', energyJoules: 500, atLeast: true });
  });

  it('leaves out the second of two zones of one name that disagree, and says "at least"', () => {
    const { components, warnings } = buildComponents(
      evidence([
        delta('powercap:intel-rapl:0', 'package', 100),
        delta('powercap:intel-rapl:1', 'package', 70),
      ]),
    );
    expect(components.cpu).toMatchObject({ energyJoules: 100, atLeast: true });
    expect(warnings.map((warning) => warning.code)).toEqual(['partly-measured', 'duplicate-zone']);
  });

  it('does not count a GPU twice that NVML lists without its address', () => {
    const gpu = delta('nvml:0', 'gpu', undefined);
    const { components } = buildComponents(evidence([gpu], { displayControllers: [MX450] }));
    expect(components.gpu.detail.match(/MX450/g)).toBeNull();
    expect(components.gpu).toMatchObject({ atLeast: true });
  });

  it('says that it could not look where there is no PCI bus', () => {
    const { components } = buildComponents(evidence([], { displayControllers: undefined }));
    expect(components.gpu).toMatchObject({ kind: 'absent', method: 'not known', atLeast: false });
    expect(components.gpu.detail).toContain('not known');
  });

  it.each([
    [[], 'not among the sources'],
    [
      [{ source: 'native', status: 'addon-missing', detail: 'no native addon', counters: [] }],
      'addon-missing',
    ],
    [[{ source: 'nvml', status: 'not-found', detail: 'no NVML library', counters: [] }], 'no NVML library'],
    [[{ source: 'nvml', status: 'ok', detail: '', counters: [] }], 'NVML does not list it'],
  ] as const)('gives the true reason for an unmeasured GPU: %#', (sources, reason) => {
    const { components } = buildComponents(
      evidence([], { displayControllers: [MX450], sources: sources as unknown as Evidence['sources'] }),
    );
    expect(components.gpu.detail).toContain(reason);
  });

  it('tells why memory is a model where it has a counter', () => {
    const { components } = buildComponents(evidence([delta('p:0:1', 'dram', undefined)]));
    expect(components.ram).toMatchObject({ kind: 'estimated' });
    expect(components.ram.detail).toContain('may not be read');
  });
});
