// SPDX-License-Identifier: MIT
//
// hyperfine's JSON with energy beside it: what reads the one reads the other.
import type { BenchReport, BenchResult, BenchSummary } from '../bench/types.js';
import { isEstimated } from './bench-words.js';

function summary(of: BenchSummary, unit: 'Joules' | 'Watts', estimated: boolean): object {
  return {
    [`mean${unit}`]: of.mean,
    [`lower${unit}`]: of.lower,
    [`upper${unit}`]: of.upper,
    // A model's bounds hold as often as the model does.
    ...(estimated ? {} : { confidenceRatio: 0.95 }),
    [`standardDeviation${unit}`]: of.standardDeviation,
    [`median${unit}`]: of.median,
    [`min${unit}`]: of.min,
    [`max${unit}`]: of.max,
    isResolved: of.isResolved,
  };
}

/** The names that hyperfine gives them, in seconds. What was not told is null, in its place. */
function result(report: BenchReport, one: BenchResult): object {
  const { durationSeconds: time, runs } = one;
  const { kind, source } = report.provenance;
  const withKind = (of: BenchSummary | undefined, unit: 'Joules' | 'Watts') =>
    of === undefined ? undefined : { kind, source, ...summary(of, unit, isEstimated(report)) };
  return {
    command: one.name,
    mean: time.mean,
    stddev: time.standardDeviation ?? null,
    median: time.median,
    user: one.userCpuSeconds ?? null,
    system: one.systemCpuSeconds ?? null,
    min: time.min,
    max: time.max,
    times: runs.map(({ durationSeconds }) => durationSeconds),
    exit_codes: runs.map(({ exitCode }) => exitCode ?? null),
    ...(Object.keys(one.parameters).length === 0 ? {} : { parameters: one.parameters }),
    commandLine: one.commandLine,
    lowerSeconds: time.lower,
    upperSeconds: time.upper,
    energy: {
      ...withKind(one.energyJoules, 'Joules'),
      runsJoules: runs.map(({ energyJoules }) => energyJoules ?? null),
      runsLowerJoules: runs.map(({ lowerJoules }) => lowerJoules),
      runsUpperJoules: runs.map(({ upperJoules }) => upperJoules ?? null),
      lostRunCount: one.lostRunCount,
      isAtLeast: report.missing.length > 0,
    },
    energyAboveIdle: withKind(one.aboveIdleJoules, 'Joules'),
    power: withKind(one.powerWatts, 'Watts'),
    hasFailed: one.hasFailed,
    warnings: one.warnings,
  };
}

/** Schema `microjoule.bench/1`. Full precision. */
export function formatBenchJson(report: BenchReport): string {
  const { results, shell, ...rest } = report;
  const whole = {
    ...rest,
    results: results.map((one) => result(report, one)),
    shell:
      shell === undefined
        ? undefined
        : {
            command: shell.command,
            meanSeconds: shell.durationSeconds.mean,
            lowerSeconds: shell.durationSeconds.lower,
            upperSeconds: shell.durationSeconds.upper,
            energy: {
              kind: report.provenance.kind,
              ...summary(shell.energyJoules, 'Joules', isEstimated(report)),
            },
          },
  };
  // An unbounded ratio has no number in JSON.
  const text = JSON.stringify(
    whole,
    (_, value) => (typeof value === 'number' && !Number.isFinite(value) ? null : value),
    2,
  );
  return `${text}\n`;
}
