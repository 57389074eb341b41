// SPDX-License-Identifier: MIT
//
// Measures command lines and says what they used, one against the other.
import { type IdleWindow, meanOf as meanIdle } from '../kernel/baselines.js';
import type { PowerEstimate } from '../precision/types.js';
import { type Contestant, compareTo } from './compare.js';
import { type BenchTools, type Entry, type Raw, runCommands } from './run.js';
import type { ShellCost } from './shell.js';
import { type Common, type Energies, energiesOf, meanIfKnown, type Sample, timesOf } from './statistics.js';
import type { BenchComparison, BenchPlan, BenchReport, BenchResult, BenchRun } from './types.js';
import { warningsOfReport, warningsOfResult } from './warnings.js';
import { neverTold, withLacking } from './whole.js';

interface Told {
  entry: Entry;
  samples: Sample[];
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
  const never = neverTold(raw.entries.flatMap(({ samples }) => samples));
  // Without a counter that is in the runs, all that it counts would seem to be above idle.
  const idleWindows = raw.idleWindows.filter(({ missing }) => missing.every((id) => never.includes(id)));
  const idle = meanIdle(idleWindows);
  const shared = { shell: raw.shell?.cost, idle, random };
  const isEstimated = gauge.provenance.kind !== 'measured';
  const told = raw.entries.flatMap((entry): Told[] => {
    if (entry.samples.length === 0) return [];
    const samples = withLacking(entry.samples, never);
    const energies = energiesOf(samples, shared);
    const result = resultOf(entry, samples, energies, raw.shell);
    const warnings = warningsOfResult(result, samples, plan, isEstimated);
    return [{ entry, samples, energies, result: { ...result, warnings } }];
  });
  // What is in a mean all the same, as too few others were whole.
  const lacking = told.flatMap(({ entry, samples, energies }) => {
    const used = new Set(energies.used);
    return samples.flatMap((sample, i) => (used.has(sample) ? (entry.samples[i]?.missing ?? []) : []));
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
    missing: [...new Set([...never, ...lacking, ...(await gauge.absent())])],
  };
  return { ...report, warnings: warningsOfReport(report, { ...factsOf(raw, idleWindows), plan }) };
}

function factsOf(
  { wasInterrupted, entries }: Raw,
  idleWindows: readonly IdleWindow[],
): {
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

/** As hyperfine does it, and as with the time: no less than nothing. */
const lessShell = (seconds: number, shellSeconds = 0): number => Math.max(0, seconds - shellSeconds);

function resultOf(
  { command, samples: raw, executions, failure }: Entry,
  samples: readonly Sample[],
  energies: Energies,
  shell: ShellCost | undefined,
): Omit<BenchResult, 'warnings'> {
  const missing = raw.map((one) => one.missing);
  const runs = samples.map(({ seconds, estimate, lacking = [] }, i): BenchRun => {
    const { userCpuSeconds, systemCpuSeconds, exitCode } = executions[i] ?? {};
    // What a counter that told nothing would add has no upper bound; one that stopped has.
    const isPartial = lacking.some((id) => missing[i]?.includes(id));
    return {
      durationSeconds: seconds,
      ...(userCpuSeconds === undefined
        ? {}
        : { userCpuSeconds: lessShell(userCpuSeconds, shell?.cpu?.userCpuSeconds) }),
      ...(systemCpuSeconds === undefined
        ? {}
        : { systemCpuSeconds: lessShell(systemCpuSeconds, shell?.cpu?.systemCpuSeconds) }),
      ...(exitCode === undefined ? {} : { exitCode }),
      ...(energies.isTold[i] === true ? { energyJoules: estimate.energyJoules } : {}),
      lowerJoules: estimate.lowerJoules,
      ...(isPartial ? {} : { upperJoules: estimate.upperJoules }),
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
      shell?.cost,
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
  const contestant = ({ entry, samples, energies }: Told): Contestant => ({
    name: entry.command.name,
    samples,
    isTold: energies.isTold,
  });
  return whole.flatMap((one) => {
    if (one === reference) return [];
    const isInterleaved = plan.order === 'interleaved';
    return compareTo(contestant(reference), contestant(one), isInterleaved, shared) ?? [];
  });
}
