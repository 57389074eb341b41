// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { formatModelCard, withModelCard } from '../../lib/format/model-card.js';
import { buildReport } from '../../lib/report/build.js';
import { germanContext, goldenReport, serverMeasurement } from '../report/fixtures.js';

const golden = goldenReport();
const server = buildReport(serverMeasurement, germanContext);

/** The front matter of a README, read as YAML. */
function frontOf(readme: string): Record<string, unknown> {
  const text = /^\uFEFF?---[ \t]*\r?\n([\s\S]*?)^---[ \t]*\r?$/m.exec(readme)?.[1];
  return parse(text ?? '');
}

const CARD = `---
# who may use it
license: mit   # as usual
tags: [vision,   cifar-10]
description: >-
  A text that mentions
  co2_eq_emissions: 5
model-index:
- name: 'cifar10'
  results: []
---

# My model

---
co2_eq_emissions: untouched
`;

describe('the model card', () => {
  it('is golden, in grams', () => {
    expect(formatModelCard(golden)).toBe(`co2_eq_emissions:
  emissions: 1.05649
  source: microjoule 0.1.0 (lower bound, energy assumed, intensity assumed)
  geographical_location: Brazil (BRA), rio grande do sul
  hardware_used: 1 x NVIDIA GeForce MX450, 11th Gen Intel(R) Core(TM) i7-1165G7 @ 2.80GHz
`);
  });

  it('says of a place that it is a guess, since nothing beside it does', () => {
    const guessed = {
      ...golden,
      location: { ...golden.location, kind: 'estimated' as const, source: 'time zone' },
    };
    expect(formatModelCard(guessed)).toContain('(BRA), rio grande do sul, guessed from the time zone\n');
  });

  it('names the training type when the model details do', () => {
    const report = { ...golden, model: { trainingType: 'fine-tuning' } };
    expect(parse(formatModelCard(report)).co2_eq_emissions.training_type).toBe('fine-tuning');
  });

  it('leaves every byte outside its entry', () => {
    const written = withModelCard(CARD, golden, 'README.md');
    expect(written.replace(formatModelCard(golden), '')).toBe(CARD);
    expect(frontOf(written)).toMatchObject({
      license: 'mit',
      tags: ['vision', 'cifar-10'],
      co2_eq_emissions: { emissions: 1.05649 },
    });
  });

  it('replaces its own entry, wherever it stands, and changes nothing the second time', () => {
    const first = withModelCard(CARD.replace('tags:', 'co2_eq_emissions: 0.012\ntags:'), golden, 'README.md');
    expect(first.replace(formatModelCard(golden), '')).toBe(CARD);
    const second = withModelCard(first, server, 'README.md');
    expect(frontOf(second).co2_eq_emissions).toMatchObject({ emissions: 0.172021 });
    expect(withModelCard(second, server, 'README.md')).toBe(second);
    expect(second.split('co2_eq_emissions')).toHaveLength(first.split('co2_eq_emissions').length);
  });

  it("keeps the user's own fields and comments of the entry, and what follows it", () => {
    const mine = `---
co2_eq_emissions:
  # by hand
  emissions: 83.524
  training_type: "pre-training" # ours
  on_cloud: true

# licence
license: mit
---
`;
    const written = withModelCard(mine, golden, 'README.md');
    expect(written).toContain('# by hand');
    expect(written).toContain('"pre-training" # ours');
    expect(written).toContain('\n\n# licence\nlicense: mit\n---\n');
    expect(frontOf(written).co2_eq_emissions).toMatchObject({
      emissions: 1.05649,
      training_type: 'pre-training',
      on_cloud: true,
    });
  });

  it('begins a front matter where there is none, or an empty one', () => {
    for (const readme of [
      '',
      '# My model\n',
      '\uFEFF# My model\r\n\r\ntext\r\n',
      '---\n---\n# x\n',
      '# x\n\n---\n',
    ]) {
      const written = withModelCard(readme, golden, 'README.md');
      expect(frontOf(written).co2_eq_emissions).toMatchObject({ emissions: 1.05649 });
      expect(written.endsWith(readme.replace(/^\uFEFF|^---\n/, ''))).toBe(true);
      expect(written.startsWith('\uFEFF')).toBe(readme.startsWith('\uFEFF'));
    }
  });

  it('keeps line ends of Windows', () => {
    const written = withModelCard(CARD.replaceAll('\n', '\r\n'), golden, 'README.md');
    expect(written.replaceAll('\r\n', '')).not.toContain('\n');
    expect(frontOf(written).co2_eq_emissions).toMatchObject({ emissions: 1.05649 });
  });

  it.each([
    ['not YAML', '---\na: [1\nb: 2\n---\n'],
    ['a key twice', '---\nco2_eq_emissions: 1\nco2_eq_emissions: 2\n---\n'],
    ['a list', '---\n- a\n- b\n---\n'],
    ['one flow mapping', '---\n{ license: mit }\n---\n'],
  ])('refuses a front matter that is %s', (_, readme) => {
    expect(() => withModelCard(readme, golden, 'README.md')).toThrow(
      expect.objectContaining({
        code: 'ERR_OUTPUT',
        message: expect.stringContaining('README.md'),
        hint: expect.any(String),
      }),
    );
  });
});
