// SPDX-License-Identifier: MIT
//
// Several reports into one: sums, and ratios of sums; never averages of ratios. Merging is associative.
import { MicrojouleError } from '../core/errors.js';
import type {
  Component,
  Components,
  Embodied,
  Emissions,
  Facility,
  MergedRun,
  PowerSeries,
  Report,
  Score,
} from '../core/report-types.js';
import { GRAMS_PER_KG, joulesToKwh, SECONDS_PER_YEAR } from '../core/units.js';
import type { Warning } from '../core/vocabulary.js';
import { mergeAttributions } from './attribution.js';
import { boundsOf, energyInterval, interval, sumInterval } from './bounds.js';
import { COMPONENT_KEYS, sumComponents } from './build.js';
import { perSecond } from './emissions.js';
import { weakerKind } from './kinds.js';
import { listed, mergeCloud, mergeIntensity, mergeLocation, mergeMachines, sumOf } from './merge-context.js';
import { OVERLAP_CODES, overlapWarnings } from './merge-overlap.js';
import { mergeSeries } from './merge-series.js';

export interface MergeContext {
  /** Unix time in milliseconds. */
  generatedAtMs: number;
  /** Version of microjoule. */
  version: string;
}

type Reports = readonly [Report, ...Report[]];

/**
 * The sum of several runs, made on one machine or on many, at the same time or one after the other. Its duration is
 * machine time, so its mean power is that of one machine. Runs of one machine at the same time are a warning, as each of
 * them holds all of its energy. A single report is returned as it is.
 *
 * @throws MicrojouleError `ERR_BAD_OPTION` when a run is in it twice, or when some are of machines and some of processes
 */
export function mergeReports(reports: Reports, context: MergeContext): Report {
  const [first] = reports;
  if (reports.length === 1) return first;
  const merged = reports.flatMap(runsOf).sort(byTime);
  refuseTwice(merged);
  refuseModes(reports);
  const durationSeconds = sumOf(reports, (report) => report.duration.durationSeconds);
  const components = mergeComponents(reports, durationSeconds);
  const sum = sumComponents(components, durationSeconds);
  const warnings: Warning[] = first.trackingMode === 'machine' ? overlapWarnings(merged) : [];
  const isTooHigh = warnings.some(({ code }) => code === 'machine-counted-twice');
  const energy = isTooHigh
    ? { ...sum, detail: `Some of it is of one machine at one time and counted more than once. ${sum.detail}` }
    : sum;
  const emissions = mergeEmissions(reports, durationSeconds);
  const facility = mergeFacilities(reports, warnings);
  const embodied = mergeEmbodied(reports, warnings);
  const score = mergeScores(reports, emissions, embodied, warnings);
  const attribution = mergeAttributions(
    reports.flatMap(({ attribution, duration: { durationSeconds }, components: { cpu } }) =>
      attribution === undefined ? [] : [{ attribution, durationSeconds, cpuJoules: cpu.energyJoules }],
    ),
  );
  const series = seriesOf(reports, warnings);
  const times = (pick: (run: MergedRun) => string) => merged.map(pick).sort();
  const models = [
    ...new Set(reports.flatMap(({ model }) => (model === undefined ? [] : JSON.stringify(model)))),
  ];
  if (models.length > 1) {
    warnings.push({
      code: 'model-differs',
      message: 'The runs have different model details; those of the first are shown.',
      hint: 'Give the right ones with --model.',
    });
  }
  const model = reports.find((report) => report.model !== undefined)?.model;
  return {
    schema: 'microjoule.report/1',
    generator: { name: 'microjoule', version: context.version },
    generatedAt: new Date(context.generatedAtMs).toISOString(),
    startedAt: times((run) => run.startedAt)[0] ?? first.startedAt,
    endedAt: times((run) => run.endedAt).at(-1) ?? first.endedAt,
    projectName: listed(merged.map((run) => run.projectName)),
    runId: `${merged[0]?.runId ?? first.runId}+${merged.length - 1}`,
    ...same(reports, 'experimentId'),
    ...same(reports, 'experimentName'),
    trackingMode: first.trackingMode,
    emissionsKg: emissions.emissionsKg,
    duration: {
      ...first.duration,
      method: `sum of ${merged.length} runs`,
      detail:
        'Machine time: runs at the same time count each for itself, and what was between them not at all.',
      durationSeconds,
    },
    energy,
    components,
    ...(attribution === undefined ? {} : { attribution }),
    apart: reports.flatMap((report) => countersOf(report, report.apart)),
    emissions,
    ...(facility === undefined ? {} : { facility }),
    ...(embodied === undefined ? {} : { embodied }),
    ...(score === undefined ? {} : { score }),
    intensity: mergeIntensity(reports),
    location: mergeLocation(reports),
    cloud: mergeCloud(reports),
    machine: mergeMachines(reports, durationSeconds),
    ...(series === undefined ? {} : { series }),
    ...(model === undefined ? {} : { model }),
    merged,
    warnings: unique([
      ...reports.flatMap((report) => report.warnings.filter(({ code }) => !OVERLAP_CODES.has(code))),
      ...warnings,
    ]),
    references: [
      ...new Map(
        reports.flatMap((report) => report.references).map((reference) => [reference.text, reference]),
      ).values(),
    ],
  };
}

function runsOf(report: Report): MergedRun[] {
  if (report.merged !== undefined) return report.merged;
  const { runId, projectName, startedAt, endedAt, machine, location, emissions } = report;
  const place = [location.countryName ?? location.countryAlpha3, location.region].filter(Boolean).join(', ');
  return [
    {
      runId,
      projectName,
      startedAt,
      endedAt,
      durationSeconds: report.duration.durationSeconds,
      energyJoules: report.energy.energyJoules,
      emissionsGrams: emissions.emissionsGrams,
      kind: emissions.kind,
      source: emissions.source,
      atLeast: emissions.atLeast,
      ...(machine.instanceId === undefined ? {} : { instanceId: machine.instanceId }),
      os: machine.os,
      ...(machine.cpuModel === undefined ? {} : { cpuModel: machine.cpuModel }),
      ...(machine.gpuModel === undefined ? {} : { gpuModel: machine.gpuModel }),
      ...(place === '' ? {} : { place }),
    },
  ];
}

function byTime(one: MergedRun, other: MergedRun): number {
  const [a, b] = [`${one.startedAt} ${one.runId}`, `${other.startedAt} ${other.runId}`];
  return a < b ? -1 : a > b ? 1 : 0;
}

function refuseTwice(runs: readonly MergedRun[]): void {
  const seen = new Set<string>();
  for (const { runId, startedAt } of runs) {
    // A run that was cut off and started again may have the same name.
    const start = JSON.stringify([runId, startedAt]);
    if (seen.has(start)) {
      throw new MicrojouleError('ERR_BAD_OPTION', `the run ${runId} was given twice`, {
        hint: 'Give each report once; runs of the same --run-id are told apart by their start.',
      });
    }
    seen.add(start);
  }
}

/** A machine's energy holds its processes'. */
function refuseModes(reports: Reports): void {
  if (new Set(reports.map(({ trackingMode }) => trackingMode)).size === 1) return;
  throw new MicrojouleError('ERR_BAD_OPTION', 'some of the reports are of a machine, others of a process', {
    hint: "Add up reports of one tracking mode: what a process took is in its machine's report already.",
  });
}

/** What all the reports agree about. */
function same(
  reports: Reports,
  key: 'experimentId' | 'experimentName',
): Pick<Report, 'experimentId' | 'experimentName'> {
  const { [key]: value } = reports[0];
  return value !== undefined && reports.every((report) => report[key] === value) ? { [key]: value } : {};
}

function mergeComponents(reports: Reports, durationSeconds: number): Components {
  const merge = (key: keyof Components): Component => {
    const parts = reports.map((report) => report.components[key]);
    const present = parts.filter((part) => part.energyJoules !== undefined);
    const atLeast = parts.some((part) => part.atLeast);
    const counters = reports.flatMap((report) => countersOf(report, report.components[key].counters));
    if (present.length === 0) {
      const [absent = parts[0]] = parts.filter((part) => part.atLeast);
      return { ...(absent as Component), atLeast, counters };
    }
    const energyJoules = sumOf(present, (part) => part.energyJoules ?? 0);
    const powerWatts = perSecond(energyJoules, durationSeconds);
    return {
      kind: present.map((part) => part.kind).reduce(weakerKind),
      source: listed(present.map((part) => part.source)),
      method: listed(present.map((part) => part.method)),
      detail: listed(
        parts.filter((part) => part.energyJoules !== undefined || part.atLeast).map((part) => part.detail),
        ' ',
      ),
      energyJoules,
      energyKwh: joulesToKwh(energyJoules),
      ...(powerWatts === undefined ? {} : { powerWatts }),
      ...boundsOf(sumInterval(present.map((part) => energyInterval(part.energyJoules ?? 0, part)))),
      atLeast,
      counters,
    };
  };
  const [cpu, gpu, ram] = COMPONENT_KEYS.map(merge) as [Component, Component, Component];
  return { cpu, gpu, ram };
}

/** Counters of several machines have the same names; the run tells them apart. */
function countersOf(report: Report, counters: Report['apart']): Report['apart'] {
  if (report.merged !== undefined) return counters;
  return counters.map((counter) => ({ ...counter, id: `${report.runId}: ${counter.id}` }));
}

function mergeEmissions(reports: Reports, durationSeconds: number): Emissions {
  const all = reports.map((report) => report.emissions);
  const emissionsGrams = sumOf(all, (one) => one.emissionsGrams);
  const emissionsKg = emissionsGrams / GRAMS_PER_KG;
  const emissionsKgPerSecond = perSecond(emissionsKg, durationSeconds);
  const bounds = all.map((one) =>
    interval(one.emissionsGrams, one.lowerGrams, one.upperGrams, one.confidenceRatio),
  );
  const [widest] = bounds;
  const known = bounds.every((one) => one !== undefined && one.confidenceRatio === widest?.confidenceRatio);
  const of = all.map((one) => one.uncertaintyOf ?? []);
  const uncertaintyOf = (of[0] ?? []).filter((part) => of.every((parts) => parts.includes(part)));
  return {
    kind: all.map((one) => one.kind).reduce(weakerKind),
    source: listed(all.map((one) => one.source)),
    method: 'sum of the runs, each kWh times its own grams per kWh',
    detail: `Sum of ${reports.flatMap(runsOf).length} runs.`,
    emissionsKg,
    emissionsGrams,
    ...(emissionsKgPerSecond === undefined
      ? {}
      : { emissionsKgPerSecond, emissionsKgPerYear: emissionsKgPerSecond * SECONDS_PER_YEAR }),
    atLeast: all.some((one) => one.atLeast),
    // Runs on one grid share the error of its intensity, so the ends add up rather than their squares.
    ...(known && widest !== undefined && uncertaintyOf.length > 0
      ? {
          lowerGrams: sumOf(bounds, (one) => one?.lower ?? 0),
          upperGrams: sumOf(bounds, (one) => one?.upper ?? 0),
          confidenceRatio: widest.confidenceRatio,
          uncertaintyOf,
        }
      : {}),
  };
}

/** Energy of all facilities over energy of all machines. A machine without a PUE counts as one of PUE 1. */
function mergeFacilities(reports: Reports, warnings: Warning[]): Facility | undefined {
  const all = reports.flatMap((report) => report.facility ?? []);
  const [first] = all;
  if (first === undefined) return undefined;
  const energyKwh = sumOf(reports, (report) => report.energy.energyKwh);
  const facilityKwh = sumOf(reports, ({ facility, energy }) => facility?.facilityKwh ?? energy.energyKwh);
  const waterLitres = sumOf(reports, ({ facility }) => facility?.waterLitres ?? Number.NaN);
  const anyWater = all.some((one) => one.waterLitres !== undefined);
  if (anyWater && Number.isNaN(waterLitres)) {
    warnings.push({
      code: 'water-incomplete',
      message: 'Water is left out: not every run has a WUE.',
      hint: 'Give --wue to each run.',
    });
  }
  return {
    kind: all.map((one) => one.kind).reduce(weakerKind),
    source: listed(all.map((one) => one.source)),
    method: 'facility energy of all runs over machine energy of all runs',
    detail: listed(
      all.map((one) => one.detail),
      ' ',
    ),
    pueRatio: energyKwh > 0 ? Math.max(1, facilityKwh / energyKwh) : first.pueRatio,
    facilityKwh,
    ...(Number.isNaN(waterLitres) || !(energyKwh > 0)
      ? {}
      : { wueLitresPerKwh: waterLitres / energyKwh, waterLitres }),
  };
}

function mergeEmbodied(reports: Reports, warnings: Warning[]): Embodied | undefined {
  const all = reports.flatMap((report) => report.embodied ?? []);
  if (all.length === 0) return undefined;
  if (all.length < reports.length) {
    warnings.push({
      code: 'embodied-incomplete',
      message: 'Embodied emissions are left out: not every run has them.',
      hint: 'Give --embodied-kg and --lifespan-years to each run.',
    });
    return undefined;
  }
  return {
    kind: all.map((one) => one.kind).reduce(weakerKind),
    source: listed(all.map((one) => one.source)),
    method: 'sum of the runs',
    detail: 'Each run counts its own share of its own hardware.',
    embodiedGrams: sumOf(all, (one) => one.embodiedGrams),
  };
}

/** All the emissions over all the units. */
function mergeScores(
  reports: Reports,
  emissions: Emissions,
  embodied: Embodied | undefined,
  warnings: Warning[],
): Score | undefined {
  const all = reports.flatMap((report) => report.score ?? []);
  const [first] = all;
  if (first === undefined) return undefined;
  const fit = ({ name, functionalUnit }: Score) =>
    name === first.name && functionalUnit === first.functionalUnit;
  if (all.length < reports.length || !all.every(fit)) {
    warnings.push({
      code: 'score-incomplete',
      message:
        'The emissions per unit are left out: the runs do not all have one, of the same unit and name.',
      hint: 'Give the same --unit to each run.',
    });
    return undefined;
  }
  const unitCount = sumOf(all, (score) => score.unitCount);
  const { lowerGramsPerUnit: _l, upperGramsPerUnit: _u, confidenceRatio: _c, ...rest } = first;
  const embodiedGrams = embodied?.embodiedGrams ?? 0;
  const perUnit = (grams: number) => (grams + embodiedGrams) / unitCount;
  const bounds = interval(
    emissions.emissionsGrams,
    emissions.lowerGrams,
    emissions.upperGrams,
    emissions.confidenceRatio,
  );
  return {
    ...rest,
    kind: all.map((score) => score.kind).reduce(weakerKind),
    source: listed(all.map((score) => score.source)),
    unitCount,
    gramsPerUnit: perUnit(emissions.emissionsGrams),
    ...(bounds === undefined
      ? {}
      : {
          lowerGramsPerUnit: perUnit(bounds.lower),
          upperGramsPerUnit: perUnit(bounds.upper),
          confidenceRatio: bounds.confidenceRatio,
        }),
    atLeast: emissions.atLeast,
  };
}

/** Runs one after the other in one row of time. Means over repetitions of one command are nothing for a sum of runs. */
function seriesOf(reports: Reports, warnings: Warning[]): PowerSeries | undefined {
  if (reports.some((report) => report.repetitions !== undefined)) {
    warnings.push({
      code: 'repetitions-left-out',
      message: 'Means and deviations over repetitions are left out: they are of one command on one machine.',
      hint: "See each run's own report.",
    });
  }
  const all = reports.flatMap((report) => report.series ?? []);
  if (all.length === 0) return undefined;
  const startMs = Math.min(...reports.map((report) => Date.parse(report.startedAt)));
  const parts = reports.flatMap(({ series, startedAt }) =>
    series === undefined ? [] : [{ series, offsetSeconds: (Date.parse(startedAt) - startMs) / 1000 }],
  );
  const merged = all.length < reports.length ? undefined : mergeSeries(parts);
  if (merged === undefined) {
    warnings.push({
      code: 'series-left-out',
      message: 'Power over time is left out: not every run has it, or runs were made at the same time.',
      hint: "See each run's own report.",
    });
  }
  return merged;
}

function unique(warnings: readonly Warning[]): Warning[] {
  return [...new Map(warnings.map((warning) => [JSON.stringify(warning), warning])).values()];
}
