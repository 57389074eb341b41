// SPDX-License-Identifier: MIT
//
// What a reader must know beside the figures.
import { formatSignificant } from '../core/numbers.js';
import type { Warning } from '../core/vocabulary.js';
import { outliersOf, type Sample } from './statistics.js';
import type { BenchPlan, BenchReport, BenchResult } from './types.js';
import { lackingInWords } from './whole.js';

/** Below this, starting a process is most of what is measured. */
const FAST_SECONDS = 0.005;
const FEW_RUNS = 5;
/** By so much the idle power may differ from before to after. */
const DRIFT_RATIO = 0.03;

const DOCTOR_HINT = 'Run microjoule doctor: it tests every counter.';

const percent = (ratio: number): string => `${formatSignificant(100 * ratio, 2)} %`;

/** Of one command. */
export function warningsOfResult(
  result: Omit<BenchResult, 'warnings'>,
  samples: readonly Sample[],
  plan: BenchPlan,
  isEstimated: boolean,
): Warning[] {
  const { durationSeconds, energyJoules, aboveIdleJoules, runs, lostRunCount } = result;
  const codes = [...new Set(runs.map(({ exitCode }) => exitCode ?? -1))].filter((code) => code !== 0);
  const times = samples.map(({ seconds }) => seconds);
  const late = outliersOf(times);
  const toldRuns = runs.flatMap(({ energyJoules: joules }, run) =>
    joules === undefined ? [] : [{ joules, run }],
  );
  const energies = outliersOf(toldRuns.map(({ joules }) => joules)).map((i) => toldRuns[i]?.run ?? i);
  const lacking = lackingInWords(samples);
  const hasWarmup = plan.warmupCount > 0;
  const isSlowStart = late.includes(0) && (times[0] ?? 0) > durationSeconds.median;
  const others = late.filter((index) => !(isSlowStart && index === 0));
  const all: (Warning | false)[] = [
    !isEstimated &&
      !energyJoules.isResolved && {
        code: 'not-resolved',
        ...(lacking === undefined
          ? {
              message:
                'too short for the counters: what a single run uses could not be told from nothing, and only bounds are given',
              hint: 'Let the command do its work several times, for example in a loop inside of it.',
            }
          : {
              message: `counters stopped, so that only bounds are given: ${lacking}`,
              hint: DOCTOR_HINT,
            }),
      },
    energyJoules.isResolved &&
      aboveIdleJoules !== undefined &&
      !aboveIdleJoules.isResolved && {
        code: 'above-idle-not-resolved',
        message: 'what it adds to the idle machine is within the noise: its upper bound is given',
        hint: 'Stop other programs, raise --runs, or watch the idle machine for longer with --idle.',
      },
    isEstimated &&
      energyJoules.mean === 0 && {
        code: 'below-shell',
        message: 'it took no longer than the shell alone, so that nothing of it could be estimated',
        hint: 'Use --shell none (-N), or let the command do more work.',
      },
    durationSeconds.mean < FAST_SECONDS && {
      code: 'fast',
      message: `it took less than ${FAST_SECONDS * 1000} ms: starting a process is much of what was measured`,
      ...(plan.shell === undefined ? {} : { hint: 'Use --shell none (-N) to leave out the shell.' }),
    },
    codes.length > 0 && {
      code: 'ignored-exit-codes',
      message: `exit codes other than 0 were ignored: ${codes.map((code) => (code < 0 ? 'ended by a signal' : code)).join(', ')}`,
    },
    isSlowStart && {
      code: 'slow-first-run',
      message: `the first run took ${formatSignificant(times[0] ?? 0, 3)} s, the others ${formatSignificant(durationSeconds.median, 3)} s: caches were filled by it, or something else ran`,
      hint: hasWarmup
        ? 'Raise --warmup, or use --prepare to clear caches before every run.'
        : 'Use --warmup to fill caches first, or --prepare to clear them before every run.',
    },
    others.length + energies.length > 0 && {
      code: 'outliers',
      message: `outliers: ${[
        ...(others.length > 0 ? [`the time of run ${others.map((i) => i + 1).join(', ')}`] : []),
        ...(energies.length > 0 ? [`the energy of run ${energies.map((i) => i + 1).join(', ')}`] : []),
      ].join(', ')}`,
      hint: 'Stop other programs; more runs, or --warmup and --prepare, may help.',
    },
    lostRunCount > 0 &&
      energyJoules.isResolved && {
        code: 'lost-runs',
        message: `the energy of ${lostRunCount} of ${runs.length} runs is left out: the counters told no more than bounds${lacking === undefined ? '' : `; nothing was told by ${lacking}`}`,
        hint: lacking === undefined ? 'Stop other programs.' : DOCTOR_HINT,
      },
    runs.length < FEW_RUNS && {
      code: 'few-runs',
      message: `${runs.length} run${runs.length === 1 ? '' : 's'}: ${runs.length === 1 ? 'the scatter of times is not known' : 'intervals are wide, and trust that runs scatter as a normal distribution does'}`,
      hint: 'Raise --runs.',
    },
    result.hasFailed && {
      code: 'failed',
      message: `it failed after ${runs.length} run${runs.length === 1 ? '' : 's'}, which ${runs.length === 1 ? 'is' : 'are'} shown`,
    },
  ];
  return all.filter((warning) => warning !== false);
}

/** Of all of them together. */
export function warningsOfReport(
  report: Omit<BenchReport, 'warnings'>,
  {
    idleWatts,
    wasInterrupted,
    plan,
    isFiltered,
  }: { idleWatts: readonly number[]; wasInterrupted: boolean; plan: BenchPlan; isFiltered: boolean },
): Warning[] {
  const { missing, provenance, results, order, idle, failures } = report;
  const [before = 0, after = before] = idleWatts;
  const drift = before > 0 ? after / before - 1 : 0;
  const isEstimated = provenance.kind !== 'measured';
  const reference = plan.commands.find(({ isReference }) => isReference)?.name;
  const all: (Warning | false)[] = [
    reference !== undefined &&
      results.length > 0 &&
      !results.some(({ name, hasFailed }) => name === reference && !hasFailed) && {
        code: 'no-reference',
        message: `nothing is compared: "${reference}", the reference, ${failures.some(({ name }) => name === reference) ? 'failed' : 'was not run to its end'}`,
        hint: 'Mend it, or leave out --reference: all are then compared with the least energy.',
      },
    isEstimated && {
      code: 'estimated',
      message:
        'no counter was read: every energy and power is a model of the CPU times the time, estimated; memory and GPUs are not in it',
      hint: 'Run microjoule doctor: it says what would make counters readable here.',
    },
    wasInterrupted && {
      code: 'interrupted',
      message: 'it was interrupted: what was measured until then is shown',
    },
    !isEstimated &&
      missing.length > 0 && {
        code: 'at-least',
        message: `${missing.join(', ')} could not be read: energies are at least so much, and what differs there is not seen`,
        hint: 'Run microjoule doctor.',
      },
    Math.abs(drift) > DRIFT_RATIO && {
      code: 'drift',
      message: `the idle machine drew ${percent(Math.abs(drift))} ${drift > 0 ? 'more' : 'less'} after the runs than before: what is above idle is less certain for it`,
      hint: 'Stop other programs, and let the machine settle first.',
    },
    !isEstimated &&
      !wasInterrupted &&
      plan.idleSeconds > 0 &&
      idle === undefined && {
        code: 'no-idle',
        message: 'the idle machine could not be watched: nothing is said of what is above it',
      },
    order === 'sequential' &&
      results.length > 1 && {
        code: 'sequential',
        message:
          'all runs of a command followed one another: a drift of the machine between commands is in the comparison',
        hint: 'Leave out --setup and --cleanup, or use --order interleaved.',
      },
    isFiltered && {
      code: 'energy-filter',
      message: 'the processor may add noise to its energy counts: intervals are wider for it',
    },
  ];
  return all.filter((warning) => warning !== false);
}
