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
  withAtLeast,
} from '../core/numbers.js';
import type { Components, Report, Spread } from '../core/report-types.js';
import type { Kind, Provenance } from '../core/vocabulary.js';
import {
  emissionsBounds,
  energyBounds,
  facilityText,
  intensityBounds,
  intervalName,
  scoreBounds,
  scoreName,
} from './intervals.js';
import { absenceOf, COMPONENTS, cloudOf, countersOf, placeOf, shareText } from './labels.js';
import { alignedTable, cell, table } from './markdown-escape.js';
import { cite } from './markdown-prose.js';

const RESULT_COLUMNS = 4;
const UNKNOWN = 'unknown';

/** The results: rows of four bold names, each over the row of their values. */
export function resultsTable(report: Report): string {
  const pairs = resultPairs(report);
  const rows: string[][] = [];
  for (let start = 0; start < pairs.length; start += RESULT_COLUMNS) {
    const group = pairs.slice(start, start + RESULT_COLUMNS);
    rows.push(
      group.map(([name]) => `**${cell(name)}**`),
      group.map(([, value]) => cell(value)),
    );
  }
  return alignedTable(rows);
}

function resultPairs(report: Report): [name: string, value: string][] {
  const { energy, emissions, location, cloud, machine, intensity } = report;
  return [
    ['Duration (s)', formatDecimals(report.duration.durationSeconds, 6)],
    ['Emissions (kg CO2eq)', sum(report, emissions.kind, formatSixDecimals(emissions.emissionsKg))],
    ['Emission rate (kg CO2eq/s)', rate(report, emissions.emissionsKgPerSecond)],
    ['CPU power (W)', powerOf(report, 'cpu')],
    ['GPU power (W)', powerOf(report, 'gpu')],
    ['RAM power (W)', powerOf(report, 'ram')],
    ['CPU energy (kWh)', energyOf(report, 'cpu')],
    ['GPU energy (kWh)', energyOf(report, 'gpu')],
    ['RAM energy (kWh)', energyOf(report, 'ram')],
    ['Total energy (kWh)', sum(report, energy.kind, formatSixDecimals(energy.energyKwh))],
    ['Country', orUnknown(location.countryName)],
    ['ISO', orUnknown(location.countryAlpha3)],
    ['Region', orUnknown(location.region)],
    ['Cloud provider', ofCloud(cloud, cloud.provider)],
    ['Cloud region', ofCloud(cloud, cloud.region)],
    ['OS', orUnknown(machine.os)],
    ['Runtime', orUnknown(machine.runtime)],
    ['Hardware threads', String(machine.cpuThreadCount)],
    ['CPU model', orUnknown(machine.cpuModel)],
    ['GPU count', machine.gpuCount === 0 ? 'none found' : orUnknown(machine.gpuCount?.toString())],
    ['GPU model', machine.gpuCount === 0 ? 'none found' : orUnknown(machine.gpuModel)],
    ['RAM (GiB)', formatDecimals(machine.ramTotalGib, 6)],
    ['Tracking mode', report.trackingMode],
    ['On cloud', cloud.kind === 'absent' ? UNKNOWN : cloud.onCloud ? 'yes' : 'no'],
    [
      'Carbon intensity (g CO2eq/kWh)',
      `${formatDecimals(intensity.intensityGramsPerKwh, 6)} (${intensity.kind})`,
    ],
    ['Emissions in a year (kg CO2eq)', rate(report, emissions.emissionsKgPerYear)],
    ['Kinds of energy', kindShares(report)],
    ['Kind of emissions', emissions.kind],
  ];
}

/** A total with what it misses and how it came about. */
function sum(report: Report, kind: Kind, value: string): string {
  return `${withAtLeast(value, report.energy.atLeast)} (${kind})`;
}

/** Emissions per time, of which a run of no length has none. */
function rate(report: Report, value: number | undefined): string {
  return value === undefined ? UNKNOWN : sum(report, report.emissions.kind, formatSignificant(value, 3));
}

function energyOf(report: Report, key: keyof Components): string {
  const { energyKwh, kind, atLeast } = report.components[key];
  if (energyKwh === undefined) return absenceOf(key, report);
  return `${withAtLeast(formatSixDecimals(energyKwh), atLeast)} (${kind})`;
}

function powerOf(report: Report, key: keyof Components): string {
  const { energyKwh, powerWatts, kind, atLeast } = report.components[key];
  if (energyKwh === undefined) return absenceOf(key, report);
  if (powerWatts === undefined) return UNKNOWN;
  const text = formatSignificant(powerWatts);
  // The zeros after a given 14 W would claim a precision that nobody gave.
  const digits = kind === 'assumed' ? text.replace(/(\.\d+?)0+$/, '$1') : text;
  return `${withAtLeast(digits, atLeast)} (${kind})`;
}

function kindShares({ energy }: Report): string {
  if (!(energy.energyJoules > 0)) return energy.kind;
  const shares = [
    ['measured', energy.measuredJoules],
    ['estimated', energy.estimatedJoules],
    ['assumed', energy.assumedJoules],
  ] as const;
  return shares
    .filter(([, joules]) => joules > 0)
    .map(([kind, joules]) => `${formatShare(joules / energy.energyJoules)} ${kind}`)
    .join(', ');
}

function orUnknown(text: string | undefined): string {
  return text === undefined || text === '' ? UNKNOWN : text;
}

function ofCloud(cloud: Report['cloud'], text: string | undefined): string {
  return cloud.kind !== 'absent' && !cloud.onCloud ? 'none' : orUnknown(text);
}

/** Where each value comes from. */
export function provenanceTable(report: Report): string {
  const { duration, energy, emissions, intensity, location, cloud, attribution } = report;
  const line = (name: string, value: string, from: Provenance, note = '') => [
    name,
    value,
    from.kind,
    from.source,
    from.method,
    `${from.detail}${note}`.trim(),
  ];
  const components = COMPONENTS.map(({ key, name }) => {
    const { energyJoules, powerWatts, atLeast, ...from } = report.components[key];
    if (energyJoules === undefined) return line(name, absenceOf(key, report), from);
    const bounds = after(energyBounds(energyJoules, report.components[key]), from.confidenceRatio);
    return line(
      name,
      `${withAtLeast(formatEnergy(energyJoules), atLeast)}${bounds}${meanOf(powerWatts)}`,
      from,
    );
  });
  const total = `${withAtLeast(formatEnergy(energy.energyJoules), energy.atLeast)}${after(energyBounds(energy.energyJoules, energy), energy.confidenceRatio)}${meanOf(energy.powerWatts)}`;
  const year = intensity.year === undefined ? 'year not stated' : `year ${intensity.year}`;
  const zone = intensity.zone === undefined ? '' : `, zone ${intensity.zone}`;
  const grams = `${formatDecimals(intensity.intensityGramsPerKwh, 6)} g/kWh (${year}${zone})`;
  const ofIntensity = after(intensityBounds(intensity), intensity.confidenceRatio);
  const howFar =
    intensity.uncertaintyMethod === undefined ? '' : ` Interval: ${intensity.uncertaintyMethod}.`;
  const mass = `${withAtLeast(formatMass(emissions.emissionsGrams), emissions.atLeast)}${after(emissionsBounds(emissions), emissions.confidenceRatio)}`;
  const credit = cite(report, 'carbon-intensity');
  return table(
    ['Quantity', 'Value', 'Kind', 'Source', 'Method', 'Detail'],
    [
      line('Duration', formatDuration(duration.durationSeconds), duration),
      ...components,
      ...(attribution === undefined
        ? []
        : [line('Share of the machine', shareText(attribution), attribution)]),
      line('Total energy', total, energy),
      line('Emissions', mass, emissions),
      ...scoreLines(report).map(([name, value, from]) => line(name, value, from)),
      line(
        'Carbon intensity',
        `${grams}${ofIntensity}`,
        intensity,
        `${howFar}${credit === '' ? '' : ` ${credit}`}`,
      ),
      line('Location', placeOf(location), location),
      line('Cloud', cloudOf(cloud), cloud),
    ],
  );
}

/** Embodied emissions and the score per functional unit, where the user gave their terms. */
export function scoreLines({
  facility,
  embodied,
  score,
}: Report): [name: string, value: string, from: Provenance][] {
  const lines: [string, string, Provenance][] = [];
  if (facility !== undefined) lines.push(['Facility', facilityText(facility), facility]);
  if (embodied !== undefined)
    lines.push(['Embodied emissions', formatMass(embodied.embodiedGrams), embodied]);
  if (score !== undefined) {
    const value = withAtLeast(formatMass(score.gramsPerUnit), score.atLeast);
    lines.push([scoreName(score), `${value}${after(scoreBounds(score), score.confidenceRatio)}`, score]);
  }
  return lines;
}

/** An interval behind its value. */
function after(bounds: string, confidenceRatio: number | undefined): string {
  return bounds === '' ? '' : `, ${intervalName(confidenceRatio)} ${bounds}`;
}

function meanOf(powerWatts: number | undefined): string {
  return powerWatts === undefined ? '' : `, mean ${formatPower(powerWatts)}`;
}

/** Every counter with its status, or nothing when the machine has none. */
export function countersTable(report: Report): string | undefined {
  const counters = countersOf(report);
  if (counters.length === 0) return undefined;
  return table(
    ['Counter', 'Domain', 'Device', 'Read at', 'Status', 'Energy', 'In the total', 'Detail'],
    counters.map(({ id, domain, device, origin, status, energyJoules, inTotal, detail }) => [
      id,
      domain,
      String(device),
      origin,
      status,
      energyJoules === undefined ? 'absent' : formatEnergy(energyJoules),
      inTotal ? 'yes' : 'no',
      detail,
    ]),
  );
}

/** Mean and standard deviation of the single runs, or nothing when there was one run. */
export function repetitionsTable(report: Report): string | undefined {
  const { repetitions } = report;
  if (repetitions === undefined) return undefined;
  const { energyJoules, emissionsGrams, kind, atLeast } = repetitions;
  const spread = ({ mean, standardDeviation }: Spread, quantity: Parameters<typeof formatSpread>[2]) =>
    formatSpread(mean, standardDeviation, quantity);
  const amount = (text: string, of: Kind) => `${withAtLeast(text, atLeast)} (${of})`;
  return table(
    [`Per run, of ${repetitions.count} runs`, 'Mean ± standard deviation'],
    [
      ['Duration', spread(repetitions.durationSeconds, 'duration')],
      ['Energy', amount(spread(energyJoules, 'energy'), kind)],
      ['Emissions (CO2eq)', amount(spread(emissionsGrams, 'mass'), emissionsGrams.kind)],
    ],
  );
}

/** The runs of a merged report, or nothing when it is of one run. */
export function mergedTable({ merged }: Report): string | undefined {
  if (merged === undefined) return undefined;
  return table(
    ['Run', 'Project', 'Duration', 'Energy', 'Emissions (CO2eq)', 'Where'],
    merged.map((run) => [
      run.runId,
      run.projectName,
      formatDuration(run.durationSeconds),
      withAtLeast(formatEnergy(run.energyJoules), run.atLeast),
      `${withAtLeast(formatMass(run.emissionsGrams), run.atLeast)} (${run.kind})`,
      [run.place, run.os, run.cpuModel, run.gpuModel].filter((part) => part).join('; '),
    ]),
  );
}
