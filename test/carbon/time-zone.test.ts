// SPDX-License-Identifier: MIT
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { systemTimeZone } from '../../lib/carbon/time-zone.js';

const NOWHERE = '/nonexistent/localtime';

test.each([
  ['Europe/Paris', 'Europe/Paris'],
  [':America/Sao_Paulo', 'America/Sao_Paulo'],
  ['America/Argentina/Buenos_Aires', 'America/Argentina/Buenos_Aires'],
  ['Etc/GMT+3', 'Etc/GMT+3'],
  ['UTC', 'UTC'],
])('TZ=%s is %s', (variable, zone) => {
  expect(systemTimeZone(variable, NOWHERE)).toBe(zone);
});

test('without TZ the link of /etc/localtime tells, then Intl', () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'microjoule-zone-'));
  const link = path.join(folder, 'localtime');
  symlinkSync('/usr/share/zoneinfo/posix/Asia/Tokyo', link);
  expect(systemTimeZone('', link)).toBe('Asia/Tokyo');
  expect(systemTimeZone('', NOWHERE)).toBe(new Intl.DateTimeFormat().resolvedOptions().timeZone);
  rmSync(folder, { recursive: true });
});

test('agrees with Intl on this system', () => {
  const intl = new Intl.DateTimeFormat().resolvedOptions().timeZone;
  const aliases = new Set([intl, intl === 'UTC' ? 'Etc/UTC' : intl]);
  expect(aliases).toContain(systemTimeZone());
});
