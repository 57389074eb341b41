// SPDX-License-Identifier: MIT
//
// Harnesses of versions that the plug-ins were not tested with, and none at all.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SUPPORTED } from '../../lib/harness/versions.js';

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));
const manifest = JSON.parse(readFileSync(path.join(REPOSITORY, 'package.json'), 'utf8'));

describe('harnesses', () => {
  it('are optional, in any version: npm must not refuse us where a plug-in would', () => {
    const any = Object.keys(SUPPORTED).map((name) => [name, '*']);
    expect(manifest.peerDependencies).toEqual(Object.fromEntries(any));
    const optional = Object.keys(SUPPORTED).map((name) => [name, { optional: true }]);
    expect(manifest.peerDependenciesMeta).toEqual(Object.fromEntries(optional));
  });
});

describe('a harness of another version', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'microjoule-versions-'));
    const installed = path.join(folder, 'node_modules/microjoule');
    mkdirSync(installed, { recursive: true });
    for (const name of ['dist', 'package.json']) {
      cpSync(path.join(REPOSITORY, name), path.join(installed, name), { recursive: true });
    }
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** The harness itself, but for the version that it says it has. */
  function install(name: string, version: string): void {
    const target = path.join(folder, 'node_modules', name);
    cpSync(path.join(REPOSITORY, 'node_modules', name), target, { recursive: true });
    const file = path.join(target, 'package.json');
    writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), version }));
  }
  function remove(name: string): void {
    rmSync(path.join(folder, 'node_modules', name), { recursive: true, force: true });
  }

  /** What an expression of the plug-in's module `it` comes to. */
  function attempt(name: string, expression: string): string {
    const code = `
      try {
        const it = await import('microjoule/${name}');
        await ${expression};
        console.log('fine');
      } catch (error) {
        console.log(error.name + ' ' + error.code + ': ' + error.message + ' | ' + error.hint);
      }`;
    const args = ['--input-type=module', '--eval', code];
    const ended = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' });
    expect(ended.stderr).toBe('');
    return ended.stdout.trim();
  }

  const USES = {
    'bench-node': 'new it.EnergySuite()',
    mitata: "it.run({ format: 'quiet', filter: /none/, energy: { budgetSeconds: 1 } })",
    tinybench: 'new it.EnergyBench()',
  };

  it.each([
    ['bench-node', '0.14.2'],
    ['bench-node', '0.16.0'],
    ['mitata', '1.0.33'],
    ['mitata', '2.0.0'],
    ['tinybench', '5.1.0'],
    ['tinybench', '7.0.0'],
    ['tinybench', '7.0.0-beta.1'],
  ] as const)('is refused, and those that are not are named: %s %s', (name, version) => {
    install(name, version);
    const range = SUPPORTED[name];
    expect(attempt(name, USES[name])).toBe(
      `MicrojouleError ERR_UNSUPPORTED_VERSION: ${name} ${version} is not supported: microjoule/${name} works with ${range} | npm install --save-dev '${name}@${range}'`,
    );
  });

  it.each([
    ['bench-node', 'bench-node', '0.5.3', USES['bench-node']],
    ['tinybench', 'tinybench', '1.0.0', USES.tinybench],
    ['mitata', 'mitata', '0.1.0', USES.mitata],
    ['vitest', 'vitest/reporter', '1.0.0', 'new it.default()'],
  ] as const)('is refused in words, whatever it lacks: %s', (name, plugin, version, use) => {
    remove(name);
    const target = path.join(folder, 'node_modules', name);
    mkdirSync(target);
    const exports = { '.': './index.js', './node': './index.js' };
    writeFileSync(path.join(target, 'package.json'), JSON.stringify({ name, version, exports }));
    writeFileSync(path.join(target, 'index.js'), '');
    expect(attempt(plugin, use)).toContain(`ERR_UNSUPPORTED_VERSION: ${name} ${version} is not supported`);
    remove(name);
  });

  it.each([
    ['bench-node', '0.15.3'],
    ['tinybench', '6.0.0'],
    ['tinybench', '6.9.9'],
  ] as const)('is taken within the range: %s %s', (name, version) => {
    install(name, version);
    expect(attempt(name, USES[name])).toBe('fine');
  });

  it.each(Object.keys(USES) as (keyof typeof USES)[])('is asked for by its name: %s', (name) => {
    remove(name);
    expect(attempt(name, USES[name])).toMatch(new RegExp(`ERR_MODULE_NOT_FOUND: .*'${name}'`));
  });

  it('is refused where it is vitest, by provider and reporter', () => {
    const run = 'it.default.run({ test: {}, config: {}, registrations: [] })';
    expect(attempt('vitest', run)).toMatch(
      /^MicrojouleError ERR_UNSUPPORTED_VERSION: vitest \^5\.0\.0 is needed and is not installed \| npm install/,
    );
    // That of this repository.
    const args = ['--input-type=module', '--eval'];
    const code = `
      const provider = (await import('microjoule/vitest')).default;
      const Reporter = (await import('microjoule/vitest/reporter')).default;
      const tell = (error) => console.log(error.code + ': ' + error.message);
      await provider.run({ test: {}, config: {}, registrations: [] }).catch(tell);
      try { new Reporter(); } catch (error) { tell(error); }`;
    const ended = spawnSync(process.execPath, [...args, code], { cwd: REPOSITORY, encoding: 'utf8' });
    const { version } = JSON.parse(
      readFileSync(path.join(REPOSITORY, 'node_modules/vitest/package.json'), 'utf8'),
    );
    const line = `ERR_UNSUPPORTED_VERSION: vitest ${version} is not supported: microjoule/vitest works with ^5.0.0`;
    expect(ended.stdout.trim().split('\n')).toEqual([line, line]);
  });
});
