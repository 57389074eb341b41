// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { emberGramsPerKwh, isoCountries, zoneGramsPerKwh } from '../../lib/carbon/data.js';
import { resolveIntensity } from '../../lib/carbon/intensity.js';
import { resolveLocation } from '../../lib/carbon/location.js';
import { spreadOfCountries, TYPICAL_LOG_UNCERTAINTY } from '../../lib/carbon/spread.js';

const of = (country: string) => resolveIntensity(resolveLocation({ country }));

describe('the uncertainty of an intensity', () => {
  it('is typically what the two data sets of the installed package differ by', () => {
    const differences = isoCountries().flatMap(({ alpha2, alpha3 }) => {
      const [maps, ember] = [zoneGramsPerKwh(alpha2), emberGramsPerKwh(alpha3)];
      return maps === undefined || ember === undefined ? [] : [Math.abs(Math.log(maps / ember))];
    });
    differences.sort((one, other) => one - other);
    expect(differences.length).toBeGreaterThan(150);
    const typical = (differences[Math.floor(0.68 * (differences.length - 1))] ?? 0) / Math.SQRT2;
    expect(typical).toBeCloseTo(TYPICAL_LOG_UNCERTAINTY, 1.5);
  });

  it('holds both data sets for most countries', () => {
    let held = 0;
    let count = 0;
    for (const { alpha2, alpha3 } of isoCountries()) {
      const ember = emberGramsPerKwh(alpha3);
      if (zoneGramsPerKwh(alpha2) === undefined || ember === undefined) continue;
      const { lowerGramsPerKwh = 0, upperGramsPerKwh = 0 } = of(alpha2);
      count++;
      if (ember >= lowerGramsPerKwh && ember <= upperGramsPerKwh) held++;
    }
    // One factor of sqrt 2 less would hold fewer: the interval is of one set about the truth, not about the other.
    expect(held / count).toBeGreaterThan(0.9);
  });

  it('is wider where the two differ by more than usual', () => {
    const [sweden, germany] = [of('SE'), of('DE')];
    const factor = ({ upperGramsPerKwh = 0, intensityGramsPerKwh }: typeof sweden) =>
      upperGramsPerKwh / intensityGramsPerKwh;
    expect(factor(germany)).toBeCloseTo(Math.exp(1.96 * TYPICAL_LOG_UNCERTAINTY), 9);
    expect(factor(sweden)).toBeGreaterThan(factor(germany));
    expect(sweden.uncertaintyMethod).toContain('for this country');
  });

  it('of the world is the range of the countries', () => {
    const world = resolveIntensity(resolveLocation({ timeZone: 'UTC' }));
    expect(world).toMatchObject({ zone: 'WORLD', ...spreadOfCountries() });
    expect(world.lowerGramsPerKwh).toBeLessThan(60);
    expect(world.upperGramsPerKwh).toBeGreaterThan(650);
  });

  it("of the user's own value is the user's own", () => {
    const place = resolveLocation({ country: 'DE' });
    expect(resolveIntensity(place, { intensityGramsPerKwh: 100 })).not.toHaveProperty('lowerGramsPerKwh');
    expect(
      resolveIntensity(place, { intensityGramsPerKwh: 100, intensityUncertaintyGramsPerKwh: 120 }),
    ).toMatchObject({ lowerGramsPerKwh: 0, upperGramsPerKwh: 220, confidenceRatio: 0.95 });
    for (const options of [
      { intensityUncertaintyGramsPerKwh: 5 },
      { intensityGramsPerKwh: 100, intensityUncertaintyGramsPerKwh: -1 },
      { intensityGramsPerKwh: 100, intensityUncertaintyGramsPerKwh: Number.NaN },
    ]) {
      expect(() => resolveIntensity(place, options)).toThrow(
        expect.objectContaining({ code: 'ERR_BAD_OPTION' }),
      );
    }
  });
});
