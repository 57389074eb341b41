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
  buildVirtualMachine();
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
  const source = path.join(REPOSITORY, 'test/fake-nvml/fake-nvml.c');
  const flags = ['-shared', '-fPIC', '-O1'];
  compile('cc', flags, [source], 'libfake-nvml.so');
  compile('cc', [...flags, '-DFAKE_NVML_HALF'], [source], 'libfake-nvml-half.so');
  // For Windows' Node under Wine.
  const mingw = 'x86_64-w64-mingw32-gcc';
  const alone = ['-shared', '-O1', '-static'];
  compile(mingw, alone, [source], 'fake-nvml.dll', [], ['-lwinpthread']);
  compile(mingw, [...alone, '-DFAKE_NVML_HALF'], [source], 'fake-nvml-half.dll', [], ['-lwinpthread']);
}

function buildVirtualMachine(): void {
  const folder = path.join(REPOSITORY, 'test/virtual-machine');
  if (process.platform !== 'linux' || !existsSync(folder)) return;
  const named = (ending: RegExp) =>
    readdirSync(folder)
      .filter((name) => ending.test(name))
      .map((name) => path.join(folder, name));
  // It is loaded into every program of a test, so it must not bring a C++ library along.
  const alone = ['-fno-exceptions', '-fno-rtti', '-fno-threadsafe-statics', '-Wl,--as-needed'];
  const flags = ['-shared', '-fPIC', '-O2', '-std=c++17', '-fvisibility=hidden', ...alone];
  compile('g++', flags, named(/\.cc$/), 'libvirtual-machine.so', named(/\.h$/), ['-ldl']);
  compile('cc', ['-O2'], named(/\.c$/), 'virtual-machine-probe', [], ['-pthread']);
}

/** Compiles into build/test unless that is newer. Without a compiler, the tests that need the result skip themselves. */
function compile(
  compiler: string,
  flags: string[],
  sources: string[],
  target: string,
  headers: string[] = [],
  libraries: string[] = [],
): void {
  const output = path.join(REPOSITORY, 'build/test', target);
  if (!sources.every(existsSync)) return;
  const newestMs = Math.max(...[...sources, ...headers].map(modifiedMs));
  if (modifiedMs(output) >= newestMs) return;
  mkdirSync(path.dirname(output), { recursive: true });
  // Renamed when complete: another test run may be using the old one.
  const draft = `${output}.${process.pid}`;
  const built = spawnSync(compiler, [...flags, '-o', draft, ...sources, ...libraries], { encoding: 'utf8' });
  if (built.error !== undefined) return;
  if (built.status !== 0) throw new Error(`${compiler} could not compile ${target}:\n${built.stderr}`);
  renameSync(draft, output);
}

function modifiedMs(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? Number.NEGATIVE_INFINITY;
}
