// SPDX-License-Identifier: MIT
//
// Makes prebuilt addons: on Debian 12 (x64) all that can be made there, each by the same CMake files; elsewhere that of
// the machine itself, by prebuildify.
//   node scripts/prebuilds.mjs [--out FOLDER] [TARGET...]
// A target that is named must be made; without names, one whose compiler is missing is left out with a word.
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { prebuildifyArguments } from './targets.mjs';

const REPOSITORY = fileURLToPath(new URL('..', import.meta.url));
const LOCK_POLL_MS = 100;
const OLD_GLIBC = '-DMICROJOULE_OLD_GLIBC=ON';
const toolchain = (name) => `-DCMAKE_TOOLCHAIN_FILE=${path.join(REPOSITORY, 'cmake', `${name}.cmake`)}`;

/** `tools` is what the names of compiler and strip begin with; the compiler stands in `packages` of Debian. */
const TARGETS = {
  'linux-x64': {
    tools: '',
    compiler: 'g++',
    packages: 'g++',
    flags: [OLD_GLIBC],
    file: 'microjoule.glibc.node',
  },
  'linux-arm64': {
    tools: 'aarch64-linux-gnu-',
    compiler: 'g++',
    packages: 'g++-aarch64-linux-gnu',
    flags: [OLD_GLIBC, toolchain('linux-arm64')],
    file: 'microjoule.glibc.node',
  },
  'win32-x64': {
    tools: 'x86_64-w64-mingw32-',
    compiler: 'g++-posix',
    packages: 'g++-mingw-w64-x86-64-posix',
    flags: [toolchain('mingw-w64-x64')],
    file: 'microjoule.node',
  },
};

function run(command, args) {
  const ended = spawnSync(command, args, { cwd: REPOSITORY, encoding: 'utf8' });
  if (ended.status === 0) return;
  const why = ended.error?.message ?? `exit code ${ended.status}`;
  throw new Error(`${command} ${args.join(' ')}: ${why}\n${ended.stdout ?? ''}${ended.stderr ?? ''}`);
}

const exists = (command) => spawnSync(command, ['--version']).error === undefined;

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Tests that run side by side build in one folder, one after the other. */
function withLock(folder, body) {
  const lock = `${folder}.lock`;
  mkdirSync(path.dirname(folder), { recursive: true });
  for (;;) {
    try {
      writeFileSync(lock, String(process.pid), { flag: 'wx' });
      break;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
      const holder = Number(existsSync(lock) ? readFileSync(lock, 'utf8') : '');
      if (holder > 0 && !isAlive(holder)) rmSync(lock, { force: true });
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOCK_POLL_MS);
    }
  }
  try {
    body();
  } finally {
    rmSync(lock, { force: true });
  }
}

function make(target, out) {
  const build = path.join(REPOSITORY, 'build/prebuild', target);
  withLock(build, () => makeIn(build, target, out));
}

function makeIn(build, target, out) {
  const { tools, flags, file } = TARGETS[target];
  run('cmake', [
    '-S',
    REPOSITORY,
    '-B',
    build,
    '-DCMAKE_BUILD_TYPE=Release',
    '-DMICROJOULE_ADDON=ON',
    ...flags,
  ]);
  run('cmake', ['--build', build, '-j', '2', '--target', 'microjoule']);
  const made = path.join(out, target, file);
  mkdirSync(path.dirname(made), { recursive: true });
  // Renamed when complete: somebody may have the old one loaded.
  const draft = `${made}.${process.pid}`;
  copyFileSync(path.join(build, 'microjoule.node'), draft);
  run(`${tools}strip`, ['--strip-unneeded', draft]);
  renameSync(draft, made);
  console.log(`${path.relative(REPOSITORY, made)}: ${statSync(made).size} bytes`);
}

function isGlibc() {
  return process.report.getReport().header.glibcVersionRuntime !== undefined;
}

function main() {
  const { values, positionals } = parseArgs({ options: { out: { type: 'string' } }, allowPositionals: true });
  const unknown = positionals.find((name) => !(name in TARGETS));
  if (unknown !== undefined) {
    throw new Error(`there is no target ${unknown}: ${Object.keys(TARGETS).join(', ')} are known`);
  }
  if (process.platform !== 'linux' || process.arch !== 'x64' || !isGlibc()) {
    const prebuildify = path.join(REPOSITORY, 'node_modules/prebuildify/bin.js');
    const flags = prebuildifyArguments(process.platform, values.out && path.dirname(values.out));
    run(process.execPath, [prebuildify, ...flags]);
    return;
  }
  const out = path.resolve(values.out ?? path.join(REPOSITORY, 'prebuilds'));
  for (const target of positionals.length > 0 ? positionals : Object.keys(TARGETS)) {
    const { tools, compiler, packages } = TARGETS[target];
    if (!exists(`${tools}${compiler}`)) {
      const missing = `its compiler is missing: apt-get install ${packages}`;
      if (positionals.length > 0) throw new Error(`${target}: ${missing}`);
      console.log(`${target}: left out, ${missing}`);
      // One of an earlier time would be published.
      const old = path.join(out, target);
      if (existsSync(old)) rmSync(old, { recursive: true });
      continue;
    }
    make(target, out);
  }
}

try {
  main();
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
