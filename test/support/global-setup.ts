// SPDX-License-Identifier: MIT
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));

/** Builds what the tests run apart from the sources themselves. Vitest calls the default export once. */
export default function setup(): void {
  buildDist();
  buildFakeNvml();
}

function buildDist(): void {
  const lib = path.join(REPOSITORY, 'lib');
  const main = path.join(REPOSITORY, 'dist/cli/main.js');
  if (!existsSync(path.join(lib, 'cli/main.ts'))) return;
  const sources = readdirSync(lib, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.ts'),
  );
  const newestMs = Math.max(...sources.map((name) => modifiedMs(path.join(lib, name))));
  if (modifiedMs(main) >= newestMs) return;

  const tsc = path.join(REPOSITORY, 'node_modules/typescript/bin/tsc');
  const built = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], {
    cwd: REPOSITORY,
    encoding: 'utf8',
  });
  if (built.status === 0) return;
  const report = `tsc -p tsconfig.build.json failed:\n${built.stdout}${built.stderr}`;
  // The compiler writes its output in spite of type errors; `npm run typecheck` is what fails for those.
  if (modifiedMs(main) < newestMs) throw new Error(report);
  console.warn(report);
}

function buildFakeNvml(): void {
  const source = path.join(REPOSITORY, 'test/support/fake-nvml.c');
  const library = path.join(REPOSITORY, 'build/test/libfake-nvml.so');
  if (!existsSync(source) || modifiedMs(library) >= modifiedMs(source)) return;
  mkdirSync(path.dirname(library), { recursive: true });
  // Renamed when complete: another test run may be loading the old one.
  const draft = `${library}.${process.pid}`;
  const built = spawnSync('cc', ['-shared', '-fPIC', '-O1', '-o', draft, source], { encoding: 'utf8' });
  // Without a compiler, the tests that need the library skip themselves.
  if (built.error !== undefined) return;
  if (built.status !== 0) throw new Error(`cc could not compile ${source}:\n${built.stderr}`);
  renameSync(draft, library);
}

function modifiedMs(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? Number.NEGATIVE_INFINITY;
}
