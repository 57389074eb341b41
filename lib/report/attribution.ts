// SPDX-License-Identifier: MIT
import type { Attribution } from '../core/report-types.js';
import { weakerKind } from './kinds.js';

/** An attribution with the time that it is of. */
interface Part {
  attribution: Attribution;
  durationSeconds: number;
  /** The process's energy of the CPU; undefined where the CPU has none. */
  cpuJoules: number | undefined;
}

const SUMS = 'Sums over several runs; of the first: ';

/** Several into one: joules and seconds add up, and shares are ratios of such sums. Undefined for none. */
export function mergeAttributions(parts: readonly Part[]): Attribution | undefined {
  const [first] = parts;
  if (first === undefined || parts.length === 1) return first?.attribution;
  const sum = (pick: (part: Part) => number) => parts.reduce((total, part) => total + pick(part), 0);
  const durationSeconds = sum((part) => part.durationSeconds);
  const inTime = (pick: (attribution: Attribution) => number) =>
    durationSeconds > 0 ? sum((part) => pick(part.attribution) * part.durationSeconds) / durationSeconds : 0;
  const cpuSeconds = sum(({ attribution }) => attribution.cpuSeconds);
  const machineCpuSeconds = sum(({ attribution }) => attribution.machineCpuSeconds ?? Number.NaN);
  const known = machineCpuSeconds > 0;
  const cpuJoules = sum((part) => part.cpuJoules ?? Number.NaN);
  // Not known of a part without a share.
  const machineCpuJoules = sum((part) => (part.cpuJoules ?? Number.NaN) / part.attribution.cpuShareRatio);
  return {
    ...first.attribution,
    kind: parts.map(({ attribution }) => attribution.kind).reduce(weakerKind),
    detail: `${SUMS}${first.attribution.detail.replace(SUMS, '')}`,
    cpuShareRatio:
      machineCpuJoules > 0
        ? Math.min(1, cpuJoules / machineCpuJoules)
        : known
          ? Math.min(1, cpuSeconds / machineCpuSeconds)
          : Math.min(
              1,
              inTime(({ cpuShareRatio }) => cpuShareRatio),
            ),
    ramShareRatio: Math.min(
      1,
      inTime(({ ramShareRatio }) => ramShareRatio),
    ),
    cpuSeconds,
    ...(known ? { machineCpuSeconds } : {}),
    residentGib: inTime(({ residentGib }) => residentGib),
    machineJoules: sum(({ attribution }) => attribution.machineJoules),
    restJoules: sum(({ attribution }) => attribution.restJoules),
  };
}
