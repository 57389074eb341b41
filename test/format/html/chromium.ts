// SPDX-License-Identifier: MIT
//
// The system's Chromium, without a window, for looking at pages.
import { existsSync } from 'node:fs';
import { type Browser, chromium, type Page } from 'playwright-core';

/** Debian's package and the names that others give it. */
const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

export const chromiumPath = process.env.CHROMIUM_PATH ?? PLACES.find(existsSync);
export const WHY_SKIPPED = 'needs Chromium: apt-get install chromium, or CHROMIUM_PATH';

export function launchChromium(): Promise<Browser> {
  if (chromiumPath === undefined) throw new Error(WHY_SKIPPED);
  // Root in a container has no sandbox to use.
  return chromium.launch({ executablePath: chromiumPath, args: ['--no-sandbox', '--disable-gpu'] });
}

/** What went wrong on a page, and what it asked for beside itself. */
export interface Watched {
  page: Page;
  errors: string[];
  requests: string[];
}

export async function openPage(
  browser: Browser,
  file: string,
  colorScheme: 'light' | 'dark' = 'light',
): Promise<Watched> {
  const context = await browser.newContext({ colorScheme, viewport: { width: 1100, height: 900 } });
  const page = await context.newPage();
  const errors: string[] = [];
  const requests: string[] = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) errors.push(message.text());
  });
  page.on('pageerror', (error) => errors.push(String(error)));
  page.on('request', (request) => {
    if (request.url() !== `file://${file}` && !request.url().startsWith('data:'))
      requests.push(request.url());
  });
  await page.goto(`file://${file}`);
  return { page, errors, requests };
}
