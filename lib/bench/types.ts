// SPDX-License-Identifier: MIT
//
// What `microjoule bench` is asked for, and what it found out.
import type { Provenance, Warning } from '../core/vocabulary.js';
import type { PowerEstimate } from '../precision/types.js';

/** A parameter and the texts that stand for it in turn. */
export interface BenchParameter {
  readonly name: string;
  readonly values: readonly string[];
}

/** One command, with everything around it; parameters are filled in. */
export interface BenchCommand {
  /** The command line unless a name was given. */
  readonly name: string;
  readonly commandLine: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly setup?: string;
  readonly prepare?: string;
  readonly conclude?: string;
  readonly cleanup?: string;
  /** `null`, `pipe`, `inherit`, or a file. */
  readonly output: string;
  /** What the others are compared with. */
  readonly isReference: boolean;
}

/** In which order runs follow one another: all commands in turn, or one command after the other. */
export type BenchOrder = 'interleaved' | 'sequential';

/** What is run, and how often. */
export interface BenchPlan {
  readonly commands: readonly BenchCommand[];
  readonly warmupCount: number;
  /** Exactly so many. Absent: from `minRunCount` until three seconds were spent on the slowest, all around it included. */
  readonly runCount?: number;
  readonly minRunCount: number;
  readonly maxRunCount?: number;
  /** The shell and its flags, before the command line; absent: no shell. */
  readonly shell?: readonly string[];
  /** Exit codes that count as success: these, or all. */
  readonly ignoredCodes: 'all' | readonly number[];
  /** A file for the commands' stdin; absent: nothing. */
  readonly input?: string;
  readonly timeoutSeconds?: number;
  readonly order: BenchOrder;
  /** How long the idle machine is watched, before and after; 0: not at all. */
  readonly idleSeconds: number;
}

/** Several runs in numbers, in the unit that the field's name ends with. */
export interface BenchSummary {
  mean: number;
  /** 95 % interval of the mean; absent where there is none, as of a single time. */
  lower?: number;
  upper?: number;
  /** Of the runs; absent for a single one. */
  standardDeviation?: number;
  median: number;
  min: number;
  max: number;
  /** Whether the mean is larger than its own uncertainty. Where it is not, only the bounds say something. */
  isResolved: boolean;
}

/** One run of a command that was measured. */
export interface BenchRun {
  /** Less the shell's own time, where there is a shell. */
  durationSeconds: number;
  /** CPU time of the command and of what it waited for, less the shell's; absent where the system does not tell. */
  userCpuSeconds?: number;
  systemCpuSeconds?: number;
  /** Absent where a signal ended it. */
  exitCode?: number;
  /** Of the machine, less the shell's own; absent where the counters did not tell this run, whose bounds follow. */
  energyJoules?: number;
  lowerJoules: number;
  /** Absent where a counter that told other runs told nothing of this one. */
  upperJoules?: number;
}

/** Where a command went wrong. */
export type BenchPhase = 'setup' | 'prepare' | 'warmup' | 'run' | 'conclude' | 'cleanup';

export interface BenchFailure {
  name: string;
  commandLine: string;
  phase: BenchPhase;
  /** The number of the run, from 1; absent for setup and cleanup. */
  run?: number;
  exitCode?: number;
  signal?: string;
  /** It was ended by us after the time given. */
  timedOut: boolean;
  /** In a sentence. */
  message: string;
  /** The last lines that it wrote to stderr. */
  stderrLines: string[];
  /** How many runs had been measured before. */
  measuredCount: number;
}

/** What was measured of one command. */
export interface BenchResult {
  name: string;
  commandLine: string;
  parameters: Record<string, string>;
  runs: BenchRun[];
  durationSeconds: BenchSummary;
  /** Means over the runs; absent where the system does not tell. */
  userCpuSeconds?: number;
  systemCpuSeconds?: number;
  /** The machine's, while one run lasted. */
  energyJoules: BenchSummary;
  /** Above the idle machine; absent where idling was not measured. */
  aboveIdleJoules?: BenchSummary;
  powerWatts: BenchSummary;
  /** Runs of which the counters told bounds only, or not all; left out of the energies where enough others were told. */
  lostRunCount: number;
  /** Whether it went wrong later. */
  hasFailed: boolean;
  warnings: Warning[];
}

/** One over another, with its 95 % interval; all NaN where some of either is not above nothing, within the noise. */
export interface BenchRatio {
  ratio: number;
  lowerRatio: number;
  upperRatio: number;
  /** Whether the two differ: 1 is outside of the interval, and flipping signs agrees where runs are paired. */
  isResolved: boolean;
}

export interface BenchComparison {
  name: string;
  reference: string;
  energy: BenchRatio;
  aboveIdle?: BenchRatio;
  duration: BenchRatio;
  /** Pairs of neighbouring runs, or the means of all runs. */
  method: 'pairs' | 'means';
  pairCount?: number;
}

/** The start of the shell alone, which every time and energy is less. */
export interface BenchShell {
  command: string;
  durationSeconds: BenchSummary;
  energyJoules: BenchSummary;
}

export interface BenchReport {
  schema: 'microjoule.bench/1';
  generator: { name: 'microjoule'; version: string };
  /** ISO 8601, UTC. */
  generatedAt: string;
  provenance: Provenance;
  order: BenchOrder;
  idle?: PowerEstimate & { durationSeconds: number };
  shell?: BenchShell;
  results: BenchResult[];
  comparisons: BenchComparison[];
  failures: BenchFailure[];
  /** What belongs into the total and could not be read: energies are "at least" so much. */
  missing: string[];
  warnings: Warning[];
}
