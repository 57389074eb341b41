// SPDX-License-Identifier: MIT
//
// A machine that runs nothing: commands take and use what a test says, so that what is built on them is exact.
import type { Execution, Executor } from '../../lib/bench/execute.js';
import type { Gauge, Stretch } from '../../lib/bench/gauge.js';
import { type BenchOptions, planBench } from '../../lib/bench/plan.js';
import type { BenchPlan } from '../../lib/bench/types.js';
import type { EnergyEstimate } from '../../lib/precision/types.js';

/** Uniform numbers in [0, 1) from a seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function normalFrom(random: () => number): () => number {
  return () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** An energy that is known so well. */
export function estimateOf(energyJoules: number, standardUncertaintyJoules = 1e-4): EnergyEstimate {
  const half = 1.96 * standardUncertaintyJoules;
  return {
    energyJoules,
    uncertaintyJoules: half,
    standardUncertaintyJoules,
    lowerJoules: Math.max(0, energyJoules - half),
    upperJoules: energyJoules + half,
    confidenceRatio: 0.95,
    method: 'inside-slope',
    components: [],
    resolved: energyJoules > half,
    flags: [],
  };
}

/** One of which only bounds are known. */
export function boundOf(upperJoules: number): EnergyEstimate {
  return {
    ...estimateOf(upperJoules / 2, upperJoules / Math.sqrt(12)),
    lowerJoules: 0,
    upperJoules,
    uncertaintyJoules: upperJoules / 2,
    method: 'bound',
    resolved: false,
  };
}

/** How one run of a command goes. */
export interface Behaviour {
  seconds: number;
  /** Above the idle machine. */
  watts?: number;
  estimate?: EnergyEstimate;
  missing?: string[];
  stopped?: string[];
  ended?: Partial<Execution>;
}

export interface FakeMachine {
  executor: Executor;
  gauge: Gauge;
  /** Every command line that was run, in order. */
  log: string[];
  /** With which output. */
  outputs: string[];
  iterations: (string | undefined)[];
}

/**
 * @param behave what a command line does at its n-th run, from 0
 * @param idleWatts what the machine draws throughout; it may drift with the time in seconds
 */
export function fakeMachine(
  behave: (line: string, run: number) => Behaviour,
  idleWatts: (seconds: number) => number = () => 30,
): FakeMachine {
  let nowNs = 1_000_000_000n;
  const log: string[] = [];
  const outputs: string[] = [];
  const iterations: (string | undefined)[] = [];
  const counts = new Map<string, number>();
  let last: Behaviour = { seconds: 0 };
  const forward = (seconds: number): void => {
    nowNs += BigInt(Math.round(seconds * 1e9));
  };
  return {
    log,
    outputs,
    iterations,
    executor: {
      async execute(line, { output, env }) {
        const run = counts.get(line) ?? 0;
        counts.set(line, run + 1);
        log.push(line);
        outputs.push(output);
        iterations.push(env?.MICROJOULE_ITERATION);
        last = behave(line, run);
        const start = nowNs;
        forward(last.seconds);
        return {
          start,
          end: nowNs,
          exitCode: 0,
          timedOut: false,
          userCpuSeconds: 0.8 * last.seconds,
          systemCpuSeconds: 0.1 * last.seconds,
          stderrLines: [],
          ...last.ended,
        };
      },
      kill: () => undefined,
      close: () => undefined,
    },
    gauge: {
      provenance: { kind: 'measured', source: 'perf', method: 'one region a run', detail: '' },
      async measure({ start, end }: Stretch) {
        forward(0.003);
        const { missing = [], stopped = [] } = last;
        const reading = { missing, stopped, settleSeconds: 0.003 };
        if (last.estimate !== undefined) return { ...reading, estimate: last.estimate };
        const seconds = Number(end - start) / 1e9;
        const middle = Number(start) / 1e9 + seconds / 2;
        return { ...reading, estimate: estimateOf((idleWatts(middle) + (last.watts ?? 0)) * seconds) };
      },
      async idle(seconds) {
        const middle = Number(nowNs) / 1e9 + seconds / 2;
        forward(seconds);
        const power = {
          powerWatts: idleWatts(middle),
          standardUncertaintyWatts: 0.01,
          degreesOfFreedomCount: 100,
          wanderWatts: 0,
        };
        return { power, durationSeconds: seconds, missing: [] };
      },
      absent: async () => [],
      close: () => undefined,
    },
  };
}

export function planOf(commands: string[], options: Omit<BenchOptions, 'commands'> = {}): BenchPlan {
  return planBench({ shell: 'none', ...options, commands }, 'linux');
}
