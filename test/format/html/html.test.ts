// SPDX-License-Identifier: MIT
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Report } from '../../../lib/core/report-types.js';
import { formatHtml } from '../../../lib/format/html/index.js';
import { FORMATTERS } from '../../../lib/format/index.js';
import { mergeReports } from '../../../lib/report/merge.js';
import { goldenReport, schemaErrors, showcaseReport } from '../../report/fixtures.js';

const GOLDEN = new URL('./golden.html', import.meta.url);
const golden = formatHtml(goldenReport());
// MICROJOULE_UPDATE_GOLDEN=1 writes the file anew, for a diff to be read by a person.
if (process.env.MICROJOULE_UPDATE_GOLDEN === '1') writeFileSync(GOLDEN, golden);

/** What stands in the report at `components.cpu.energyJoules`. */
function at(report: Report, path: string): unknown {
  return path.split('.').reduce<unknown>((value, name) => (value as Record<string, unknown>)?.[name], report);
}

const UNITS: Record<string, number> = {
  ...{ '': 1, '%': 0.01, J: 1, kJ: 1e3, GJ: 1e9, W: 1, kW: 1e3 },
  ...{ µg: 1e-6, mg: 1e-3, g: 1, kg: 1e3, t: 1e6, µs: 1e-6, ms: 1e-3, s: 1, min: 60, h: 3600, d: 86_400 },
};

/** What a reader takes from a text such as `61.23 kJ` or `19 min 52.96 s`, and how exact its last digit is. */
function amountOf(text: string): { amount: number; within: number } {
  const parts = [...text.matchAll(/(\d[\d,]*(?:\.(\d+))?(?:e([+-]\d+))?) ?([a-zµA-Z%]*)/g)];
  let [amount, within] = [0, 0];
  for (const [, number = '', decimals = '', exponent = '0', unit = ''] of parts) {
    const scale = UNITS[unit];
    if (scale === undefined) throw new Error(`${text}: ${unit} is no unit that is known here`);
    amount += Number(number.replaceAll(',', '')) * scale;
    within = 0.501 * scale * 10 ** (Number(exponent) - decimals.length);
  }
  return { amount, within };
}

/** Every number of the page: where it comes from and what it is. */
function dataOfPage(html: string): { path: string; value: number; text: string }[] {
  return [...html.matchAll(/<data value="([^"]*)" data-path="([^"]*)">([^<]*)<\/data>/g)].map(
    ([, value, path = '', text = '']) => ({ path, value: Number(value), text }),
  );
}

describe('formatHtml', () => {
  it('is what .html stands for', () => expect(FORMATTERS.get('.html')).toBe(formatHtml));

  it('equals golden.html byte for byte', () => expect(golden).toBe(readFileSync(GOLDEN, 'utf8')));

  it.each<[string, Report]>([
    ['the classic run', goldenReport()],
    ['a run with everything', showcaseReport()],
    [
      'the sum of two',
      mergeReports([goldenReport(), showcaseReport()], { generatedAtMs: 1.77e12, version: '0.1.0' }),
    ],
  ])('shows the numbers of the JSON: %s', (_, report) => {
    expect(schemaErrors(JSON.parse(JSON.stringify(report)))).toEqual([]);
    const shown = dataOfPage(formatHtml(report));
    const paths = new Set(shown.map(({ path }) => path));
    for (const path of ['energy.energyJoules', 'emissions.emissionsGrams', 'duration.durationSeconds']) {
      expect(paths).toContain(path);
    }
    const tiles = formatHtml(report).match(/<div class="tile[^>]*>/g) ?? [];
    expect(tiles.length).toBeGreaterThan(3);
    for (const tile of tiles) expect(tile).toMatch(/data-tip="(measured|estimated|assumed), [^"]+: [^"]+"/);
    for (const { path, value, text } of shown) {
      expect(value, path).toBe(at(report, path));
      const { amount, within } = amountOf(text);
      // Mass is read in grams.
      const expected = /Kg(Per|$)/.test(path) ? 1000 * value : value;
      expect(Math.abs(amount - expected), `${path}: ${value} is shown as ${text}`).toBeLessThanOrEqual(
        within,
      );
      expect(text).not.toMatch(/unknown|NaN|undefined/);
    }
  });

  it('reaches for nothing outside of itself', () => {
    const html = formatHtml(showcaseReport());
    expect(html).not.toMatch(
      /\b(src|srcset)=|@import|url\(\s*['"]?https?:|<link (?!rel="icon" href="data:,")/,
    );
    expect(html).not.toMatch(/\b(fetch|XMLHttpRequest|WebSocket|sendBeacon|import)\s*\(/);
    expect(html).toContain("default-src 'none'");
  });

  it('lets nothing from a report become a part of the page', () => {
    const evil = `</script><img src=x onerror="alert(1)">'"&`;
    const report = showcaseReport();
    report.projectName = evil;
    report.machine.cpuModel = evil;
    report.components.cpu.detail = evil;
    report.warnings.push({ code: 'evil', message: evil, hint: evil });
    report.model = { name: evil, results: { [evil]: evil } };
    report.command = { kind: 'measured', source: evil, argv: [evil] };
    report.references.push({ id: 'evil', text: evil, url: `https://example.org/${evil}` });
    report.references.push({ id: 'run', text: 'x', url: 'javascript:alert(1)' });
    if (report.series?.channels[0] !== undefined) report.series.channels[0].name = evil;
    const html = formatHtml(report);
    expect(html).not.toContain('<img');
    expect(html).not.toContain('javascript:');
    expect(html).not.toMatch(/onerror="/);
    expect(html.match(/<\/script>/g)).toHaveLength(2);
  });

  it('has the power over time only when there is a series', () => {
    expect(golden).not.toMatch(/id="power"|id="series"/);
    expect(formatHtml(showcaseReport())).toContain('<svg id="power"');
  });
});
