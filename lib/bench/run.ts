// SPDX-License-Identifier: MIT
//
// Runs all commands of a plan, in turn, and keeps what was measured whatever happens to one of them.
import { MicrojouleError } from '../core/errors.js';
import type { IdleWindow } from '../kernel/baselines.js';
import { shuffled } from '../kernel/compare-energy.js';
import type { ExecuteOptions, Execution, Executor } from './execute.js';
import type { Gauge } from './gauge.js';
import { measureShell, type ShellCost } from './shell.js';
import { less } from './statistics.js';
import type { BenchCommand, BenchFailure, BenchPhase, BenchPlan } from './types.js';
import type { RawSample } from './whole.js';

/** So long is spent on the slowest command at least, as far as the numbers of runs allow. */
const SPENT_SECONDS = 3;

/** Before the number of a warm-up run in the environment, as hyperfine has it. */
const WARMUP = 'warmup-';

export interface BenchProgress {
  phase: 'idle' | 'shell' | BenchPhase;
  name: string;
  /** Runs of this command so far, and how many there will be, where that is known. */
  doneCount: number;
  totalCount?: number;
}

export interface BenchTools {
  gauge: Gauge;
  executor: Executor;
  /** Uniform numbers in [0, 1). */
  random: () => number;
  onProgress?: (progress: BenchProgress) => void;
  /** Once aborted, nothing new is started. */
  signal?: AbortSignal;
}

/** A command and what was measured of it. */
export interface Entry {
  command: BenchCommand;
  samples: RawSample[];
  executions: Execution[];
  failure?: BenchFailure;
  /** What its first round took, with all that is run around it and until its energy was told. */
  roundSeconds?: number;
  /** Whether its setup was run, so that there is something to clean up. */
  isSetUp: boolean;
}

export interface Raw {
  entries: Entry[];
  failures: BenchFailure[];
  idleWindows: IdleWindow[];
  shell?: ShellCost;
  wasInterrupted: boolean;
}

export async function runCommands(plan: BenchPlan, tools: BenchTools): Promise<Raw> {
  return new Runner(plan, tools).run();
}

class Runner {
  readonly #plan: BenchPlan;
  readonly #tools: BenchTools;
  readonly #entries: Entry[];
  readonly #failures: BenchFailure[] = [];
  #shell: ShellCost | undefined;
  /** In all that was started so far. */
  #spentSeconds = 0;

  constructor(plan: BenchPlan, tools: BenchTools) {
    this.#plan = plan;
    this.#tools = tools;
    this.#entries = plan.commands.map((command) => ({
      command,
      samples: [],
      executions: [],
      isSetUp: false,
    }));
  }

  get #isStopped(): boolean {
    return this.#tools.signal?.aborted === true;
  }

  async run(): Promise<Raw> {
    const { gauge, executor } = this.#tools;
    const { idleSeconds, shell, order } = this.#plan;
    const idleWindows: IdleWindow[] = [];
    const watch = async (): Promise<void> => {
      if (idleSeconds === 0 || this.#isStopped) return;
      this.#tell('idle', '', 0);
      const window = await gauge.idle(idleSeconds, this.#tools.signal);
      if (window !== undefined) idleWindows.push(window);
    };
    await watch();
    if (shell !== undefined && !this.#isStopped) {
      this.#tell('shell', shell.join(' '), 0);
      this.#shell = await this.#calibrate(gauge, executor, shell);
    }
    if (order === 'interleaved') await this.#measureTogether(this.#entries);
    else for (const entry of this.#entries) await this.#measureTogether([entry]);
    if (this.#entries.some(({ samples }) => samples.length > 0)) await watch();
    return {
      entries: this.#entries,
      failures: this.#failures,
      idleWindows,
      ...(this.#shell === undefined ? {} : { shell: this.#shell }),
      wasInterrupted: this.#isStopped,
    };
  }

  async #calibrate(
    gauge: Gauge,
    executor: Executor,
    shell: readonly string[],
  ): Promise<ShellCost | undefined> {
    try {
      return await measureShell(gauge, executor, shell, this.#tools.random);
    } catch (error) {
      // Whoever interrupts also ends the shell that runs.
      if (this.#isStopped) return undefined;
      throw error;
    }
  }

  #tell(phase: BenchProgress['phase'], name: string, doneCount: number, totalCount?: number): void {
    this.#tools.onProgress?.({ phase, name, doneCount, ...(totalCount === undefined ? {} : { totalCount }) });
  }

  /** Sets up, warms up, runs in turn, cleans up. */
  async #measureTogether(entries: readonly Entry[]): Promise<void> {
    const working = (): Entry[] =>
      this.#isStopped ? [] : entries.filter(({ failure }) => failure === undefined);
    for (const entry of working()) {
      entry.isSetUp = true;
      await this.#beside(entry, 'setup');
    }
    for (const entry of working()) await this.#warmUp(entry);
    let order: Entry[] = [];
    for (let round = 0; working().length > 0 && round < this.#roundCount(entries, round); ++round) {
      // Every other round is the mirror image of the one before it: A B B A.
      order = round % 2 === 0 ? shuffled([...entries], this.#tools.random) : order.toReversed();
      for (const entry of order) {
        if (!working().includes(entry)) continue;
        this.#tell(
          'run',
          entry.command.name,
          round,
          round === 0 ? this.#plan.runCount : this.#roundCount(entries, round),
        );
        await this.#runOnce(entry, round);
      }
    }
    for (const entry of entries) if (entry.isSetUp) await this.#beside(entry, 'cleanup');
  }

  /** How many rounds there will be, as far as it is known: all commands have as many runs. */
  #roundCount(entries: readonly Entry[], round: number): number {
    const { runCount, minRunCount, maxRunCount = Number.POSITIVE_INFINITY } = this.#plan;
    if (runCount !== undefined) return runCount;
    if (round === 0) return 1;
    const rounds = entries.flatMap(({ roundSeconds }) => roundSeconds ?? []);
    const wanted = Math.ceil(SPENT_SECONDS / Math.max(...rounds, 1e-3));
    return Math.min(maxRunCount, Math.max(minRunCount, wanted));
  }

  async #warmUp(entry: Entry): Promise<void> {
    const { warmupCount } = this.#plan;
    for (let run = 0; run < warmupCount && entry.failure === undefined && !this.#isStopped; ++run) {
      this.#tell('warmup', entry.command.name, run, warmupCount);
      if (!(await this.#beside(entry, 'prepare', run, WARMUP))) return;
      const execution = await this.#execute(entry, run, WARMUP);
      if (!this.#accept(entry, 'warmup', execution, run)) return;
      await this.#beside(entry, 'conclude', run, WARMUP);
    }
  }

  async #execute({ command }: Entry, run: number, prefix = ''): Promise<Execution> {
    const env = { MICROJOULE_ITERATION: `${prefix}${run}` };
    const { timeoutSeconds } = this.#plan;
    return this.#start(command.commandLine, { output: command.output, env, timeoutSeconds });
  }

  async #start(line: string, options: ExecuteOptions): Promise<Execution> {
    try {
      const execution = await this.#tools.executor.execute(line, options);
      this.#spentSeconds += Number(execution.end - execution.start) / 1e9;
      return execution;
    } catch (error) {
      if (!(error instanceof MicrojouleError)) throw error;
      // Its output cannot be written, say: no reason to lose what was measured of others.
      return { start: 0n, end: 0n, timedOut: false, notStarted: error.message, stderrLines: [] };
    }
  }

  async #runOnce(entry: Entry, round: number): Promise<void> {
    const spentBefore = this.#spentSeconds;
    if (!(await this.#beside(entry, 'prepare', round)) || this.#isStopped) return;
    const execution = await this.#execute(entry, round);
    if (!this.#accept(entry, 'run', execution, round)) return;
    const { start, end, userCpuSeconds, systemCpuSeconds } = execution;
    const isKnown = userCpuSeconds !== undefined && systemCpuSeconds !== undefined;
    try {
      const { estimate, missing, stopped, settleSeconds } = await this.#tools.gauge.measure({
        start,
        end,
        ...(isKnown ? { cpuSeconds: userCpuSeconds + systemCpuSeconds } : {}),
      });
      const seconds = Number(end - start) / 1e9;
      entry.samples.push({
        round,
        // As hyperfine does: a command that is faster than the shell alone took no time.
        seconds: Math.max(0, seconds - (this.#shell?.seconds ?? 0)),
        estimate: less(estimate, this.#shell?.cost.joules ?? 0),
        missing,
        stopped,
      });
      this.#spentSeconds += settleSeconds;
      entry.executions.push(execution);
    } catch (error) {
      if (!(error instanceof MicrojouleError)) throw error;
      this.#fail(entry, 'run', round, {
        message: `its energy is not known: ${error.message}`,
        stderrLines: [],
      });
      return;
    }
    await this.#beside(entry, 'conclude', round);
    entry.roundSeconds ??= this.#spentSeconds - spentBefore;
  }

  /** Whether a run of the command went well. */
  #accept(entry: Entry, phase: BenchPhase, execution: Execution, run: number): boolean {
    const { exitCode, timedOut, notStarted } = execution;
    if (this.#isStopped) return false;
    const { ignoredCodes } = this.#plan;
    const isIgnored = ignoredCodes === 'all' || (exitCode !== undefined && ignoredCodes.includes(exitCode));
    if (!timedOut && notStarted === undefined && (exitCode === 0 || isIgnored)) return true;
    this.#fail(entry, phase, run, execution);
    return false;
  }

  /** What is run beside the command, where there is something. False where it failed. */
  async #beside(
    entry: Entry,
    phase: 'setup' | 'prepare' | 'conclude' | 'cleanup',
    run?: number,
    prefix = '',
  ): Promise<boolean> {
    const line = entry.command[phase];
    if (line === undefined) return true;
    const env = run === undefined ? {} : { MICROJOULE_ITERATION: `${prefix}${run}` };
    // A setup may well take longer than a run.
    const timeoutSeconds = run === undefined ? undefined : this.#plan.timeoutSeconds;
    const output = entry.command.output === 'inherit' ? 'inherit' : 'null';
    const execution = await this.#start(line, { output, env, timeoutSeconds, needsTerminal: true });
    const { exitCode, timedOut, notStarted } = execution;
    if (exitCode === 0 && !timedOut && notStarted === undefined) return true;
    if (this.#isStopped) return false;
    this.#fail(entry, phase, run, execution, line);
    return false;
  }

  #fail(
    entry: Entry,
    phase: BenchPhase,
    run: number | undefined,
    ended: Partial<Execution> & { stderrLines: string[]; message?: string },
    line?: string,
  ): void {
    const { command, samples } = entry;
    const { exitCode, signal, timedOut = false, stderrLines } = ended;
    const failure: BenchFailure = {
      name: command.name,
      commandLine: line ?? command.commandLine,
      phase,
      ...(run === undefined ? {} : { run: run + 1 }),
      ...(exitCode === undefined ? {} : { exitCode }),
      ...(signal === undefined ? {} : { signal }),
      timedOut,
      message: ended.message ?? explain(ended, this.#plan.timeoutSeconds),
      stderrLines,
      measuredCount: samples.length,
    };
    this.#failures.push(failure);
    entry.failure ??= failure;
  }
}

function explain({ exitCode, signal, timedOut, notStarted }: Partial<Execution>, timeoutSeconds = 0): string {
  if (notStarted !== undefined) return `it could not be started: ${notStarted}`;
  if (timedOut === true)
    return `it had not ended after ${timeoutSeconds} s, and was ended with all that it had started`;
  return signal === undefined ? `it ended with exit code ${exitCode}` : `it was ended by ${signal}`;
}
