// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import type { Report } from '../../lib/core/report-types.js';
import { shareBar, shareLegend, sharesOf } from '../../lib/format/shares.js';
import { buildReport } from '../../lib/report/build.js';
import { germanContext, goldenReport, seededRandom, serverMeasurement } from '../report/fixtures.js';

const server = buildReport(serverMeasurement, germanContext);

function withShares(measuredJoules: number, estimatedJoules: number, assumedJoules: number): Report {
  const energyJoules = measuredJoules + estimatedJoules + assumedJoules;
  return {
    ...server,
    energy: { ...server.energy, energyJoules, measuredJoules, estimatedJoules, assumedJoules },
  };
}

describe('the bar of shares', () => {
  it('adds up to one and fills its width, whatever the shares', () => {
    const random = seededRandom(3);
    for (let trial = 0; trial < 300; trial++) {
      const part = () => (random() < 0.3 ? 0 : random() ** 8);
      const report = withShares(part(), part(), part());
      const shares = sharesOf(report);
      expect(shares.reduce((sum, share) => sum + share.ratio, 0)).toBeCloseTo(1, 12);
      const bar = shareBar(report, 40);
      expect([...bar]).toHaveLength(40);
      // Whatever there is shows, and in one piece.
      expect(bar).toMatch(/^█*▓*░* \?{4}$/);
      expect(new Set(bar.match(/[█▓░]/g))).toHaveProperty('size', shares.length);
    }
  });

  it('is to scale', () => {
    expect(shareBar(withShares(50, 25, 25), 45)).toBe(
      `${'█'.repeat(20)}${'▓'.repeat(10)}${'░'.repeat(10)} ????`,
    );
  });

  it('says what the marks mean, and names what is absent without a size', () => {
    expect(shareLegend(goldenReport())).toBe('░ 100 % assumed; ? absent: GPU, of unknown size');
    expect(shareLegend(withShares(3, 1, 0))).toBe(
      '█ 75 % measured, ▓ 25 % estimated; ? absent: a part of RAM, of unknown size',
    );
  });

  it('has no question marks when nothing is missing, and works without energy', () => {
    const { ram } = server.components;
    const whole = { ...server, components: { ...server.components, ram: { ...ram, atLeast: false } } };
    expect(shareBar(whole, 10)).toBe('█'.repeat(10));
    expect(shareLegend(whole)).toBe('█ 100 % measured');
    const nothing = { ...whole, energy: { ...whole.energy, energyJoules: 0, measuredJoules: 0 } };
    expect(shareBar(nothing, 10)).toBe('█'.repeat(10));
  });
});
