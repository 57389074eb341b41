// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { formatMarkdown } from '../../lib/format/markdown.js';
import { formatText } from '../../lib/format/text.js';
import { buildReport } from '../../lib/report/build.js';
import { checkScoreOptions, type ScoreOptions } from '../../lib/report/score.js';
import { germanContext, schemaErrors, serverMeasurement } from './fixtures.js';

const report = (score: ScoreOptions) => buildReport(serverMeasurement, { ...germanContext, score });
const terms: ScoreOptions = { embodiedKg: 1200, lifespanYears: 4 };
const perImage: ScoreOptions = { functionalUnit: 'image', unitCount: 60_000 };
const JULIAN_YEAR_SECONDS = 365.25 * 86_400;

describe('embodied emissions', () => {
  it('are the share of the lifespan and of the hardware', () => {
    const { embodied } = report({ ...terms, reservedRatio: 0.25 });
    const grams = 1_200_000 * (6.0301 / (4 * JULIAN_YEAR_SECONDS)) * 0.25;
    expect(embodied?.embodiedGrams).toBeCloseTo(grams, 12);
    expect(embodied).toMatchObject({ kind: 'assumed', source: 'user', reservedSeconds: 6.0301 });
    expect(report({ ...terms, reservedSeconds: 3600 }).embodied?.embodiedGrams).toBeCloseTo(
      (1_200_000 * 3600) / (4 * JULIAN_YEAR_SECONDS),
      9,
    );
  });

  it('never enter the operational emissions', () => {
    expect(report(terms).emissions).toEqual(report({}).emissions);
    expect(report({})).not.toHaveProperty('embodied');
    expect(report({})).not.toHaveProperty('score');
  });
});

describe('the score', () => {
  it('is an SCI when embodied emissions are in it', () => {
    const { emissions, embodied, score } = report({ ...terms, ...perImage });
    expect(score?.name).toBe('SCI');
    expect(score?.gramsPerUnit).toBeCloseTo(
      (emissions.emissionsGrams + (embodied?.embodiedGrams ?? 0)) / 60_000,
      15,
    );
    expect(score).toMatchObject({ kind: 'assumed', atLeast: true, functionalUnit: 'image' });
  });

  it('is called operational emissions without them, and says why', () => {
    const { emissions, score } = report(perImage);
    expect(score).toMatchObject({ name: 'operational emissions', kind: emissions.kind });
    expect(score?.gramsPerUnit).toBeCloseTo(emissions.emissionsGrams / 60_000, 15);
    expect(score?.detail).toContain('Not a Software Carbon Intensity');
  });

  it('takes the interval of the emissions along', () => {
    const intensity = {
      ...germanContext.intensity,
      lowerGramsPerKwh: 165.25,
      upperGramsPerKwh: 661,
      confidenceRatio: 0.95,
      uncertaintyMethod: 'made up',
    };
    const { score } = buildReport(serverMeasurement, { ...germanContext, intensity, score: perImage });
    expect(score?.lowerGramsPerUnit).toBeCloseTo((score?.gramsPerUnit ?? 0) / 2, 15);
    expect(score?.upperGramsPerUnit).toBeCloseTo((score?.gramsPerUnit ?? 0) * 2, 15);
  });

  it.each([terms, perImage, { ...terms, ...perImage }])('fits the schema and is shown: %o', (options) => {
    const made = report(options);
    expect(schemaErrors(JSON.parse(JSON.stringify(made)))).toEqual([]);
    const text = formatText(made).replace(/\s+/g, ' ');
    const markdown = formatMarkdown(made);
    if (options.embodiedKg !== undefined) {
      expect(text).toContain('57.32 mg CO2eq embodied in the hardware used, assumed');
      expect(markdown).toContain('Embodied emissions: 57.32 mg.');
      expect(markdown).toContain('| Embodied emissions | 57.32 mg ');
    }
    if (options.functionalUnit !== undefined) {
      const name = options.embodiedKg === undefined ? 'operational emissions' : 'SCI';
      expect(text).toContain(`CO2eq, ${name} per image (60000 of them)`);
      expect(markdown).toMatch(new RegExp(`${name} per image: at least [\\d.]+ [nµ]g\\.`));
    }
  });
});

describe('the terms of a score', () => {
  it.each<[ScoreOptions, string]>([
    [{ embodiedKg: 1 }, 'without lifespanYears'],
    [{ lifespanYears: 4 }, 'without embodiedKg'],
    [{ reservedRatio: 0.5 }, 'without embodiedKg'],
    [{ unitCount: 5 }, 'without functionalUnit'],
    [{ embodiedKg: -1, lifespanYears: 4 }, 'embodiedKg must be a number of at least 0'],
    [{ embodiedKg: 1, lifespanYears: 0 }, 'lifespanYears must be a number above 0'],
    [{ ...terms, reservedRatio: 1.5 }, 'above 0 and at most 1'],
    [{ ...perImage, unitCount: Number.NaN }, 'unitCount must be a number above 0, but is NaN'],
    [{ functionalUnit: ' ' }, 'some text'],
    [{ embodiedKg: '3' as unknown as number, lifespanYears: 4 }, 'embodiedKg must be a number'],
  ])('are refused: %o', (options, message) => {
    expect(() => checkScoreOptions(options)).toThrow(
      expect.objectContaining({
        code: 'ERR_BAD_OPTION',
        message: expect.stringContaining(message),
        hint: expect.any(String),
      }),
    );
  });
});
