// SPDX-License-Identifier: MIT
//
// Measures command lines and says what they used, one against the other.
import { meanOf as meanIdle } from '../kernel/baselines.js';
import type { PowerEstimate } from '../precision/types.js';
import { type Contestant, compareTo } from './compare.js';
import { type BenchTools, type Entry, type Raw, runCommands } from './run.js';
import { type Common, type Energies, energiesOf, meanIfKnown, timesOf } from './statistics.js';
import type { BenchComparison, BenchPlan, BenchReport, BenchResult, BenchRun } from './types.js';
import { warningsOfReport, warningsOfResult } from './warnings.js';

interface Told {
  entry: Entry;
  energies: Energies;
  result: BenchResult;
}

/**
 * Runs a plan. What goes wrong with a command is in the report, beside what was measured.
 * @throws MicrojouleError `ERR_BAD_OPTION` where the shell, an input or an output cannot be used
 */
export async function runBench(
  plan: BenchPlan,
  tools: BenchTools,
  about: { version: string; generatedAtMs: number },
): Promise<BenchReport> {
  const raw = await runCommands(plan, tools);
  const { gauge, random } = tools;
  const idle = meanIdle(raw.idleWindows);
  const shared = { shell: raw.shell?.cost, idle, random };
  const isEstimated = gauge.provenance.kind !== 'measured';
  const told = raw.entries.flatMap((entry): Told[] => {
    if (entry.samples.length === 0) return [];
    const energies = energiesOf(entry.samples, shared);
    const result = resultOf(entry, energies, shared.shell);
    const warnings = warningsOfResult(result, entry.samples, plan, isEstimated);
    return [{ entry, energies, result: { ...result, warnings } }];
  });
  const report = {
    schema: 'microjoule.bench/1' as const,
    generator: { name: 'microjoule' as const, version: about.version },
    generatedAt: new Date(about.generatedAtMs).toISOString(),
    provenance: gauge.provenance,
    order: plan.order,
    ...(idle === undefined ? {} : { idle }),
    ...(raw.shell === undefined ? {} : { shell: raw.shell.shown }),
    results: told.map(({ result }) => result),
    comparisons: comparisonsOf(told, plan, shared),
    failures: raw.failures,
    missing: await gauge.missing(),
  };
  return { ...report, warnings: warningsOfReport(report, { ...factsOf(raw), plan }) };
}

function factsOf({ idleWindows, wasInterrupted, entries }: Raw): {
  idleWatts: number[];
  wasInterrupted: boolean;
  isFiltered: boolean;
} {
  return {
    idleWatts: idleWindows.map(({ power }) => power.powerWatts),
    wasInterrupted,
    isFiltered: entries.some(({ samples }) =>
      samples.some(({ estimate }) => estimate.flags.includes('energy-filter')),
    ),
  };
}

function resultOf(
  { command, samples, executions, failure }: Entry,
  energies: Energies,
  shell: Common | undefined,
): Omit<BenchResult, 'warnings'> {
  const runs = samples.map(({ seconds, estimate }, i): BenchRun => {
    const { userCpuSeconds, systemCpuSeconds, exitCode } = executions[i] ?? {};
    return {
      durationSeconds: seconds,
      ...(userCpuSeconds === undefined ? {} : { userCpuSeconds }),
      ...(systemCpuSeconds === undefined ? {} : { systemCpuSeconds }),
      ...(exitCode === undefined ? {} : { exitCode }),
      ...(energies.isTold[i] === true ? { energyJoules: estimate.energyJoules } : {}),
      lowerJoules: Math.max(0, estimate.lowerJoules),
      upperJoules: Math.max(0, estimate.upperJoules),
    };
  });
  const userCpuSeconds = meanIfKnown(runs.map((run) => run.userCpuSeconds));
  const systemCpuSeconds = meanIfKnown(runs.map((run) => run.systemCpuSeconds));
  const { energy, aboveIdle, power, isTold } = energies;
  return {
    name: command.name,
    commandLine: command.commandLine,
    parameters: { ...command.parameters },
    runs,
    durationSeconds: timesOf(
      samples.map(({ seconds }) => seconds),
      shell,
    ),
    ...(userCpuSeconds === undefined ? {} : { userCpuSeconds }),
    ...(systemCpuSeconds === undefined ? {} : { systemCpuSeconds }),
    energyJoules: energy,
    ...(aboveIdle === undefined ? {} : { aboveIdleJoules: aboveIdle }),
    powerWatts: power,
    lostRunCount: isTold.filter((one) => !one).length,
    hasFailed: failure !== undefined,
  };
}

/** What is below the noise, or no more than the shell, is the least only where all are: nothing compares with it. */
function leastOf(whole: readonly Told[]): Told | undefined {
  const resolved = whole.filter(({ result }) => result.energyJoules.isResolved);
  const positive = whole.filter(({ result }) => result.energyJoules.mean > 0);
  const [first, ...rest] = [resolved, positive, whole].find(({ length }) => length > 0) ?? [];
  const lesser = (a: Told, b: Told): Told =>
    b.result.energyJoules.mean < a.result.energyJoules.mean ? b : a;
  return first === undefined ? undefined : rest.reduce(lesser, first);
}

/** Against the reference that was named, otherwise against the one that uses the least energy. */
function comparisonsOf(
  told: readonly Told[],
  plan: BenchPlan,
  shared: { shell: Common | undefined; idle: PowerEstimate | undefined; random: () => number },
): BenchComparison[] {
  const whole = told.filter(({ result }) => !result.hasFailed);
  // Where the one that was named failed, nothing is: a warning says so.
  const isNamed = plan.commands.some(({ isReference }) => isReference);
  const reference = isNamed ? whole.find(({ entry }) => entry.command.isReference) : leastOf(whole);
  if (reference === undefined) return [];
  const contestant = ({ entry, energies }: Told): Contestant => ({
    name: entry.command.name,
    samples: entry.samples,
    isTold: energies.isTold,
  });
  return whole.flatMap((one) => {
    if (one === reference) return [];
    const isInterleaved = plan.order === 'interleaved';
    return compareTo(contestant(reference), contestant(one), isInterleaved, shared) ?? [];
  });
}
