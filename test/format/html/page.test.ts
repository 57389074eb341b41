// SPDX-License-Identifier: MIT
//
// The page as a browser has it. MICROJOULE_UPDATE_SCREENSHOTS=1 writes docs/report-*.png anew.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Report } from '../../../lib/core/report-types.js';
import { formatHtml } from '../../../lib/format/html/index.js';
import { goldenReport, showcaseReport } from '../../report/fixtures.js';
import { chromiumPath, launchChromium, openPage, WHY_SKIPPED } from './chromium.js';

const DOCS = fileURLToPath(new URL('../../../docs/', import.meta.url));

describe.skipIf(chromiumPath === undefined)(`the page in Chromium (${WHY_SKIPPED})`, () => {
  let browser: Browser;
  let folder: string;
  beforeAll(async () => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'microjoule-page-'));
    browser = await launchChromium();
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const open = (report: Report, scheme: 'light' | 'dark' = 'light') => {
    const file = path.join(folder, `${crypto.randomUUID()}.html`);
    writeFileSync(file, formatHtml(report));
    return openPage(browser, file, scheme);
  };

  it.each([
    ['the classic run', goldenReport()],
    ['a run with everything', showcaseReport()],
  ])('has no error, asks for nothing, and shows the numbers of the JSON: %s', async (_, report) => {
    const { page, errors, requests } = await open(report);
    const shown = await page.$$eval('data', (all) =>
      all.map((data) => ({
        value: Number(data.getAttribute('value')),
        path: data.getAttribute('data-path') ?? '',
      })),
    );
    expect(shown.length).toBeGreaterThan(8);
    for (const { path: at, value } of shown) {
      const found = at
        .split('.')
        .reduce<unknown>((from: unknown, name: string) => (from as Record<string, unknown>)[name], report);
      expect(value, at).toBe(found);
    }
    const widths = await page.evaluate<number[]>('[document.documentElement.scrollWidth, innerWidth]');
    expect(widths[0]).toBeLessThanOrEqual(widths[1] ?? 0);
    expect({ errors, requests }).toEqual({ errors: [], requests: [] });
    await page.context().close();
  });

  it('may ask for nothing even if something in it wanted to', async () => {
    const { page, requests, errors } = await open(goldenReport());
    await page.evaluate(() => fetch('https://example.org/').catch(() => {}));
    expect(errors.join(' ')).toContain('Content Security Policy');
    expect(requests).toEqual([]);
    await page.context().close();
  });

  it('has the colours that the reader has', async () => {
    const brightness = async (scheme: 'light' | 'dark') => {
      const { page } = await open(goldenReport(), scheme);
      const style = await page.evaluate<string[]>(
        '[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]',
      );
      const colours = style.map((colour) =>
        (colour.match(/\d+/g) ?? []).slice(0, 3).reduce((sum, part) => sum + Number(part), 0),
      );
      await page.context().close();
      return colours;
    };
    const [lightPage = 0, lightInk = 0] = await brightness('light');
    const [darkPage = 0, darkInk = 0] = await brightness('dark');
    expect(lightPage - lightInk).toBeGreaterThan(450);
    expect(darkInk - darkPage).toBeGreaterThan(450);
  });

  it('draws the components to scale, whiskers at the ends of their intervals', async () => {
    const report = showcaseReport();
    const { page } = await open(report);
    const widths = await page.$$eval(
      '#components g.cpu > rect:first-child, #components g.gpu > rect:first-child',
      (all) => all.map((rect) => Number(rect.getAttribute('width'))),
    );
    const { cpu, gpu } = report.components;
    // Each twice: in the stack and by itself. One unit of width is the gap between two.
    expect(widths).toHaveLength(4);
    expect(((widths[0] ?? 0) + 1) / ((widths[1] ?? 0) + 1)).toBeCloseTo(
      (cpu.energyJoules ?? 0) / (gpu.energyJoules ?? 1),
      2,
    );
    expect(await page.locator('#components .whisker').count()).toBe(4);
    await page.context().close();
  });

  it('tells the provenance of a bar on hover and by keyboard', async () => {
    const { page } = await open(showcaseReport());
    const tip = page.locator('#tip');
    await page.hover('#components g.ram');
    expect(await tip.innerText()).toContain('estimated, ram per-gib model: W/GiB × installed GiB');
    await page.mouse.move(5, 5);
    expect(await tip.isHidden()).toBe(true);
    await page.keyboard.press('Tab');
    expect(await tip.innerText()).toMatch(/^(measured|estimated|assumed), .+: /);
    await page.focus('#components g.cpu');
    expect(await tip.innerText()).toMatch(/^CPU: 61\.23 kJ/);
    await page.keyboard.press('Escape');
    expect(await tip.isHidden()).toBe(true);
    await page.context().close();
  });

  it('zooms into the power by mouse and by keyboard, and back', async () => {
    const { page, errors } = await open(showcaseReport());
    const chart = page.locator('#power');
    const range = async () => [
      Number(await chart.getAttribute('data-from')),
      Number(await chart.getAttribute('data-to')),
    ];
    await chart.scrollIntoViewIfNeeded();
    expect(await range()).toEqual([0, 600]);
    const box = await chart.boundingBox();
    if (box === null) throw new Error('no chart');
    const at = (ratio: number) => box.x + ((58 + ratio * (900 - 58 - 14)) / 900) * box.width;
    await page.mouse.move(at(0.25), box.y + box.height / 2);
    await page.mouse.down();
    await page.mouse.move(at(0.5), box.y + box.height / 2, { steps: 4 });
    await page.mouse.up();
    const [from = 0, to = 0] = await range();
    expect(from).toBeCloseTo(150, -0.5);
    expect(to).toBeCloseTo(300, -0.5);
    await page.keyboard.press('+');
    const [closer = 0, near = 0] = await range();
    expect(near - closer).toBeCloseTo((to - from) / 2, 6);
    await page.keyboard.press('ArrowLeft');
    expect((await range())[0]).toBeLessThan(closer);
    await page.click('#reset');
    expect(await range()).toEqual([0, 600]);
    // No more than a step a pixel, the gap left open, and the envelope around the mean.
    const steps = await page.$$eval('#power path.mean', (paths) =>
      paths.map((line) => ({
        moves: line.getAttribute('d')?.match(/M/g)?.length,
        steps: line.getAttribute('d')?.match(/L/g)?.length ?? 0,
      })),
    );
    for (const line of steps) {
      expect(line.moves).toBe(2);
      expect(line.steps).toBeLessThan(2 * 900);
    }
    expect(await page.locator('#power path.envelope').count()).toBe(3);
    await chart.hover({ position: { x: box.width / 4, y: 100 } });
    expect(await page.locator('#readout').innerText()).toMatch(
      / s: CPU [\d.]+ W, GPU [\d.]+ W, RAM [\d.]+ W$/,
    );
    expect(errors).toEqual([]);
    await page.context().close();
  });

  it('tells times of long runs in hours, minutes and seconds', async () => {
    const report = showcaseReport();
    const { series } = report;
    if (series === undefined) throw new Error('no series');
    const long = { ...series, edgesSeconds: series.edgesSeconds.map((second) => second * 60) };
    const { page, errors } = await open({ ...report, series: long });
    const labels = await page.$$eval('#power text', (texts) => texts.map((one) => one.textContent));
    expect(labels).toEqual(
      expect.arrayContaining(['0:00:00', '2:00:00', '4:00:00', 'h:min:s since the start']),
    );
    await page.locator('#power').scrollIntoViewIfNeeded();
    await page.locator('#power').hover();
    expect(await page.locator('#readout').innerText()).toMatch(/^[45]:\d\d:\d\d: CPU /);
    expect(errors).toEqual([]);
    await page.context().close();
  });

  it('is printed in full, on white', async () => {
    const { page } = await open(showcaseReport(), 'dark');
    await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
    expect(await page.evaluate('getComputedStyle(document.body).backgroundColor')).toBe('rgb(255, 255, 255)');
    expect((await page.pdf({ format: 'A4' })).subarray(0, 5).toString()).toBe('%PDF-');
    await page.context().close();
  });

  const photograph = process.env.MICROJOULE_UPDATE_SCREENSHOTS === '1' ? it : undefined;
  photograph?.('is photographed', async () => {
    for (const scheme of ['light', 'dark'] as const) {
      const { page } = await open(showcaseReport(), scheme);
      await page.setViewportSize({ width: 1100, height: 1660 });
      await page.screenshot({ path: path.join(DOCS, `report-${scheme}.png`) });
      await page.context().close();
    }
  });
});
