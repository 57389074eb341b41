// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import type { Component, Measurement } from '../../lib/core/report-types.js';
import type { Kind } from '../../lib/core/vocabulary.js';
import { Laps } from '../../lib/measure/laps.js';
import { noGpu, serverMeasurement } from '../report/fixtures.js';

function measurement(kind: Kind, energyJoules?: number): Measurement {
  const cpu: Component = {
    kind,
    source: `s-${kind}`,
    method: 'm',
    detail: 'd.',
    atLeast: false,
    counters: [],
  };
  const none: Component = { ...cpu, kind: 'absent' };
  const warnings = kind === 'measured' ? [] : [{ code: 'cpu-not-measured', message: 'm' }];
  return {
    ...serverMeasurement,
    durationSeconds: 2,
    components: { cpu: energyJoules === undefined ? cpu : { ...cpu, energyJoules }, gpu: noGpu, ram: none },
    warnings: [...warnings, { code: 'short-region', message: 'm' }],
  };
}
const cpuOf = (one: Measurement) => one.components.cpu;
const codesOf = (one: Measurement) => one.warnings.map(({ code }) => code);

describe('laps', () => {
  it('that were counted stay as they are', () => {
    const laps = new Laps();
    const first = measurement('measured', 10);
    expect(cpuOf(laps.settle(measurement('measured', 10), first))).toBe(cpuOf(first));
    const second = measurement('measured', 5);
    expect(cpuOf(laps.settle(measurement('measured', 15), second))).toBe(cpuOf(second));
  });

  it('in which the counter stood still have no model, and the next has it all once', () => {
    const laps = new Laps();
    laps.settle(measurement('measured', 10), measurement('measured', 10));
    const still = laps.settle(measurement('measured', 10), measurement('estimated', 3));
    expect(cpuOf(still)).toMatchObject({
      kind: 'measured',
      energyJoules: 0,
      powerWatts: 0,
      source: 's-measured',
    });
    expect(cpuOf(still).detail).toContain('The lap alone would be estimated');
    expect(codesOf(still)).toEqual(['short-region']);
    const next = laps.settle(measurement('measured', 18), measurement('measured', 8));
    expect(cpuOf(next)).toMatchObject({ kind: 'measured', energyJoules: 8 });
  });

  it('before the first count are estimated, and so is what that leaves', () => {
    const laps = new Laps();
    const first = laps.settle(measurement('estimated', 4), measurement('estimated', 4));
    expect(codesOf(first)).toContain('cpu-not-measured');
    const second = laps.settle(measurement('measured', 10), measurement('measured', 10));
    expect(cpuOf(second)).toMatchObject({ kind: 'estimated', energyJoules: 6, powerWatts: 3 });
    expect(cpuOf(laps.settle(measurement('measured', 11), measurement('measured', 1))).kind).toBe('measured');
  });

  it('are never below nothing: what was told too much is missing from the next', () => {
    const laps = new Laps();
    laps.settle(measurement('assumed', 4), measurement('assumed', 4));
    const joules = [1, 3, 6].map(
      (total) => cpuOf(laps.settle(measurement('measured', total), measurement('measured', 2))).energyJoules,
    );
    expect(joules).toEqual([0, 0, 2]);
  });

  it('that were measured are kept where the total is not any more', () => {
    const laps = new Laps();
    laps.settle(measurement('measured', 10), measurement('measured', 10));
    const own = measurement('measured', 3);
    expect(cpuOf(laps.settle(measurement('estimated', 40), own))).toBe(cpuOf(own));
  });

  it('of nothing are of nothing', () => {
    const own = measurement('absent');
    expect(cpuOf(new Laps().settle(measurement('absent'), own))).toBe(cpuOf(own));
  });
});
