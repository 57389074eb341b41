// SPDX-License-Identifier: MIT
import type { Component, Report } from '../core/report-types.js';
import { papaparse } from './papa.js';

/** The columns of CodeCarbon 3.3's `emissions.csv`, in its order. */
export const CODECARBON_COLUMNS = [
  'timestamp',
  'project_name',
  'run_id',
  'experiment_id',
  'duration',
  'emissions',
  'emissions_rate',
  'cpu_power',
  'gpu_power',
  'ram_power',
  'cpu_energy',
  'gpu_energy',
  'ram_energy',
  'energy_consumed',
  'water_consumed',
  'country_name',
  'country_iso_code',
  'region',
  'cloud_provider',
  'cloud_region',
  'os',
  'python_version',
  'codecarbon_version',
  'cpu_count',
  'cpu_model',
  'gpu_count',
  'gpu_model',
  'longitude',
  'latitude',
  'ram_total_size',
  'tracking_mode',
  'cpu_utilization_percent',
  'gpu_utilization_percent',
  'ram_utilization_percent',
  'ram_used_gb',
  'on_cloud',
  'pue',
  'wue',
] as const;

export type CodecarbonColumn = (typeof CODECARBON_COLUMNS)[number];

/** One cell of text per column; what is unknown is the empty string, never 0. */
export type CodecarbonRecord = Record<CodecarbonColumn, string>;

/**
 * The report in CodeCarbon's columns and units: seconds, kg CO2eq, kg/s, W, kWh, GiB, per cent. As there, energies are
 * multiplied by the PUE and powers are not. The
 * timestamp is the end of the run in the local time zone, as CodeCarbon writes it.
 */
export function codecarbonRecord(report: Report): CodecarbonRecord {
  const { components, emissions, energy, machine, location, cloud } = report;
  const pue = report.facility?.pueRatio ?? 1;
  const gpuSeen = (machine.gpuCount ?? 0) > 0;
  return {
    timestamp: localTimestamp(report.endedAt),
    project_name: report.projectName,
    run_id: report.runId,
    experiment_id: report.experimentId ?? '',
    duration: cell(report.duration.durationSeconds),
    emissions: cell(emissions.emissionsKg),
    emissions_rate: cell(emissions.emissionsKgPerSecond),
    cpu_power: powerCell(components.cpu),
    gpu_power: powerCell(components.gpu),
    ram_power: powerCell(components.ram),
    cpu_energy: energyCell(components.cpu, pue),
    gpu_energy: energyCell(components.gpu, pue),
    ram_energy: energyCell(components.ram, pue),
    energy_consumed: cell(energy.energyKwh * pue),
    water_consumed: cell(report.facility?.waterLitres),
    country_name: location.countryName ?? '',
    country_iso_code: location.countryAlpha3 ?? '',
    region: location.region ?? '',
    cloud_provider: cloud.provider ?? '',
    cloud_region: cloud.region ?? '',
    os: machine.os,
    python_version: machine.runtime,
    codecarbon_version: `${report.generator.name} ${report.generator.version}`,
    cpu_count: cell(machine.cpuThreadCount),
    cpu_model: machine.cpuModel ?? '',
    gpu_count: gpuSeen ? cell(machine.gpuCount) : '',
    gpu_model: gpuSeen ? (machine.gpuModel ?? '') : '',
    longitude: '',
    latitude: '',
    ram_total_size: cell(machine.ramTotalGib),
    tracking_mode: report.trackingMode,
    cpu_utilization_percent: cell(percent(machine.cpuUtilisationRatio)),
    gpu_utilization_percent: cell(percent(machine.gpuUtilisationRatio)),
    ram_utilization_percent: cell(ramUtilisationPercent(report)),
    ram_used_gb: cell(machine.ramUsedGib),
    on_cloud: cloud.kind === 'absent' ? '' : cloud.onCloud ? 'Y' : 'N',
    pue: cell(pue),
    wue: cell(report.facility?.wueLitresPerKwh),
  };
}

/** The columns of the file of tasks that CodeCarbon 3.3 writes: the task's name first, and some of a run's not. */
export const TASK_COLUMNS = [
  'task_name',
  ...CODECARBON_COLUMNS.filter((column) => !/^(experiment_id|pue|wue)$/.test(column)),
] as const;

/** Columns that hold text; what is in the others is a number. */
const TEXTS: ReadonlySet<CodecarbonColumn> = new Set<CodecarbonColumn>([
  'timestamp',
  'project_name',
  'run_id',
  'experiment_id',
  'country_name',
  'country_iso_code',
  'region',
  'cloud_provider',
  'cloud_region',
  'os',
  'python_version',
  'codecarbon_version',
  'cpu_model',
  'gpu_model',
  'tracking_mode',
  'on_cloud',
]);

/** The same record with numbers as numbers, as CodeCarbon sends it to servers; what is unknown is null. */
export function codecarbonRow(report: Report): Record<CodecarbonColumn, string | number | null> {
  const cells = Object.entries(codecarbonRecord(report)) as [CodecarbonColumn, string][];
  const typed = cells.map(([column, text]) => [
    column,
    text === '' ? null : TEXTS.has(column) ? text : Number(text),
  ]);
  return Object.fromEntries(typed) as Record<CodecarbonColumn, string | number | null>;
}

/** The header line of a file of tasks, without a line break. */
export function codecarbonTaskHeader(): string {
  return csvLine(TASK_COLUMNS);
}

/** A task's line, as {@link codecarbonLine}. */
export function codecarbonTaskLine(task: Report): string {
  const record: Record<string, string> = { ...codecarbonRecord(task), task_name: task.task ?? '' };
  return csvLine(TASK_COLUMNS.map((column) => record[column] ?? ''));
}

/** The header line, without a line break, in the order of `columns`. */
export function codecarbonHeader(columns: readonly CodecarbonColumn[] = CODECARBON_COLUMNS): string {
  return csvLine(columns);
}

/** The report's one line, RFC 4180 quoted, without a line break, in the order of `columns`. */
export function codecarbonLine(
  report: Report,
  columns: readonly CodecarbonColumn[] = CODECARBON_COLUMNS,
): string {
  const record = codecarbonRecord(report);
  return csvLine(columns.map((column) => record[column]));
}

function csvLine(cells: readonly string[]): string {
  return papaparse().unparse([cells]);
}

/** Full precision; empty when unknown. */
function cell(value: number | undefined): string {
  return value === undefined || !Number.isFinite(value) ? '' : String(value);
}

function powerCell(component: Component): string {
  return component.kind === 'absent' ? '' : cell(component.powerWatts);
}

function energyCell(component: Component, pue: number): string {
  const { energyKwh } = component;
  return component.kind === 'absent' || energyKwh === undefined ? '' : cell(energyKwh * pue);
}

function percent(ratio: number | undefined): number | undefined {
  return ratio === undefined ? undefined : ratio * 100;
}

function ramUtilisationPercent({ machine }: Report): number | undefined {
  const { ramUsedGib, ramTotalGib } = machine;
  return ramUsedGib === undefined || !(ramTotalGib > 0) ? undefined : percent(ramUsedGib / ramTotalGib);
}

function localTimestamp(iso: string): string {
  const time = new Date(iso);
  const two = (value: number) => String(value).padStart(2, '0');
  const date = [time.getFullYear(), two(time.getMonth() + 1), two(time.getDate())].join('-');
  return `${date}T${[time.getHours(), time.getMinutes(), time.getSeconds()].map(two).join(':')}`;
}
