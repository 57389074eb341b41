// SPDX-License-Identifier: MIT
//
// Runs programs in a described machine (test/virtual-machine/README.md) and knows what they should have measured.
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { type Description, type Meter, parseDescription } from '../virtual-machine/description.js';
import { countAt, joulesBetween, updateTimes } from '../virtual-machine/model.js';
import { treeOf } from '../virtual-machine/tree.js';
import { writeMachine } from './machine.js';
import { type CliOptions, type CliResult, runCli } from './run-cli.js';

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));
const MACHINES = path.join(REPOSITORY, 'test/virtual-machine/machines');
const LIBRARY = path.join(REPOSITORY, 'build/test/libvirtual-machine.so');
const PROBE = path.join(REPOSITORY, 'build/test/virtual-machine-probe');
const INSIDE = path.join(REPOSITORY, 'test/virtual-machine/inside.mjs');

/** Whether global-setup.ts could build the library: it needs Linux and a C++ compiler. */
export const hasVirtualMachine = existsSync(LIBRARY);

export interface Ran {
  exitCode: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface VirtualMachine {
  readonly root: string;
  readonly description: Description;
  /** For a process that is to run in the machine. */
  readonly env: Record<string, string>;
  /** CLOCK_MONOTONIC at the machine's time 0: when the first of all processes opened a counter. */
  epochNs(): bigint;
  /**
   * The meters of a domain of a device: `package-0`, and what is part of it by name, as `package-0-die-1` or
   * `core-0-3`.
   */
  meters(domain: string, device: number): Meter[];
  /** True energy in joules between two times of CLOCK_MONOTONIC, as `process.hrtime.bigint()` gives them. */
  trueJoules(domain: string, device: number, fromNs: bigint, toNs: bigint): number;
  /** The same of all packages and memories: what the one total should be. */
  trueTotalJoules(fromNs: bigint, toNs: bigint): number;
  /** What a meter counts at a time of CLOCK_MONOTONIC, without faults and wraps. */
  count(meter: string, timeNs: bigint): bigint;
  /** When a meter updates, after one time of CLOCK_MONOTONIC and up to another. */
  updates(meter: string, fromNs: bigint, toNs: bigint): bigint[];
  /** Runs a program in it. */
  run(command: string, args: string[], options?: RunOptions): Promise<Ran>;
  /** Runs the command line in it. */
  runCli(args: string[], options?: CliOptions & { timeoutMs?: number }): Promise<CliResult>;
  /** Runs the body of an async function in it, in a Node of its own; see {@link runInMachine}. */
  script<T>(body: string, options?: RunOptions): Promise<T>;
  /** The test program in C, on one of its commands. */
  probe(args: string[], options?: RunOptions): Promise<Ran>;
  cleanup(): void;
}

export interface RunOptions {
  env?: Record<string, string>;
  timeoutMs?: number;
}

/** The names of all described machines. */
export function machineNames(): string[] {
  return readdirSync(MACHINES)
    .map((name) => path.basename(name, '.machine'))
    .sort();
}

/** The text of a described machine. */
export function machineText(name: string): string {
  return readFileSync(path.join(MACHINES, `${name}.machine`), 'utf8');
}

/**
 * Makes a machine: one by its name, with lines added; or a text of several lines.
 * @param added further lines, such as a fault
 */
export function startMachine(nameOrText: string, ...added: string[]): VirtualMachine {
  const base = nameOrText.includes('\n') ? nameOrText : machineText(nameOrText);
  const text = [base.trimEnd(), ...added, ''].join('\n');
  const description = parseDescription(text);
  const { root, cleanup } = writeMachine({ ...treeOf(description), 'the.machine': text });
  const env = {
    LD_PRELOAD: LIBRARY,
    VIRTUAL_MACHINE: path.join(root, 'the.machine'),
    VIRTUAL_MACHINE_ROOT: root,
    MICROJOULE_SYSFS: path.join(root, 'sys'),
    MICROJOULE_DEV: path.join(root, 'dev'),
    // No GPU of the machine that runs the tests.
    MICROJOULE_NVML_LIBRARY: path.join(root, 'no-nvml'),
    MICROJOULE_CALIBRATION_CACHE: 'off',
  };
  let epoch: bigint | undefined;
  const epochNs = (): bigint => {
    epoch ??= BigInt(readFileSync(path.join(root, 'epoch'), 'utf8').trim());
    return epoch;
  };
  const allMeters = [...description.meters.values()];
  const joules = (meters: Meter[], fromNs: bigint, toNs: bigint): number =>
    meters.reduce((sum, meter) => sum + joulesBetween(meter, fromNs - epochNs(), toNs - epochNs()), 0);
  const meters = (domain: string, device: number): Meter[] => {
    const name = `${domain}-${device}`;
    const found = allMeters.filter((meter) => meter.name === name || meter.name.startsWith(`${name}-`));
    if (found.length === 0) throw new Error(`${name} has no meter`);
    return found;
  };
  const meterOf = (name: string): Meter => {
    const meter = description.meters.get(name);
    if (meter === undefined) throw new Error(`${name} is no meter`);
    return meter;
  };
  const run: VirtualMachine['run'] = (command, args, options) => runProgram(command, args, env, options);
  return {
    root,
    description,
    env,
    epochNs,
    meters,
    trueJoules: (domain, device, fromNs, toNs) => joules(meters(domain, device), fromNs, toNs),
    trueTotalJoules: (fromNs, toNs) =>
      joules(
        allMeters.filter((meter) => /^(package|dram)-/.test(meter.name)),
        fromNs,
        toNs,
      ),
    count: (name, timeNs) => countAt(meterOf(name), timeNs - epochNs()),
    updates: (name, fromNs, toNs) =>
      updateTimes(meterOf(name), fromNs - epochNs(), toNs - epochNs()).map((timeNs) => timeNs + epochNs()),
    run,
    runCli: (args, options = {}) => runCli(args, { ...options, env: { ...env, ...options.env } }),
    script: async <T>(body: string, options?: RunOptions): Promise<T> => {
      const prelude = `import { run } from ${JSON.stringify(pathToFileURL(INSIDE).href)};`;
      const energy = 'openMeter, measureEnergy, compareEnergy';
      const names = `${energy}, read, openFile, openLoad, monotonicNs, untilMachineTime, wait, root`;
      const code = `${prelude}\nawait run(async ({ ${names} }) => {\n${body}\n});`;
      const ran = await run(process.execPath, ['--input-type=module', '--eval', code], options);
      const [, result] = /^result (.*)$/m.exec(ran.stdout) ?? [];
      if (ran.exitCode === 0 && result !== undefined) return JSON.parse(result, reviveBigInt) as T;
      throw new Error(`the script ended with ${ran.exitCode ?? ran.signal}:\n${ran.stderr}${ran.stdout}`);
    },
    probe: (args, options) => run(PROBE, args, options),
    cleanup,
  };
}

/**
 * Runs a script in a machine of its own and removes it: `await runInMachine('client-with-psys', body)`.
 *
 * The body is that of an async function, in a Node of its own, and what it returns comes back (bigints as bigints).
 * It has `openMeter`, `measureEnergy` and `compareEnergy` of the built package; `openLoad()`, whose `on()` and `off()`
 * switch what the machine is described to draw as its load, and whose `kernel(ms)` does so for that long; `read(path)`, the text or the errno's name of a file under the machine's
 * root; `openFile(path)`, whose `read()` gives the same of a kept descriptor; `monotonicNs()`; `wait(ms)`;
 * `untilMachineTime(seconds)`; and `root`.
 */
export async function runInMachine<T>(
  nameOrText: string,
  body: string,
  ...added: string[]
): Promise<{ result: T; machine: VirtualMachine }> {
  const machine = startMachine(nameOrText, ...added);
  try {
    const result = await machine.script<T>(body);
    // Truth outlives the files.
    if (existsSync(path.join(machine.root, 'epoch'))) machine.epochNs();
    return { result, machine };
  } finally {
    machine.cleanup();
  }
}

function reviveBigInt(_: string, value: unknown): unknown {
  return typeof value === 'object' && value !== null && 'bigint' in value
    ? BigInt(String(value.bigint))
    : value;
}

function runProgram(
  command: string,
  args: string[],
  machineEnv: Record<string, string>,
  { env = {}, timeoutMs = 15_000 }: RunOptions = {},
): Promise<Ran> {
  const inherited = Object.entries(process.env).filter(([name]) => !/^MICROJOULE_/.test(name));
  const child = spawn(command, args, {
    env: { ...Object.fromEntries(inherited), ...machineEnv, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (exitCode, signal) => resolve({ exitCode, signal, stdout, stderr }));
  });
}
