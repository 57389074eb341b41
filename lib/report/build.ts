// SPDX-License-Identifier: MIT

import { formatShare, formatSixDecimals } from '../core/numbers.js';
import type {
  Cloud,
  Component,
  Components,
  Intensity,
  Location,
  Measurement,
  ModelDetails,
  Report,
  TotalEnergy,
} from '../core/report-types.js';
import { GRAMS_PER_KG, joulesToKwh, SECONDS_PER_YEAR } from '../core/units.js';
import type { Kind } from '../core/vocabulary.js';
import { listReferences } from './references.js';
import { summariseRuns } from './repetitions.js';

/** What a report needs beside the measurement. */
export interface ReportContext {
  location: Location;
  intensity: Intensity;
  cloud: Cloud;
  model?: ModelDetails;
  projectName: string;
  runId: string;
  /** Unix time in milliseconds. */
  generatedAtMs: number;
  /** Version of microjoule. */
  version: string;
}

const COMPONENT_NAMES = { cpu: 'CPU', gpu: 'GPU', ram: 'RAM' } as const;
const COMPONENT_KEYS = ['cpu', 'gpu', 'ram'] as const;
/** From best to worst: a sum is as good as the worst that went into it. */
const KINDS_BEST_FIRST: readonly Kind[] = ['measured', 'estimated', 'assumed', 'absent'];

/**
 * The report of a measurement: totals in joules and kWh, emissions in kg of CO2 equivalent, all with
 * their provenance. Pure; throws nothing.
 */
export function buildReport(measurement: Measurement, context: ReportContext): Report {
  const { durationSeconds, machine, warnings, apart } = measurement;
  const components = settleComponents(measurement.components, durationSeconds);
  const energy = totalEnergy(components, durationSeconds);
  const emissions = totalEmissions(energy, context.intensity, durationSeconds);
  const repetitions = summariseRuns(measurement.runs ?? [], context.intensity.intensityGramsPerKwh);
  const counters = [...COMPONENT_KEYS.flatMap((key) => components[key].counters), ...apart];
  return {
    schema: 'microjoule.report/1',
    generator: { name: 'microjoule', version: context.version },
    generatedAt: new Date(context.generatedAtMs).toISOString(),
    startedAt: new Date(measurement.startedAtMs).toISOString(),
    endedAt: new Date(measurement.endedAtMs).toISOString(),
    projectName: context.projectName,
    runId: context.runId,
    trackingMode: 'machine',
    emissionsKg: emissions.emissionsKg,
    duration: {
      kind: 'measured',
      source: 'monotonic clock',
      method: 'end minus start',
      detail: 'Read from a clock that never steps back, so setting the time of day does not change it.',
      durationSeconds,
    },
    energy,
    components,
    apart,
    emissions,
    intensity: context.intensity,
    location: context.location,
    cloud: context.cloud,
    machine,
    ...(measurement.command === undefined ? {} : { command: measurement.command }),
    ...(repetitions === undefined ? {} : { repetitions }),
    ...(context.model === undefined ? {} : { model: context.model }),
    warnings,
    references: listReferences(context.intensity, counters),
  };
}

/** The worst of `kinds`; `absent` when there are none. */
export function weakestKind(kinds: readonly Kind[]): Kind {
  return KINDS_BEST_FIRST.findLast((kind) => kinds.includes(kind)) ?? 'absent';
}

function settleComponents(components: Components, durationSeconds: number): Components {
  return {
    cpu: settleComponent(components.cpu, durationSeconds),
    gpu: settleComponent(components.gpu, durationSeconds),
    ram: settleComponent(components.ram, durationSeconds),
  };
}

/** Makes energy, kWh and watts agree: all of them with a kind, none of them when absent. */
function settleComponent(component: Component, durationSeconds: number): Component {
  const { energyJoules, energyKwh: _, powerWatts, ...rest } = component;
  if (component.kind === 'absent') return rest;
  if (!isAmount(energyJoules)) {
    const detail = `Its energy came out as ${energyJoules}, which cannot be. ${component.detail}`.trim();
    return { ...rest, kind: 'absent', detail, atLeast: true };
  }
  const settled: Component = { ...rest, energyJoules, energyKwh: joulesToKwh(energyJoules) };
  if (isAmount(powerWatts)) settled.powerWatts = powerWatts;
  else if (durationSeconds > 0) settled.powerWatts = energyJoules / durationSeconds;
  return settled;
}

function totalEnergy(components: Components, durationSeconds: number): TotalEnergy {
  const present = COMPONENT_KEYS.filter((key) => components[key].kind !== 'absent');
  const sumOf = (keys: readonly (keyof Components)[]) =>
    keys.reduce((sum, key) => sum + (components[key].energyJoules ?? 0), 0);
  const sumOfKind = (kind: Kind) => sumOf(present.filter((key) => components[key].kind === kind));

  const energyJoules = sumOf(present);
  // A component with no energy adds no doubt either, unless it is all there is.
  const contributing = present.filter((key) => (components[key].energyJoules ?? 0) > 0);
  const behind = contributing.length > 0 ? contributing : present;
  const shares = {
    measured: sumOfKind('measured'),
    estimated: sumOfKind('estimated'),
    assumed: sumOfKind('assumed'),
  };
  const absent = COMPONENT_KEYS.flatMap((key) => missingFrom(COMPONENT_NAMES[key], components[key]));
  return {
    kind: weakestKind(behind.map((key) => components[key].kind)),
    source: [...new Set(behind.map((key) => components[key].source))].join(', ') || 'none',
    method: describeSum(behind, shares, energyJoules),
    detail: describeTotal(present.length, absent.length),
    energyJoules,
    energyKwh: joulesToKwh(energyJoules),
    powerWatts: durationSeconds > 0 ? energyJoules / durationSeconds : 0,
    atLeast: COMPONENT_KEYS.some((key) => components[key].atLeast),
    measuredJoules: shares.measured,
    estimatedJoules: shares.estimated,
    assumedJoules: shares.assumed,
    absent,
  };
}

/** `sum of CPU and RAM: 81 % measured, 19 % assumed`. */
function describeSum(
  keys: readonly (keyof Components)[],
  shares: Record<'measured' | 'estimated' | 'assumed', number>,
  energyJoules: number,
): string {
  const names = keys.map((key) => COMPONENT_NAMES[key]);
  if (names.length === 0) return 'nothing to add up';
  const sum = names.length === 1 ? `${names[0]} alone` : `sum of ${listInWords(names)}`;
  if (energyJoules === 0) return sum;
  const inWords = Object.entries(shares)
    .filter(([, joules]) => joules > 0)
    .map(([kind, joules]) => `${formatShare(joules / energyJoules)} ${kind}`);
  return `${sum}: ${inWords.join(', ')}`;
}

function describeTotal(presentCount: number, absentCount: number): string {
  if (presentCount === 0) return 'No component could be measured, estimated or assumed.';
  if (absentCount > 0) return 'The true value is higher: something known to be there could not be read.';
  return 'Nothing that is known to be there is left out.';
}

/** One sentence for each part of a component that is known to be there and not in the total. */
function missingFrom(name: string, component: Component): string[] {
  if (!component.atLeast) return [];
  if (component.kind === 'absent') return [`${name}: present, not measured. ${component.detail}`.trim()];
  const unread = component.counters.filter((counter) => counter.status !== 'ok');
  if (unread.length === 0) return [`${name}: a part is not measured. ${component.detail}`.trim()];
  return unread.map(({ id, status, detail }) => `${name}: ${id} is not measured. ${detail || status}`);
}

function totalEmissions(
  energy: TotalEnergy,
  intensity: Intensity,
  durationSeconds: number,
): Report['emissions'] {
  const emissionsGrams = energy.energyKwh * intensity.intensityGramsPerKwh;
  const emissionsKg = emissionsGrams / GRAMS_PER_KG;
  const emissionsKgPerSecond = durationSeconds > 0 ? emissionsKg / durationSeconds : 0;
  return {
    kind: weakestKind([energy.kind, intensity.kind]),
    source: `total energy, ${intensity.source}`,
    method: 'kWh times grams per kWh',
    detail: `${formatSixDecimals(energy.energyKwh)} kWh at ${intensity.intensityGramsPerKwh} g/kWh; energy ${energy.kind}, intensity ${intensity.kind}.`,
    emissionsKg,
    emissionsGrams,
    emissionsKgPerSecond,
    emissionsKgPerYear: emissionsKgPerSecond * SECONDS_PER_YEAR,
    atLeast: energy.atLeast,
  };
}

function isAmount(value: number | undefined): value is number {
  return value !== undefined && Number.isFinite(value) && value >= 0;
}

function listInWords(names: readonly string[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}
