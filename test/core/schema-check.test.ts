// SPDX-License-Identifier: MIT
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type JsonSchema, schemaProblem } from '../../lib/core/schema-check.js';
import { buildReport } from '../../lib/report/build.js';
import {
  germanContext,
  goldenReport,
  schemaErrors,
  seededRandom,
  serverMeasurement,
  showcaseReport,
} from '../report/fixtures.js';

const schema = JSON.parse(
  readFileSync(new URL('../../schema/report.schema.json', import.meta.url), 'utf8'),
) as JsonSchema;
const showcase = showcaseReport();
if (showcase.series !== undefined) {
  // Three intervals stand for thousands.
  showcase.series.edgesSeconds.splice(4);
  for (const channel of showcase.series.channels) {
    for (const watts of [channel.powerWatts, channel.lowestWatts, channel.highestWatts]) watts?.splice(3);
  }
}
const reports = [goldenReport(), buildReport(serverMeasurement, germanContext), showcase];

/** Every place in a value, as a list of keys. */
function places(value: unknown, at: (string | number)[] = []): (string | number)[][] {
  if (typeof value !== 'object' || value === null) return [at];
  const entries = Array.isArray(value) ? value.slice(0, 3).entries() : Object.entries(value);
  return [at, ...[...entries].flatMap(([key, entry]) => places(entry, [...at, key]))];
}

describe('the check of what comes back in', () => {
  it('lets every report through', () => {
    for (const report of reports)
      expect(schemaProblem(JSON.parse(JSON.stringify(report)), schema)).toBeUndefined();
  });

  it('agrees with a whole validator about damage of any kind', () => {
    const random = seededRandom(31);
    const damages: unknown[] = [null, -1, 'text', '', [], {}, true, 0, undefined, 2.5];
    let refused = 0;
    for (let trial = 0; trial < 1000; trial++) {
      const report = JSON.parse(JSON.stringify(reports[trial % reports.length]));
      const all = places(report).filter((place) => place.length > 0);
      const place = all[Math.floor(random() * all.length)] ?? [];
      const damage = damages[Math.floor(random() * damages.length)];
      // biome-ignore lint/suspicious/noExplicitAny: damage goes where no type allows
      const holder = place.slice(0, -1).reduce<any>((value, key) => value[key], report);
      const last = place.at(-1) as string;
      if (damage === undefined && !Array.isArray(holder)) delete holder[last];
      else holder[last] = damage ?? null;
      const ours = schemaProblem(report, schema);
      const theirs = schemaErrors(report);
      expect(ours === undefined, `${place.join('.')} = ${String(damage)}: ${ours} / ${theirs}`).toBe(
        theirs.length === 0,
      );
      if (ours !== undefined) refused++;
    }
    expect(refused).toBeGreaterThan(300);
  });

  it('says where and what', () => {
    const report = JSON.parse(JSON.stringify(reports[0]));
    expect(schemaProblem({ ...report, energy: { ...report.energy, energyJoules: -1 } }, schema)).toBe(
      '/energy/energyJoules must be at least 0',
    );
    expect(schemaProblem({ ...report, schema: 'microjoule.report/9' }, schema)).toBe(
      '/schema must be "microjoule.report/1"',
    );
    const { intensity: _, ...less } = report;
    expect(schemaProblem(less, schema)).toBe('/intensity is missing');
    expect(schemaProblem([], schema)).toBe('it must be of type object');
  });

  it('lets fields through that a later version may add', () => {
    expect(schemaProblem({ ...reports[0], later: 1 }, schema)).toBeUndefined();
  });
});
