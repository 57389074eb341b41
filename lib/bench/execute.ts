// SPDX-License-Identifier: MIT
//
// One run of a command line: started, waited for, ended with all that it started when it takes too long.
import { type ChildProcess, type StdioOptions, spawn, spawnSync } from 'node:child_process';
import { closeSync, fstatSync, ftruncateSync, mkdtempSync, openSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { isatty } from 'node:tty';
import { MicrojouleError } from '../core/errors.js';
import { childCpuTimes } from '../meter/native.js';
import { splitWords } from './words.js';

const TAIL_BYTES = 4096;
const TAIL_LINES = 10;
/** What does not end when asked to is ended. */
const GRACE_MS = 1000;
/** The longest that one timer can wait; a longer one would fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;
const CMD = /(?:^|[\\/])cmd(?:\.exe)?$/i;

type Running = ChildProcess & { isInOurGroup?: boolean; tree?: number[] };

/** How one run went. */
export interface Execution {
  /** `process.hrtime.bigint()` before the start and after the end. */
  start: bigint;
  end: bigint;
  exitCode?: number;
  signal?: NodeJS.Signals;
  timedOut: boolean;
  /** Why it did not start. */
  notStarted?: string;
  userCpuSeconds?: number;
  systemCpuSeconds?: number;
  /** The last lines of stderr, without those that are empty. */
  stderrLines: string[];
}

export interface ExecutorOptions {
  shell: readonly string[] | undefined;
  input: string | undefined;
}

export interface ExecuteOptions {
  /** `null`, `pipe`, `inherit` or a file. */
  output: string;
  env?: Record<string, string>;
  /** After so long it is ended, with all that it started. */
  timeoutSeconds?: number | undefined;
  /** It may ask the terminal something, as sudo does for a password, and so stays in our session where we have one. */
  needsTerminal?: boolean;
}

/** What runs command lines. Faked in tests of what is built on it. */
export interface Executor {
  execute(commandLine: string, options: ExecuteOptions): Promise<Execution>;
  /** Ends what runs. */
  kill(): void;
  close(): void;
}

function openOrExplain(file: string, flags: string, what: string): number {
  try {
    return openSync(file, flags);
  } catch (error) {
    throw new MicrojouleError(
      'ERR_BAD_OPTION',
      `--${what}: cannot open ${file} (${(error as Error).message})`,
      {
        hint:
          what === 'input'
            ? 'Give a file that can be read, or null.'
            : 'Give null, pipe, inherit, or a file that can be written.',
        cause: error,
      },
    );
  }
}

function makeFolder(): string {
  try {
    return mkdtempSync(path.join(tmpdir(), 'microjoule-bench-'));
  } catch (cause) {
    throw new MicrojouleError(
      'ERR_BAD_OPTION',
      `no file can be made in ${tmpdir()}, where the commands' stderr goes (${(cause as Error).message})`,
      { hint: 'Set TMPDIR to a folder that you may write to.', cause },
    );
  }
}

/** What is started: the command itself, or a shell with it. */
function wordsOf(commandLine: string, shell: readonly string[] | undefined): string[] {
  if (shell === undefined) return splitWords(commandLine, process.platform);
  // cmd.exe takes the rest as it is, but for quotes around all of it.
  return [...shell, CMD.test(shell[0] ?? '') ? `"${commandLine}"` : commandLine];
}

const hasTerminal = (): boolean => [0, 1, 2].some((descriptor) => isatty(descriptor));

/** A process and all that it started, as far as ps tells. */
function treeOf(pid: number): number[] {
  const { stdout } = spawnSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' });
  const pairs = (stdout ?? '').split('\n').map((line) => line.trim().split(/\s+/).map(Number));
  const tree = [pid];
  // What is found last is looked through, too.
  for (const parent of tree) {
    tree.push(...pairs.flatMap(([own = 0, of]) => (of === parent && own > 0 ? [own] : [])));
  }
  return tree;
}

/** Ends a command with its process group; on Windows, and where it is in our group, with its tree. */
function killGroup(child: Running, signal: NodeJS.Signals): void {
  const { pid } = child;
  if (pid === undefined) return;
  if (child.isInOurGroup && process.platform !== 'win32') {
    // What has lost its parent since is found no more.
    child.tree ??= treeOf(pid);
    for (const one of child.tree) {
      try {
        process.kill(one, signal);
      } catch {
        // It has gone.
      }
    }
    return;
  }
  if (process.platform === 'win32') {
    spawnSync('taskkill', ['/pid', String(pid), '/t', '/f'], { stdio: 'ignore', windowsHide: true });
    return;
  }
  try {
    process.kill(-pid, signal);
  } catch {
    // All of them have gone.
  }
}

/**
 * Runs command lines in process groups of their own, so that all that a command starts can be ended with it. Stderr
 * goes to a file that nobody reads meanwhile: reading it would cost energy.
 */
export class CommandExecutor implements Executor {
  readonly #options: ExecutorOptions;
  readonly #folder: string;
  readonly #stderr: number;
  #running: Running | undefined;
  /** What kill() was asked to end. */
  #killed: ChildProcess | undefined;
  /** Nothing that we started outlives us. */
  readonly #atExit = (): void => {
    if (this.#running !== undefined) killGroup(this.#running, 'SIGKILL');
    rmSync(this.#folder, { recursive: true, force: true });
  };

  /** @throws MicrojouleError `ERR_BAD_OPTION` where the input cannot be read */
  constructor(options: ExecutorOptions) {
    // Better now than after the first command has run.
    if (options.input !== undefined) closeSync(openOrExplain(options.input, 'r', 'input'));
    this.#options = options;
    this.#folder = makeFolder();
    this.#stderr = openSync(path.join(this.#folder, 'stderr'), 'a+');
    process.on('exit', this.#atExit);
  }

  /** Never rejects for what the command does. @throws MicrojouleError `ERR_BAD_OPTION` for input and output files */
  async execute(
    commandLine: string,
    { output, env, timeoutSeconds, needsTerminal = false }: ExecuteOptions,
  ): Promise<Execution> {
    const { input, shell } = this.#options;
    const [file = '', ...args] = wordsOf(commandLine, shell);
    ftruncateSync(this.#stderr, 0);
    const opened: number[] = [];
    const open = (name: string, flags: string, what: string): number => {
      const descriptor = openOrExplain(name, flags, what);
      opened.push(descriptor);
      return descriptor;
    };
    try {
      const named = !['null', 'pipe', 'inherit'].includes(output);
      const stdio: StdioOptions = [
        input === undefined ? 'ignore' : open(input, 'r', 'input'),
        named ? open(output, 'w', 'output') : output === 'null' ? 'ignore' : (output as 'pipe' | 'inherit'),
        output === 'inherit' ? 'inherit' : this.#stderr,
      ];
      return await this.#run(file, args, stdio, { ...process.env, ...env }, timeoutSeconds, needsTerminal);
    } finally {
      for (const descriptor of opened) closeSync(descriptor);
    }
  }

  #run(
    file: string,
    args: string[],
    stdio: StdioOptions,
    env: NodeJS.ProcessEnv,
    timeoutSeconds: number | undefined,
    needsTerminal: boolean,
  ): Promise<Execution> {
    const before = childCpuTimes();
    return new Promise((resolve) => {
      let timedOut = false;
      let timer: NodeJS.Timeout | undefined;
      const start = process.hrtime.bigint();
      const settle = (ended: Partial<Execution>): void => {
        const end = process.hrtime.bigint();
        clearTimeout(timer);
        this.#running = undefined;
        const after = childCpuTimes();
        resolve({
          start,
          end,
          timedOut,
          ...ended,
          ...(before === undefined || after === undefined
            ? {}
            : {
                userCpuSeconds: after.userCpuSeconds - before.userCpuSeconds,
                systemCpuSeconds: after.systemCpuSeconds - before.systemCpuSeconds,
              }),
          stderrLines: this.#tail(),
        });
      };
      const isInOurGroup = needsTerminal && hasTerminal();
      let child: Running;
      try {
        child = spawn(file, args, {
          stdio,
          env,
          // A group of its own, and with it no terminal.
          detached: process.platform !== 'win32' && !isInOurGroup,
          windowsHide: true,
          windowsVerbatimArguments: CMD.test(file),
        });
      } catch (error) {
        settle({ notStarted: (error as Error).message });
        return;
      }
      child.isInOurGroup = isInOurGroup;
      this.#running = child;
      child.stdout?.resume();
      child.on('error', (error: NodeJS.ErrnoException) => {
        if (child.pid === undefined) settle({ notStarted: explain(file, error) });
      });
      child.on('exit', (exitCode, signal) => {
        // What it left behind goes with it, if it was ended.
        if (timedOut || this.#killed === child) killGroup(child, 'SIGKILL');
        settle(signal === null ? { exitCode: exitCode ?? 0 } : { signal });
      });
      if (timeoutSeconds === undefined) return;
      timer = setTimeout(
        () => {
          timedOut = true;
          killGroup(child, 'SIGTERM');
          timer = setTimeout(() => killGroup(child, 'SIGKILL'), GRACE_MS);
        },
        Math.min(timeoutSeconds * 1000, LONGEST_TIMER_MS),
      );
    });
  }

  /** The last lines of what was written to stderr. */
  #tail(): string[] {
    const { size } = fstatSync(this.#stderr);
    const length = Math.min(size, TAIL_BYTES);
    const buffer = Buffer.alloc(length);
    const read = readSync(this.#stderr, buffer, 0, length, size - length);
    const lines = buffer.toString('utf8', 0, read).split(/\r?\n/);
    // The first may be cut. Where there is no other, its end is better than nothing.
    const cut = size > length ? lines.shift() : undefined;
    const whole = lines.filter((line) => line.trim() !== '').slice(-TAIL_LINES);
    return cut !== undefined && whole.length === 0 ? [`… ${cut}`] : whole;
  }

  kill(): void {
    const child = this.#running;
    if (child === undefined) return;
    this.#killed = child;
    killGroup(child, 'SIGTERM');
    setTimeout(() => {
      if (this.#running === child) killGroup(child, 'SIGKILL');
    }, GRACE_MS).unref();
  }

  close(): void {
    this.kill();
    process.off('exit', this.#atExit);
    closeSync(this.#stderr);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function explain(file: string, error: NodeJS.ErrnoException): string {
  if (error.code === 'ENOENT') return `there is no command "${file}"`;
  if (error.code === 'EACCES') return `"${file}" is not executable`;
  return error.message;
}
