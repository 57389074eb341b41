// SPDX-License-Identifier: MIT

import {
  formatDecimals,
  formatDuration,
  formatEnergy,
  formatMass,
  formatPower,
  formatShare,
  formatSignificant,
  formatSixDecimals,
  formatSpread,
  formatTimestamp,
  withAtLeast,
} from '../core/numbers.js';
import type { Component, Components, Intensity, MergedRun, Report, Spread } from '../core/report-types.js';
import { GRAMS_PER_KG } from '../core/units.js';
import type { Kind, Provenance } from '../core/vocabulary.js';
import { paragraph } from './columns.js';
import {
  emissionsBounds,
  energyBounds,
  facilityText,
  intensityBounds,
  intervalName,
  scoreBounds,
  scoreName,
  uncertaintyScope,
} from './intervals.js';
import {
  absenceOf,
  COMPONENTS,
  cloudOf,
  commandLine,
  endingOf,
  groupWarnings,
  placeOf,
  processScope,
  titleOf,
} from './labels.js';
import { shareBar, shareLegend } from './shares.js';
import { displayWidth, padLeft, padRight, withoutControls, wrap } from './wrap.js';

const COLUMNS = 80;
const LABEL_COLUMNS = 14;
const BAR_COLUMNS = 60;

/** What a piece of the text is, for whoever colours it. Kinds carry their own names. */
export type StyleName = Kind | 'title' | 'heading' | 'value' | 'label' | 'warning' | 'muted';
/** Wraps `text` in terminal codes, or returns it as it is. Must not change its visible width. */
export type Style = (name: StyleName, text: string) => string;

const plain: Style = (_, text) => text;

/** The report for a terminal of 80 columns, with a final newline. Only unbreakable words run over. */
export function formatText(report: Report, style: Style = plain): string {
  const blocks = [
    titleLines(report, style),
    resultLines(report, style),
    componentLines(report, style),
    factLines(report, style),
    warningLines(report, style),
  ];
  return `${blocks
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`;
}

function titleLines(report: Report, style: Style): string[] {
  const title = wrap(`CO2 emission report: ${titleOf(report)}`, COLUMNS);
  const { version } = report.generator;
  return [
    ...title.map((line) => style('title', line)),
    style('muted', `microjoule ${version}, ${formatTimestamp(report.generatedAt)}`),
  ];
}

function resultLines(report: Report, style: Style): string[] {
  const { duration, energy, emissions, repetitions } = report;
  const atLeast = (text: string) => withAtLeast(text, energy.atLeast);
  const { emissionsKgPerSecond, emissionsKgPerYear } = emissions;
  const mean = energy.powerWatts === undefined ? '' : `, mean ${formatPower(energy.powerWatts)}`;
  const rows: [value: string, label: string][] = [
    [
      formatDuration(duration.durationSeconds),
      report.merged === undefined ? 'duration' : `machine time of ${report.merged.length} runs`,
    ],
    [
      atLeast(formatEnergy(energy.energyJoules)),
      `energy (${formatSixDecimals(energy.energyKwh)} kWh${mean}), ${energy.kind}`,
    ],
    [
      atLeast(formatMass(emissions.emissionsGrams)),
      `CO2eq (${formatSixDecimals(emissions.emissionsKg)} kg), ${emissions.kind}`,
    ],
    ...uncertaintyRows(report),
  ];
  if (emissionsKgPerSecond !== undefined) {
    const rate = formatSignificant(emissionsKgPerSecond, 3);
    rows.push([atLeast(`${formatMass(emissionsKgPerSecond * GRAMS_PER_KG)}/s`), `CO2eq rate (${rate} kg/s)`]);
  }
  if (emissionsKgPerYear !== undefined) {
    rows.push([atLeast(formatMass(emissionsKgPerYear * GRAMS_PER_KG)), 'CO2eq in a year at this rate']);
  }
  rows.push(...scoreRows(report));
  const lines = table(rows, style);
  if (repetitions === undefined) return lines;
  const spread = ({ mean, standardDeviation }: Spread, quantity: Parameters<typeof formatSpread>[2]) =>
    formatSpread(mean, standardDeviation, quantity);
  const ofRuns = (text: string) => withAtLeast(text, repetitions.atLeast);
  return [
    ...lines,
    '',
    style('heading', `Per run: mean ± standard deviation of ${repetitions.count} runs`),
    ...table(
      [
        [spread(repetitions.durationSeconds, 'duration'), 'duration'],
        [ofRuns(spread(repetitions.energyJoules, 'energy')), `energy, ${repetitions.kind}`],
        [ofRuns(spread(repetitions.emissionsGrams, 'mass')), `CO2eq, ${repetitions.emissionsGrams.kind}`],
      ],
      style,
    ),
  ];
}

/** The interval stands under its value, in the same unit. */
function uncertaintyRows({ energy, emissions }: Report): [value: string, label: string][] {
  const ofEnergy = energyBounds(energy.energyJoules, energy);
  const ofEmissions = emissionsBounds(emissions);
  return [
    ...(ofEnergy === ''
      ? []
      : ([[ofEnergy, `energy, ${intervalName(energy.confidenceRatio)}`]] as [string, string][])),
    ...(ofEmissions === ''
      ? []
      : ([
          [ofEmissions, `CO2eq, ${intervalName(emissions.confidenceRatio)}: ${uncertaintyScope(emissions)}`],
        ] as [string, string][])),
  ];
}

function scoreRows({ embodied, score }: Report): [value: string, label: string][] {
  const rows: [string, string][] = [];
  if (embodied !== undefined) {
    rows.push([formatMass(embodied.embodiedGrams), `CO2eq embodied in the hardware used, ${embodied.kind}`]);
  }
  if (score !== undefined) {
    const bounds = scoreBounds(score);
    const interval = bounds === '' ? '' : `; ${intervalName(score.confidenceRatio)}: ${bounds}`;
    rows.push([
      withAtLeast(formatMass(score.gramsPerUnit), score.atLeast),
      `CO2eq, ${scoreName(score)} (${formatSignificant(score.unitCount)} of them), ${score.kind}${interval}`,
    ]);
  }
  return rows;
}

function componentLines(report: Report, style: Style): string[] {
  const rows = COMPONENTS.map(({ key, name }) => {
    const component = report.components[key];
    const { energyJoules, powerWatts, kind, source, atLeast } = component;
    const hasEnergy = energyJoules !== undefined;
    return {
      name,
      kind,
      energy: hasEnergy ? withAtLeast(formatEnergy(energyJoules), atLeast) : '-',
      power: powerWatts === undefined ? '-' : formatPower(powerWatts),
      note: hasEnergy ? `${source}: ${component.method}${boundsOf(component)}` : whyAbsent(key, report),
    };
  });
  const energyColumns = Math.max(...rows.map((row) => displayWidth(row.energy)));
  const powerColumns = Math.max(...rows.map((row) => displayWidth(row.power)));
  const lines = rows.flatMap(({ name, kind, energy, power, note }) => {
    const values = `  ${padLeft(energy, energyColumns)}  ${padLeft(power, powerColumns)}`;
    const before = displayWidth(values) + 2 + 5 + 11;
    const [first = '', ...more] = wrap(note, COLUMNS - before);
    return [
      `${style('value', values)}  ${style('label', padRight(name, 5))}${style(kind, padRight(kind, 11))}${first}`.trimEnd(),
      ...more.map((line) => `${' '.repeat(before)}${line}`),
    ];
  });
  const bar = [`  ${shareBar(report, BAR_COLUMNS)}`, ...paragraph(shareLegend(report), 2)];
  const scope = wrap(scopeOf(report), COLUMNS - 2).map((line) => `  ${line}`);
  return [style('heading', 'By component'), ...lines, ...bar, ...scope];
}

function boundsOf(component: Component): string {
  const bounds = energyBounds(component.energyJoules ?? 0, component);
  return bounds === '' ? '' : `, ${bounds}`;
}

/** Says how much of the total rests on counters, so that "measured" misleads nobody. */
function scopeOf(report: Report): string {
  const { energy } = report;
  const ofProcess = processScope(report);
  if (ofProcess !== undefined) return ofProcess;
  if (energy.kind !== 'measured' && !(energy.measuredJoules > 0)) {
    return 'The whole machine was accounted for, idle included: no part was measured by counters.';
  }
  const share = energy.kind === 'measured' ? 'all' : formatShare(energy.measuredJoules / energy.energyJoules);
  return `The whole machine was measured, idle included: ${share} of it by counters.`;
}

/** The reason, too, unless it stands under "Not counted". */
function whyAbsent(key: keyof Components, report: Report): string {
  const { atLeast, detail } = report.components[key];
  const absence = absenceOf(key, report);
  return atLeast || detail === '' ? absence : `${absence}: ${detail}`;
}

function factLines(report: Report, style: Style): string[] {
  const { intensity, location, cloud, machine, command, apart } = report;
  const year = intensity.year === undefined ? 'year not stated' : `year ${intensity.year}`;
  const zone = intensity.zone === undefined ? '' : `, zone ${intensity.zone}`;
  const grams = formatDecimals(intensity.intensityGramsPerKwh, 6);
  const facts: [label: string, text: string][] = [
    [
      'Intensity',
      `${grams} g CO2eq/kWh (${year}${zone}); ${origin(intensity)}${boundsOfIntensity(intensity)}`,
    ],
    ...(report.facility === undefined
      ? []
      : ([['Facility', `${facilityText(report.facility)}; ${origin(report.facility)}`]] as [
          string,
          string,
        ][])),
    ['Location', `${placeOf(location)}; ${origin(location)}`],
    ['Cloud', `${cloudOf(cloud)}; ${origin(cloud)}`],
    ...machineOf(machine).map((text): [string, string] => ['Machine', text]),
  ];
  if (command !== undefined)
    facts.push(['Command', describeCommand(command, report.attribution !== undefined)]);
  for (const run of report.merged ?? []) facts.push(['Runs', describeRun(run)]);
  for (const sentence of report.energy.absent) facts.push(['Not counted', sentence]);
  for (const { id, energyJoules, status, detail } of apart) {
    const what = energyJoules === undefined ? detail || status : formatEnergy(energyJoules);
    facts.push(['Shown apart', `${id}: ${what} (not in the total)`]);
  }
  return facts.flatMap(([label, text], index) => {
    const repeated = facts[index - 1]?.[0] === label;
    return hang(repeated ? '' : label, text, 'label', style);
  });
}

function boundsOfIntensity(intensity: Intensity): string {
  const bounds = intensityBounds(intensity);
  if (bounds === '') return '';
  return ` ${intervalName(intensity.confidenceRatio)}: ${bounds} (${intensity.uncertaintyMethod}).`;
}

function describeRun(run: MergedRun): string {
  const amounts = `${formatEnergy(run.energyJoules)}, ${formatMass(run.emissionsGrams)}`;
  const place = run.place === undefined ? '' : `, ${run.place}`;
  return `${run.runId} (${run.projectName}${place}): ${formatDuration(run.durationSeconds)}, ${withAtLeast(amounts, run.atLeast)}, ${run.kind}`;
}

function describeCommand(command: NonNullable<Report['command']>, ofProcess: boolean): string {
  const { userCpuSeconds, systemCpuSeconds } = command;
  const times =
    userCpuSeconds === undefined || systemCpuSeconds === undefined
      ? 'user and system time unknown'
      : `user ${formatDuration(userCpuSeconds)}, system ${formatDuration(systemCpuSeconds)}`;
  return `${commandLine(command.argv)}; ${endingOf(command)}; ${times} (its own CPU time${ofProcess ? '' : "; energy is the machine's"})`;
}

function warningLines(report: Report, style: Style): string[] {
  return groupWarnings(report.warnings).flatMap(({ messages, hint }) => [
    ...messages.flatMap((message, index) => hang(index === 0 ? 'Warning' : '', message, 'warning', style)),
    ...(hint === undefined ? [] : hang('', `Hint: ${hint}`, 'warning', style)),
  ]);
}

function origin({ kind, source, detail }: Provenance): string {
  return `${kind} (${source}). ${detail}`.trim();
}

function machineOf(machine: Report['machine']): string[] {
  const { os, runtime, cpuModel, cpuThreadCount, cpuUtilisationRatio, gpuModel, gpuCount, ramTotalGib } =
    machine;
  const busy = cpuUtilisationRatio === undefined ? '' : `, ${formatShare(cpuUtilisationRatio)} busy`;
  const unnamed = gpuCount === undefined ? 'GPUs unknown' : 'no GPU found';
  const gpu = gpuModel ?? (gpuCount ? `${gpuCount} GPU of unknown model` : unnamed);
  return [
    `${cpuModel ?? 'unknown CPU'}, ${cpuThreadCount} threads${busy}`,
    `${gpu}${gpuFacts(machine)}; ${formatSignificant(ramTotalGib)} GiB RAM`,
    `${os}; ${runtime}`,
  ];
}

/** `, driver 550.54.14, limit 300 W, 40 % busy`, as far as it is known. */
function gpuFacts({ gpuDriver, gpuPowerLimitWatts, gpuUtilisationRatio }: Report['machine']): string {
  return [
    gpuDriver === undefined ? '' : `, driver ${gpuDriver}`,
    gpuPowerLimitWatts === undefined ? '' : `, limit ${formatSignificant(gpuPowerLimitWatts)} W`,
    gpuUtilisationRatio === undefined ? '' : `, ${formatShare(gpuUtilisationRatio)} busy`,
  ].join('');
}

/** Values on the left, right-aligned, and what they are beside them. */
function table(rows: readonly (readonly [string, string])[], style: Style): string[] {
  const columns = Math.max(...rows.map(([value]) => displayWidth(value)));
  return rows.flatMap(([value, label]) => {
    const [first = '', ...more] = wrap(label, COLUMNS - columns - 4);
    return [
      `  ${style('value', padLeft(value, columns))}  ${first}`,
      ...more.map((line) => `${' '.repeat(columns + 4)}${line}`),
    ];
  });
}

/** A label with text hanging to its right. */
function hang(label: string, text: string, name: StyleName, style: Style): string[] {
  const indent = ' '.repeat(LABEL_COLUMNS);
  const [first = '', ...more] = wrap(withoutControls(text), COLUMNS - LABEL_COLUMNS);
  return [
    `${style(name, padRight(label, LABEL_COLUMNS))}${first}`,
    ...more.map((line) => `${indent}${line}`),
  ];
}
