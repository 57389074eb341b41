// SPDX-License-Identifier: MIT
//
// What the shell alone takes to start and end, which is taken off every run.
import { MicrojouleError } from '../core/errors.js';
import { perCall } from '../kernel/verdict.js';
import { student95 } from '../precision/distributions.js';
import { batchMeans } from '../precision/repetition.js';
import { mean, standardDeviation, sum } from '../precision/samples.js';
import type { EnergyEstimate } from '../precision/types.js';
import type { Executor } from './execute.js';
import type { Gauge } from './gauge.js';
import { type Common, meanIfKnown, timesOf } from './statistics.js';
import type { BenchShell } from './types.js';

const BATCHES = 5;
/** Batches last this long at least: a single start is shorter than the counters' updates. */
const BATCH_SECONDS = 0.05;
const FEWEST_STARTS = 5;

export interface CpuTimes {
  userCpuSeconds: number;
  systemCpuSeconds: number;
}

export interface ShellCost {
  seconds: number;
  /** Means of a start; absent where the system does not tell. */
  cpu?: CpuTimes;
  cost: Common;
  shown: BenchShell;
}

/**
 * Starts the shell with an empty command, back to back, in batches of which each is told as one stretch of time. The
 * energy of one start is the power of its batch times the time of the start.
 * @throws MicrojouleError `ERR_BAD_OPTION` where the shell does not run
 */
export async function measureShell(
  gauge: Gauge,
  executor: Executor,
  shell: readonly string[],
  random: () => number,
): Promise<ShellCost> {
  const starts: number[] = [];
  const cpuTimes: (CpuTimes | undefined)[] = [];
  /** The mean start of each batch: starts next to each other take alike, so that their own scatter would say too little. */
  const batchSeconds: number[] = [];
  const batches: EnergyEstimate[] = [];
  for (let batch = 0; batch < BATCHES; ++batch) {
    const first = await startOnce(executor, shell);
    const { start } = first;
    let { end } = first;
    let cpuSeconds = cpuSecondsOf(first.cpu);
    cpuTimes.push(first.cpu);
    const own = [first.seconds];
    // Batches of different lengths keep step with nothing.
    const untilNs = BigInt(Math.round((1 + 0.2 * random()) * BATCH_SECONDS * 1e9));
    while (own.length < FEWEST_STARTS || end - start < untilNs) {
      const next = await startOnce(executor, shell);
      end = next.end;
      cpuSeconds += cpuSecondsOf(next.cpu);
      cpuTimes.push(next.cpu);
      own.push(next.seconds);
    }
    const { estimate } = await gauge.measure({
      start,
      end,
      ...(first.cpu === undefined ? {} : { cpuSeconds }),
    });
    batches.push(perCall(estimate, (Number(end - start) / 1e9 / sum(own)) * own.length));
    starts.push(...own);
    batchSeconds.push(mean(own));
  }
  const energy = batchMeans(batches.map((estimate) => ({ estimate, callCount: 1 })));
  const isModel = batches.some(({ method }) => method === 'model');
  const times = timesOf(starts);
  const standardUncertaintySeconds = standardDeviation(batchSeconds) / Math.sqrt(BATCHES);
  const half = student95(BATCHES - 1) * standardUncertaintySeconds;
  const userCpuSeconds = meanIfKnown(cpuTimes.map((cpu) => cpu?.userCpuSeconds));
  const systemCpuSeconds = meanIfKnown(cpuTimes.map((cpu) => cpu?.systemCpuSeconds));
  const joules = batches.map(({ energyJoules }) => energyJoules);
  return {
    seconds: times.mean,
    ...(userCpuSeconds === undefined || systemCpuSeconds === undefined
      ? {}
      : { cpu: { userCpuSeconds, systemCpuSeconds } }),
    cost: {
      joules: energy.energyJoules,
      standardUncertaintyJoules: isModel ? 0 : energy.standardUncertaintyJoules,
      standardUncertaintySeconds,
      degreesOfFreedomCount: BATCHES - 1,
    },
    shown: {
      command: shell.join(' '),
      durationSeconds: { ...times, lower: Math.max(0, times.mean - half), upper: times.mean + half },
      energyJoules: {
        mean: mean(joules),
        lower: isModel ? mean(batches.map(({ lowerJoules }) => lowerJoules)) : energy.lowerJoules,
        upper: isModel ? mean(batches.map(({ upperJoules }) => upperJoules)) : energy.upperJoules,
        median: mean(joules),
        min: Math.min(...joules),
        max: Math.max(...joules),
        isResolved: energy.resolved && !isModel,
      },
    },
  };
}

const cpuSecondsOf = (cpu: CpuTimes | undefined): number =>
  cpu === undefined ? 0 : cpu.userCpuSeconds + cpu.systemCpuSeconds;

async function startOnce(
  executor: Executor,
  shell: readonly string[],
): Promise<{ start: bigint; end: bigint; seconds: number; cpu?: CpuTimes }> {
  const { start, end, exitCode, notStarted, userCpuSeconds, systemCpuSeconds } = await executor.execute('', {
    output: 'null',
  });
  if (notStarted !== undefined || exitCode !== 0) {
    throw new MicrojouleError(
      'ERR_BAD_OPTION',
      `the shell "${shell.join(' ')}" does not run an empty command: ${notStarted ?? `exit code ${exitCode}`}`,
      { hint: 'Choose another with --shell, or --shell none (-N) for no shell.' },
    );
  }
  const seconds = Number(end - start) / 1e9;
  const isKnown = userCpuSeconds !== undefined && systemCpuSeconds !== undefined;
  return { start, end, seconds, ...(isKnown ? { cpu: { userCpuSeconds, systemCpuSeconds } } : {}) };
}
