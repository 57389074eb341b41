// SPDX-License-Identifier: MIT

import { formatDuration, formatSignificant, formatTimestamp } from '../core/numbers.js';
import type { Diagnosis, Fix, MachineDiagnosis, Resolution, SourceDiagnosis } from '../doctor/diagnosis.js';
import { COLUMNS, hang, LABEL_COLUMNS, paragraph } from './columns.js';
import { testBlocks, withFlags } from './doctor-test.js';
import type { Style } from './text.js';
import { padRight, withoutControls, wrap } from './wrap.js';

const plain: Style = (_, text) => text;

/** The diagnosis for a terminal of 80 columns, with a final newline. Only commands and paths run over. */
export function formatDiagnosis(diagnosis: Diagnosis, style: Style = plain): string {
  const { generator, generatedAt, machine, sources, test, resolution } = diagnosis;
  const blocks = [
    [
      style('title', 'What this machine can measure'),
      style('muted', `microjoule ${generator.version}, ${formatTimestamp(generatedAt)}`),
    ],
    machineLines(machine, style),
    ...sources.map((source) => sourceLines(source, style)),
    ...(test === undefined ? [] : testBlocks(test, diagnosis.verdict.lost, style)),
    resolutionLines(resolution, machine, style),
    verdictLines(diagnosis, style),
  ];
  return `${blocks
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`;
}

const spaced = (state: string): string => state.replaceAll('-', ' ');

function machineLines(machine: MachineDiagnosis, style: Style): string[] {
  const { cpu, hardware, container, addon, perfEventParanoid, lockdown, energyFilter } = machine;
  const identity = cpu.vendor === undefined ? '' : `, ${cpu.vendor} family ${cpu.family} model ${cpu.model}`;
  const kernel = [
    ...(perfEventParanoid === undefined ? [] : [`perf_event_paranoid ${perfEventParanoid}`]),
    ...(lockdown === undefined ? [] : [`lockdown ${lockdown}`]),
  ];
  const facts: [label: string, text: string][] = [
    ['System', `${machine.os} ${machine.kernel}, ${machine.architecture}`],
    ['CPU', `${cpu.name}${identity}, ${cpu.threadCount} threads`],
    ['Hardware', `${spaced(hardware.state)}: ${hardware.detail}`],
    ['Container', `${container.state}: ${container.detail}`],
    ...(kernel.length === 0 ? [] : [['Kernel', kernel.join('; ')] as [string, string]]),
    ['Energy filter', `${energyFilter.state}: ${energyFilter.detail}`],
    // What is missing stands below, with what to do about it.
    ['Addon', addon.path === undefined ? addon.state : `${addon.state}: ${addon.path}`],
    ['Runtime', `Node ${machine.nodeVersion}`],
  ];
  return facts.flatMap(([label, text]) => hang(label, text, 'label', style));
}

function sourceLines({ source, status, reason, needed, fixes }: SourceDiagnosis, style: Style): string[] {
  const mark = style(status === 'ok' ? 'measured' : needed ? 'warning' : 'muted', status);
  return [
    `${style('heading', withoutControls(source))}  ${mark}`,
    ...paragraph(withFlags(reason), 2),
    ...(needed ? fixes.flatMap((fix, index) => fixLines(fix, index, fixes.length, style)) : []),
  ];
}

const HOLDS: Readonly<Record<Fix['holds'], string>> = {
  lasting: ' (lasts)',
  'until-restart': ' (until the next start)',
  'until-it-ends': ' (until it ends)',
  'changes-nothing': '',
};

function fixLines({ title, commands, why, holds }: Fix, index: number, of: number, style: Style): string[] {
  const number = of === 1 ? 'Fix' : `Fix ${index + 1}`;
  const [first = '', ...more] = wrap(`${title}${HOLDS[holds]}.`, COLUMNS - 4 - number.length);
  const indent = ' '.repeat(4 + number.length);
  return [
    `  ${style('label', number)}  ${first}`,
    ...more.map((line) => indent + line),
    ...commands.flatMap((command) => command.split('\n').map((line) => `      ${style('value', line)}`)),
    ...paragraph(why, 4),
  ];
}

const SETS = {
  'update-period': 'the update period',
  reading: 'the time between two reads',
  quantum: 'the size of the steps',
} as const;

function resolutionLines(
  resolution: readonly Resolution[],
  { energyFilter }: MachineDiagnosis,
  style: Style,
): string[] {
  const [first] = resolution;
  if (first === undefined) return [];
  const lasts = resolution.map(
    ({ errorRatio, regionSeconds }) =>
      `${formatDuration(regionSeconds)} for ${formatSignificant(errorRatio * 100, 1)} %`,
  );
  return [
    style('heading', 'The shortest region'),
    ...paragraph(
      `Read before and after, a region must last ${lasts.join(', or ')} (one sigma): ${SETS[first.bound]} of ` +
        `${first.counter} sets that.`,
      2,
    ),
    ...(energyFilter.state === 'on' || energyFilter.state === 'possible'
      ? paragraph("The energy filter's noise, which short regions feel most, comes on top.", 2)
      : []),
  ];
}

function verdictLines({ verdict, sources }: Diagnosis, style: Style): string[] {
  const { measured, sentence, next } = verdict;
  const above = sources.find(
    ({ needed, fixes }) => needed && fixes.some(({ commands }) => commands.join('\n') === next.command),
  );
  const indent = ' '.repeat(LABEL_COLUMNS);
  const [first = '', ...more] = next.command.split('\n');
  return [
    ...hang('Verdict', sentence, measured ? 'measured' : 'warning', style),
    // What stands above in several lines need not be said again.
    ...(above !== undefined && more.length > 0
      ? hang('Next', `the first fix of ${above.source}: ${next.why}.`, 'label', style)
      : [
          `${style('label', padRight('Next', LABEL_COLUMNS))}${style('value', first)}`,
          ...more.map((line) => indent + style('value', line)),
          ...paragraph(`${next.why}.`, LABEL_COLUMNS),
        ]),
  ];
}
