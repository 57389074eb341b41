// SPDX-License-Identifier: MIT
//
// Runs of one machine at one time: each of them holds the same energy.
import type { MergedRun } from '../core/report-types.js';
import type { Warning } from '../core/vocabulary.js';

/** Start and end are whole milliseconds of a clock that is set now and then. */
const LEAST_OVERLAP_SECONDS = 0.01;
const MOST_NAMES = 5;

/** The codes of {@link overlapWarnings}: what is merged again is looked through as a whole. */
export const OVERLAP_CODES: ReadonlySet<string> = new Set(['machine-counted-twice', 'machine-unknown']);

interface Span {
  runId: string;
  startMs: number;
  endMs: number;
}

/** A machine's runs, in the order of their starts; `isKnown` false where several machines may be alike. */
interface Group {
  isKnown: boolean;
  spans: Span[];
}

function groupsOf(runs: readonly MergedRun[]): Group[] {
  const groups = new Map<string, Group>();
  for (const { runId, startedAt, endedAt, instanceId, os, cpuModel = '', gpuModel = '' } of runs) {
    const isKnown = instanceId !== undefined;
    const key = isKnown ? instanceId : JSON.stringify([os, cpuModel, gpuModel]);
    const group = groups.get(key) ?? { isKnown, spans: [] };
    groups.set(key, group);
    group.spans.push({ runId, startMs: Date.parse(startedAt), endMs: Date.parse(endedAt) });
  }
  for (const { spans } of groups.values()) spans.sort((one, other) => one.startMs - other.startMs);
  return [...groups.values()];
}

/** The machine time that is in the sum beyond its first time, and whose it is. */
function overlapOf(spans: readonly Span[]): { seconds: number; runIds: string[] } {
  let coveredMs = Number.NEGATIVE_INFINITY;
  let seconds = 0;
  let latest: Span | undefined;
  const runIds = new Set<string>();
  for (const span of spans) {
    const commonSeconds = (Math.min(coveredMs, span.endMs) - span.startMs) / 1000;
    if (latest !== undefined && commonSeconds >= LEAST_OVERLAP_SECONDS) {
      seconds += commonSeconds;
      runIds.add(latest.runId).add(span.runId);
    }
    if (latest === undefined || span.endMs > coveredMs) {
      coveredMs = span.endMs;
      latest = span;
    }
  }
  return { seconds, runIds: [...runIds] };
}

function namesOf(runIds: readonly string[]): string {
  const shown = runIds.slice(0, MOST_NAMES).join(', ');
  return runIds.length > MOST_NAMES ? `${shown} and ${runIds.length - MOST_NAMES} more` : shown;
}

/** What is wrong with the sum of these runs of whole machines. */
export function overlapWarnings(runs: readonly MergedRun[]): Warning[] {
  return groupsOf(runs).flatMap(({ isKnown, spans }): Warning[] => {
    const { seconds, runIds } = overlapOf(spans);
    if (runIds.length === 0) return [];
    const time = `${Number(seconds.toPrecision(3))} s`;
    const names = namesOf(runIds);
    return [
      isKnown
        ? {
            code: 'machine-counted-twice',
            message: `The sum is too high: runs were made on one machine at the same time, each with all of its energy, so ${time} of it are in the sum more than once (${names}).`,
            hint: 'Add up one of them for each machine, or measure each with --tracking-mode process.',
          }
        : {
            code: 'machine-unknown',
            message: `Runs at the same time do not tell their machine (${names}): if it was one, ${time} of its energy are in the sum more than once.`,
            hint: 'Add up one run for each machine and time.',
          },
    ];
  });
}
