// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import type { Component, Measurement } from '../../lib/core/report-types.js';
import {
  type Interval,
  interval,
  productInterval,
  scaleInterval,
  sumInterval,
} from '../../lib/report/bounds.js';
import { buildReport } from '../../lib/report/build.js';
import { germanContext, goldenContext, schemaErrors, seededRandom, serverMeasurement } from './fixtures.js';

const normal = (value: number, half: number): Interval => ({
  value,
  lower: value - half,
  upper: value + half,
  confidenceRatio: 0.95,
});

/** Box and Muller. */
function gauss(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

describe('intervals', () => {
  it('of a sum add in quadrature', () => {
    expect(sumInterval([normal(10, 3), normal(20, 4)])).toEqual(normal(30, 5));
  });

  it('of a sum hold what they promise, by simulation', () => {
    const random = seededRandom(8);
    const sum = sumInterval([normal(10, 1.96), normal(20, 2 * 1.96)]);
    let held = 0;
    for (let trial = 0; trial < 20_000; trial++) {
      const truth = 30 + gauss(random) + 2 * gauss(random);
      if (sum !== undefined && truth >= sum.lower && truth <= sum.upper) held++;
    }
    expect(held / 20_000).toBeCloseTo(0.95, 2);
  });

  it('of a product hold what they promise, by simulation', () => {
    const random = seededRandom(9);
    const factor = Math.exp(1.96 * 0.2);
    const wide = { value: 300, lower: 300 / factor, upper: 300 * factor, confidenceRatio: 0.95 };
    const product = productInterval(normal(10, 1.96 * 0.3), wide);
    let held = 0;
    for (let trial = 0; trial < 20_000; trial++) {
      const truth = (10 + 0.3 * gauss(random)) * 300 * Math.exp(0.2 * gauss(random));
      if (product !== undefined && truth >= product.lower && truth <= product.upper) held++;
    }
    expect(held / 20_000).toBeCloseTo(0.95, 2);
  });

  it('never reach below zero, never lose the value, and follow the unit', () => {
    const random = seededRandom(10);
    for (let trial = 0; trial < 500; trial++) {
      const any = (): Interval => {
        const value = random() * 10 ** (random() * 12 - 6);
        return { value, lower: value * random(), upper: value * (1 + random()), confidenceRatio: 0.95 };
      };
      const [one, other, by] = [any(), any(), random() * 1e6];
      for (const made of [sumInterval([one, other]), productInterval(one, other)]) {
        if (made === undefined) throw new Error('none');
        expect(made.lower).toBeGreaterThanOrEqual(0);
        expect(made.lower).toBeLessThanOrEqual(made.value);
        expect(made.upper).toBeGreaterThanOrEqual(made.value);
      }
      const product = productInterval(one, other);
      const scaled = productInterval(scaleInterval(one, by), other);
      expect((scaled?.upper ?? 0) / ((product?.upper ?? 1) * by)).toBeCloseTo(1, 9);
      expect((scaled?.lower ?? 0) / ((product?.lower ?? 1) * by)).toBeCloseTo(1, 9);
    }
  });

  it('of nothing and with an end at zero are no NaN', () => {
    const zero = { value: 0, lower: 0, upper: 2, confidenceRatio: 0.95 };
    expect(productInterval(zero, normal(3, 1))).toEqual({
      value: 0,
      lower: 0,
      upper: 8,
      confidenceRatio: 0.95,
    });
    const low = { value: 2, lower: 0, upper: 3, confidenceRatio: 0.95 };
    expect(productInterval(low, normal(3, 1))?.lower).toBe(0);
  });

  it('are none where a part has none, is senseless, or promises something else', () => {
    expect(sumInterval([normal(1, 1), undefined])).toBeUndefined();
    expect(sumInterval([normal(1, 1), { ...normal(2, 1), confidenceRatio: 0.68 }])).toBeUndefined();
    expect(productInterval(normal(1, 1), { ...normal(2, 1), confidenceRatio: 0.68 })).toBeUndefined();
    expect(interval(1, 2, 3, 0.95)).toBeUndefined();
    expect(interval(1, -1, 3, 0.95)).toBeUndefined();
    expect(interval(1, 0, Number.POSITIVE_INFINITY, 0.95)).toBeUndefined();
    expect(interval(1, 0, Number.NaN, 0.95)).toBeUndefined();
    expect(interval(1, 0, 2, 1)).toBeUndefined();
    expect(interval(1, 0, undefined, 0.95)).toBeUndefined();
  });
});

describe('the uncertainty of a report', () => {
  const within = (component: Component, half: number): Component => ({
    ...component,
    lowerJoules: (component.energyJoules ?? 0) - half,
    upperJoules: (component.energyJoules ?? 0) + half,
    confidenceRatio: 0.95,
  });
  const { cpu, gpu, ram } = serverMeasurement.components;
  const bounded: Measurement = {
    ...serverMeasurement,
    components: { cpu: within(cpu, 30), gpu: within(gpu, 40), ram: within(ram, 0) },
  };
  const intensity = {
    ...germanContext.intensity,
    lowerGramsPerKwh: 300,
    upperGramsPerKwh: 360,
    confidenceRatio: 0.95,
    uncertaintyMethod: 'made up',
  };

  it('carries energy and intensity to the emissions', () => {
    const report = buildReport(bounded, { ...germanContext, intensity });
    expect(report.energy).toMatchObject({
      lowerJoules: 1823.75,
      upperJoules: 1923.75,
      confidenceRatio: 0.95,
    });
    const { emissions } = report;
    expect(emissions.uncertaintyOf).toEqual(['energy', 'intensity']);
    const up = Math.hypot(Math.log(1923.75 / 1873.75), Math.log(360 / 330.5));
    expect(emissions.upperGrams).toBeCloseTo(emissions.emissionsGrams * Math.exp(up), 12);
    expect(schemaErrors(JSON.parse(JSON.stringify(report)))).toEqual([]);
  });

  it('says when it is of one factor alone, and is absent when neither has any', () => {
    const ofIntensity = buildReport(serverMeasurement, { ...germanContext, intensity });
    expect(ofIntensity.emissions.uncertaintyOf).toEqual(['intensity']);
    expect(ofIntensity.energy.lowerJoules).toBeUndefined();
    expect(buildReport(bounded, germanContext).emissions.uncertaintyOf).toEqual(['energy']);
    const neither = buildReport(serverMeasurement, goldenContext);
    expect(Object.keys(neither.emissions)).not.toContain('lowerGrams');
    for (const report of [ofIntensity, neither]) {
      expect(schemaErrors(JSON.parse(JSON.stringify(report)))).toEqual([]);
    }
  });

  it('drops bounds that make no sense, as a whole', () => {
    const broken = { ...bounded.components, cpu: { ...bounded.components.cpu, lowerJoules: 1e9 } };
    const report = buildReport({ ...bounded, components: broken }, { ...germanContext, intensity });
    expect(Object.keys(report.components.cpu)).not.toContain('upperJoules');
    expect(report.energy.confidenceRatio).toBeUndefined();
    expect(report.emissions.uncertaintyOf).toEqual(['intensity']);
  });

  it('is all there or none, says the schema', () => {
    const report = JSON.parse(JSON.stringify(buildReport(bounded, { ...germanContext, intensity })));
    delete report.emissions.uncertaintyOf;
    delete report.energy.upperJoules;
    delete report.components.cpu.confidenceRatio;
    delete report.intensity.lowerGramsPerKwh;
    const errors = schemaErrors(report).join('\n');
    for (const path of ['/emissions', '/energy', '/components/cpu', '/intensity'])
      expect(errors).toContain(path);
  });
});
