// SPDX-License-Identifier: MIT

import { MicrojouleError } from '../core/errors.js';
import { formatShare } from '../core/numbers.js';
import type {
  Cloud,
  Component,
  Components,
  Intensity,
  Location,
  Measurement,
  ModelDetails,
  PresentKind,
  Report,
  TotalEnergy,
} from '../core/report-types.js';
import { joulesToKwh } from '../core/units.js';
import { boundsOf, energyInterval, type Interval, interval, sumInterval } from './bounds.js';
import { perSecond, totalEmissions } from './emissions.js';
import { type FacilityOptions, facilityOf } from './facility.js';
import { commandFacts, machineFacts } from './facts.js';
import { weakerKind } from './kinds.js';
import { listReferences } from './references.js';
import { summariseRuns } from './repetitions.js';
import { embodiedShare, type ScoreOptions, scoreOf } from './score.js';

/** What a report needs beside the measurement. */
export interface ReportContext {
  location: Location;
  intensity: Intensity;
  cloud: Cloud;
  /** Checked by `checkFacilityOptions`. */
  facility?: FacilityOptions;
  /** Checked by `checkScoreOptions`. */
  score?: ScoreOptions;
  model?: ModelDetails;
  projectName: string;
  runId: string;
  experimentId?: string;
  experimentName?: string;
  /** Unix time in milliseconds. */
  generatedAtMs: number;
  /** Version of microjoule. */
  version: string;
}

const COMPONENT_NAMES = { cpu: 'CPU', gpu: 'GPU', ram: 'RAM' } as const;
export const COMPONENT_KEYS = ['cpu', 'gpu', 'ram'] as const;

/** A component that has energy. */
interface Part {
  name: string;
  kind: PresentKind;
  source: string;
  energyJoules: number;
  bounds: Interval | undefined;
}

/**
 * The report of a measurement: totals in joules and kWh, emissions in kg of CO2 equivalent, all with
 * their provenance. Pure.
 *
 * @throws MicrojouleError `ERR_NO_ENERGY` when no component has energy: a report never writes 0 for "unknown"
 */
export function buildReport(measurement: Measurement, context: ReportContext): Report {
  const { durationSeconds, machine, warnings, apart } = measurement;
  const components = settleComponents(measurement.components, durationSeconds);
  const energy = sumComponents(components, durationSeconds);
  const facility = facilityOf(context.facility ?? {}, energy);
  const emissions = totalEmissions(energy, context.intensity, durationSeconds, facility);
  const embodied = embodiedShare(context.score ?? {}, durationSeconds);
  const boundary = measurement.attribution === undefined ? undefined : 'the process and its children';
  const score = scoreOf(context.score ?? {}, emissions, embodied, boundary);
  const repetitions = summariseRuns(measurement.runs ?? [], energy.source, context.intensity, facility);
  const counters = [...COMPONENT_KEYS.flatMap((key) => components[key].counters), ...apart];
  return {
    schema: 'microjoule.report/1',
    generator: { name: 'microjoule', version: context.version },
    generatedAt: new Date(context.generatedAtMs).toISOString(),
    startedAt: new Date(measurement.startedAtMs).toISOString(),
    endedAt: new Date(measurement.endedAtMs).toISOString(),
    projectName: context.projectName,
    runId: context.runId,
    ...(context.experimentId === undefined ? {} : { experimentId: context.experimentId }),
    ...(context.experimentName === undefined ? {} : { experimentName: context.experimentName }),
    trackingMode: measurement.attribution === undefined ? 'machine' : 'process',
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
    ...(measurement.attribution === undefined ? {} : { attribution: measurement.attribution }),
    apart,
    emissions,
    ...(facility === undefined ? {} : { facility }),
    ...(embodied === undefined ? {} : { embodied }),
    ...(score === undefined ? {} : { score }),
    intensity: context.intensity,
    location: context.location,
    cloud: context.cloud,
    machine: machineFacts(machine, components),
    ...(measurement.command === undefined ? {} : { command: commandFacts(measurement.command) }),
    ...(repetitions === undefined ? {} : { repetitions }),
    ...(measurement.series === undefined ? {} : { series: measurement.series }),
    ...(context.model === undefined ? {} : { model: context.model }),
    warnings,
    references: listReferences(context.intensity, counters),
  };
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
  const {
    energyJoules,
    energyKwh: _,
    powerWatts,
    lowerJoules,
    upperJoules,
    confidenceRatio,
    ...rest
  } = component;
  if (component.kind === 'absent') return rest;
  if (!isAmount(energyJoules)) {
    const detail = `Its energy came out as ${energyJoules}, which cannot be. ${component.detail}`.trim();
    return { ...rest, kind: 'absent', detail, atLeast: true };
  }
  const settled: Component = {
    ...rest,
    energyJoules,
    energyKwh: joulesToKwh(energyJoules),
    ...boundsOf(interval(energyJoules, lowerJoules, upperJoules, confidenceRatio)),
  };
  const meanWatts = perSecond(energyJoules, durationSeconds);
  // A region of no length has no mean, whatever stood for it.
  if (meanWatts === undefined) return settled;
  return { ...settled, powerWatts: isAmount(powerWatts) ? powerWatts : meanWatts };
}

/** The one total: what the components come to. @throws MicrojouleError `ERR_NO_ENERGY` when none has energy */
export function sumComponents(components: Components, durationSeconds: number): TotalEnergy {
  const parts = COMPONENT_KEYS.flatMap((key): Part[] => {
    const { kind, source, energyJoules } = components[key];
    if (kind === 'absent' || energyJoules === undefined) return [];
    const bounds = energyInterval(energyJoules, components[key]);
    return [{ name: COMPONENT_NAMES[key], kind, source, energyJoules, bounds }];
  });
  if (parts.length === 0) throw noEnergy(components);
  const sumOf = (some: readonly Part[]) => some.reduce((sum, part) => sum + part.energyJoules, 0);
  const sumOfKind = (kind: PresentKind) => sumOf(parts.filter((part) => part.kind === kind));

  const energyJoules = sumOf(parts);
  const powerWatts = perSecond(energyJoules, durationSeconds);
  // A component with no energy adds no doubt either, unless it is all there is.
  const contributing = parts.filter((part) => part.energyJoules > 0);
  const behind = contributing.length > 0 ? contributing : parts;
  const shares = {
    measured: sumOfKind('measured'),
    estimated: sumOfKind('estimated'),
    assumed: sumOfKind('assumed'),
  };
  const absent = COMPONENT_KEYS.flatMap((key) => missingFrom(COMPONENT_NAMES[key], components[key]));
  return {
    kind: behind.map((part) => part.kind).reduce(weakerKind),
    source: [...new Set(behind.map((part) => part.source))].join(', '),
    method: describeSum(behind, shares, energyJoules),
    detail:
      absent.length > 0
        ? 'The true value is higher: something known to be there could not be read.'
        : 'Nothing that is known to be there is left out.',
    energyJoules,
    energyKwh: joulesToKwh(energyJoules),
    ...(powerWatts === undefined ? {} : { powerWatts }),
    atLeast: COMPONENT_KEYS.some((key) => components[key].atLeast),
    measuredJoules: shares.measured,
    estimatedJoules: shares.estimated,
    assumedJoules: shares.assumed,
    ...boundsOf(sumInterval(behind.map((part) => part.bounds))),
    absent,
  };
}

function noEnergy(components: Components): MicrojouleError {
  const reasons = COMPONENT_KEYS.map((key) => `${COMPONENT_NAMES[key]}: ${components[key].detail}`);
  return new MicrojouleError('ERR_NO_ENERGY', `no component has energy. ${reasons.join(' ')}`, {
    hint: 'Give the measurement at least one component with energy; an estimate will do.',
  });
}

/** `sum of CPU and RAM: 81 % measured, 19 % assumed`. */
function describeSum(
  parts: readonly Part[],
  shares: Record<PresentKind, number>,
  energyJoules: number,
): string {
  const names = parts.map((part) => part.name);
  const sum = names.length === 1 ? `${names[0]} alone` : `sum of ${listInWords(names)}`;
  if (energyJoules === 0) return sum;
  const inWords = Object.entries(shares)
    .filter(([, joules]) => joules > 0)
    .map(([kind, joules]) => `${formatShare(joules / energyJoules)} ${kind}`);
  return `${sum}: ${inWords.join(', ')}`;
}

/** One sentence for each part of a component that is known to be there and not in the total. */
function missingFrom(name: string, component: Component): string[] {
  if (!component.atLeast) return [];
  if (component.kind === 'absent') return [`${name}: present, not measured. ${component.detail}`.trim()];
  const unread = component.counters.filter((counter) => counter.status !== 'ok');
  if (unread.length === 0) return [`${name}: a part is not measured. ${component.detail}`.trim()];
  return unread.map(({ id, status, detail }) => `${name}: ${id} is not measured. ${detail || status}`);
}

function isAmount(value: number | undefined): value is number {
  return value !== undefined && Number.isFinite(value) && value >= 0;
}

function listInWords(names: readonly string[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}
