// SPDX-License-Identifier: MIT

import type {
  Command,
  Component,
  Components,
  CounterEnergy,
  Measurement,
  PowerSeries,
} from '../core/report-types.js';
import { joulesToKwh } from '../core/units.js';
import type { Kind, Warning } from '../core/vocabulary.js';
import { mergeAttributions } from '../report/attribution.js';
import { boundsOf, energyInterval, sumInterval } from '../report/bounds.js';
import { weakerKind } from '../report/kinds.js';
import { mergeSeries } from '../report/merge-series.js';

function mergeCounters(all: readonly (readonly CounterEnergy[])[]): CounterEnergy[] {
  const byId = new Map<string, CounterEnergy>();
  for (const counter of all.flat()) {
    const known = byId.get(counter.id);
    if (known === undefined) {
      byId.set(counter.id, { ...counter });
    } else if (known.status === 'ok' && counter.status === 'ok') {
      known.energyJoules = (known.energyJoules ?? 0) + (counter.energyJoules ?? 0);
      known.inTotal = known.inTotal && counter.inTotal;
    } else if (known.status === 'ok') {
      // Missed in one run is missed in the sum.
      byId.set(counter.id, { ...counter, inTotal: false });
    }
  }
  return [...byId.values()];
}

function mergeComponent(parts: readonly Component[], durationSeconds: number): Component {
  const present = parts.filter((part) => part.energyJoules !== undefined);
  const worst = (present.length === 0 ? parts : present).reduce((a, b) =>
    weakerKind(a.kind, b.kind) === a.kind ? a : b,
  );
  const {
    energyJoules: _joules,
    energyKwh: _kwh,
    powerWatts: _watts,
    lowerJoules: _lower,
    upperJoules: _upper,
    confidenceRatio: _confidence,
    ...rest
  } = worst;
  const merged: Component = {
    ...rest,
    detail: `Sum of ${parts.length} runs; of one of them: ${rest.detail}`,
    atLeast: parts.some((part) => part.atLeast) || (present.length > 0 && present.length < parts.length),
    counters: mergeCounters(parts.map((part) => part.counters)),
  };
  if (present.length === 0) return merged;
  const energyJoules = present.reduce((sum, part) => sum + (part.energyJoules ?? 0), 0);
  // Where one run has no interval, the sum has none. Edges of separate runs err independently.
  const bounds = sumInterval(
    parts.map((part) =>
      part.energyJoules === undefined ? undefined : energyInterval(part.energyJoules, part),
    ),
  );
  return {
    ...merged,
    energyJoules,
    energyKwh: joulesToKwh(energyJoules),
    ...(durationSeconds > 0 ? { powerWatts: energyJoules / durationSeconds } : {}),
    ...boundsOf(bounds),
  };
}

/** The worst kind that any of the energy has. */
function worstKind(parts: readonly Component[]): Kind {
  const kinds = parts.filter((part) => (part.energyJoules ?? 0) > 0).map((part) => part.kind);
  return kinds.length === 0 ? 'absent' : kinds.reduce(weakerKind);
}

function totalJoules(components: Components): number {
  return Object.values(components).reduce(
    (sum: number, part: Component) => sum + (part.energyJoules ?? 0),
    0,
  );
}

/** Warnings of several runs that differ in their figures only are one. */
function uniqueWarnings(all: readonly Warning[]): Warning[] {
  const key = ({ code, message }: Warning) => `${code} ${message.replace(/\d+(?:\.\d+)?/g, '#')}`;
  return [...new Map(all.map((warning) => [key(warning), warning])).values()];
}

/** The last run's command, with the CPU time of all runs where every run has it. */
function mergeCommands(runs: readonly Measurement[]): Command | undefined {
  const last = runs.at(-1)?.command;
  if (last === undefined) return undefined;
  const sum = (name: 'userCpuSeconds' | 'systemCpuSeconds') =>
    runs.reduce((total, run) => total + (run.command?.[name] ?? Number.NaN), 0);
  const { userCpuSeconds: _user, systemCpuSeconds: _system, ...command } = last;
  const userCpuSeconds = sum('userCpuSeconds');
  const systemCpuSeconds = sum('systemCpuSeconds');
  if (Number.isNaN(userCpuSeconds) || Number.isNaN(systemCpuSeconds)) return command;
  return { ...command, userCpuSeconds, systemCpuSeconds };
}

/** Power over time of all runs, as if one had begun when the one before it ended. */
function inARow(runs: readonly Measurement[]): PowerSeries | undefined {
  let offsetSeconds = 0;
  const parts = runs.flatMap(({ series, durationSeconds }) => {
    const part = series === undefined ? [] : [{ series, offsetSeconds }];
    offsetSeconds += durationSeconds;
    return part;
  });
  return parts.length === 0 ? undefined : mergeSeries(parts);
}

/**
 * One measurement of several runs on one machine: energies and durations added, what happened between the runs
 * left out. The single runs stay in `runs`.
 */
export function mergeMeasurements(runs: readonly [Measurement, ...Measurement[]]): Measurement {
  const first = runs[0];
  const last = runs.at(-1) ?? first;
  if (runs.length === 1) return first;
  const durationSeconds = runs.reduce((sum, run) => sum + run.durationSeconds, 0);
  const merge = (name: keyof Components) =>
    mergeComponent(
      runs.map((run) => run.components[name]),
      durationSeconds,
    );
  const busyRatio = (name: 'cpuUtilisationRatio' | 'gpuUtilisationRatio') => {
    const busySeconds = runs.reduce(
      (sum, run) => sum + (run.machine[name] ?? Number.NaN) * run.durationSeconds,
      0,
    );
    return Number.isNaN(busySeconds) ? {} : { [name]: busySeconds / durationSeconds };
  };
  const { cpuUtilisationRatio: _cpu, gpuUtilisationRatio: _gpu, ...machine } = last.machine;
  const command = mergeCommands(runs);
  const attribution = mergeAttributions(
    runs.flatMap((run) =>
      run.attribution === undefined
        ? []
        : [
            {
              attribution: run.attribution,
              durationSeconds: run.durationSeconds,
              cpuJoules: run.components.cpu.energyJoules,
            },
          ],
    ),
  );
  const { series: _, ...rest } = last;
  const series = inARow(runs);
  return {
    ...rest,
    ...(attribution === undefined ? {} : { attribution }),
    ...(series === undefined ? {} : { series }),
    startedAtMs: first.startedAtMs,
    durationSeconds,
    components: { cpu: merge('cpu'), gpu: merge('gpu'), ram: merge('ram') },
    apart: mergeCounters(runs.map((run) => run.apart)),
    machine: {
      ...machine,
      ...busyRatio('cpuUtilisationRatio'),
      ...busyRatio('gpuUtilisationRatio'),
    },
    ...(command === undefined ? {} : { command }),
    warnings: uniqueWarnings(runs.flatMap((run) => run.warnings)),
    runs: runs.map((run) => ({
      durationSeconds: run.durationSeconds,
      energyJoules: totalJoules(run.components),
      kind: worstKind(Object.values(run.components)),
      atLeast: Object.values(run.components).some((part: Component) => part.atLeast),
    })),
  };
}
