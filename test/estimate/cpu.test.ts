// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import {
  type CpuIdentity,
  type CpuPowerModel,
  chooseCpuPowerModel,
  cpuPowerWatts,
  cpuPowerWattsAtUnknownLoad,
} from '../../lib/estimate/cpu.js';

const MILAN: CpuIdentity = {
  modelName: 'AMD EPYC',
  threadCount: 128,
  vendor: 'AuthenticAMD',
  family: 25,
  model: 1,
};
const MYSTERY: CpuIdentity = { modelName: 'Brand X', threadCount: 8 };

const MODELS: [string, CpuPowerModel][] = [
  ['user', chooseCpuPowerModel(MILAN, { cpuWatts: 42 })],
  ['user at full load', chooseCpuPowerModel(MILAN, { cpuFullWatts: 60 })],
  ['limit', chooseCpuPowerModel(MILAN, { maxPowerWatts: 28 })],
  ['family', chooseCpuPowerModel(MILAN)],
  ['unknown', chooseCpuPowerModel(MYSTERY)],
];

describe('chooseCpuPowerModel', () => {
  it('takes the user at their word before all else', () => {
    const model = chooseCpuPowerModel(MILAN, { cpuWatts: 42, maxPowerWatts: 28 });
    expect(model).toMatchObject({
      kind: 'assumed',
      source: 'user',
      method: 'constant',
      idleWatts: 42,
      fullWatts: 42,
    });
  });

  it("takes the user's full load, with the idle share of the other models", () => {
    const model = chooseCpuPowerModel(MILAN, { cpuFullWatts: 60, maxPowerWatts: 28 });
    expect(model).toMatchObject({ kind: 'assumed', source: 'user', fullWatts: 60 });
    expect(model.method).toBe(chooseCpuPowerModel(MYSTERY).method);
    expect(cpuPowerWatts(model, 0)).toBeCloseTo(9, 9);
    expect(cpuPowerWatts(model, 1)).toBe(60);
  });

  it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])('refuses %s W', (watts) => {
    for (const option of ['cpuWatts', 'cpuFullWatts']) {
      expect(() => chooseCpuPowerModel(MILAN, { [option]: watts })).toThrow(
        expect.objectContaining({
          code: 'ERR_BAD_OPTION',
          message: expect.stringMatching(new RegExp(`^${option} `)),
        }),
      );
    }
  });

  it('refuses two models of one CPU', () => {
    expect(() => chooseCpuPowerModel(MILAN, { cpuWatts: 20, cpuFullWatts: 60 })).toThrow(
      expect.objectContaining({ code: 'ERR_BAD_OPTION', hint: expect.stringContaining('at full load') }),
    );
  });

  it('takes the kernel power limit before the table', () => {
    const model = chooseCpuPowerModel(MILAN, { maxPowerWatts: 28 });
    expect(model).toMatchObject({
      kind: 'estimated',
      source: 'powercap constraint_0_max_power_uw',
      fullWatts: 28,
    });
    expect(model.idleWatts).toBeCloseTo(4.2, 12);
  });

  it('reaches the rated power of the part that the family stands on', () => {
    const model = chooseCpuPowerModel(MILAN);
    expect(model).toMatchObject({ kind: 'estimated', source: 'Zen 3 EPYC', fullWatts: 280 });
    expect(model.idleWatts).toBeCloseTo((280 * 0.44) / 2.1, 9);
    expect(model.detail).toContain('found by CPUID');
    expect(model.detail).toContain('a share of TDP');
    expect(model.detail).toContain('EPYC 7763');
  });

  it('finds the i7-1165G7 by CPUID and by name, to the same power', () => {
    const modelName = '11th Gen Intel(R) Core(TM) i7-1165G7 @ 2.80GHz';
    const byName = chooseCpuPowerModel({ modelName, threadCount: 8 });
    const byCpuid = chooseCpuPowerModel({
      modelName: '',
      threadCount: 8,
      vendor: 'GenuineIntel',
      family: 6,
      model: 0x8c,
    });
    expect(byName).toMatchObject({ source: 'Tiger Lake-U', fullWatts: 28 });
    expect(byName.detail).toContain('found by model name');
    expect([byCpuid.source, byCpuid.idleWatts, byCpuid.fullWatts]).toEqual([
      byName.source,
      byName.idleWatts,
      byName.fullWatts,
    ]);
  });

  it('finds Arm parts by number', () => {
    const model = chooseCpuPowerModel({
      modelName: '',
      threadCount: 80,
      armImplementer: 0x41,
      armPart: 0xd0c,
    });
    expect(model.source).toBe('Arm Neoverse N1');
    expect(model.fullWatts).toBeCloseTo(210, 9);
  });

  it('does not call a whole computer a TDP', () => {
    const { detail } = chooseCpuPowerModel({ modelName: 'Apple M2', threadCount: 8 });
    expect(detail).toContain('maximum draw of the whole computer');
    expect(detail).not.toContain('TDP');
  });

  it('assumes 4 W a thread for the unknown and says what to do', () => {
    const model = chooseCpuPowerModel(MYSTERY);
    expect(model).toMatchObject({ kind: 'assumed', fullWatts: 32 });
    expect(model.idleWatts).toBeCloseTo(4.8, 12);
    expect(model.detail).toContain('--cpu-full-watts');
    expect(model.detail).toContain('Brand X');
  });

  it('scales with the thread count', () => {
    const half = chooseCpuPowerModel({ ...MILAN, threadCount: 64 });
    expect(half.fullWatts).toBeCloseTo(140, 9);
  });
});

describe.each(MODELS)('cpuPowerWatts of the %s model', (_name, model) => {
  it('runs from idle to full', () => {
    expect(cpuPowerWatts(model, 0)).toBe(model.idleWatts);
    expect(cpuPowerWatts(model, 1)).toBeCloseTo(model.fullWatts, 9);
  });

  it('never falls as utilisation rises', () => {
    let previous = 0;
    for (let percent = 0; percent <= 100; percent += 1) {
      const watts = cpuPowerWatts(model, percent / 100);
      expect(watts).toBeGreaterThanOrEqual(previous);
      previous = watts;
    }
  });

  it('clamps', () => {
    expect(cpuPowerWatts(model, -3)).toBe(model.idleWatts);
    expect(cpuPowerWatts(model, 7)).toBe(cpuPowerWatts(model, 1));
  });

  it('does not guess a load unless asked', () => {
    // @ts-expect-error callers without utilisation must use cpuPowerWattsAtUnknownLoad
    expect(() => cpuPowerWatts(model, undefined)).toThrow(
      expect.objectContaining({ code: 'ERR_BAD_OPTION' }),
    );
    expect(() => cpuPowerWatts(model, Number.NaN)).toThrow(
      expect.objectContaining({ code: 'ERR_BAD_OPTION' }),
    );
    expect(cpuPowerWattsAtUnknownLoad(model)).toBeCloseTo((model.idleWatts + model.fullWatts) / 2, 9);
  });
});
