// SPDX-License-Identifier: MIT
//
// Where and on what several runs were made: what they share, and that they differ where they do.
import type { Cloud, Intensity, Location, Machine, Report } from '../core/report-types.js';
import type { Provenance } from '../core/vocabulary.js';
import { weakerKind } from './kinds.js';

type Reports = readonly [Report, ...Report[]];

/** The one intensity of all, or what all the emissions come to for all the energy. */
export function mergeIntensity(reports: Reports): Intensity {
  const all = reports.map((report) => report.intensity);
  const [first] = all as [Intensity, ...Intensity[]];
  if (all.every((one) => same(one, first))) return first;
  const energyKwh = sumOf(reports, ({ facility, energy }) => facility?.facilityKwh ?? energy.energyKwh);
  const emissionsGrams = sumOf(reports, (report) => report.emissions.emissionsGrams);
  const credits = [...new Set(all.flatMap(({ credit }) => credit?.split('; ') ?? []))];
  return {
    kind: all.map((one) => one.kind).reduce(weakerKind),
    source: listed(all.map((one) => one.source)),
    method: 'emissions of all runs over energy of all runs',
    detail: 'The runs had different intensities.',
    intensityGramsPerKwh: energyKwh > 0 ? emissionsGrams / energyKwh : first.intensityGramsPerKwh,
    ...(credits.length === 0 ? {} : { credit: credits.join('; ') }),
  };
}

export function mergeLocation(reports: Reports): Location {
  const all = reports.map((report) => report.location);
  const [first] = all as [Location, ...Location[]];
  if (all.every((one) => same(one, first))) return first;
  return differing('The runs were made in different places.');
}

export function mergeCloud(reports: Reports): Cloud {
  const all = reports.map((report) => report.cloud);
  const [first] = all as [Cloud, ...Cloud[]];
  if (all.every((one) => same(one, first))) return first;
  return { ...differing('The runs were made on different clouds.'), onCloud: all.some((one) => one.onCloud) };
}

function differing(detail: string): Provenance & { kind: 'absent' } {
  return { kind: 'absent', source: 'merged runs', method: 'differs from run to run', detail };
}

/** Names of all machines; of numbers the most that one machine had. */
export function mergeMachines(reports: Reports, durationSeconds: number): Report['machine'] {
  const all = reports.map((report) => report.machine);
  const most = (pick: (machine: Machine) => number | undefined) => {
    const values = all.flatMap((machine) => pick(machine) ?? []);
    return values.length === 0 ? undefined : Math.max(...values);
  };
  const names = (pick: (machine: Machine) => string | undefined) => {
    const values = all.flatMap((machine) => pick(machine) ?? []);
    return values.length === 0 ? undefined : listed(values, '; ');
  };
  const busySeconds = sumOf(
    reports,
    ({ machine, duration }) => (machine.cpuUtilisationRatio ?? Number.NaN) * duration.durationSeconds,
  );
  return {
    kind: 'measured',
    source: listed(all.map((machine) => machine.source)),
    ...withoutUndefined({
      instanceId: all.every(({ instanceId }) => instanceId === all[0]?.instanceId)
        ? all[0]?.instanceId
        : undefined,
      os: names((machine) => machine.os) ?? '',
      runtime: names((machine) => machine.runtime) ?? '',
      cpuModel: names((machine) => machine.cpuModel),
      cpuThreadCount: most((machine) => machine.cpuThreadCount) ?? 0,
      cpuUtilisationRatio:
        Number.isNaN(busySeconds) || !(durationSeconds > 0)
          ? undefined
          : Math.min(1, busySeconds / durationSeconds),
      gpuCount: most((machine) => machine.gpuCount),
      gpuModel: names((machine) => machine.gpuModel),
      ramTotalGib: most((machine) => machine.ramTotalGib) ?? 0,
      ramUsedGib: most((machine) => machine.ramUsedGib),
    }),
  };
}

export function sumOf<T>(all: readonly T[], pick: (one: T) => number): number {
  return all.reduce((sum, one) => sum + pick(one), 0);
}

/** Each text once. What an earlier merge put together is taken apart first. */
export function listed(texts: readonly string[], separator = ', '): string {
  return [...new Set(texts.flatMap((text) => text.split(separator === ' ' ? /(?<=\.) / : separator)))].join(
    separator,
  );
}

function same(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

function withoutUndefined(machine: { [K in keyof Machine]: Machine[K] | undefined }): Machine {
  return Object.fromEntries(
    Object.entries(machine).filter(([, value]) => value !== undefined),
  ) as unknown as Machine;
}
