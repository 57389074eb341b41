// SPDX-License-Identifier: MIT
//
// The script that a release asks whether it is whole, run over folders of addons: this platform's is real.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
// @ts-expect-error: plain JavaScript
import { PUBLISHED } from '../../scripts/targets.mjs';

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));
const published = PUBLISHED as string[];
const platform = `${process.platform}-${process.arch}`;
const otherLibc = JSON.stringify(process.report.getReport()).includes('glibcVersionRuntime')
  ? 'musl'
  : 'glibc';
const own = published.find((name) => name.startsWith(`${platform}/`) && !name.includes(otherLibc));

describe.skipIf(own === undefined)('smoke.mjs', () => {
  let folder: string;
  const prebuilt = (name: string): string => path.join(folder, 'prebuilds', name);

  beforeAll(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'microjoule-smoke-'));
    for (const name of ['package.json', 'scripts/smoke.mjs', 'scripts/targets.mjs']) {
      cpSync(path.join(REPOSITORY, name), path.join(folder, name));
    }
    symlinkSync(path.join(REPOSITORY, 'node_modules'), path.join(folder, 'node_modules'));
    for (const name of published) {
      mkdirSync(path.dirname(prebuilt(name)), { recursive: true });
      writeFileSync(prebuilt(name), '');
    }
    cpSync(path.join(REPOSITORY, 'build/Release/microjoule.node'), prebuilt(own ?? ''));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  function smoke(...args: string[]): { status: number | null; stdout: string; stderr: string } {
    return spawnSync(process.execPath, [path.join(folder, 'scripts/smoke.mjs'), ...args], {
      encoding: 'utf8',
    });
  }

  /** What it says while a file has another name, or none. */
  function without(name: string, other: string, ...args: string[]): ReturnType<typeof smoke> {
    renameSync(prebuilt(name), prebuilt(other));
    try {
      return smoke(...args);
    } finally {
      renameSync(prebuilt(other), prebuilt(name));
    }
  }

  it('loads the addon of this platform where all are there', () => {
    for (const args of [['--all'], [], [platform]]) {
      const { status, stdout, stderr } = smoke(...args);
      expect(status, stderr).toBe(0);
      expect(stdout.replaceAll(path.sep, '/')).toContain(`prebuilds/${own}: sources `);
    }
  });

  it.each(published)('refuses a release without %s', (name) => {
    expect(without(name, `${name}.not`, '--all')).toMatchObject({ status: 1, stderr: `missing: ${name}\n` });
  });

  it('refuses another platform than was said', () => {
    const other = platform === 'win32-arm64' ? 'linux-x64' : 'win32-arm64';
    expect(smoke(other)).toMatchObject({ status: 1, stderr: `this is ${platform}, not ${other}\n` });
  });

  it('refuses an addon that cannot be loaded, or has a name that a release does not look for', () => {
    const broken = without(own ?? '', `${own}.not`);
    expect(broken.status).toBe(1);
    expect(broken.stderr).toContain('No native build was found');
    if (process.platform !== 'linux') return;
    const odd = without(own ?? '', `${platform}/odd.node`);
    expect(odd.status).toBe(1);
    expect(odd.stderr).toContain(`${platform}/odd.node is not among what is published`);
  });
});
