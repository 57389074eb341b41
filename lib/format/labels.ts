// SPDX-License-Identifier: MIT
import { formatEnergy, formatShare, formatSignificant } from '../core/numbers.js';
import type {
  Attribution,
  Cloud,
  Components,
  CounterEnergy,
  Location,
  ModelDetails,
  Report,
} from '../core/report-types.js';
import type { Warning } from '../core/vocabulary.js';

/** The components in the order in which every output lists them. */
export const COMPONENTS: readonly { key: keyof Components; name: string }[] = [
  { key: 'cpu', name: 'CPU' },
  { key: 'gpu', name: 'GPU' },
  { key: 'ram', name: 'RAM' },
];

/** The project, and the task when the report is of one. */
export function titleOf({ projectName, task }: Report): string {
  return task === undefined ? projectName : `${projectName}, task ${task}`;
}

/** What stands where a component's value would, when it has none. */
export function absenceOf(key: keyof Components, report: Report): string {
  if (report.attribution !== undefined && report.components[key].atLeast) return 'present, not attributed';
  if (report.components[key].atLeast) return 'present, not measured';
  // Nothing is missing then: an integrated GPU, say, is inside the CPU package's counter.
  if (key !== 'gpu' || (report.machine.gpuCount ?? 0) > 0) return 'no value of its own';
  return report.machine.gpuCount === 0 ? 'none found' : 'unknown';
}

/** Whose energy the report is of, where that is not the whole machine. */
export function processScope({ attribution, components, energy }: Report): string | undefined {
  if (attribution === undefined) return undefined;
  const { cpuShareRatio, ramShareRatio, cpuSeconds, residentGib, machineJoules, restJoules } = attribution;
  const part = `${formatEnergy(energy.energyJoules)} of the machine's ${formatEnergy(machineJoules)}`;
  const cpu = `${formatShare(cpuShareRatio)} of the CPU's energy for ${formatSignificant(cpuSeconds)} s of CPU time`;
  const ram = `${formatShare(ramShareRatio)} of the memory's for ${formatSignificant(residentGib)} GiB resident`;
  return `One process and its children are accounted for, not the whole machine: ${part}, by attribution (estimated). They have ${cpu}, and ${ram}. The rest, ${formatEnergy(restJoules)}, is other programs'${components.gpu.atLeast ? " and the GPUs'" : ''}.`;
}

/** `12 % of the CPU's energy, 3 % of the memory's`. */
export function shareText({ cpuShareRatio, ramShareRatio }: Attribution): string {
  return `${formatShare(cpuShareRatio)} of the CPU's energy, ${formatShare(ramShareRatio)} of the memory's`;
}

/** `Brazil (BRA), rio grande do sul`, or `unknown`. */
export function placeOf(location: Location): string {
  const { countryName, countryAlpha3, region } = location;
  const country =
    countryName !== undefined && countryAlpha3 !== undefined
      ? `${countryName} (${countryAlpha3})`
      : (countryName ?? countryAlpha3);
  return [country, region].filter((part) => part !== undefined && part !== '').join(', ') || 'unknown';
}

/** `none`, `unknown`, or provider and region. */
export function cloudOf(cloud: Cloud): string {
  if (cloud.kind === 'absent') return 'unknown';
  if (!cloud.onCloud) return 'none';
  return [cloud.provider ?? 'unknown provider', cloud.region ?? 'unknown region'].join(', ');
}

/** All counters of the report: first those of the components, then those shown apart. */
export function countersOf(report: Report): CounterEnergy[] {
  return [...COMPONENTS.flatMap(({ key }) => report.components[key].counters), ...report.apart];
}

/** Warnings that share their code and their hint, so that the hint is given once. */
export interface WarningGroup {
  code: string;
  messages: string[];
  hint?: string;
}

/** The warnings in their order, those with the same code and hint brought together. */
export function groupWarnings(warnings: readonly Warning[]): WarningGroup[] {
  const groups: WarningGroup[] = [];
  for (const { code, message, hint } of warnings) {
    const same = groups.find((group) => group.code === code && group.hint === hint);
    // Without a hint there is nothing to say once only.
    if (same !== undefined && hint !== undefined) same.messages.push(message);
    else groups.push({ code, messages: [message], ...(hint === undefined ? {} : { hint }) });
  }
  return groups;
}

/** The command line as a shell would take it, for reading. */
export function commandLine(argv: readonly string[]): string {
  return argv
    .map((word) => (/^[\w@%+=:,./\\-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`))
    .join(' ');
}

/** `exit code 0`, `ended by SIGTERM`, or nothing known. */
export function endingOf(command: NonNullable<Report['command']>): string {
  if (command.signal !== undefined) return `ended by ${command.signal}`;
  return command.exitCode === undefined ? 'exit code unknown' : `exit code ${command.exitCode}`;
}

/** The model details that were given, with their names for people. */
export function modelLines(model: ModelDetails = {}): [name: string, value: string][] {
  const lines: [string, string | undefined][] = [
    ['Model', model.name],
    ['Description', model.description],
    ['Developed by', model.developer],
    ['Institution', model.institution],
    ['Contact', model.contact],
    ['Date', model.date],
    ['Purpose', model.purpose],
    ['Training data', model.trainingData],
    ['Training type', model.trainingType],
    ['Licence', model.licence],
    ...Object.entries(model.results ?? {}).map(([name, value]): [string, string] => [name, String(value)]),
  ];
  return lines.filter((line): line is [string, string] => line[1] !== undefined && line[1].trim() !== '');
}
